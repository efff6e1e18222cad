//! Services with a root directory of their own, where the wrapper's file is not.
//!
//! systemd puts an empty tmpfs on /run of such a root, also where that is read-only. There the
//! wrapper's file is bound, and what it takes to find users as systemd does, who looks for them
//! outside, and other units. The wrapper takes all of it away again before it executes the service.

use super::finding::Finding;
use super::identity::Identity;
use super::makers::Makers;
use super::manager::Manager;
use super::relocate::Lines;
use super::{Cell, Kind, Maker, PrivateUsers, Source};
use crate::unit::value::parse_boolean;
use crate::unit::{Assignment, Scope, Unit};

/// Where the wrapper finds its own files.
pub const OWN_FILES: &str = "/run/unitcell";

/// Settings that give a service another root.
const KEYS: [&str; 2] = ["RootDirectory", "RootImage"];

/// The same, where nobody has tried whether the wrapper gets along with them.
const UNTRIED: [&str; 2] = ["RootMStack", "RootDirectoryFileDescriptor"];

/// The line that gives the service another root.
pub fn setting(unit: &Unit) -> Option<&Assignment> {
    KEYS.iter().find_map(|key| unit.last("Service", key)).filter(|line| line.value != "/")
}

/// Where the wrapper is in that root.
pub fn wrapper(outside: &str) -> String {
    format!("{OWN_FILES}/{}", file_name(outside))
}

/// What the drop-in says to have it there, and the files to find users, their subordinate ids and other
/// units in.
pub fn lines(outside: &str, cell: &Cell, identity: &Identity) -> Lines {
    let mut lines = vec![("BindReadOnlyPaths", format!("{outside}:{}", wrapper(outside)))];
    let mut files = Vec::new();
    let subordinate = matches!(cell.private_users, PrivateUsers::Subordinate(_));
    if identity.names_anyone() || subordinate {
        files.extend(["/etc/passwd", "/etc/group", "/run/systemd/dynamic-uid"]);
    }
    if subordinate {
        files.extend(["/etc/subuid", "/etc/subgid"]);
    }
    if cell.namespaces_of.is_some() {
        files.push("/sys/fs/cgroup");
    }
    if !files.is_empty() {
        let bind = |file: &str| format!("-{file}:{OWN_FILES}/{}", file_name(file));
        lines.push(("BindReadOnlyPaths", files.into_iter().map(bind).collect::<Vec<_>>().join(" ")));
    }
    lines
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// What the wrapper can't do in such a root.
pub fn conflicts(unit: &Unit, cell: &Cell, manager: &Manager, makers: &Makers) -> Vec<Finding> {
    let untried = UNTRIED.iter().filter_map(|key| unit.last("Service", key));
    let Some(root) = setting(unit) else { return untried.map(not_supported).collect() };
    let mut found: Vec<Finding> = untried.map(not_supported).collect();
    if manager.scope == Scope::User {
        found.push(not_supported(root));
    }
    let bare = unit.last("Service", "MountAPIVFS").filter(|line| parse_boolean(&line.value) == Some(false));
    found.extend(bare.map(|line| {
        let message = format!("leaves the wrapper no /proc and no /run in the root of {}=", root.key);
        Finding::of_line(line, &message, "set MountAPIVFS=yes, or remove the cell")
    }));
    for kind in Kind::ALL.into_iter().filter(|&kind| makers.of(kind) == Some(Maker::Wrapper)) {
        // The processes in there are the same as outside.
        if let Some(Source::Path(path)) = cell.source(kind)
            && !path.starts_with("/proc/")
        {
            let message =
                format!("gives the service a root where {path} is not, which {} asks for", cell.directives_of(kind));
            found.push(Finding::of_line(root, &message, "remove one of the two"));
        }
    }
    found
}

fn not_supported(line: &Assignment) -> Finding {
    Finding::of_line(
        line,
        "is not supported yet together with a cell: the wrapper is not in that root",
        "remove one of the two",
    )
}
