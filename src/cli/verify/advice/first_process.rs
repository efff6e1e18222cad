//! What is special about the first process of a PID namespace.

use super::Advice;
use crate::cell::Cell;
use crate::unit::Unit;

/// PID 1 of a PID namespace gets no signal that it has no handler for.
pub fn signals(unit: &Unit, cell: &Cell) -> Option<Advice> {
    let is_first = cell.private_pids && !cell.init;
    let setting = |key| unit.last("Service", key).map(|line| line.value.as_str());
    let never_asked = setting("KillSignal").is_some_and(|signal| matches!(signal, "SIGKILL" | "KILL" | "9"))
        || setting("KillMode") == Some("none");
    (is_first && !never_asked).then(|| {
        let signal = setting("KillSignal").unwrap_or("SIGTERM");
        Advice::hint(
            cell.location("PrivatePIDs"),
            format!(
                "as PID 1 of its namespace the service gets no {signal} unless it has a handler for it: \
                 a stop takes TimeoutStopSec= then, and ends with SIGKILL"
            ),
            "where the program has no handler, add Init=yes, or set KillSignal=SIGKILL",
        )
    })
}

/// Without an init nothing stays beside the service that could translate what it tells systemd.
pub fn numbers_inside(unit: &Unit, cell: &Cell) -> Option<Advice> {
    let service_type = unit.last("Service", "Type").map(|line| line.value.as_str());
    let speaks = matches!(service_type, Some("notify" | "notify-reload"));
    (cell.private_pids && !cell.init && speaks).then(|| {
        Advice::hint(
            cell.location("PrivatePIDs"),
            "a MAINPID= that the service tells systemd is passed over: it is a number inside of the PID namespace",
            "where the service tells of another main process, add Init=yes",
        )
    })
}
