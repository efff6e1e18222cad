//! Entering another root.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags};
use rustix::mount::{MoveMountFlags, UnmountFlags, move_mount, unmount};
use rustix::process::{fchdir, pivot_root};

use super::place::{Places, mount_id, mount_id_at};
use super::{mountinfo, overlay, tree};

/// A root that is not entered yet.
#[derive(Debug)]
pub struct Root {
    mount: OwnedFd,
    /// What the root before has mounted, to be mounted at the same places.
    upon: Vec<(PathBuf, OwnedFd)>,
}

impl Root {
    /// What is at `path`, with all that is mounted below.
    pub fn directory(path: &Path) -> io::Result<Root> {
        let mount = tree(path, true)?;
        if !rustix::fs::FileType::from_raw_mode(rustix::fs::fstat(&mount)?.st_mode).is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Root { mount, upon: Vec::new() })
    }

    /// A throw-away writable overlay over the file system of the root. What is mounted upon that
    /// is no part of it, and is carried over as it is.
    pub fn throw_away_overlay(places: &Places) -> io::Result<Root> {
        let upon = upon_the_root(&mountinfo::read(places.proc())?)?;
        Ok(Root { mount: overlay::throw_away_overlay()?, upon })
    }
}

impl AsFd for Root {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.mount.as_fd()
    }
}

/// Makes `root` the root of the process, and of all others in the mount namespace that have the
/// same one as it. No way leads back to the old one: it is unmounted (pivot_root(2)).
pub fn enter_root(root: &Root) -> io::Result<()> {
    // A path leads into what is mounted upon the root only after that was entered; so this one
    // still means the old root, and the new one is mounted upon all that is mounted there.
    move_mount(&root.mount, "", CWD, "/", MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?;
    fchdir(&root.mount)?;
    for (path, tree) in &root.upon {
        let below = path.strip_prefix("/").unwrap_or(path);
        let place =
            rustix::fs::openat(&root.mount, below, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
        super::attach_upon(tree, place)?;
    }
    pivot_root(".", ".").map_err(|error| match error {
        rustix::io::Errno::INVAL => io::Error::other(
            "pivot_root: Invalid argument; the root that is left must be a mount, and its parent must not be shared",
        ),
        error => error.into(),
    })?;
    // The old root now lies upon the new one, and upon it whatever did so before.
    let new = mount_id(&root.mount)?;
    while mount_id_at(Path::new("/.."))? != new {
        unmount("/..", UnmountFlags::DETACH)?;
    }
    Ok(rustix::process::chdir("/")?)
}

/// Copies of what is mounted upon the root's own mount, each with all below it.
fn upon_the_root(mounts: &[u8]) -> io::Result<Vec<(PathBuf, OwnedFd)>> {
    let mounts: Vec<_> = mountinfo::lines(mounts).filter_map(|line| Some((line, line.path()?))).collect();
    let root = mount_id_at(Path::new("/"))?;
    let is_seen = |mount: &mountinfo::Line<'_>, path: &Path| -> io::Result<bool> {
        // What a path leads to may be mounted upon it, or upon what it is mounted on.
        let mut seen = mount_id_at(path)?;
        while seen != mount.id {
            let above = mounts.iter().find(|(other, at)| other.id == seen && at == path);
            let Some((above, _)) = above else { return Ok(false) };
            seen = above.parent;
        }
        Ok(true)
    };
    let mut upon = Vec::new();
    for (mount, path) in mounts.iter().filter(|(mount, path)| mount.parent == root && path != Path::new("/")) {
        if is_seen(mount, path)? {
            upon.push((path.clone(), super::clone(CWD, path, true, OFlags::NOFOLLOW)?));
        }
    }
    Ok(upon)
}
