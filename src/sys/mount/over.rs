//! Mounts by mount(2), upon what is there already: what mount(8) and unshare(1) do.

use std::io;
use std::path::Path;

use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};

/// What a mount passes on to those that it was copied to, and gets from them; mount_namespaces(7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    /// Nothing, and gets nothing.
    Private,
    /// What is mounted below it, and gets the same.
    Shared,
    /// Nothing, but gets it.
    Slave,
}

/// Sets the propagation of the mount at `path` and of all below it.
pub fn propagate(path: &Path, propagation: Propagation) -> io::Result<()> {
    let flags = match propagation {
        Propagation::Private => MountPropagationFlags::PRIVATE,
        Propagation::Shared => MountPropagationFlags::SHARED,
        Propagation::Slave => MountPropagationFlags::DOWNSTREAM,
    };
    Ok(mount_change(path, flags | MountPropagationFlags::REC)?)
}

/// Mounts a file system of this type that needs no device and no option.
pub fn over(file_system: &str, target: &Path) -> io::Result<()> {
    let harmless = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    Ok(mount(file_system, target, file_system, harmless, None::<&std::ffi::CStr>)?)
}
