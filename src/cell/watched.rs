//! What a service must be like to be watched from beside it.

use super::finding::Finding;
use super::service::{is_true, service_type, watchdog_is_set};
use super::{Cell, Condition, Kind};
use crate::unit::Unit;

/// All conditions of the cell, whatever they are for.
pub fn conditions(cell: &Cell) -> impl Iterator<Item = &Condition> {
    cell.ready_when.iter().chain(&cell.health_probe)
}

/// `ReadyWhen=, HealthProbe=`, those of them that are set.
pub fn watching_directives(cell: &Cell) -> String {
    let names = [("ReadyWhen=", &cell.ready_when), ("HealthProbe=", &cell.health_probe)];
    let set = names.into_iter().filter(|(_, conditions)| !conditions.is_empty()).map(|(name, _)| name);
    set.collect::<Vec<_>>().join(", ")
}

/// What a service must be like to be watched from beside it.
pub fn watched(unit: &Unit, cell: &Cell, version: u32, found: &mut Vec<Finding>) {
    if !cell.is_watched() {
        return;
    }
    let at = |name| cell.location(name);
    let service_type = service_type(unit);
    // 252 takes a type that it does not know for Type=simple, and reloads such a unit in no way.
    let reloads = service_type == "notify-reload" && version >= 253;
    if !cell.ready_when.is_empty() && !reloads && !matches!(service_type, "simple" | "exec" | "notify") {
        let (why, remedy) = match service_type {
            "forking" => (
                "the daemon's first process tells by its end that it is ready",
                "let the daemon stay in the foreground, with Type=exec",
            ),
            "oneshot" => ("it counts as started when it has ended", "remove one of the two"),
            "dbus" => ("its name on the bus tells that it is ready", "remove one of the two"),
            "notify-reload" => ("systemd 252 does not know that type", "use Type=notify with ExecReload="),
            _ => ("that has a notion of its own of when the service is started", "use Type=exec"),
        };
        found.push(Finding::error(
            at("ReadyWhen"),
            format!("ReadyWhen= does not go with Type={service_type}: {why}"),
            remedy,
        ));
    }
    if !cell.ready_when.is_empty() && !reloads {
        let needs_socket = [
            (
                "WatchdogSec",
                cell.health_probe.is_empty() && watchdog_is_set(unit),
                "add HealthProbe=, or remove one of the two",
            ),
            ("FileDescriptorStoreMax", true, "remove one of the two"),
        ];
        for (key, _, remedy) in needs_socket.into_iter().filter(|(_, used, _)| *used) {
            found.extend(unit.last("Service", key).filter(|line| line.value != "0").map(|line| {
                Finding::of_line(
                    line,
                    "needs a service that speaks to systemd, and one with ReadyWhen= is not heard",
                    remedy,
                )
            }));
        }
    }
    if !cell.health_probe.is_empty() {
        if matches!(service_type, "forking" | "oneshot") {
            found.push(Finding::error(
                at("HealthProbe"),
                format!("HealthProbe= does not go with Type={service_type}: what is executed is not what stays to be watched"),
                "let the service stay in the foreground, with Type=exec",
            ));
        }
        if !watchdog_is_set(unit) {
            found.push(Finding::error(
                at("HealthProbe"),
                "HealthProbe= feeds the watchdog, and the unit has none",
                "set WatchdogSec= in [Service], and Restart=on-watchdog if it is to be started again",
            ));
        }
    }
    if is_true(unit, "PrivatePIDs") && cell.source(Kind::Pid).is_none() {
        found.extend(unit.last("Service", "PrivatePIDs").map(|line| {
            Finding::of_line(
                line,
                &format!("leaves the watcher no way into the namespace, and {} needs one", watching_directives(cell)),
                "say PrivatePIDs= in [X-Unitcell] instead",
            )
        }));
    }
}
