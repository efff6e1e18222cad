//! A pin: the file in `/run/netns` that a network namespace is mounted upon.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use super::decide::Pin;
use super::ledger::remove_file;
use super::{Error, Identity};
use crate::sys;
use crate::sys::namespace::{Namespace, aside, within};

const OWN: &str = "/proc/thread-self/ns/net";
const NETWORK: u32 = libc::CLONE_NEWNET.cast_unsigned();

/// Looks what has the name of a pin.
pub fn look(path: &Path) -> Result<Pin, Error> {
    let failed = |error| Error::system("look at", path)(error);
    let metadata = match path.symlink_metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Pin::Missing),
        Err(error) => return Err(failed(error)),
    };
    if !metadata.is_file() {
        return Ok(Pin::Occupied);
    }
    if !sys::pin::is_namespace(path).map_err(failed)? {
        return Ok(if metadata.len() == 0 { Pin::Empty } else { Pin::Occupied });
    }
    match in_it(path, || Ok(sys::network::cookie().ok())) {
        Ok(cookie) => Ok(Pin::Namespace(Identity { inode: metadata.ino(), cookie })),
        // A namespace, but of another type.
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(Pin::Occupied),
        Err(error) => Err(Error::system("enter", path)(error)),
    }
}

/// The inode number of the namespace that is pinned there, or that a link leads to, if one is.
pub fn inode(path: &Path) -> Result<Option<u64>, Error> {
    let failed = |error| Error::system("look at", path)(error);
    let metadata = match path.metadata() {
        Ok(metadata) => metadata,
        // A link to a process that has ended, or is not to be looked at, or what is gone by now.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => {
            return Ok(None);
        }
        Err(error) => return Err(failed(error)),
    };
    let pinned = metadata.is_file() && sys::pin::is_namespace(path).map_err(failed)?;
    Ok(pinned.then(|| metadata.ino()))
}

/// Makes a network namespace with lo up, and pins it; `before` is told what it is before anything
/// of it can be seen. Whatever fails, no pin is left.
pub fn make(path: &Path, before: impl FnOnce(Identity) -> Result<(), Error>) -> Result<Identity, Error> {
    aside(NETWORK, || {
        sys::namespace::make(NETWORK).map_err(Error::system("make the namespace of", path))?;
        sys::network::loopback_up().map_err(Error::system("take lo up in", path))?;
        let inode = fs::metadata(OWN).map_err(Error::system("look at", Path::new(OWN)))?.ino();
        let identity = Identity { inode, cookie: sys::network::cookie().ok() };
        before(identity)?;
        show(path, Path::new(OWN), inode)?;
        Ok(identity)
    })
}

/// Makes a network namespace with lo up that this process stays in.
pub fn make_own(path: &Path) -> Result<(), Error> {
    sys::namespace::make(NETWORK).map_err(Error::system("make the namespace of", path))?;
    sys::network::loopback_up().map_err(Error::system("take lo up in", path))
}

/// Leads to the network namespace of this process by way of the one that holds it, in place of a pin.
/// Returns what it is.
pub fn link(path: &Path, holder: u32) -> Result<Identity, Error> {
    let inode = fs::metadata(OWN).map_err(Error::system("look at", Path::new(OWN)))?.ino();
    let directory = path.parent().unwrap_or(path);
    fs::create_dir_all(directory).map_err(Error::system("make", directory))?;
    remove_file(path)?;
    std::os::unix::fs::symlink(format!("/proc/{holder}/ns/net"), path).map_err(Error::system("make", path))?;
    Ok(Identity { inode, cookie: sys::network::cookie().ok() })
}

/// Makes a network namespace as `ip` does, its lo down, and pins it.
pub fn make_bare(path: &Path) -> Result<(), Error> {
    aside(NETWORK, || {
        sys::namespace::make(NETWORK).map_err(Error::system("make the namespace of", path))?;
        pin(path, Path::new(OWN))
    })
}

/// Pins the namespace that `source` is the file of. Whatever fails, no pin is left.
pub fn pin(path: &Path, source: &Path) -> Result<(), Error> {
    let inode = fs::metadata(source).map_err(Error::system("look at", source))?.ino();
    show(path, source, inode)
}

fn show(path: &Path, source: &Path, inode: u64) -> Result<(), Error> {
    create(path)?;
    let pinned = sys::pin::bind(source, path).map_err(Error::system("pin the namespace to", path));
    let pinned = pinned.and_then(|()| {
        let visible = check_visible(path, inode);
        if visible.is_err() {
            let _ = unmount(path);
        }
        visible
    });
    if pinned.is_err() {
        let _ = unlink(path);
    }
    pinned
}

/// Takes lo up in a network namespace that somebody else made.
pub fn loopback_up(path: &Path) -> Result<(), Error> {
    in_it(path, sys::network::loopback_up).map_err(Error::system("take lo up in", path))
}

/// Takes the namespace off its pin.
pub fn unmount(path: &Path) -> Result<(), Error> {
    sys::pin::detach(path).map_err(Error::system("unmount", path))
}

/// Removes the file.
pub fn unlink(path: &Path) -> Result<(), Error> {
    fs::remove_file(path).map_err(Error::system("remove", path))
}

fn in_it<T>(path: &Path, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    within(&Namespace::open(path)?, NETWORK, work)
}

/// The file to mount upon, as `ip` makes it: nobody may read it while it is only a file.
fn create(path: &Path) -> Result<(), Error> {
    match OpenOptions::new().write(true).create_new(true).mode(0o0).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(Error::system("make", path)(error)),
        _ => Ok(()),
    }
}

/// A pin in a mount namespace that nothing propagates from is lost with this process, and no
/// service could join it. Who can't look at PID 1's files gets no answer, and goes on.
fn check_visible(path: &Path, inode: u64) -> Result<(), Error> {
    let tail = path.strip_prefix("/").unwrap_or(path);
    match fs::metadata(Path::new("/proc/1/root").join(tail)) {
        Ok(seen) if seen.ino() == inode => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        Ok(_) | Err(_) => Err(Error::Hidden(path.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_namespace_is_told_apart() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("blue");
        assert_eq!(look(&path).unwrap(), Pin::Missing);
        create(&path).unwrap();
        assert_eq!(look(&path).unwrap(), Pin::Empty);
        create(&path).expect("the file of an earlier run is taken");
        unlink(&path).unwrap();
        fs::write(&path, "mine").unwrap();
        assert_eq!(look(&path).unwrap(), Pin::Occupied);
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/proc/self/ns/net", &path).unwrap();
        assert_eq!(look(&path).unwrap(), Pin::Occupied, "no link is followed");
    }
}
