//! Cells and units for tests, arbitrary ones and such as are written down.

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::subsequence;

use super::{Cell, Directive, Kind, Manager};
use crate::unit::{Scope, Unit, UnitName, syntax};

/// Assignments that are valid each for itself, all that do something among them. A directive that
/// is repeatable stands several times.
pub const LINES: &[&str] = &[
    "PrivateNetwork=yes",
    "PrivateNetwork=no",
    "NetworkNamespace=blue",
    "NetworkNamespacePath=/run/netns/green",
    "IPCNamespacePath=/run/ns/ipc",
    "UserNamespacePath=/run/ns/user",
    "MountNamespacePath=/run/ns/mnt",
    "PIDNamespacePath=/run/ns/pid",
    "UTSNamespacePath=/run/ns/uts",
    "CgroupNamespacePath=/run/ns/cgroup",
    "TimeNamespacePath=/run/ns/time",
    "PrivateIPC=yes",
    "PrivateMounts=yes",
    "PrivatePIDs=yes",
    "PrivateUsers=self",
    "PrivateUsers=identity",
    "PrivateUsers=full",
    "PrivateUsers=subuid:web",
    "UIDMap=0:100000:1000",
    "UIDMap=1000:1000:1",
    "GIDMap=0:100000:65536",
    "Hostname=web",
    "ProtectHostname=yes",
    "ProtectHostname=private",
    "ProtectHostname=yes:web",
    "ProtectHostname=private:web",
    "Domainname=a$b",
    "ProtectControlGroups=yes",
    "ProtectControlGroups=private",
    "ProtectControlGroups=strict",
    "TimeOffsetMonotonic=-1h 30s",
    "TimeOffsetBoottime=497d",
    "RootOverlay=yes",
    "Overlay=/srv/www:/usr/share/www:/usr/share/www\\:2",
    "Overlay=/srv/data:/usr/share/data:upperdir=/var/lib/data/upper:workdir=/var/lib/data/work",
    "Isolation=try",
];

/// Settings of the unit itself that say who the payload is.
const IDENTITY: &[&str] = &[
    "User=web",
    "Group=www",
    "SupplementaryGroups=a b",
    "CapabilityBoundingSet=~CAP_SYS_ADMIN",
    "AmbientCapabilities=CAP_NET_RAW",
    "SecureBits=noroot keep-caps",
    "RestrictRealtime=yes",
    "Type=notify",
    "Type=oneshot",
    "WatchdogSec=30",
];

/// Some of the lines, few more often than many.
pub fn cell_lines() -> impl Strategy<Value = Vec<&'static str>> {
    prop_oneof![subsequence(LINES, 0..5), subsequence(LINES, 0..=LINES.len())]
}

/// Settings for `[Service]`, the command not among them.
pub fn service_lines() -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(IDENTITY, 0..4)
}

/// A manager of any version that matters, and of either scope.
pub fn managers() -> impl Strategy<Value = Manager> {
    (252_u32..=262, any::<bool>())
        .prop_map(|(version, user)| manager(version, if user { Scope::User } else { Scope::System }))
}

/// A manager that may do everything.
pub fn manager(version: u32, scope: Scope) -> Manager {
    Manager {
        version,
        scope,
        namespaces: Kind::ALL.into_iter().zip(4_026_531_834..).collect(),
        privileged: scope == Scope::System,
        wrapper: "/usr/bin/unitcell-exec".to_owned(),
    }
}

/// The cell of these lines, where they do not contradict each other.
pub fn cell(lines: &[&str]) -> Option<Cell> {
    let mut cell = Cell::default();
    for line in lines {
        let (name, value) = line.split_once('=').expect("an assignment");
        cell.assign(Directive::by_name(name).expect("a directive"), value, None).expect("a valid value");
    }
    cell.contradictions().is_empty().then_some(cell)
}

/// `web.service` with this text.
pub fn unit(text: &str) -> Unit {
    let path: Arc<Path> = Path::new("/etc/systemd/system/web.service").into();
    let parsed = syntax::parse(&path, text.as_bytes()).expect("a unit file");
    Unit {
        name: UnitName::new("web.service").expect("a name"),
        aliases: Vec::new(),
        fragment: Some(path),
        masked: false,
        dropins: Vec::new(),
        assignments: parsed.assignments,
        warnings: parsed.warnings,
    }
}

/// `web.service` with these settings and this cell.
pub fn unit_with(service: &[&str], cell: &[&str]) -> Unit {
    let (service, cell) = (service.join("\n"), cell.join("\n"));
    unit(&format!("[Service]\nExecStart=/usr/bin/payload --one 'two words' $A $$\n{service}\n[X-Unitcell]\n{cell}\n"))
}
