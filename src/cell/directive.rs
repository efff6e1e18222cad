//! The one table of directives.
//!
//! Generator, wrapper options, `explain` and `verify` all read it: a directive is one row here,
//! and a row says all there is to say of it.

use super::kind::Kind;
use super::mounts::{Mount, Overlay};
use super::value::{self, Isolation, NamespacesOf, PrivateUsers, ProtectControlGroups, ProtectHostname, ValueError};
use super::{Cell, Condition, Source};
use crate::sys::id_map::IdRange;

/// From which systemd on the native setting does what the directive says.
#[derive(Clone, Copy)]
pub enum Native {
    /// Every systemd that unitcell supports.
    Always,
    /// This version and all later ones.
    Since(u32),
    /// No version known.
    Never,
    /// It depends on the value: the words for the manual, and the rule.
    ByValue(&'static str, fn(&Cell) -> Native),
}

impl Native {
    /// Does systemd `version` have it, for the values that `cell` holds?
    pub fn had_by(self, version: u32, cell: &Cell) -> bool {
        match self {
            Native::Always => true,
            Native::Since(first) => version >= first,
            Native::Never => false,
            Native::ByValue(_, rule) => rule(cell).had_by(version, cell),
        }
    }
}

/// What a row does with its value: stores it; an empty one goes back to the default.
pub type Set = fn(&mut Cell, &str) -> Result<(), ValueError>;

/// A row of the table.
pub struct Directive {
    /// Its key in `[X-Unitcell]`.
    pub name: &'static str,
    /// Its option of the wrapper, without the dashes.
    pub flag: &'static str,
    /// The shape of its value.
    pub value: &'static str,
    /// The namespace that it shapes.
    pub kind: Option<Kind>,
    /// Where systemd has it.
    pub native: Native,
    /// May it stand several times, each adding a value?
    pub repeatable: bool,
    /// What its value does.
    pub set: Set,
    /// What it means, in one line.
    pub summary: &'static str,
}

impl Directive {
    /// The row whose key is `name`. Keys are case-sensitive, as all of systemd's are.
    pub fn by_name(name: &str) -> Option<&'static Directive> {
        DIRECTIVES.iter().find(|directive| directive.name == name)
    }

    /// The row whose option is `flag`.
    pub fn by_flag(flag: &str) -> Option<&'static Directive> {
        DIRECTIVES.iter().find(|directive| directive.flag == flag)
    }

    /// Does it say something of the namespace of this kind in this cell?
    pub fn shapes(&self, kind: Kind, cell: &Cell) -> bool {
        match self.kind {
            Some(Kind::Network) if self.name == "NetworkNamespace" && cell.held => {
                matches!(kind, Kind::Network | Kind::User)
            }
            Some(own) => own == kind,
            None => self.name == "NamespacesOf" && cell.source(kind) == Some(Source::OfUnit),
        }
    }

    /// Is it a plain switch, whose option needs no value?
    pub fn is_switch(&self) -> bool {
        self.value.starts_with("BOOLEAN")
    }
}

impl std::fmt::Debug for Directive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// Parses a value; an empty one is the type's default.
fn or_default<T: Default>(text: &str, parse: impl Fn(&str) -> Result<T, ValueError>) -> Result<T, ValueError> {
    if text.is_empty() { Ok(T::default()) } else { parse(text) }
}

/// Parses a value; an empty one is none.
fn optional<T>(text: &str, parse: impl Fn(&str) -> Result<T, ValueError>) -> Result<Option<T>, ValueError> {
    if text.is_empty() { Ok(None) } else { parse(text).map(Some) }
}

/// Adds an extent to a map; an empty value empties it.
fn add_range(map: &mut Vec<IdRange>, text: &str) -> Result<(), ValueError> {
    let Some(range) = optional(text, value::parse_id_range)? else {
        map.clear();
        return Ok(());
    };
    if let Some(other) = map.iter().find(|other| other.overlaps(&range)) {
        return Err(ValueError::new(format!("maps an id a second time: it overlaps {other}")));
    }
    map.push(range);
    Ok(())
}

const CONDITION: &str = "tcp:[ADDR:]PORT|udp:[ADDR:]PORT|unix:PATH|path:PATH|exec:COMMAND";

/// Adds a condition; an empty value takes all away.
fn add_condition(conditions: &mut Vec<Condition>, text: &str) -> Result<(), ValueError> {
    match optional(text, Condition::parse)? {
        Some(condition) => conditions.push(condition),
        None => conditions.clear(),
    }
    Ok(())
}

/// Adds an overlay; an empty value takes all away.
fn add_overlay(mounts: &mut Vec<Mount>, text: &str) -> Result<(), ValueError> {
    match optional(text, Overlay::parse)? {
        Some(overlay) => mounts.push(Mount::Overlay(overlay)),
        None => mounts.retain(|mount| !matches!(mount, Mount::Overlay(_))),
    }
    Ok(())
}

fn join(cell: &mut Cell, kind: Kind, text: &str) -> Result<(), ValueError> {
    cell.paths.retain(|(other, _)| *other != kind);
    cell.paths.extend(optional(text, value::parse_path)?.map(|path| (kind, path)));
    Ok(())
}

fn private_users_since(cell: &Cell) -> Native {
    match &cell.private_users {
        PrivateUsers::No | PrivateUsers::SelfOnly => Native::Always,
        PrivateUsers::Identity => Native::Since(257),
        PrivateUsers::Full => Native::Since(258),
        PrivateUsers::Subordinate(_) => Native::Never,
    }
}

fn protect_hostname_since(cell: &Cell) -> Native {
    match (&cell.protect_hostname, &cell.hostname) {
        (ProtectHostname::No | ProtectHostname::Yes(None), None) => Native::Always,
        _ => Native::Since(258),
    }
}

fn protect_control_groups_since(cell: &Cell) -> Native {
    match cell.protect_control_groups {
        ProtectControlGroups::No | ProtectControlGroups::Yes => Native::Always,
        ProtectControlGroups::Private | ProtectControlGroups::Strict => Native::Since(257),
    }
}

const fn row(
    name: &'static str,
    flag: &'static str,
    value: &'static str,
    kind: Option<Kind>,
    native: Native,
    set: Set,
    summary: &'static str,
) -> Directive {
    Directive { name, flag, value, kind, native, repeatable: false, set, summary }
}

const fn repeatable(row: Directive) -> Directive {
    Directive { repeatable: true, ..row }
}

use Native::{Always, ByValue, Never, Since};

/// Every directive there is.
#[rustfmt::skip]
pub static DIRECTIVES: &[Directive] = &[
    row("PrivateNetwork", "private-network", "BOOLEAN", Some(Kind::Network), Always,
        |cell, text| { cell.private_network = or_default(text, value::parse_boolean)?; Ok(()) },
        "a network namespace of its own, with nothing in it but lo"),
    row("NetworkNamespace", "network-namespace", "NAME", Some(Kind::Network), Always,
        |cell, text| { cell.network_namespace = optional(text, value::parse_netns_name)?; Ok(()) },
        "join the named network namespace that unitcell-netns@NAME.service owns"),
    row("NetworkNamespacePath", "network-namespace-path", "PATH", Some(Kind::Network), Always,
        |cell, text| join(cell, Kind::Network, text),
        "join the network namespace that PATH refers to"),
    // 252 has the setting, but passes over it unless the unit has PrivateIPC=, PrivateTmp= or the like.
    row("IPCNamespacePath", "ipc-namespace-path", "PATH", Some(Kind::Ipc), Since(257),
        |cell, text| join(cell, Kind::Ipc, text),
        "join the IPC namespace that PATH refers to"),
    // 259 has the setting, but leaves a service of root's the host's root in there.
    row("UserNamespacePath", "user-namespace-path", "PATH", Some(Kind::User), Never,
        |cell, text| join(cell, Kind::User, text),
        "join the user namespace that PATH refers to"),
    row("MountNamespacePath", "mount-namespace-path", "PATH", Some(Kind::Mount), Never,
        |cell, text| join(cell, Kind::Mount, text),
        "join the mount namespace that PATH refers to"),
    row("PIDNamespacePath", "pid-namespace-path", "PATH", Some(Kind::Pid), Never,
        |cell, text| join(cell, Kind::Pid, text),
        "join the PID namespace that PATH refers to"),
    row("UTSNamespacePath", "uts-namespace-path", "PATH", Some(Kind::Uts), Never,
        |cell, text| join(cell, Kind::Uts, text),
        "join the UTS namespace that PATH refers to"),
    row("CgroupNamespacePath", "cgroup-namespace-path", "PATH", Some(Kind::Cgroup), Never,
        |cell, text| join(cell, Kind::Cgroup, text),
        "join the cgroup namespace that PATH refers to"),
    row("TimeNamespacePath", "time-namespace-path", "PATH", Some(Kind::Time), Never,
        |cell, text| join(cell, Kind::Time, text),
        "join the time namespace that PATH refers to"),
    row("NamespacesOf", "namespaces-of", "UNIT [[~]TYPE…]", None, Never,
        |cell, text| { cell.namespaces_of = optional(text, NamespacesOf::parse)?; Ok(()) },
        "live in the namespaces of another unit: of these types, of all but these, or all that it has"),
    row("PrivateIPC", "private-ipc", "BOOLEAN", Some(Kind::Ipc), Always,
        |cell, text| { cell.private_ipc = or_default(text, value::parse_boolean)?; Ok(()) },
        "an IPC namespace of its own"),
    row("PrivateMounts", "private-mounts", "BOOLEAN", Some(Kind::Mount), Always,
        |cell, text| { cell.private_mounts = or_default(text, value::parse_boolean)?; Ok(()) },
        "a mount namespace of its own; mounts made in it stay in it"),
    // The native setting came with 257, but hands out a wrong WATCHDOG_PID and LISTEN_PID until 259.
    row("PrivatePIDs", "private-pids", "BOOLEAN", Some(Kind::Pid), Since(259),
        |cell, text| { cell.private_pids = or_default(text, value::parse_boolean)?; Ok(()) },
        "a PID namespace of its own, the service its PID 1"),
    row("Init", "init", "BOOLEAN", Some(Kind::Pid), Never,
        |cell, text| { cell.init = or_default(text, value::parse_boolean)?; Ok(()) },
        "a PID namespace of its own, with a reaping, signal-forwarding PID 1 beside the service"),
    row("PrivateUsers", "private-users", "BOOLEAN|self|identity|full|subuid:OWNER", Some(Kind::User),
        ByValue("yes and self always, identity 257, full 258, subuid never", private_users_since),
        |cell, text| { cell.private_users = or_default(text, PrivateUsers::parse)?; Ok(()) },
        "a user namespace of its own; which ids it maps to themselves, or to the subordinate ones of a user"),
    repeatable(row("UIDMap", "uid-map", "INSIDE:OUTSIDE:COUNT", Some(Kind::User), Never,
        |cell, text| add_range(&mut cell.uid_map, text),
        "a user namespace of its own with this extent in its uid_map")),
    repeatable(row("GIDMap", "gid-map", "INSIDE:OUTSIDE:COUNT", Some(Kind::User), Never,
        |cell, text| add_range(&mut cell.gid_map, text),
        "a user namespace of its own with this extent in its gid_map")),
    row("Hostname", "hostname", "NAME", Some(Kind::Uts), Since(258),
        |cell, text| { cell.hostname = optional(text, value::parse_hostname)?; Ok(()) },
        "a UTS namespace of its own with this host name"),
    row("ProtectHostname", "protect-hostname", "BOOLEAN|private|yes:NAME|private:NAME", Some(Kind::Uts),
        ByValue("booleans always, the rest 258", protect_hostname_since),
        |cell, text| { cell.protect_hostname = or_default(text, ProtectHostname::parse)?; Ok(()) },
        "a UTS namespace of its own; with yes the service can't change its names"),
    row("Domainname", "domainname", "NAME", Some(Kind::Uts), Never,
        |cell, text| { cell.domainname = optional(text, value::parse_domainname)?; Ok(()) },
        "a UTS namespace of its own with this NIS domain name"),
    row("ProtectControlGroups", "protect-control-groups", "BOOLEAN|private|strict", Some(Kind::Cgroup),
        ByValue("booleans always, private and strict 257", protect_control_groups_since),
        |cell, text| { cell.protect_control_groups = or_default(text, ProtectControlGroups::parse)?; Ok(()) },
        "a cgroup namespace of its own, its tree writable (private) or read-only (strict)"),
    row("TimeOffsetMonotonic", "time-offset-monotonic", "±TIMESPAN", Some(Kind::Time), Never,
        |cell, text| { cell.time_offset_monotonic = optional(text, value::parse_offset)?; Ok(()) },
        "a time namespace of its own, CLOCK_MONOTONIC shifted"),
    row("TimeOffsetBoottime", "time-offset-boottime", "±TIMESPAN", Some(Kind::Time), Never,
        |cell, text| { cell.time_offset_boottime = optional(text, value::parse_offset)?; Ok(()) },
        "a time namespace of its own, CLOCK_BOOTTIME (uptime) shifted"),
    row("RootOverlay", "root-overlay", "BOOLEAN", Some(Kind::Mount), Never,
        |cell, text| { cell.root_overlay = or_default(text, value::parse_boolean)?; Ok(()) },
        "a throw-away writable overlay over the root directory"),
    repeatable(row("Overlay", "overlay", "DEST:LOWER[:LOWER…][:upperdir=UPPER:workdir=WORK]", Some(Kind::Mount), Never,
        |cell, text| add_overlay(&mut cell.mounts, text),
        "directories laid over each other at DEST; read-only without upperdir=")),
    repeatable(row("ReadyWhen", "ready-when", CONDITION, None, Never,
        |cell, text| add_condition(&mut cell.ready_when, text),
        "the service counts as started once this holds")),
    repeatable(row("HealthProbe", "health-probe", CONDITION, None, Never,
        |cell, text| add_condition(&mut cell.health_probe, text),
        "the watchdog of WatchdogSec= is fed while this holds")),
    row("Isolation", "isolation", "require|try", None, Always,
        |cell, text| { cell.isolation = or_default(text, Isolation::parse)?; Ok(()) },
        "whether a namespace that can't be had stops the start, or only warns"),
];

#[cfg(test)]
#[path = "tests/directive.rs"]
mod tests;
