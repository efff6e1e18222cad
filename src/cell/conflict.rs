//! Settings of the unit that the wrapper can't keep, or that keep it from its work.
//!
//! A unit that has one and needs the wrapper is refused: weaker than the unit says is no choice.

use super::finding::Finding;
use super::kind::{Kind, Kinds};
use super::service::{allows_family, is_true};
use super::steps::Step;
use super::value::ProtectHostname;
use super::watched::{conditions, watched, watching_directives};
use super::{Cell, Condition, Maker};
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
    watched(unit, cell, version, &mut found);
    let sets_up = Kind::ALL.into_iter().any(|kind| maker(kind) == Some(Maker::Wrapper));
    if !sets_up && !cell.is_watched() {
        return found;
    }
    let reason = reason(cell, &maker);
    for (key, why) in SKIPPED {
        found.extend(
            unit.last("Service", key).map(|line| {
                Finding::of_line(line, &format!("is not kept: {why}, and {reason}"), "remove one of the two")
            }),
        );
    }
    // Not yet: the filter would bind the wrapper, too, and has to be moved behind its work.
    found.extend(unit.list("Service", "SystemCallFilter").first().map(|line| {
        Finding::of_line(
            line,
            &format!("is not supported yet where it binds the wrapper, too, and {reason}"),
            "remove one of the two",
        )
    }));
    found.extend(restrict_namespaces(unit, version, steps, &reason));
    found.extend(address_families(unit, cell, steps, &reason));
    if cell.source(Kind::Time).is_some() && is_true(unit, "ProtectClock") {
        found.extend(unit.last("Service", "ProtectClock").map(|line| {
            Finding::of_line(
                line,
                "takes away CAP_SYS_TIME, without which no clock can be shifted",
                "set ProtectClock=no; a time namespace leaves the host's clocks alone",
            )
        }));
    }
    if cell.joins(Kind::Mount) {
        found.extend(joined_mounts(unit, cell));
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

/// A daemon that leaves its first process leaves its PID namespace without an init.
fn pid_namespace(unit: &Unit, cell: &Cell, found: &mut Vec<Finding>) {
    let forking = unit.last("Service", "Type").filter(|line| line.value == "forking");
    if let (Some(line), true) = (forking, cell.source(Kind::Pid).is_some()) {
        let directives = cell.directives_of(Kind::Pid);
        found.push(Finding::of_line(
            line,
            &format!("does not go with {directives}: the PID namespace ends with its first process"),
            "let the daemon stay in the foreground, with another Type=",
        ));
    }
    let own = unit.last("Service", "PrivatePIDs").filter(|line| parse_boolean(&line.value) == Some(true));
    if let (Some(line), true) = (own, cell.joins(Kind::Pid)) {
        let directives = cell.directives_of(Kind::Pid);
        found.push(Finding::of_line(
            line,
            &format!("makes a PID namespace, and {directives} joins another one"),
            "remove one of the two",
        ));
    }
}

fn other_root(unit: &Unit, found: &mut Vec<Finding>) {
    found.extend(OTHER_ROOT.iter().filter_map(|key| unit.last("Service", key)).map(|line| {
        Finding::of_line(
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
        .filter(|step| matches!(step, Step::Unshare(_) | Step::Join(_) | Step::MakeUserNamespace(_)))
        .fold(Kinds::NONE, |all, step| all.with(step.kinds()));
    let allowed = match allowed == every || knows_time {
        true => allowed,
        false => allowed.without(Kinds::from_iter([Kind::Time])),
    };
    let forbidden = needed.without(allowed);
    (!forbidden.is_empty()).then(|| {
        Finding::of_line(
            last,
            &format!("forbids what the cell needs ({forbidden}), and {reason}"),
            "allow these types, or remove one of the two",
        )
    })
}

/// Messages to the manager go over a UNIX socket, questions about sockets to the kernel over netlink.
fn address_families(unit: &Unit, cell: &Cell, steps: &[Step], reason: &str) -> Option<Finding> {
    let notifies = cell.is_watched() || steps.iter().any(|step| matches!(step, Step::Fork { hand_over: true, .. }));
    let asks = conditions(cell).any(Condition::asks_for_sockets);
    let missing = [
        (notifies, "AF_UNIX", "by which the wrapper speaks to systemd"),
        (asks, "AF_NETLINK", "by which the kernel tells of sockets"),
    ]
    .into_iter()
    .find(|(needed, family, _)| *needed && !allows_family(unit, family));
    let (_, family, what_for) = missing?;
    let last = *unit.list("Service", "RestrictAddressFamilies").last()?;
    Some(Finding::of_line(last, &format!("leaves out {family}, {what_for}, and {reason}"), &format!("add {family}")))
}

fn joined_mounts(unit: &Unit, cell: &Cell) -> Vec<Finding> {
    let directives = cell.directives_of(Kind::Mount);
    let remedy = match cell.namespaces_of {
        Some(_) => "remove it, or leave mnt out with ~mnt",
        None => "remove one of the two",
    };
    let set = |key: &&str| {
        let line = unit.last("Service", key)?;
        (parse_boolean(&line.value) != Some(false)).then_some(line)
    };
    OF_THE_MOUNT_NAMESPACE
        .iter()
        .filter_map(set)
        .map(|line| {
            Finding::of_line(line, &format!("would be lost: {directives} leaves the mounts that it makes"), remedy)
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
