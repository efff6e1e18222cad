//! The directories of pins and records, and their locks.

use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use super::Error;
use crate::sys;

/// An exclusive lock on a directory; dropping it lets go.
pub struct Lock {
    _directory: File,
}

/// Makes the directory if it is missing, and waits for its lock.
pub fn lock(path: &Path) -> Result<Lock, Error> {
    DirBuilder::new().recursive(true).mode(0o755).create(path).map_err(Error::system("make", path))?;
    let directory = File::open(path).map_err(Error::system("open", path))?;
    flock(&directory, FlockOperation::LockExclusive)
        .map_err(std::io::Error::from)
        .map_err(Error::system("lock", path))?;
    Ok(Lock { _directory: directory })
}

/// Makes the directory of pins a shared mount, exactly once. The lock is the one that `ip netns`
/// takes for that, and it is not held any longer than `ip` holds it.
pub fn prepare_pins(path: &Path) -> Result<(), Error> {
    let _lock = lock(path)?;
    sys::pin::share_directory(path).map_err(Error::system("make a shared mount of", path))
}
