//! Mounts in a mount namespace of our own, by the mount API of Linux 5.2 and 5.12.

mod anew;
mod below;
mod dev;
mod files;
mod listed;
mod mountinfo;
mod over;
mod overlay;
mod place;
mod root;

pub use anew::{Anew, own_sysfs};
pub use dev::Devices;
pub use files::read_only_files;
pub use mountinfo::unescape;
pub use over::{Propagation, over, propagate};
pub use overlay::{overlay, throw_away_overlay};
pub use place::Places;
pub use root::{Root, enter_root};

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, StatVfsMountFlags};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, fsconfig_create,
    fsconfig_reconfigure, fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, move_mount, open_tree, unmount,
};

/// Makes every mount a slave: what the host mounts still arrives here, and nothing goes back.
pub fn detach_from_host() -> io::Result<()> {
    propagate(Path::new("/"), Propagation::Slave)
}

/// Makes every mount private: nothing arrives, nothing goes back.
pub fn cut_off_from_host() -> io::Result<()> {
    propagate(Path::new("/"), Propagation::Private)
}

/// Unmounts what is mounted on the entries of a directory, even while it is in use.
pub fn detach_below(directory: &Path) -> io::Result<()> {
    std::fs::read_dir(directory)?.try_for_each(|entry| detach(&entry?.path()))
}

/// Unmounts what is mounted there, even while it is in use, if anything is.
pub fn detach(path: &Path) -> io::Result<()> {
    match unmount(path, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW) {
        Ok(()) | Err(rustix::io::Errno::INVAL) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Makes every mount shared among the namespaces that are made from this one, as a host's are.
pub fn share() -> io::Result<()> {
    propagate(Path::new("/"), Propagation::Shared)
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
    set_attributes(CWD, "/sys/fs/cgroup", MountAttrFlags::MOUNT_ATTR_RDONLY, libc::AT_RECURSIVE)
}

/// Is there such a directory? That it can't be seen is no answer.
pub fn is_directory(path: &str) -> io::Result<bool> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(metadata.is_dir()),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Mounts the message queues of the IPC namespace, mq_overview(7), where those of another can be seen.
pub fn mqueue() -> io::Result<()> {
    if !is_directory("/dev/mqueue")? {
        return Ok(());
    }
    replace(&make("mqueue", &[], HARMLESS)?, "/dev/mqueue")
}

/// A tmpfs that is not mounted anywhere yet.
pub fn tmpfs(options: &[(String, String)], flags: Flags) -> io::Result<OwnedFd> {
    make("tmpfs", options, flags.attributes())
}

/// A copy of the mount at `path`, and of those below it if it is to be recursive, not mounted
/// anywhere yet.
pub fn tree(path: &Path, recursive: bool) -> io::Result<OwnedFd> {
    clone(CWD, path, recursive, OFlags::empty())
}

/// Sets these flags on a copy of a tree.
pub fn restrict(tree: &OwnedFd, flags: Flags) -> io::Result<()> {
    if flags == Flags::default() {
        return Ok(());
    }
    set_attributes(tree.as_fd(), "", flags.attributes(), libc::AT_EMPTY_PATH | libc::AT_RECURSIVE)
}

/// What a mount takes away, mount(8).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are mount(8)'s")]
pub struct Flags {
    pub read_only: bool,
    pub nosuid: bool,
    pub nodev: bool,
    pub noexec: bool,
}

impl Flags {
    fn attributes(self) -> MountAttrFlags {
        let mut attributes = MountAttrFlags::empty();
        attributes.set(MountAttrFlags::MOUNT_ATTR_RDONLY, self.read_only);
        attributes.set(MountAttrFlags::MOUNT_ATTR_NOSUID, self.nosuid);
        attributes.set(MountAttrFlags::MOUNT_ATTR_NODEV, self.nodev);
        attributes.set(MountAttrFlags::MOUNT_ATTR_NOEXEC, self.noexec);
        attributes
    }
}

const HARMLESS: MountAttrFlags =
    MountAttrFlags::MOUNT_ATTR_NOSUID.union(MountAttrFlags::MOUNT_ATTR_NODEV).union(MountAttrFlags::MOUNT_ATTR_NOEXEC);

/// What the mount of a file takes away, but for writing.
fn taken_away(file: impl AsFd) -> io::Result<MountAttrFlags> {
    let flags = rustix::fs::fstatvfs(file)?.f_flag;
    let mut attributes = MountAttrFlags::empty();
    for (flag, attribute) in [
        (StatVfsMountFlags::NOSUID, MountAttrFlags::MOUNT_ATTR_NOSUID),
        (StatVfsMountFlags::NODEV, MountAttrFlags::MOUNT_ATTR_NODEV),
        (StatVfsMountFlags::NOEXEC, MountAttrFlags::MOUNT_ATTR_NOEXEC),
    ] {
        attributes.set(attribute, flags.contains(flag));
    }
    Ok(attributes)
}

/// Makes a file system that is not mounted anywhere yet.
fn make(fs: &str, options: &[(String, String)], attributes: MountAttrFlags) -> io::Result<OwnedFd> {
    detached(&create(fs, options)?, attributes)
}

/// Makes a file system.
fn create(fs: &str, options: &[(String, String)]) -> io::Result<OwnedFd> {
    let context = fsopen(fs, FsOpenFlags::FSOPEN_CLOEXEC)?;
    let configure = || {
        // What mount(8) and systemd show in the place of a device.
        fsconfig_set_string(context.as_fd(), "source", fs)?;
        set_options(&context, options)?;
        fsconfig_create(context.as_fd())
    };
    configure().map_err(|error| explain(&context, error.into()))?;
    Ok(context)
}

/// A mount of it, not anywhere yet.
fn detached(context: &OwnedFd, attributes: MountAttrFlags) -> io::Result<OwnedFd> {
    Ok(fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes)?)
}

/// Changes the options of a file system that has been made.
fn reconfigure(context: &OwnedFd, options: &[(String, String)]) -> io::Result<()> {
    if options.is_empty() {
        return Ok(());
    }
    let configure = || {
        set_options(context, options)?;
        fsconfig_reconfigure(context.as_fd())
    };
    configure().map_err(|error: rustix::io::Errno| explain(context, error.into()))
}

fn set_options(context: &OwnedFd, options: &[(String, String)]) -> rustix::io::Result<()> {
    options.iter().try_for_each(|(key, value)| match value.is_empty() {
        true => fsconfig_set_flag(context.as_fd(), key.as_str()),
        false => fsconfig_set_string(context.as_fd(), key.as_str(), value.as_str()),
    })
}

/// What the file system itself says of an error, which its number tells only half of.
fn explain(context: &OwnedFd, error: io::Error) -> io::Error {
    let mut message = [0; 512];
    match rustix::io::read(context, &mut message) {
        // After the class of the message, a letter and a space.
        Ok(length @ 3..) => {
            let said = String::from_utf8_lossy(&message[2..length]).trim_end().to_owned();
            io::Error::new(error.kind(), format!("{error} ({said})"))
        }
        _ => error,
    }
}

/// Mounts `tree` at `target` in the place of what was mounted there, so that unmounting it does
/// not bring the old mount to light. Where that may not be unmounted, the kernel guards it.
fn replace(tree: &OwnedFd, target: impl AsRef<Path>) -> io::Result<()> {
    match unmount(target.as_ref(), UnmountFlags::DETACH) {
        Ok(()) | Err(rustix::io::Errno::INVAL | rustix::io::Errno::PERM) => attach(tree, target.as_ref()),
        Err(error) => Err(error.into()),
    }
}

fn attach(tree: &OwnedFd, target: &Path) -> io::Result<()> {
    Ok(move_mount(tree.as_fd(), "", CWD, target, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?)
}

/// The same, upon the file that `target` is open at.
fn attach_upon(tree: &OwnedFd, target: impl AsFd) -> io::Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    Ok(move_mount(tree.as_fd(), "", target.as_fd(), "", flags)?)
}

/// A copy of the mount at `path`, not mounted anywhere yet.
fn clone(at: BorrowedFd<'_>, path: &Path, recursive: bool, open: OFlags) -> io::Result<OwnedFd> {
    // Through an O_PATH descriptor, which triggers no automount.
    let place = rustix::fs::openat(at, path, OFlags::PATH | OFlags::CLOEXEC | open, Mode::empty())?;
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
    flags.set(OpenTreeFlags::AT_RECURSIVE, recursive);
    Ok(open_tree(place.as_fd(), "", flags)?)
}

fn set_attributes(at: BorrowedFd<'_>, path: &str, set: MountAttrFlags, flags: i32) -> io::Result<()> {
    let path = CString::new(path)?;
    let attributes = libc::mount_attr { attr_set: u64::from(set.bits()), attr_clr: 0, propagation: 0, userns_fd: 0 };
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
