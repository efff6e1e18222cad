//! Names given and taken as `ip netns` does it: nothing is set up inside, and no record is kept.

use std::io;
use std::path::{Path, PathBuf};

use super::decide::Pin;
use super::directory::{lock, prepare_pins};
use super::down::{Down, down_one};
use super::{Error, Places, pin, sketch};

/// Makes a network namespace that has a name, and in it nothing but lo, which is down.
pub fn add(places: &Places, name: &str) -> Result<(), Error> {
    vacant(places, name, pin::make_bare)
}

/// Gives the network namespace of a process a name.
pub fn attach(places: &Places, name: &str, pid: u32) -> Result<(), Error> {
    let source = PathBuf::from(format!("/proc/{pid}/ns/net"));
    vacant(places, name, |path| pin::pin(path, &source))
}

/// Takes the name away, whoever gave it; what [`up`](super::up) made goes as [`down`] has it, and so
/// does the file that [`sketch`] wrote.
pub fn delete(places: &Places, name: &str) -> Result<(), Error> {
    let path = places.pin(name);
    let went = down_one(places, name)?;
    let sketched = sketch::remove(places, name)?;
    match went {
        Down::Removed => return Ok(()),
        Down::Absent if sketched => return Ok(()),
        Down::Absent => return Err(Error::system("remove", &path)(io::Error::from_raw_os_error(libc::ENOENT))),
        Down::Left => {}
    }
    let _lock = lock(&places.records)?;
    // Two programs that did not look for each other may have given it twice.
    while let Pin::Namespace(_) = pin::look(&path)? {
        pin::unmount(&path)?;
    }
    match pin::look(&path)? {
        Pin::Occupied => Err(Error::Occupied(path)),
        _ => pin::unlink(&path),
    }
}

fn vacant(places: &Places, name: &str, fill: impl FnOnce(&Path) -> Result<(), Error>) -> Result<(), Error> {
    let _lock = lock(&places.records)?;
    prepare_pins(&places.pins)?;
    refuse_taken(places, name)?;
    fill(&places.pin(name))
}

/// An error if something has the name.
pub fn refuse_taken(places: &Places, name: &str) -> Result<(), Error> {
    let path = places.pin(name);
    match pin::look(&path)? {
        Pin::Missing => Ok(()),
        _ => Err(Error::system("make", &path)(io::Error::from_raw_os_error(libc::EEXIST))),
    }
}
