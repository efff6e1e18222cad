//! Settings of the unit that would take from the wrapper what it needs: they become a part of the cell.

use super::directive::Directive;
use super::relocate::Lines;
use super::service::{OF_THE_MOUNT_NAMESPACE, set};
use super::value::{PrivateUsers, ProtectControlGroups, ProtectHostname};
use super::{Cell, Isolation, Kind};
use crate::unit::{Assignment, Unit};

/// The files by which names can be set.
const NAMES: [&str; 2] = ["hostname", "domainname"];

/// ProtectHostname=yes would keep the wrapper from setting names; it takes the calls away afterwards.
/// What the drop-in says for it, where the wrapper makes the UTS namespace.
pub fn protect_hostname(unit: &Unit, cell: &mut Cell) -> Lines {
    let may_change = cell.makes(Kind::Uts) && !cell.hostname_is_locked();
    let own = unit.last("Service", "ProtectHostname").filter(|_| may_change);
    let Some((line, ProtectHostname::Yes(_))) =
        own.and_then(|line| Some((line, ProtectHostname::parse(&line.value).ok()?)))
    else {
        return Lines::new();
    };
    let text = if cell.wanted_hostname().is_some() { "yes" } else { &line.value };
    assign(cell, "ProtectHostname", text, line);
    let mut lines = vec![("ProtectHostname", "no".to_owned())];
    // It makes these read-only as well, where the service has mounts of its own.
    if OF_THE_MOUNT_NAMESPACE.iter().any(|key| set(unit, key).is_some()) {
        lines.push(("ReadOnlyPaths", NAMES.map(|name| format!("-+/proc/sys/kernel/{name}")).join(" ")));
    }
    lines
}

/// A tree that is to be read-only stays so in a namespace of its own, and one that is to have a namespace has
/// it where it is to be read-only as well. What the drop-in says where another unit is to be found in the tree
/// before it is out of sight.
pub fn control_groups(unit: &Unit, version: u32, cell: &mut Cell) -> Lines {
    use ProtectControlGroups::{No, Private, Strict, Yes};
    let Some(line) = unit.last("Service", "ProtectControlGroups") else { return Lines::new() };
    // What systemd does not know yet it passes over.
    let own = ProtectControlGroups::parse(&line.value).ok().filter(|own| version >= 257 || matches!(own, No | Yes));
    let hides = matches!(own, Some(Private | Strict))
        && cell.neighbour().is_some()
        && !cell.joins(Kind::Cgroup)
        && cell.isolation == Isolation::Require;
    let text = match (cell.protect_control_groups, own) {
        (Private, Some(Yes | Strict)) | (Yes, Some(Private | Strict)) => Some("strict"),
        (No, Some(_)) if hides => Some(&*line.value),
        _ => None,
    };
    if let Some(text) = text {
        assign(cell, "ProtectControlGroups", text, line);
    }
    hides.then(|| ("ProtectControlGroups", "no".to_owned())).into_iter().collect()
}

/// The user namespace takes away all privilege outside of it, and the ids that it does not map; so it has
/// to come last. What the cell says of it replaces what the unit says, as it does where systemd makes it.
///
/// A unit that is to have it is not content with a try.
pub fn user_namespace(unit: &Unit, version: u32, cell: &mut Cell) -> Lines {
    if cell.isolation != Isolation::Require {
        return Lines::new();
    }
    // The first systemd that knows it.
    let path = unit.last("Service", "UserNamespacePath").filter(|_| version >= 259);
    let own = unit.last("Service", "PrivateUsers").filter(|line| {
        let value = PrivateUsers::parse(&line.value);
        value.is_ok_and(|value| !matches!(value, PrivateUsers::No | PrivateUsers::Subordinate(_)))
    });
    if cell.source(Kind::User).is_none() {
        match (path, own) {
            (Some(path), _) => assign(cell, "UserNamespacePath", &path.value, path),
            (None, Some(own)) => assign(cell, "PrivateUsers", &own.value, own),
            (None, None) => {}
        }
    }
    if cell.source(Kind::User).is_none() {
        return Lines::new();
    }
    let mut lines = Lines::new();
    lines.extend(path.map(|_| ("UserNamespacePath", String::new())));
    lines.extend(own.map(|_| ("PrivateUsers", "no".to_owned())));
    lines
}

fn assign(cell: &mut Cell, name: &str, text: &str, line: &Assignment) {
    if let Some(directive) = Directive::by_name(name) {
        // What systemd would not take, it passes over.
        let _ = cell.assign(directive, text, Some(line.value_at.clone()));
    }
}
