//! What is mounted upon a mount, and below.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use rustix::fs::{AtFlags, StatxAttributes, StatxFlags, statx};

use super::{listed, mountinfo};

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mounted {
    /// The number of the file system.
    pub device: (u32, u32),
    /// Is the file that is mounted one that was deleted?
    pub is_deleted: bool,
    pub path: PathBuf,
    pub read_only: bool,
    /// The type of the file system.
    pub fs: String,
    /// The options of the file system.
    pub options: String,
}

/// A place, and the mounts that it is seen through.
#[derive(Debug)]
pub struct Below {
    /// Is something mounted at the place itself, the first of the mounts?
    pub is_mounted: bool,
    /// The mount that the place is in, unless the root is within that, and all below, each behind what it is
    /// mounted upon.
    pub mounts: Vec<Mounted>,
}

/// `proc` is where procfs is mounted.
pub fn below(place: &OwnedFd, proc: &OwnedFd) -> io::Result<Below> {
    let found = statx(place, "", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID)?;
    let is_mounted = found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT);
    let listed = || if is_mounted { listed::below(place.as_fd()) } else { None };
    let mounts = match listed() {
        Some(mounts) => mounts,
        None => mountinfo::below(&mountinfo::read(proc)?, found.stx_mnt_id),
    };
    if is_mounted && mounts.is_empty() {
        return Err(io::Error::other("mountinfo does not tell of the mount that is there"));
    }
    Ok(Below { is_mounted, mounts })
}

/// Those of `mounts`, given with their numbers and those of what they are mounted upon, that are the mount of this
/// number or below it: each behind what it is mounted upon, which the numbers of moved ones do not tell.
pub fn from_above<T: Copy>(id: u64, mounts: &[(u64, u64, T)]) -> Vec<T> {
    let mut found: Vec<T> = mounts.iter().filter(|mount| mount.0 == id).map(|mount| mount.2).collect();
    let mut above = vec![id];
    let mut next = 0;
    while let Some(&id) = above.get(next) {
        // The first of all is mounted upon itself.
        for (below, _, mount) in mounts.iter().filter(|mount| mount.1 == id && mount.0 != id) {
            above.push(*below);
            found.push(*mount);
        }
        next += 1;
    }
    found
}
