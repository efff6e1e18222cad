//! Settings of the unit that the wrapper can't keep, or that keep it from its work.
//!
//! A unit that has one and needs the wrapper is refused: weaker than the unit says is no choice.

use super::finding::Finding;
use super::identity::is_true;
use super::kind::{Kind, Kinds};
use super::steps::Step;
use super::value::ProtectHostname;
use super::{Cell, Maker};
use crate::unit::value::parse_boolean;
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
    let sets_up = Kind::ALL.into_iter().any(|kind| maker(kind) == Some(Maker::Wrapper));
    if !sets_up {
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
            &format!("is not supported yet where the wrapper sets the cell up, and {reason}"),
            "remove one of the two",
        )
    }));
    found.extend(restrict_namespaces(unit, version, steps, &reason));
    found.extend(address_families(unit, steps, &reason));
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
    let names: Vec<String> = Kind::ALL
        .into_iter()
        .filter(|&kind| maker(kind) == Some(Maker::Wrapper))
        .map(|kind| cell.directives_of(kind))
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
        let (invert, names) = match line.value.strip_prefix('~') {
            Some(names) => (true, names),
            None => (false, line.value.as_str()),
        };
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

/// Handing the main process over goes over a UNIX socket.
fn address_families(unit: &Unit, steps: &[Step], reason: &str) -> Option<Finding> {
    let notifies = steps.iter().any(|step| matches!(step, Step::Fork { hand_over: true }));
    let lines = unit.list("Service", "RestrictAddressFamilies");
    let last = lines.last().filter(|_| notifies && !allows_unix_sockets(unit))?;
    Some(refuse(
        last,
        &format!("leaves out AF_UNIX, by which the main process is told to systemd, and {reason}"),
        "add AF_UNIX",
    ))
}

fn allows_unix_sockets(unit: &Unit) -> bool {
    let lines = unit.list("Service", "RestrictAddressFamilies");
    let deny_list = lines.first().is_none_or(|line| line.value.starts_with('~'));
    let named = lines.iter().fold(false, |named, line| {
        let (inverted, names) = match line.value.strip_prefix('~') {
            Some(names) => (true, names),
            None => (false, line.value.as_str()),
        };
        if names.split_ascii_whitespace().any(|name| name == "AF_UNIX") { inverted == deny_list } else { named }
    });
    named != deny_list
}

/// May the wrapper send messages to the manager, under the filters that bind it like the service?
pub fn may_notify(unit: &Unit) -> bool {
    allows_unix_sockets(unit) && unit.list("Service", "SystemCallFilter").is_empty()
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
