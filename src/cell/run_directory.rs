//! /run, which ProtectSystem=strict makes read-only, and settings of systemd's own make writable again.
//!
//! What needs a new /proc or cgroup tree brings MountAPIVFS= along, and that mounts /run anew, after
//! ProtectSystem= (tried on 252, 257 and 262). A cell takes nothing back that the unit has.

use super::makers::Makers;
use super::relocate::Lines;
use super::service::{is_true, set};
use super::{Cell, Kind, Maker, ProtectControlGroups, other_root};
use crate::unit::Unit;

/// Settings of the unit by which systemd mounts the API file systems in any case, as another root does: those
/// that have to be yes, and those that have to be more than what nothing says.
const BOOLEANS: [&str; 3] = ["MountAPIVFS", "PrivatePIDs", "ProtectKernelTunables"];
const VALUES: [&str; 6] =
    ["ExtensionDirectories", "ExtensionImages", "ProcSubset", "ProtectControlGroups", "ProtectProc", "RootMStack"];

/// Settings that say themselves what is at /run.
const OF_PATHS: [&str; 6] =
    ["BindPaths", "BindReadOnlyPaths", "InaccessiblePaths", "ReadOnlyPaths", "ReadWritePaths", "TemporaryFileSystem"];

/// What the drop-in says to keep it read-only.
pub fn lines(unit: &Unit, cell: &Cell, makers: &Makers) -> Lines {
    let strict = unit.last("Service", "ProtectSystem").is_some_and(|line| line.value == "strict");
    let native = |kind| makers.of(kind) == Some(Maker::Native);
    let cgroups = native(Kind::Cgroup) && cell.protect_control_groups != ProtectControlGroups::No;
    let by_cell = cgroups || (native(Kind::Pid) && cell.makes(Kind::Pid));
    let by_unit = other_root::setting(unit).is_some()
        || BOOLEANS.iter().any(|key| is_true(unit, key))
        || VALUES
            .iter()
            .any(|key| set(unit, key).is_some_and(|line| !matches!(line.value.as_str(), "default" | "all")));
    if strict && by_cell && !by_unit && !is_said(unit) {
        return vec![("ReadOnlyPaths", "-/run".to_owned())];
    }
    Lines::new()
}

fn is_said(unit: &Unit) -> bool {
    let words = OF_PATHS.iter().flat_map(|key| unit.list("Service", key));
    let mut paths = words.flat_map(|line| line.value.split([' ', '\t', ':']));
    paths.any(|path| path.trim_start_matches(['-', '+']).trim_end_matches('/') == "/run")
}
