//! A /proc for a new PID namespace, a /sys for a new network namespace: each protects what the one
//! before it did.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags};
use rustix::mount::MountAttrFlags;

use super::below::{Below, Mounted, below};
use super::mountinfo;
use super::{HARMLESS, attach, clone, create, detached, reconfigure, replace, set_attributes};

/// A file system that is new, and mounted nowhere yet.
///
/// Who has no privilege may make one of these only while another one can be seen in full, so it is to be
/// made before another root is entered.
#[derive(Debug)]
pub struct Anew {
    fs: &'static str,
    context: OwnedFd,
    tree: OwnedFd,
}

impl Anew {
    /// Procfs as the PID namespace sees it.
    pub fn proc() -> io::Result<Anew> {
        Anew::make("proc")
    }

    /// Sysfs as the network namespace sees it.
    pub fn sysfs() -> io::Result<Anew> {
        Anew::make("sysfs")
    }

    fn make(fs: &'static str) -> io::Result<Anew> {
        let context = create(fs, &[])?;
        Ok(Anew { fs, tree: detached(&context, HARMLESS)?, context })
    }

    /// Mounts it at `path`, which `place` is open at.
    ///
    /// It gets the options of the one that it replaces (ProtectProc=, ProcSubset=) and the mounts upon
    /// that one: those that protect parts of it (ProtectKernelTunables=, ProtectKernelLogs=), as a new one
    /// must not give back what they took, and file systems of their own. `proc` is where the mounts of the
    /// process can be read.
    pub fn mount(self, place: &OwnedFd, path: &Path, proc: &OwnedFd) -> io::Result<()> {
        let old = Old::find(self.fs, path, below(place, proc)?);
        reconfigure(&self.context, &old.options)?;
        if old.read_only {
            set_attributes(self.tree.as_fd(), "", MountAttrFlags::MOUNT_ATTR_RDONLY, libc::AT_EMPTY_PATH)?;
        }
        let others = old.upon.iter().filter(|upon| !upon.of_same).map(|upon| copy(upon, OFlags::NOFOLLOW));
        let others = others.collect::<io::Result<Vec<_>>>()?;
        match old.is_mounted {
            true => replace(&self.tree, path)?,
            false => attach(&self.tree, path)?,
        }
        // Before one is covered by another. Only what is mounted can be copied, until Linux 6.15.
        let same = old.upon.iter().filter(|upon| upon.of_same).map(|upon| copy(upon, OFlags::NOFOLLOW));
        let same = same.collect::<io::Result<Vec<_>>>()?;
        let (mut others, mut same) = (others.into_iter(), same.into_iter());
        for upon in &old.upon {
            let tree = if upon.of_same { same.next() } else { others.next() };
            if let Some(tree) = tree.flatten() {
                attach(&tree, &upon.path)?;
            }
        }
        Ok(())
    }
}

/// Sysfs at /sys, for a process that mounts nothing else.
pub fn own_sysfs() -> io::Result<()> {
    let path = Path::new("/sys");
    let place = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    Anew::sysfs()?.mount(&place, path, &mountinfo::open_proc()?)
}

fn copy(upon: &Upon, open: OFlags) -> io::Result<Option<OwnedFd>> {
    let tree = match clone(CWD, &upon.path, !upon.of_same, open) {
        Ok(tree) => tree,
        // What the new one does not have needs no protection.
        Err(error) if upon.of_same && error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if upon.of_same && upon.read_only {
        set_attributes(tree.as_fd(), "", MountAttrFlags::MOUNT_ATTR_RDONLY, libc::AT_EMPTY_PATH)?;
    }
    Ok(Some(tree))
}

/// What is mounted at the place, and what upon it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Old {
    is_mounted: bool,
    read_only: bool,
    /// Its options that hide something.
    options: Vec<(String, String)>,
    upon: Vec<Upon>,
}

#[derive(Debug, PartialEq, Eq)]
struct Upon {
    path: PathBuf,
    read_only: bool,
    /// Is it a part of what is replaced, so that the new one's own part must take its place?
    of_same: bool,
}

impl Old {
    fn find(fs: &str, place: &Path, below: Below) -> Old {
        let mut found = Old::default();
        let mut mounts = below.mounts.into_iter();
        // A container's /sys is none itself, and has parts of one mounted upon it.
        let replaced = if below.is_mounted { mounts.next() } else { None };
        if let Some(mount) = &replaced {
            let options = if mount.fs == fs { hiding(&mount.options) } else { Vec::new() };
            found = Old { is_mounted: true, read_only: mount.read_only, options, upon: Vec::new() };
        }
        // Else the mount has more below it than the place.
        for mount in mounts.filter(|mount| below.is_mounted || mount.path.starts_with(place)).filter(is_protection) {
            let of_same = mount.fs == fs || replaced.as_ref().is_some_and(|replaced| replaced.device == mount.device);
            // What is below a copied tree is copied with it.
            let copied = |upon: &Upon| !upon.of_same && mount.path.starts_with(&upon.path);
            if of_same || !found.upon.iter().any(copied) {
                found.upon.push(Upon { path: mount.path, read_only: mount.read_only, of_same });
            }
        }
        found
    }
}

/// Is it mounted to protect what is below, or a file system of its own? What the kernel mounts on
/// demand is neither; and a file that was deleted, as those of a container manager are, can't be
/// mounted anew by anybody.
fn is_protection(mount: &Mounted) -> bool {
    !matches!(mount.fs.as_str(), "autofs" | "binfmt_misc") && !mount.is_deleted
}

fn hiding(options: &str) -> Vec<(String, String)> {
    options
        .split(',')
        .filter_map(|option| option.split_once('='))
        .filter(|(key, _)| matches!(*key, "hidepid" | "gid" | "subset"))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upon(path: &str, read_only: bool, of_same: bool) -> Upon {
        Upon { path: path.into(), read_only, of_same }
    }

    fn of_mountinfo(text: &str, is_mounted: bool, id: u64) -> Below {
        Below { is_mounted, mounts: mountinfo::below(text.as_bytes(), id) }
    }

    #[test]
    fn what_hides_and_protects_in_proc_is_found() {
        let mountinfo = "\
22 1 0:21 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:22 / /proc rw,nosuid shared:2 - proc proc rw,gid=5,hidepid=invisible,subset=pid
24 23 0:22 /sys /proc/sys ro,nosuid - proc proc rw,hidepid=invisible
25 23 0:30 / /proc/sys/fs/binfmt_misc rw - autofs systemd-1 rw,fd=30
26 23 0:31 /inaccessible/reg /proc/k\\040msg ro - tmpfs tmpfs rw
27 22 0:32 / /procession rw - tmpfs tmpfs rw
28 24 0:31 /boot-id//deleted /proc/sys/kernel/random/boot_id ro - tmpfs tmpfs rw
";
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            Old::find("proc", Path::new("/proc"), of_mountinfo(mountinfo, true, 23)),
            Old {
                is_mounted: true,
                read_only: false,
                options: vec![pair("gid", "5"), pair("hidepid", "invisible"), pair("subset", "pid")],
                upon: vec![upon("/proc/sys", true, true), upon("/proc/k msg", true, false)],
            }
        );
    }

    #[test]
    fn what_is_mounted_in_sys_is_found() {
        let mountinfo = "\
22 1 0:21 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:22 / /sys ro,nosuid shared:2 - tmpfs tmpfs rw
24 23 0:23 /class /sys/class ro,nosuid - sysfs sysfs ro
25 23 0:24 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw
26 25 0:25 / /sys/fs/cgroup/below rw - tmpfs tmpfs rw
27 23 0:22 /fs/selinux /sys/fs/selinux ro - tmpfs tmpfs rw
";
        assert_eq!(
            Old::find("sysfs", Path::new("/sys"), of_mountinfo(mountinfo, true, 23)),
            Old {
                is_mounted: true,
                read_only: true,
                options: Vec::new(),
                upon: vec![
                    upon("/sys/class", true, true),
                    upon("/sys/fs/cgroup", false, false),
                    upon("/sys/fs/selinux", true, true),
                ],
            }
        );
        assert_eq!(Old::find("sysfs", Path::new("/not"), of_mountinfo(mountinfo, false, 22)), Old::default());
        let plain = Old::find("sysfs", Path::new("/sys/fs"), of_mountinfo(mountinfo, false, 23));
        assert_eq!((plain.is_mounted, plain.upon.len()), (false, 2));
    }
}
