//! Settings of the unit that the wrapper can't keep, or that keep it from its work.
//!
//! A unit that has one and needs the wrapper is refused: weaker than the unit says is no choice.

use super::finding::Finding;
use super::kind::Kind;
use super::makers::Makers;
use super::manager::Manager;
use super::other_root;
use super::service::{CREDENTIALS, OF_THE_MOUNT_NAMESPACE, allows_family, set};
use super::steps::Step;
use super::system_calls::denied_to_wrapper;
use super::watched::{conditions, watched, watching_directives};
use super::{Cell, Condition, Maker, PrivateUsers};
use crate::unit::value::parse_boolean;
use crate::unit::{Scope, Unit};

/// What else systemd makes a user namespace for, where it has no privilege to do it without.
const OF_A_USER_NAMESPACE: [&str; 7] = [
    "IPCNamespacePath",
    "NetworkNamespacePath",
    "PrivateIPC",
    "PrivateNetwork",
    "PrivateUsers",
    "ProtectClock",
    "ProtectHostname",
];

/// All conflicts between a unit and the wrapper's work on it.
pub fn conflicts(unit: &Unit, cell: &Cell, manager: &Manager, makers: &Makers, steps: &[Step]) -> Vec<Finding> {
    let mut found = Vec::new();
    pid_namespace(unit, cell, &mut found);
    found.extend(other_root::conflicts(unit, cell, manager, makers));
    watched(unit, cell, manager.version, &mut found);
    if !makers.any_by_wrapper() && !cell.is_watched() {
        return found;
    }
    let reason = reason(cell, makers);
    found.extend(pam_session(unit, cell, manager, makers, &reason));
    if cell.is_watched() {
        found.extend(system_call_filter(unit, manager.version, &reason));
    }
    found.extend(address_families(unit, cell, steps, &reason));
    found.extend(credentials_of_a_user(unit, cell, manager.scope));
    if cell.joins(Kind::Mount) {
        found.extend(joined_mounts(unit, cell));
    }
    found.extend(another_user_namespace(unit, cell, manager));
    found
}

/// The words for "Hostname= needs the wrapper".
fn reason(cell: &Cell, makers: &Makers) -> String {
    let by_kind = Kind::ALL.into_iter().filter(|&kind| makers.of(kind) == Some(Maker::Wrapper));
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

/// A PAM session is that of the user whom systemd has opened it for; and what is beside the service may be in the
/// control group of the session, where systemd hears nobody but the main process.
fn pam_session(unit: &Unit, cell: &Cell, manager: &Manager, makers: &Makers, reason: &str) -> Option<Finding> {
    let line = unit.last("Service", "PAMName")?;
    let by_wrapper = makers.of(Kind::User) == Some(Maker::Wrapper);
    let why = if by_wrapper && (cell.ids_are_inside() || manager.scope == Scope::User) {
        "its user would be another one in the user namespace"
    } else if manager.scope == Scope::User {
        "a user's manager becomes nobody else"
    } else if cell.is_watched() {
        "systemd would not hear the watcher, who may be in the control group of the session"
    } else {
        return None;
    };
    Some(Finding::of_line(line, &format!("is not kept: {why}, and {reason}"), "remove one of the two"))
}

/// The watcher is held by the filter of the service, and has to live with it.
fn system_call_filter(unit: &Unit, version: u32, reason: &str) -> Option<Finding> {
    let first = *unit.list("Service", "SystemCallFilter").first()?;
    let denied = denied_to_wrapper(unit, version, false).ok()?;
    let message = || format!("denies calls that watching takes ({}), and {reason}", denied.names());
    (!denied.is_empty()).then(|| Finding::of_line(first, &message(), "allow these calls, or remove one of the two"))
}

/// Messages to the manager go over a UNIX socket, questions about sockets to the kernel over netlink.
fn address_families(unit: &Unit, cell: &Cell, steps: &[Step], reason: &str) -> Option<Finding> {
    let notifies =
        cell.is_watched() || steps.iter().any(|step| matches!(step, Step::Relay | Step::Fork { hand_over: true, .. }));
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

/// A user manager keeps them where nobody gets in but its user.
fn credentials_of_a_user(unit: &Unit, cell: &Cell, scope: Scope) -> Option<Finding> {
    if scope != Scope::User || !matches!(cell.private_users, PrivateUsers::Subordinate(_)) {
        return None;
    }
    let line = CREDENTIALS.iter().find_map(|key| unit.list("Service", key).first().copied())?;
    Some(Finding::of_line(
        line,
        "gives the service credentials where only the user gets in, and with PrivateUsers=subuid: it is another one",
        "use PrivateUsers=self, or remove one of the two",
    ))
}

/// From one that systemd makes, no way leads into one beside it. (252 makes none, and leaves undone what it
/// would take.)
fn another_user_namespace(unit: &Unit, cell: &Cell, manager: &Manager) -> Option<Finding> {
    if manager.scope != Scope::User || manager.privileged || !cell.joins(Kind::User) {
        return None;
    }
    let line = OF_THE_MOUNT_NAMESPACE.iter().chain(&OF_A_USER_NAMESPACE).find_map(|key| set(unit, key))?;
    let directives = cell.directives_of(Kind::User);
    let message = format!("has systemd make a user namespace, from which {directives} can't get into another one");
    Some(Finding::of_line(line, &message, "remove one of the two"))
}

fn joined_mounts(unit: &Unit, cell: &Cell) -> Vec<Finding> {
    let directives = cell.directives_of(Kind::Mount);
    let remedy = match cell.namespaces_of {
        Some(_) => "remove it, or leave mnt out with ~mnt",
        None => "remove one of the two",
    };
    OF_THE_MOUNT_NAMESPACE
        .iter()
        .chain(&CREDENTIALS)
        .filter_map(|key| set(unit, key))
        .map(|line| {
            Finding::of_line(line, &format!("would be lost: {directives} leaves the mounts that it makes"), remedy)
        })
        .collect()
}
