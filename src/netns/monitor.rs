//! Which names come and go.

use std::fs::DirBuilder;
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::fs::DirBuilderExt;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};

use super::{Error, Places};

/// What happened to a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is there now.
    Added,
    /// It is gone.
    Deleted,
}

/// Tells `each` of the names that come and go, for ever or until that fails.
pub fn monitor(places: &Places, mut each: impl FnMut(Change, &str) -> io::Result<()>) -> Result<io::Error, Error> {
    let failed = || Error::system("watch", &places.pins);
    DirBuilder::new().recursive(true).mode(0o755).create(&places.pins).map_err(failed())?;
    let inotify = inotify::init(CreateFlags::CLOEXEC).map_err(io::Error::from).map_err(failed())?;
    inotify::add_watch(&inotify, &places.pins, WatchFlags::CREATE | WatchFlags::DELETE)
        .map_err(io::Error::from)
        .map_err(failed())?;
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut reader = Reader::new(inotify, &mut buffer);
    loop {
        let event = match reader.next() {
            Err(rustix::io::Errno::INTR) => continue,
            other => other.map_err(io::Error::from).map_err(failed())?,
        };
        let change = if event.events().contains(ReadFlags::CREATE) { Change::Added } else { Change::Deleted };
        if let Some(name) = event.file_name()
            && let Err(error) = each(change, &name.to_string_lossy())
        {
            return Ok(error);
        }
    }
}
