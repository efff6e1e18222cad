//! Entering namespaces that were there before.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::Wrapper;
use crate::cell::Kind;
use crate::sys::process;

/// Whom a user namespace does not map, user_namespaces(7).
const NOBODY: u32 = 65534;

impl Wrapper<'_> {
    pub(super) fn join(&mut self, kind: Kind) -> io::Result<()> {
        let opened = self.opened.iter().find(|(other, _)| *other == kind);
        // Not opened is warned of already, and only Isolation=try gets here.
        let Some((_, namespace)) = opened else { return Ok(()) };
        let socket = self.notify_socket().filter(|_| kind == Kind::Mount).map(Path::to_owned);
        let before = socket.as_deref().map(inode);
        if kind == Kind::User && self.privileged {
            // Whoever is root in there may look into all others, but for what began outside and hides.
            process::hide_from_debuggers()?;
        }
        namespace.enter(kind.clone_flag())?;
        self.held.insert(kind);
        if kind == Kind::User {
            self.stays = !self.privileged && nix::unistd::geteuid().as_raw() != NOBODY;
        }
        if kind == Kind::Mount {
            self.return_to_directory()?;
        }
        match (socket, before) {
            (Some(socket), Some(before)) if inode(&socket) != before => {
                let socket = socket.display();
                Err(io::Error::other(format!("{socket}, where the service is to speak to systemd, is not there")))
            }
            _ => Ok(()),
        }
    }

    /// The file by which the command is to speak to the manager. With a relay it is none.
    fn notify_socket(&self) -> Option<&Path> {
        let path = self.environment.get("NOTIFY_SOCKET").filter(|_| self.request.relay.is_none())?;
        path.starts_with(b"/").then(|| Path::new(OsStr::from_bytes(path)))
    }

    /// Enters the working directory by its path, which may lead elsewhere now.
    pub(super) fn return_to_directory(&self) -> io::Result<()> {
        match &self.directory {
            Some(directory) => std::env::set_current_dir(directory),
            None => Ok(()),
        }
    }
}

/// What tells a file from all others.
fn inode(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}
