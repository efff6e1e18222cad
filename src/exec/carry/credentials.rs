//! The service's credentials, for whom it is in a user namespace that maps its ids to others.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use super::Wrapper;
use crate::cell::{Kind, Mount};
use crate::sys::id_map::Maps;
use crate::sys::namespace::Namespace;
use crate::sys::{mount, user_namespace};

impl Wrapper<'_> {
    /// Keeps namespaces that were opened for later. Which ids a user namespace maps to others there is no
    /// telling from its file, and whoever is to read credentials in there has to be called by one of them.
    pub(super) fn keep(&mut self, opened: Vec<(Kind, Namespace)>) -> io::Result<()> {
        let gives = self.request.cell.mounts.iter().any(|mount| matches!(mount, Mount::Credentials(_)));
        if let Some((_, namespace)) = opened.iter().find(|(kind, _)| *kind == Kind::User && gives && self.privileged) {
            let (uids, gids) = user_namespace::maps_of(namespace)?;
            self.maps = Some(Maps { uids, gids, deny_setgroups: None });
        }
        self.opened.extend(opened);
        Ok(())
    }

    /// Is there no user namespace, so that systemd's own are right?
    pub(super) fn gives_nobody(&self, mount: &Mount) -> bool {
        matches!(mount, Mount::Credentials(_)) && !self.opened.iter().any(|(kind, _)| *kind == Kind::User)
    }
}

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
