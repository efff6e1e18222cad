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
    let mut binds: Vec<String> =
        files.into_iter().map(|file| format!("-{file}:{OWN_FILES}/{}", file_name(file))).collect();
    binds.extend(pins(cell).map(|(kind, path)| format!("-{path}:{OWN_FILES}/{}", pin_name(kind))));
    if !binds.is_empty() {
        lines.push(("BindReadOnlyPaths", binds.join(" ")));
    }
    lines
}

/// The namespaces that are joined by a path outside. Processes are the same in there.
fn pins(cell: &Cell) -> impl Iterator<Item = (Kind, String)> {
    Kind::ALL.into_iter().filter_map(|kind| match cell.source(kind) {
        Some(Source::Path(path)) if is_pin(&path) => Some((kind, path)),
        _ => None,
    })
}

/// Is it the path of something else than a process's namespace?
pub fn is_pin(path: &str) -> bool {
    !path.starts_with("/proc/")
}

/// The name that a pin has among the wrapper's own files.
pub fn pin_name(kind: Kind) -> String {
    format!("{}-namespace", kind.proc_name())
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
    let is_plain = |path: &str| path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-@%".contains(&byte));
    for (kind, path) in pins(cell).filter(|(kind, path)| makers.of(*kind) == Some(Maker::Wrapper) && !is_plain(path)) {
        let message =
            format!("gives the service a root where {path} is not, which {} asks for", cell.directives_of(kind));
        found.push(Finding::of_line(root, &message, "give the file a name of letters, digits and ._-@ alone"));
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
