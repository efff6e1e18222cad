//! What keeps a namespace alive without a process: a bind mount of its file.

use std::io;
use std::path::Path;

use nix::sys::statfs::{NSFS_MAGIC, statfs};
use rustix::mount::{MountPropagationFlags, UnmountFlags, mount_bind, mount_bind_recursive, mount_change, unmount};

/// Makes `directory` a mount of its own that propagates to other mount namespaces, unless it is
/// one already. Two processes at once would put two mounts on it: the caller holds a lock.
pub fn share_directory(directory: &Path) -> io::Result<()> {
    let shared = MountPropagationFlags::SHARED | MountPropagationFlags::REC;
    // What is mounted below already need not be looked at each time: there may be a thousand of them.
    match mount_change(directory, MountPropagationFlags::SHARED) {
        // No mount point yet.
        Err(rustix::io::Errno::INVAL) => {
            mount_bind_recursive(directory, directory)?;
            // A bind mount is in the peer group of what it was made from, and every mount here would
            // show there a second time. A group of its own, as iproute2 makes it since 7, halves them.
            mount_change(directory, MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
            Ok(mount_change(directory, shared)?)
        }
        other => Ok(other?),
    }
}

/// Is the file at `path` a namespace's, and not what may lie below such a mount?
pub fn is_namespace(path: &Path) -> io::Result<bool> {
    Ok(statfs(path)?.filesystem_type() == NSFS_MAGIC)
}

/// Shows the file of a namespace at `pin`, too.
pub fn bind(namespace: &Path, pin: &Path) -> io::Result<()> {
    Ok(mount_bind(namespace, pin)?)
}

/// Takes the topmost mount off `pin`; who has it open keeps it.
pub fn detach(pin: &Path) -> io::Result<()> {
    Ok(unmount(pin, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW)?)
}
