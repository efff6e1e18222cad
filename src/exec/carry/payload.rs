//! The last steps: who is beside the payload goes to its work, the wrapper becomes the payload.

use std::ffi::{CString, OsStr};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::{Role, Wrapper};
use crate::cell::Kind;
use crate::cell::steps::WatchFor;
use crate::exec::beside::{self, Job, Line, Post};
use crate::exec::{init, program, relay, session, watcher};
use crate::notify::{Inlet, Processes, Relay};
use crate::sys::process;

impl Wrapper<'_> {
    /// Sends the init to its work, or is it.
    pub(super) fn start_init(&mut self) -> io::Result<()> {
        match self.line_to(Job::Init) {
            Ok(Some(line)) => line.start(),
            Ok(None) => Ok(()),
            Err(post) => match init::run(post, self.request.relay.is_some(), self.report)? {},
        }
    }

    /// Gives the payload another socket than the manager's to speak to, where it is to be relayed.
    pub(super) fn open_inlet(&mut self) -> io::Result<()> {
        if self.request.relay.is_some() && self.inlet.is_none() {
            let inlet = Inlet::open()?;
            self.environment.set("NOTIFY_SOCKET", inlet.address());
            self.inlet = Some((inlet, Processes::open()?));
        }
        Ok(())
    }

    /// In the process that relays, where there is anything to relay.
    fn relay(&mut self, post: &Post, with_manager: bool) -> io::Result<Option<Relay>> {
        let (Some((inlet, processes)), Some(access)) = (self.inlet.take(), self.request.relay) else { return Ok(None) };
        // Within the PID namespace its own /proc tells of them.
        let processes = if with_manager { processes } else { Processes::open()? };
        let offset = processes.monotonic_offset()? - self.monotonic_offset;
        Ok(Some(Relay::new(inlet, access, post.number()?, processes, with_manager).with_monotonic_offset(offset)))
    }

    /// Sends the relay to its work, or is it.
    pub(super) fn start_relay(&mut self) -> io::Result<()> {
        let forked = match self.line_to(Job::Relay) {
            Ok(Some(line)) => Ok(line),
            Ok(None) => self.fork_beside(Job::Relay)?,
            Err(post) => Err(post),
        };
        match forked {
            Ok(line) => line.start(),
            Err(post) => {
                let post = self.meet_payload(post)?;
                let relay = self.relay(&post, true)?.ok_or(io::ErrorKind::NotConnected)?;
                match relay::run(post, relay, self.notifier()?, self.report)? {}
            }
        }
    }

    /// Forks a process that shares all with the payload, and an inlet if it is to relay.
    fn fork_beside(&mut self, job: Job) -> io::Result<Result<Line, Post>> {
        self.open_inlet()?;
        beside::fork(job)
    }

    /// In a process beside the payload: waits for it, if the two have not met yet.
    fn meet_payload(&mut self, mut post: Post) -> io::Result<Post> {
        if post.payload().is_err() {
            self.excuse = Some(post.excuse()?);
            post.await_payload()?;
        }
        Ok(post)
    }

    /// Lets the process stay that keeps the PAM session open, or is it.
    pub(super) fn keep_session(&mut self) -> io::Result<()> {
        match self.line_to(Job::Session) {
            Ok(Some(line)) => line.start(),
            Ok(None) => Ok(()),
            Err(post) => match session::run(post, self.report)? {},
        }
    }

    /// Sends the watcher to its work, or is it.
    pub(super) fn watch(&mut self, watch_for: &WatchFor) -> io::Result<()> {
        let forked = match self.line_to(Job::Watcher) {
            Ok(line) => {
                // What can't be executed needs no watching.
                program::is_executable(&self.program()?)?;
                match line {
                    Some(line) => Ok(line),
                    None => self.fork_beside(Job::Watcher)?,
                }
            }
            Err(post) => Err(post),
        };
        match forked {
            Ok(line) => line.start(),
            Err(post) => {
                let post = self.meet_payload(post)?;
                let relay = self.relay(&post, !self.held.contains(Kind::Pid))?;
                self.restrict_watcher()?;
                let notifier = self.notifier()?;
                match watcher::run(post, watch_for, self.watchdog, relay, notifier, &self.environment, self.report)? {}
            }
        }
    }

    /// For the payload, the line to the process that has this job, if that is there already. For that
    /// process, its post; no other one gets to a step that is not its own.
    fn line_to(&mut self, job: Job) -> Result<Option<Line>, Post> {
        match &mut self.role {
            Role::Payload(lines) => {
                let place = lines.iter().position(|line| line.job() == job);
                Ok(place.map(|place| lines.swap_remove(place)))
            }
            Role::Beside(..) => match std::mem::replace(&mut self.role, Role::Payload(Vec::new())) {
                Role::Beside(_, post) => Err(post),
                Role::Payload(_) => unreachable!("looked at above"),
            },
        }
    }

    pub(super) fn program(&self) -> io::Result<PathBuf> {
        if let Some(found) = &self.found {
            return Ok(found.clone());
        }
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
