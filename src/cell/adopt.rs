//! Settings of the unit that would take from the wrapper what it needs: they become a part of the cell.

use super::directive::Directive;
use super::relocate::Lines;
use super::value::{PrivateUsers, ProtectHostname};
use super::{Cell, Isolation, Kind};
use crate::unit::{Assignment, Unit};

/// ProtectHostname=yes would keep the wrapper from setting names; it takes the calls away afterwards.
/// What the drop-in says for it, where the wrapper makes the UTS namespace.
pub fn protect_hostname(unit: &Unit, cell: &mut Cell) -> Lines {
    let names_set = cell.wanted_hostname().is_some() || cell.domainname.is_some();
    let own = unit.last("Service", "ProtectHostname").filter(|_| names_set);
    let Some((line, ProtectHostname::Yes(_))) =
        own.and_then(|line| Some((line, ProtectHostname::parse(&line.value).ok()?)))
    else {
        return Lines::new();
    };
    let text = if cell.wanted_hostname().is_some() { "yes" } else { &line.value };
    assign(cell, "ProtectHostname", text, line);
    vec![("ProtectHostname", "no".to_owned())]
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
