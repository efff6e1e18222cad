//! The last steps: the watcher goes to its work, the wrapper becomes the payload.

use std::ffi::{CString, OsStr};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::{Role, Wrapper};
use crate::cell::steps::WatchFor;
use crate::exec::program;
use crate::exec::watcher::{self, Post};
use crate::sys::process;

impl Wrapper<'_> {
    pub(super) fn watch(&mut self, watch_for: &WatchFor) -> io::Result<()> {
        let line = match std::mem::replace(&mut self.role, Role::Payload(None)) {
            Role::Payload(line) => line,
            Role::Watcher(post) => return self.become_watcher(post, watch_for),
        };
        // What can't be executed needs no watching.
        program::is_executable(&self.program()?)?;
        let forked = match line {
            Some(line) => Ok(line),
            None => watcher::fork()?,
        };
        match forked {
            Ok(line) => line.start(),
            Err(mut post) => {
                post.await_payload()?;
                self.become_watcher(post, watch_for)
            }
        }
    }

    pub(super) fn become_watcher(&self, post: Post, watch_for: &WatchFor) -> io::Result<()> {
        match post.watch(watch_for, self.watchdog, self.notifier()?, &self.environment, self.report)? {}
    }

    pub(super) fn program(&self) -> io::Result<PathBuf> {
        let search_path = match (&self.request.search_path, self.environment.get("PATH")) {
            (Some(path), _) => path.clone(),
            (None, Some(path)) => OsStr::from_bytes(path).to_owned(),
            (None, None) => program::default_search_path(),
        };
        program::find(&self.request.command[0], &search_path)
    }

    /// Becomes the payload; what it returns is why that failed.
    pub(super) fn execute(&self) -> io::Result<io::Error> {
        let path = self.program()?;
        let name = self.request.argv0.as_ref().unwrap_or(&self.request.command[0]);
        let words = std::iter::once(name).chain(&self.request.command[1..]);
        let arguments = words.map(|word| CString::new(word.as_bytes())).collect::<Result<Vec<_>, _>>()?;
        let program = CString::new(path.as_os_str().as_bytes())?;
        let error = process::execute(&program, &arguments, self.environment.entries());
        Ok(io::Error::new(error.kind(), format!("{}: {error}", path.display())))
    }
}
