//! What runs the units: found in files, without a process.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Run;
use super::log::{Log, Priority};
use crate::cell::capability::{CAP_SYS_ADMIN, CapabilitySet};
use crate::cell::{Kind, Manager};
use crate::unit::Scope;

/// The oldest systemd that is supported; what it has, all have.
pub const OLDEST: u32 = 252;

/// Where `make install` puts the wrapper.
pub fn installed_wrapper() -> String {
    installed("unitcell-exec")
}

/// Where it puts a program.
pub fn installed(program: &str) -> String {
    format!("{}/{program}", option_env!("UNITCELL_BINDIR").unwrap_or("/usr/bin"))
}

/// The manager that runs this generator.
pub fn manager(run: &Run, log: &Log) -> Manager {
    let version = version(run).unwrap_or_else(|| {
        log.tell(Priority::Warning, &unknown_version());
        OLDEST
    });
    manager_of(run, version)
}

/// The version of the manager whose units these are, if there is a trace of it.
pub fn version(run: &Run) -> Option<u32> {
    running_version(&process(run).join("maps")).or_else(|| installed_version(&run.root))
}

/// What becomes of units for which that is not known.
pub fn unknown_version() -> String {
    format!("can't tell which systemd this is: taking it for {OLDEST}")
}

/// A process with the manager's privileges and namespaces.
fn process(run: &Run) -> PathBuf {
    match run.scope {
        // A system generator has a mount namespace of its own since 253, but may look at PID 1.
        Scope::System => run.root.join("proc/1"),
        // A user's may not look at its manager since 262, but is in the same namespaces.
        Scope::User => run.root.join("proc/self"),
    }
}

/// The manager that is of this version.
pub fn manager_of(run: &Run, version: u32) -> Manager {
    let process = process(run);
    Manager {
        version,
        scope: run.scope,
        namespaces: namespaces(&process),
        privileged: is_privileged(&process.join("status")),
        wrapper: run.wrapper.clone(),
    }
}

/// The version of the system's manager: of the one that runs, else of the one that is installed.
pub fn version_of(root: &Path) -> Option<u32> {
    running_version(&root.join("proc/1/maps")).or_else(|| installed_version(root))
}

/// The version of the systemd that runs, by the library that it has mapped: on disk there may be
/// another one already.
fn running_version(maps: &Path) -> Option<u32> {
    fs::read_to_string(maps).ok()?.lines().find_map(|line| version_of_library(line.rsplit('/').next()?))
}

/// The version of the systemd that is installed; of several the lowest, which promises least.
fn installed_version(root: &Path) -> Option<u32> {
    let mut directories: Vec<PathBuf> =
        ["usr/lib/systemd", "usr/lib64/systemd", "lib/systemd"].map(|directory| root.join(directory)).into();
    if let Ok(entries) = fs::read_dir(root.join("usr/lib")) {
        // Debian's: /usr/lib/x86_64-linux-gnu/systemd.
        let triplets = entries.flatten().filter(|entry| entry.file_name().to_string_lossy().contains("-linux-"));
        directories.extend(triplets.map(|entry| entry.path().join("systemd")));
    }
    directories
        .iter()
        .filter_map(|directory| fs::read_dir(directory).ok())
        .flat_map(|entries| entries.flatten())
        .filter_map(|entry| version_of_library(entry.file_name().to_str()?))
        .min()
}

/// 252 of libsystemd-shared-252.so and of libsystemd-core-252-32.el9.so.
fn version_of_library(name: &str) -> Option<u32> {
    let rest = ["libsystemd-shared-", "libsystemd-core-"].iter().find_map(|prefix| name.strip_prefix(prefix))?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    rest[..digits].parse().ok()
}

/// The namespaces of a process, by their links.
fn namespaces(process: &Path) -> Vec<(Kind, u64)> {
    let inode = |kind: Kind| -> io::Result<Option<u64>> {
        let link = fs::read_link(process.join("ns").join(kind.proc_name()))?;
        let text = link.to_string_lossy();
        Ok(text.split_once(":[").and_then(|(_, rest)| rest.strip_suffix(']')?.parse().ok()))
    };
    Kind::ALL.into_iter().filter_map(|kind| Some((kind, inode(kind).ok()??))).collect()
}

/// Has the manager CAP_SYS_ADMIN, and no seccomp filter that could take it back?
fn is_privileged(status: &Path) -> bool {
    let Ok(status) = fs::read_to_string(status) else { return false };
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let effective = field("CapEff:").and_then(|bits| u64::from_str_radix(bits, 16).ok());
    effective.is_some_and(|bits| CapabilitySet(bits).contains(CAP_SYS_ADMIN)) && field("Seccomp:") == Some("0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_debian_and_rhel_are_read() {
        assert_eq!(version_of_library("libsystemd-core-252.so"), Some(252));
        assert_eq!(version_of_library("libsystemd-shared-252-32.el9.so"), Some(252));
        assert_eq!(version_of_library("libsystemd-shared-262.1-1.so (deleted)"), Some(262));
        assert_eq!(version_of_library("libsystemd.so.0"), None);
    }
}
