//! When a service in a cell counts as started, and who tells the manager.

use super::service::{service_type, watchdog_is_set};
use super::{Cell, Kind};
use crate::notify::Access;
use crate::unit::Unit;

/// How the manager learns of the start.
pub struct Started {
    /// Does the wrapper tell it, when the cell is set up?
    pub ready: bool,
    /// Must the payload not get to see the socket, which it would not have without a cell?
    pub hide_notify_socket: bool,
    /// Whose messages are relayed to the manager, if any are.
    pub relay: Option<Access>,
    /// What that takes in `[Service]`.
    pub lines: Vec<(&'static str, String)>,
}

impl Started {
    /// When the service counts as started. systemd takes the exec of the wrapper, or even its
    /// fork, for the start; so the wrapper itself tells when the cell is set up, and a cell that
    /// can't be had fails the start and not the running service. (The filters that hold the service may keep
    /// the wrapper from it.)
    pub fn of(unit: &Unit, cell: &Cell, hand_over: bool, may_notify: bool) -> Started {
        let setting = |key| unit.last("Service", key).map(|line| line.value.as_str());
        let service_type = service_type(unit);
        let watched = cell.is_watched();
        let starts = matches!(service_type, "simple" | "exec");
        let ready = starts && may_notify;
        // The answers to reloads must reach the manager, whoever judges whether the service is ready.
        let reloads = service_type == "notify-reload";
        // A service whose readiness is judged from outside is not asked for it, and one whose health
        // is judged does not feed its watchdog.
        let speaks = cell.ready_when.is_empty() || reloads;
        let feeds = cell.health_probe.is_empty();
        // systemd.service(5), NotifyAccess=: what brings the socket along without being told to.
        let own_socket = speaks
            && (!matches!(setting("NotifyAccess"), None | Some("none"))
                || matches!(service_type, "notify" | "notify-reload")
                || (feeds && watchdog_is_set(unit))
                || setting("FileDescriptorStoreMax").is_some_and(|count| count != "0"));
        let mut lines = Vec::new();
        if ready {
            lines.push(("Type", "notify".to_owned()));
        }
        // In a PID namespace the numbers of processes mean others than outside, and with an init not
        // even the main process is the number 1 that systemd passes over. Without one nothing stays
        // resident for this: a service that tells of no other main process has no need of it.
        let renumbered = cell.init && hand_over && own_socket;
        let held_back = reloads && !cell.ready_when.is_empty();
        let in_the_past = reloads_in_the_past(unit, cell);
        let access = if setting("NotifyAccess") == Some("all") { Access::All } else { Access::Main };
        let relay = (renumbered || held_back || in_the_past).then_some(access);
        if watched || relay.is_some() {
            // The watcher and the relay are not the main process, and have no privilege to pose as it.
            lines.push(("NotifyAccess", "all".to_owned()));
        } else if (ready || hand_over) && !own_socket {
            lines.push(("NotifyAccess", "main".to_owned()));
        }
        Started { ready, relay, hide_notify_socket: (ready || hand_over || watched) && !own_socket, lines }
    }
}

/// Does the service tell of reloads by a clock that is behind the manager's? systemd passes over the answer to
/// a reload that seems older than the reload itself, sd_notify(3).
pub fn reloads_in_the_past(unit: &Unit, cell: &Cell) -> bool {
    let is_behind = cell.time_offset_monotonic.is_some_and(|offset| offset < 0) || cell.joins(Kind::Time);
    is_behind && service_type(unit) == "notify-reload"
}
