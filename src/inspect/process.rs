//! One process in `/proc`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::cell::Kind;

/// A process, by its directory.
#[derive(Debug, Clone)]
pub struct Process {
    /// Its number, as the reader's PID namespace counts.
    pub pid: u32,
    directory: PathBuf,
}

impl Process {
    /// The process of this number.
    pub fn new(pid: u32) -> Process {
        Process { pid, directory: format!("/proc/{pid}").into() }
    }

    /// The process that asks.
    pub fn current() -> Process {
        Process::new(std::process::id())
    }

    /// Every process there is.
    pub fn all() -> io::Result<Vec<Process>> {
        let pids = fs::read_dir("/proc")?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        Ok(pids.map(Process::new).collect())
    }

    /// Is it there?
    pub fn exists(&self) -> bool {
        self.directory.exists()
    }

    /// One of its files.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The text of one of its files.
    pub fn read(&self, name: &str) -> io::Result<String> {
        fs::read_to_string(self.path(name))
    }

    /// The file of its namespace of this type.
    pub fn namespace_path(&self, kind: Kind) -> PathBuf {
        self.path("ns").join(kind.proc_name())
    }

    /// The inode number of its namespace of this type. Only who may trace the process is told.
    pub fn namespace(&self, kind: Kind) -> io::Result<u64> {
        inode_of_link(&self.namespace_path(kind))
    }

    /// Is the time namespace of its children its own? Of the two, `/proc` tells the clocks' offsets
    /// in the former.
    pub fn children_share_clocks(&self) -> bool {
        let of_children = inode_of_link(&self.path("ns/time_for_children"));
        of_children.is_ok_and(|inode| self.namespace(Kind::Time).is_ok_and(|own| own == inode))
    }

    /// A field of its status, proc_pid_status(5).
    pub fn status(&self, field: &str) -> io::Result<Option<String>> {
        Ok(status_field(&self.read("status")?, field).map(str::to_owned))
    }

    /// The path of its control group, as seen from the cgroup namespace of the thread that asks.
    pub fn control_group(&self) -> io::Result<Option<String>> {
        Ok(control_group(&self.read("cgroup")?).map(str::to_owned))
    }
}

/// The N of a link to `net:[N]`.
fn inode_of_link(path: &Path) -> io::Result<u64> {
    let link = fs::read_link(path)?;
    let inode = link.to_str().and_then(|text| text.split_once(":[")?.1.strip_suffix(']')?.parse().ok());
    inode.ok_or(io::ErrorKind::InvalidData.into())
}

fn status_field<'t>(status: &'t str, field: &str) -> Option<&'t str> {
    status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')).map(str::trim)
}

/// Of the unified hierarchy, else of systemd's own.
fn control_group(text: &str) -> Option<&str> {
    let of = |prefix: &str| text.lines().find_map(|line| line.strip_prefix(prefix));
    let named = || text.lines().find_map(|line| line.split_once(":name=systemd:").map(|(_, path)| path));
    of("0::").or_else(named)
}

/// The unit that a control group belongs to: the last part of the path that is a unit's name.
pub fn unit_of_control_group(path: &str) -> Option<&str> {
    let is_unit = |part: &&str| part.ends_with(".service") || part.ends_with(".scope");
    path.rsplit('/').find(is_unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_field_is_found_by_its_whole_name() {
        let status = "Name:\tsleep\nNSpid:\t813\t1\nPid:\t813\n";
        assert_eq!(status_field(status, "Pid"), Some("813"));
        assert_eq!(status_field(status, "NSpid"), Some("813\t1"));
        assert_eq!(status_field(status, "NS"), None);
    }

    #[test]
    fn the_unit_of_a_process_is_the_innermost_one() {
        let text = "1:name=systemd:/a\n0::/system.slice/web.service/worker\n";
        assert_eq!(control_group(text), Some("/system.slice/web.service/worker"));
        assert_eq!(control_group("4:name=systemd:/b\n"), Some("/b"));
        let path = "/user.slice/user-1000.slice/user@1000.service/app.slice/web.service/x";
        assert_eq!(unit_of_control_group(path), Some("web.service"));
        assert_eq!(unit_of_control_group("/init"), None);
    }

    #[test]
    fn this_process_is_in_eight_namespaces() {
        let own = Process::current();
        assert!(own.exists());
        for kind in [Kind::Mount, Kind::Uts, Kind::Network, Kind::User] {
            assert!(own.namespace(kind).unwrap() > 0);
        }
        assert!(!Process::new(u32::MAX).exists());
    }
}
