//! Mounts in a mount namespace of our own, by the mount API of Linux 5.2 and 5.12.

mod proc;

pub use proc::proc;

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags,
    fsconfig_create, fsconfig_set_string, fsmount, fsopen, mount_change, move_mount, open_tree, unmount,
};

/// Makes every mount a slave: what the host mounts still arrives here, and nothing goes back.
pub fn detach_from_host() -> io::Result<()> {
    Ok(mount_change("/", MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC)?)
}

/// Makes every mount shared among the namespaces that are made from this one, as a host's are.
pub fn share() -> io::Result<()> {
    Ok(mount_change("/", MountPropagationFlags::SHARED | MountPropagationFlags::REC)?)
}

/// Mounts cgroup2 over /sys/fs/cgroup as the cgroup namespace sees it.
pub fn cgroup(read_only: bool) -> io::Result<()> {
    let target = "/sys/fs/cgroup";
    if nix::sys::statfs::statfs(target)?.filesystem_type() != nix::sys::statfs::CGROUP2_SUPER_MAGIC {
        return Err(io::Error::new(io::ErrorKind::Unsupported, "/sys/fs/cgroup is not the unified hierarchy"));
    }
    let mut attributes = HARMLESS;
    attributes.set(MountAttrFlags::MOUNT_ATTR_RDONLY, read_only);
    replace(&make("cgroup2", &[], attributes)?, target)
}

/// Makes the cgroup tree that is mounted read-only.
pub fn cgroup_read_only() -> io::Result<()> {
    set_read_only(CWD, "/sys/fs/cgroup", libc::AT_RECURSIVE)
}

/// Mounts the /sys of the network namespace, read-only where that was.
pub fn sysfs() -> io::Result<()> {
    let mut attributes = HARMLESS;
    let read_only = nix::sys::statvfs::statvfs("/sys")?.flags().contains(nix::sys::statvfs::FsFlags::ST_RDONLY);
    attributes.set(MountAttrFlags::MOUNT_ATTR_RDONLY, read_only);
    replace(&make("sysfs", &[], attributes)?, "/sys")
}

/// Mounts the message queues of the IPC namespace, mq_overview(7).
pub fn mqueue() -> io::Result<()> {
    replace(&make("mqueue", &[], HARMLESS)?, "/dev/mqueue")
}

const HARMLESS: MountAttrFlags =
    MountAttrFlags::MOUNT_ATTR_NOSUID.union(MountAttrFlags::MOUNT_ATTR_NODEV).union(MountAttrFlags::MOUNT_ATTR_NOEXEC);

/// Makes a file system that is not mounted anywhere yet.
fn make(fs: &str, options: &[(String, String)], attributes: MountAttrFlags) -> io::Result<OwnedFd> {
    let context = fsopen(fs, FsOpenFlags::FSOPEN_CLOEXEC)?;
    for (key, value) in options {
        fsconfig_set_string(context.as_fd(), key.as_str(), value.as_str())?;
    }
    fsconfig_create(context.as_fd())?;
    Ok(fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes)?)
}

/// Mounts `tree` at `target` in the place of what was mounted there, so that unmounting it does
/// not bring the old mount to light. Where that may not be unmounted, the kernel guards it.
fn replace(tree: &OwnedFd, target: &str) -> io::Result<()> {
    match unmount(target, UnmountFlags::DETACH) {
        Ok(()) | Err(rustix::io::Errno::INVAL | rustix::io::Errno::PERM) => attach(tree, Path::new(target)),
        Err(error) => Err(error.into()),
    }
}

fn attach(tree: &OwnedFd, target: &Path) -> io::Result<()> {
    Ok(move_mount(tree.as_fd(), "", CWD, target, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?)
}

/// A copy of the mount at `path`, not mounted anywhere yet.
fn clone(at: BorrowedFd<'_>, path: &Path) -> io::Result<OwnedFd> {
    // Through an O_PATH descriptor, which triggers no automount.
    let place = rustix::fs::openat(at, path, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
    Ok(open_tree(place.as_fd(), "", flags)?)
}

fn set_read_only(at: BorrowedFd<'_>, path: &str, flags: i32) -> io::Result<()> {
    let path = CString::new(path)?;
    let attributes = libc::mount_attr { attr_set: libc::MOUNT_ATTR_RDONLY, attr_clr: 0, propagation: 0, userns_fd: 0 };
    // SAFETY: the kernel reads the path up to its NUL, and `attributes` for the size given.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            at.as_raw_fd(),
            path.as_ptr(),
            flags,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Takes away mountinfo's octal escapes of white space and backslashes.
pub fn unescape(path: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, after @ ..] = rest {
        let octal = after.get(..3).and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        match (first, octal) {
            (b'\\', Some(byte)) => {
                bytes.push(byte);
                rest = &after[3..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    PathBuf::from(std::ffi::OsStr::from_bytes(&bytes))
}
