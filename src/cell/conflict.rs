//! Settings of the unit that the wrapper can't keep, or that keep it from its work.
//!
//! A unit that has one and needs the wrapper is refused: weaker than the unit says is no choice.

use super::finding::Finding;
use super::identity::is_true;
use super::kind::{Kind, Kinds};
use super::steps::Step;
use super::value::ProtectHostname;
use super::{Cell, Condition, Maker};
use crate::unit::timespan::parse_timespan;
use crate::unit::value::{parse_boolean, split_inversion};
use crate::unit::{Assignment, Unit};

/// Settings that act when systemd itself becomes the user, which the wrapper does now.
const SKIPPED: [(&str, &str); 1] =
    [("PAMName", "a PAM session is opened by systemd for the user that it becomes itself")];

/// Settings that put the service where the wrapper's file is not.
const OTHER_ROOT: [&str; 4] = ["RootDirectory", "RootImage", "RootMStack", "RootDirectoryFileDescriptor"];

/// Settings that systemd makes a mount namespace for; joining another one would lose them.
const OF_THE_MOUNT_NAMESPACE: [&str; 29] = [
    "BindPaths",
    "BindReadOnlyPaths",
    "DynamicUser",
    "ExecPaths",
    "ExtensionDirectories",
    "ExtensionImages",
    "InaccessiblePaths",
    "LogNamespace",
    "MountAPIVFS",
    "MountImages",
    "NoExecPaths",
    "PrivateDevices",
    "PrivateMounts",
    "PrivateTmp",
    "ProcSubset",
    "ProtectControlGroups",
    "ProtectHome",
    "ProtectKernelLogs",
    "ProtectKernelModules",
    "ProtectKernelTunables",
    "ProtectProc",
    "ProtectSystem",
    "PrivateBPF",
    "ReadOnlyPaths",
    "ReadWritePaths",
    "RootHash",
    "TemporaryFileSystem",
    "LoadCredential",
    "LoadCredentialEncrypted",
];

/// All conflicts between a unit and the wrapper's work on it.
pub fn conflicts(
    unit: &Unit,
    cell: &Cell,
    version: u32,
    maker: impl Fn(Kind) -> Option<Maker>,
    steps: &[Step],
) -> Vec<Finding> {
    let mut found = Vec::new();
    pid_namespace(unit, cell, &mut found);
    other_root(unit, &mut found);
    watched(unit, cell, &mut found);
    let sets_up = Kind::ALL.into_iter().any(|kind| maker(kind) == Some(Maker::Wrapper));
    if !sets_up && !cell.is_watched() {
        return found;
    }
    let reason = reason(cell, &maker);
    for (key, why) in SKIPPED {
        found.extend(
            unit.last("Service", key)
                .map(|line| refuse(line, &format!("is not kept: {why}, and {reason}"), "remove one of the two")),
        );
    }
    // Not yet: the filter would bind the wrapper, too, and has to be moved behind its work.
    found.extend(unit.list("Service", "SystemCallFilter").first().map(|line| {
        refuse(
            line,
            &format!("is not supported yet where it binds the wrapper, too, and {reason}"),
            "remove one of the two",
        )
    }));
    found.extend(restrict_namespaces(unit, version, steps, &reason));
    found.extend(address_families(unit, cell, steps, &reason));
    if cell.source(Kind::Time).is_some() && is_true(unit, "ProtectClock") {
        found.extend(unit.last("Service", "ProtectClock").map(|line| {
            refuse(
                line,
                "takes away CAP_SYS_TIME, without which no clock can be shifted",
                "set ProtectClock=no; a time namespace leaves the host's clocks alone",
            )
        }));
    }
    if maker(Kind::Mount) == Some(Maker::Wrapper) {
        found.extend(joined_mounts(unit));
    }
    found
}

/// The words for "Hostname= needs the wrapper".
fn reason(cell: &Cell, maker: impl Fn(Kind) -> Option<Maker>) -> String {
    let by_kind = Kind::ALL.into_iter().filter(|&kind| maker(kind) == Some(Maker::Wrapper));
    let names: Vec<String> = by_kind
        .map(|kind| cell.directives_of(kind))
        .chain([watching_directives(cell)])
        .filter(|names| !names.is_empty())
        .collect();
    let verb = if names.len() == 1 && !names[0].contains(',') { "needs" } else { "need" };
    format!("{} {verb} the wrapper on this systemd", names.join(", "))
}

fn refuse(line: &Assignment, message: &str, remedy: &str) -> Finding {
    Finding::error(Some(line.value_at.clone()), format!("{}={} {message}", line.key, line.value), remedy)
}

/// A daemon that leaves its first process leaves its PID namespace without an init.
fn pid_namespace(unit: &Unit, cell: &Cell, found: &mut Vec<Finding>) {
    let forking = unit.last("Service", "Type").filter(|line| line.value == "forking");
    if let (Some(line), true) = (forking, cell.source(Kind::Pid).is_some()) {
        let directives = cell.directives_of(Kind::Pid);
        found.push(refuse(
            line,
            &format!("does not go with {directives}: the PID namespace ends with its first process"),
            "let the daemon stay in the foreground, with another Type=",
        ));
    }
}

/// When the service counts as started, systemd.service(5).
pub fn service_type(unit: &Unit) -> &str {
    let setting = |key| unit.last("Service", key).map(|line| line.value.as_str());
    match setting("Type") {
        Some(service_type) => service_type,
        None if setting("BusName").is_some() => "dbus",
        None if unit.list("Service", "ExecStart").is_empty() => "oneshot",
        None => "simple",
    }
}

/// Does systemd want to be told that the service is well?
pub fn watchdog_is_set(unit: &Unit) -> bool {
    unit.last("Service", "WatchdogSec").is_some_and(|line| {
        // What can't be parsed systemd passes over.
        matches!(parse_timespan(&line.value), Ok(Some(1..)))
    })
}

fn conditions(cell: &Cell) -> impl Iterator<Item = &Condition> {
    cell.ready_when.iter().chain(&cell.health_probe)
}

/// `ReadyWhen=, HealthProbe=`, those of them that are set.
fn watching_directives(cell: &Cell) -> String {
    let names = [("ReadyWhen=", &cell.ready_when), ("HealthProbe=", &cell.health_probe)];
    let set = names.into_iter().filter(|(_, conditions)| !conditions.is_empty()).map(|(name, _)| name);
    set.collect::<Vec<_>>().join(", ")
}

/// What a service must be like to be watched from beside it.
fn watched(unit: &Unit, cell: &Cell, found: &mut Vec<Finding>) {
    if !cell.is_watched() {
        return;
    }
    let at = |name| cell.location(name);
    let service_type = service_type(unit);
    if !cell.ready_when.is_empty() && !matches!(service_type, "simple" | "exec" | "notify") {
        let (why, remedy) = match service_type {
            "forking" => (
                "the daemon's first process tells by its end that it is ready",
                "let the daemon stay in the foreground, with Type=exec",
            ),
            "oneshot" => ("it counts as started when it has ended", "remove one of the two"),
            "dbus" => ("its name on the bus tells that it is ready", "remove one of the two"),
            "notify-reload" => (
                "to answer reloads the service needs the socket over which it would say READY=1 itself",
                "use Type=notify with ExecReload=, or remove ReadyWhen=",
            ),
            _ => ("that has a notion of its own of when the service is started", "use Type=exec"),
        };
        found.push(Finding::error(
            at("ReadyWhen"),
            format!("ReadyWhen= does not go with Type={service_type}: {why}"),
            remedy,
        ));
    }
    if !cell.ready_when.is_empty() {
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
                refuse(line, "needs a service that speaks to systemd, and one with ReadyWhen= is not heard", remedy)
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
    if is_true(unit, "PrivatePIDs") {
        found.extend(unit.last("Service", "PrivatePIDs").map(|line| {
            refuse(
                line,
                &format!("leaves the watcher no way into the namespace, and {} needs one", watching_directives(cell)),
                "say PrivatePIDs= in [X-Unitcell] instead",
            )
        }));
    }
}

fn other_root(unit: &Unit, found: &mut Vec<Finding>) {
    found.extend(OTHER_ROOT.iter().filter_map(|key| unit.last("Service", key)).map(|line| {
        refuse(
            line,
            "is not supported yet together with a cell: the wrapper is not in that root",
            "remove one of the two",
        )
    }));
}

/// The namespaces that the steps make or join must be among the allowed ones.
fn restrict_namespaces(unit: &Unit, version: u32, steps: &[Step], reason: &str) -> Option<Finding> {
    let lines: Vec<&Assignment> = unit.list("Service", "RestrictNamespaces");
    let last = *lines.last()?;
    let every: Kinds = Kind::ALL.into_iter().collect();
    // Where systemd does not know the type, every restriction forbids it.
    let knows_time = version >= 262;
    let allowed = lines.iter().fold(None, |allowed, line| {
        let (invert, names) = split_inversion(&line.value);
        let named: Kinds = names.split_ascii_whitespace().filter_map(Kind::from_proc_name).collect();
        Some(match (parse_boolean(&line.value), allowed, invert) {
            (Some(true), ..) => Kinds::NONE,
            (Some(false), ..) => every,
            (None, None, true) => every.without(named),
            (None, None, false) => named,
            (None, Some(before), true) => Kinds::without(before, named),
            (None, Some(before), false) => Kinds::with(before, named),
        })
    })?;
    let needed = steps
        .iter()
        .filter(|step| matches!(step, Step::Unshare(_) | Step::Join(_) | Step::EnterUserNamespace(_)))
        .fold(Kinds::NONE, |all, step| all.with(step.kinds()));
    let allowed = match allowed == every || knows_time {
        true => allowed,
        false => allowed.without(Kinds::from_iter([Kind::Time])),
    };
    let forbidden = needed.without(allowed);
    (!forbidden.is_empty()).then(|| {
        refuse(
            last,
            &format!("forbids what the cell needs ({forbidden}), and {reason}"),
            "allow these types, or remove one of the two",
        )
    })
}

/// Messages to the manager go over a UNIX socket, questions about sockets to the kernel over netlink.
fn address_families(unit: &Unit, cell: &Cell, steps: &[Step], reason: &str) -> Option<Finding> {
    let notifies = cell.is_watched() || steps.iter().any(|step| matches!(step, Step::Fork { hand_over: true }));
    let asks = conditions(cell).any(Condition::asks_for_sockets);
    let missing = [
        (notifies, "AF_UNIX", "by which the wrapper speaks to systemd"),
        (asks, "AF_NETLINK", "by which the kernel tells of sockets"),
    ]
    .into_iter()
    .find(|(needed, family, _)| *needed && !allows_family(unit, family));
    let (_, family, what_for) = missing?;
    let last = *unit.list("Service", "RestrictAddressFamilies").last()?;
    Some(refuse(last, &format!("leaves out {family}, {what_for}, and {reason}"), &format!("add {family}")))
}

fn allows_family(unit: &Unit, family: &str) -> bool {
    let lines = unit.list("Service", "RestrictAddressFamilies");
    let deny_list = lines.first().is_none_or(|line| split_inversion(&line.value).0);
    let named = lines.iter().fold(false, |named, line| {
        let (inverted, names) = split_inversion(&line.value);
        if names.split_ascii_whitespace().any(|name| name == family) { inverted == deny_list } else { named }
    });
    named != deny_list
}

/// May the wrapper send messages to the manager, under the filters that bind it like the service?
pub fn may_notify(unit: &Unit) -> bool {
    allows_family(unit, "AF_UNIX") && unit.list("Service", "SystemCallFilter").is_empty()
}

fn joined_mounts(unit: &Unit) -> Vec<Finding> {
    let set = |key: &&str| {
        let line = unit.last("Service", key)?;
        (parse_boolean(&line.value) != Some(false)).then_some(line)
    };
    OF_THE_MOUNT_NAMESPACE
        .iter()
        .filter_map(set)
        .map(|line| {
            refuse(line, "would be lost: MountNamespacePath= leaves the mounts that it makes", "remove one of the two")
        })
        .collect()
}

/// A unit's own ProtectHostname=yes would keep the wrapper from setting names. It becomes a part
/// of the cell, and the wrapper takes the calls away afterwards.
pub fn adopt_protect_hostname(unit: &Unit, cell: &mut Cell) -> bool {
    let own = unit.last("Service", "ProtectHostname").map(|line| ProtectHostname::parse(&line.value));
    let names_set = cell.wanted_hostname().is_some() || cell.domainname.is_some();
    if let (Some(Ok(ProtectHostname::Yes(name))), true) = (own, names_set) {
        let wanted = cell.wanted_hostname().map(str::to_owned).or(name);
        cell.protect_hostname = ProtectHostname::Yes(wanted);
        return true;
    }
    false
}
