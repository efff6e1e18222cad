//! One process in `/proc`.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::control_group::{self, UnitsOf};
use super::pins::parse_link;
use crate::cell::Kind;
use crate::sys::nsfs::clone_flag;

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

    /// The bytes of one of its files.
    pub fn read_bytes(&self, name: &str) -> io::Result<Vec<u8>> {
        fs::read(self.path(name))
    }

    /// Its user: the one that its files in /proc belong to.
    pub fn uid(&self) -> Option<u32> {
        Some(fs::metadata(&self.directory).ok()?.uid())
    }

    /// The number of its parent, 0 where that is out of sight.
    pub fn parent(&self) -> Option<u32> {
        // The name before may hold anything, parentheses too.
        let stat = self.read("stat").ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
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
        Ok(control_group::path_of(&self.read("cgroup")?).map(str::to_owned))
    }

    /// The unit that it belongs to, by its control group. The manager's own GetUnitByPIDFD() goes by that,
    /// too; without it there is no bus to connect to, and a unit of a user's manager is found as well.
    pub fn unit(&self) -> Option<String> {
        let init = Process::new(1).control_group().ok().flatten();
        let root = init.as_deref().map_or("", control_group::root_of);
        UnitsOf::path(&self.control_group().ok()??, root).innermost()
    }
}

/// The namespace that a file is: a link in /proc, or what one is mounted upon. None if it is another file.
pub fn namespace_of_file(path: &Path) -> io::Result<Option<(Kind, u64)>> {
    let file = fs::OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    let Some(flag) = clone_flag(&file) else { return Ok(None) };
    let kind = Kind::ALL.into_iter().find(|kind| kind.clone_flag() == flag);
    Ok(kind.zip(file.metadata().ok().map(|metadata| metadata.ino())))
}

/// The N of a link to `net:[N]`.
fn inode_of_link(path: &Path) -> io::Result<u64> {
    let link = fs::read_link(path)?;
    let inode = link.to_str().and_then(parse_link).map(|(_, inode)| inode);
    inode.ok_or(io::ErrorKind::InvalidData.into())
}

fn status_field<'t>(status: &'t str, field: &str) -> Option<&'t str> {
    status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')).map(str::trim)
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
    fn this_process_is_in_eight_namespaces() {
        let own = Process::current();
        assert!(own.exists());
        for kind in [Kind::Mount, Kind::Uts, Kind::Network, Kind::User] {
            assert!(own.namespace(kind).unwrap() > 0);
        }
        assert!(!Process::new(u32::MAX).exists());
    }
}
