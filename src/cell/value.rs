//! The types behind the directives' values, each with the one parser of its text.
//!
//! A value may still hold specifiers (`%i`): systemd expands them when it runs the service, and
//! the wrapper then parses the final text with the same parser. So what only the final text can
//! tell is judged there, and everything else already when the unit file is read.

use std::fmt;

use super::kind::{Kind, Kinds};
use crate::sys::id_map::IdRange;
use crate::unit::{UnitName, UnitType};

pub use crate::unit::value::{ValueError, parse_netns_name};

/// Has `text` a specifier left that systemd will expand, systemd.unit(5)? `%%` is one, too.
pub fn has_specifier(text: &str) -> bool {
    text.contains('%')
}

/// `Isolation=`: what a namespace that can't be had means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Isolation {
    /// The start fails.
    #[default]
    Require,
    /// The service goes on without it, and a warning is logged.
    Try,
}

impl Isolation {
    /// `require` or `try`.
    pub fn parse(text: &str) -> Result<Isolation, ValueError> {
        match text {
            "require" => Ok(Isolation::Require),
            "try" => Ok(Isolation::Try),
            _ => Err(ValueError::new("takes require or try")),
        }
    }
}

/// `PrivateUsers=`: which ids the cell's user namespace maps, systemd.exec(5).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum PrivateUsers {
    /// No user namespace.
    #[default]
    No,
    /// Root and the service's own user and group map to themselves, all others to nobody.
    SelfOnly,
    /// The first 65536 ids map to themselves.
    Identity,
    /// All ids map to themselves.
    Full,
    /// Root and all that follow map to the subordinate ids of this user, subuid(5).
    Subordinate(String),
}

impl PrivateUsers {
    /// A boolean, `self`, `identity`, `full` or `subuid:OWNER`.
    pub fn parse(text: &str) -> Result<PrivateUsers, ValueError> {
        let expected =
            || ValueError::new("takes a boolean, self, identity, full or subuid:OWNER, a user's name or number");
        if let Some(owner) = text.strip_prefix("subuid:") {
            let valid = !owner.is_empty() && !owner.contains(|char: char| char == ':' || char.is_whitespace());
            return if valid { Ok(PrivateUsers::Subordinate(owner.to_owned())) } else { Err(expected()) };
        }
        match text {
            "self" => Ok(PrivateUsers::SelfOnly),
            "identity" => Ok(PrivateUsers::Identity),
            "full" => Ok(PrivateUsers::Full),
            _ => match parse_boolean(text) {
                Ok(true) => Ok(PrivateUsers::SelfOnly),
                Ok(false) => Ok(PrivateUsers::No),
                Err(_) => Err(expected()),
            },
        }
    }
}

/// `ProtectHostname=`, systemd.exec(5): a UTS namespace, and who may change the names in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ProtectHostname {
    /// No UTS namespace.
    #[default]
    No,
    /// Its own, with this host name if one is given; the service can't change it.
    Yes(Option<String>),
    /// Its own, with this host name if one is given; the service may change it.
    Private(Option<String>),
}

impl ProtectHostname {
    /// A boolean, `private`, `yes:NAME` or `private:NAME`.
    pub fn parse(text: &str) -> Result<ProtectHostname, ValueError> {
        let expected = || ValueError::new("takes a boolean, private, yes:NAME or private:NAME");
        let (mode, name) = match text.split_once(':') {
            Some((mode, name)) => (mode, Some(parse_hostname(name)?)),
            None => (text, None),
        };
        match (mode, parse_boolean(mode)) {
            ("private", _) => Ok(ProtectHostname::Private(name)),
            (_, Ok(true)) => Ok(ProtectHostname::Yes(name)),
            (_, Ok(false)) if name.is_none() => Ok(ProtectHostname::No),
            _ => Err(expected()),
        }
    }
}

/// `ProtectControlGroups=`, systemd.exec(5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProtectControlGroups {
    /// The host's tree, as it is.
    #[default]
    No,
    /// The host's tree, read-only.
    Yes,
    /// A cgroup namespace, its tree writable.
    Private,
    /// A cgroup namespace, its tree read-only.
    Strict,
}

impl ProtectControlGroups {
    /// A boolean, `private` or `strict`.
    pub fn parse(text: &str) -> Result<ProtectControlGroups, ValueError> {
        match (text, parse_boolean(text)) {
            ("private", _) => Ok(ProtectControlGroups::Private),
            ("strict", _) => Ok(ProtectControlGroups::Strict),
            (_, Ok(true)) => Ok(ProtectControlGroups::Yes),
            (_, Ok(false)) => Ok(ProtectControlGroups::No),
            _ => Err(ValueError::new("takes a boolean, private or strict")),
        }
    }
}

/// `INSIDE:OUTSIDE:COUNT`. The id 4294967295 stands for "no id" and can't be mapped.
pub fn parse_id_range(text: &str) -> Result<IdRange, ValueError> {
    let expected = || ValueError::new("takes INSIDE:OUTSIDE:COUNT, three decimal numbers, such as 0:100000:65536");
    let mut numbers = text.split(':').map(|number| {
        let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        if digits { number.parse::<u32>().map_err(|_| expected()) } else { Err(expected()) }
    });
    let mut next = || numbers.next().ok_or_else(expected)?;
    let range = IdRange { inside: next()?, outside: next()?, count: next()? };
    if numbers.next().is_some() {
        return Err(expected());
    }
    if range.count == 0 {
        return Err(ValueError::new("maps no id at all: COUNT must be at least 1"));
    }
    let last = |first: u32| first.checked_add(range.count - 1).filter(|&last| last != u32::MAX);
    if last(range.inside).is_none() || last(range.outside).is_none() {
        return Err(ValueError::new("goes beyond 4294967294, the last id there is"));
    }
    Ok(range)
}

/// `NamespacesOf=`: another unit, and which of its namespaces are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamespacesOf {
    /// The unit's name.
    pub unit: String,
    /// The types of namespaces.
    pub types: Types,
}

/// Which types of another unit's namespaces are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Types {
    /// Each of these, and the other unit must have one of its own.
    These(Kinds),
    /// Of all but these, those that the other unit has of its own.
    AllBut(Kinds),
}

impl NamespacesOf {
    /// `UNIT`, `UNIT TYPE…` or `UNIT ~TYPE…`.
    pub fn parse(text: &str) -> Result<NamespacesOf, ValueError> {
        let mut words = text.split_ascii_whitespace();
        let unit = words.next().unwrap_or_default();
        let runs_processes = |name: &UnitName| matches!(name.type_(), UnitType::Service | UnitType::Scope);
        if !has_specifier(unit) && !UnitName::new(unit).is_ok_and(|name| runs_processes(&name) && !name.is_template()) {
            return Err(ValueError::new("takes the name of a service or scope, such as db.service"));
        }
        let list: Vec<&str> = words.collect();
        let (inverted, first) = match list.first().and_then(|first| first.strip_prefix('~')) {
            Some(first) => (true, Some(first)),
            None => (false, list.first().copied()),
        };
        let mut kinds = Kinds::NONE;
        for word in first.into_iter().chain(list.iter().skip(1).copied()) {
            let known = || Kind::ALL.map(Kind::proc_name).join(", ");
            let kind = Kind::from_proc_name(word)
                .ok_or_else(|| ValueError::new(format!("takes types of namespaces after the unit: {}", known())))?;
            kinds.insert(kind);
        }
        let types = if inverted || kinds.is_empty() { Types::AllBut(kinds) } else { Types::These(kinds) };
        Ok(NamespacesOf { unit: unit.to_owned(), types })
    }

    /// Is this type among those that are meant?
    pub fn means(&self, kind: Kind) -> bool {
        match self.types {
            Types::These(kinds) => kinds.contains(kind),
            Types::AllBut(kinds) => !kinds.contains(kind),
        }
    }

    /// The same without this type; none where nothing is left.
    pub fn without(&self, kind: Kind) -> Option<NamespacesOf> {
        let one = Kinds::from_iter([kind]);
        let types = match self.types {
            Types::These(kinds) => Types::These(kinds.without(one)),
            Types::AllBut(kinds) => Types::AllBut(kinds.with(one)),
        };
        let some_left = Kind::ALL.into_iter().any(|kind| NamespacesOf { types, ..self.clone() }.means(kind));
        some_left.then(|| NamespacesOf { unit: self.unit.clone(), types })
    }
}

impl fmt::Display for NamespacesOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, kinds) = match self.types {
            Types::These(kinds) => (" ", kinds),
            Types::AllBut(kinds) => (" ~", kinds),
        };
        f.write_str(&self.unit)?;
        for (n, kind) in kinds.iter().enumerate() {
            write!(f, "{}{}", if n == 0 { sign } else { " " }, kind.proc_name())?;
        }
        Ok(())
    }
}

/// A boolean as systemd reads it.
pub fn parse_boolean(text: &str) -> Result<bool, ValueError> {
    crate::unit::value::parse_boolean(text).ok_or_else(|| ValueError::new("takes a boolean (yes or no)"))
}

/// A host name: what hostname(7) and systemd's `hostname_is_valid()` allow, 64 bytes at most.
pub fn parse_hostname(text: &str) -> Result<String, ValueError> {
    if has_specifier(text) {
        return Ok(text.to_owned());
    }
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if text.len() > 64 || !text.split('.').all(label) {
        return Err(ValueError::new(
            "takes a host name: at most 64 of the characters a-z, A-Z, 0-9, '-' and single dots between labels",
        ));
    }
    Ok(text.to_owned())
}

/// A NIS domain name: any printable text that setdomainname(2) takes, 64 bytes at most.
pub fn parse_domainname(text: &str) -> Result<String, ValueError> {
    let printable = text.bytes().all(|byte| byte.is_ascii_graphic());
    if !has_specifier(text) && (text.is_empty() || text.len() > 64 || !printable) {
        return Err(ValueError::new("takes a NIS domain name: 1 to 64 printable ASCII characters without spaces"));
    }
    Ok(text.to_owned())
}

/// An absolute path, kept as it is written.
pub fn parse_path(text: &str) -> Result<String, ValueError> {
    if text.starts_with('/') || text.starts_with('%') {
        Ok(text.to_owned())
    } else {
        Err(ValueError::new("takes an absolute path"))
    }
}

/// An offset of a clock in nanoseconds, from a signed time span of systemd.time(7).
pub fn parse_offset(text: &str) -> Result<i64, ValueError> {
    crate::unit::timespan::parse_signed_timespan(text)
        .map_err(|_| ValueError::new("takes a signed time span of systemd.time(7), such as 497d or -1h 30s"))
}

#[cfg(test)]
#[path = "tests/value.rs"]
mod tests;
