//! The service's credentials, for whom it is in a user namespace that maps its ids to others.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use crate::sys::mount;

/// A user and a group, as this process has to call them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Owner {
    pub uid: u32,
    pub gid: u32,
}

/// Their names and contents.
pub struct Credentials(Vec<(OsString, Vec<u8>)>);

impl Credentials {
    /// Reads all that are in a directory; none if that is not there.
    pub fn read(directory: &Path) -> io::Result<Option<Credentials>> {
        let entries = match fs::read_dir(directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            entries => entries?,
        };
        let read = |entry: io::Result<fs::DirEntry>| entry.and_then(|one| Ok((one.file_name(), fs::read(one.path())?)));
        entries.map(read).collect::<io::Result<_>>().map(|files| Some(Credentials(files)))
    }

    /// A file system of them that nothing swaps out, mounted nowhere yet.
    pub fn file_system(self, owner: Owner) -> io::Result<OwnedFd> {
        mount::read_only_files(&self.0, owner.uid, owner.gid)
    }
}

/// None of it is for messages.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} credentials", self.0.len())
    }
}
