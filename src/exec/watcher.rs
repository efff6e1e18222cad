//! The process beside the payload that watches its conditions.
//!
//! It is a child of whoever started the wrapper, as the payload is: systemd reaps it, and the payload
//! has no child that it does not know. It takes the steps of the payload's identity, too, and
//! so sees and may do what the payload sees and may do.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::environment::Environment;
use super::report::{Priority, Report};
use crate::cell::steps::WatchFor;
use crate::notify::Notifier;
use crate::probe::Watch;
use crate::sys::process::{self, Fork};

/// What only the watcher's own process has a use for, or its forebear's.
const NOT_FOR_COMMANDS: [&str; 8] = [
    "NOTIFY_SOCKET",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
    "LISTEN_PID",
    "LISTEN_PIDFDID",
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "SYSTEMD_EXEC_PID",
];

/// The payload's end of the line between the two.
#[derive(Debug)]
pub struct Line(UnixStream);

/// The watcher's end, and the process that it watches.
#[derive(Debug)]
pub struct Post {
    line: UnixStream,
    payload: OwnedFd,
}

/// A line whose ends have not found their processes yet.
pub fn line() -> io::Result<(Line, UnixStream)> {
    let (payload, watcher) = UnixStream::pair()?;
    Ok((Line(payload), watcher))
}

impl Line {
    /// Sends the watcher to its work; returns once it watches.
    pub fn start(mut self) -> io::Result<()> {
        self.0.write_all(&[1])?;
        // What went wrong the watcher has told.
        self.0.read_exact(&mut [0]).map_err(|_| io::Error::other("the watcher has ended"))
    }
}

impl Post {
    /// In the watcher's process. `payload` is a pidfd.
    pub fn new(line: UnixStream, payload: OwnedFd) -> Post {
        Post { line, payload }
    }

    /// Waits until the payload has made all of the cell, and joins what was made since the fork.
    pub fn await_payload(&mut self) -> io::Result<()> {
        match self.line.read_exact(&mut [0]) {
            Ok(()) => Ok(()),
            // It has told why it can't go on.
            Err(_) => process::exit(0),
        }
    }

    /// Enters the payload's user namespace.
    pub fn join_user_namespace(&self) -> io::Result<()> {
        crate::sys::namespace::enter_user_of(&self.payload)
    }

    /// Watches, to the end of the process. What it returns is why it can't begin.
    pub fn watch(
        self,
        watch_for: &WatchFor,
        watchdog: Option<Duration>,
        notifier: &Notifier,
        environment: &Environment,
        report: &Report,
    ) -> io::Result<std::convert::Infallible> {
        let Post { mut line, payload } = self;
        let conditions = watch_for.ready_when.iter().chain(&watch_for.health_probe);
        let tell = |message: &str| report.tell(Priority::Info, message, "");
        let mut watch = Watch::new(conditions, notifier, payload, for_commands(environment), &tell)?;
        process::withdraw()?;
        let mut kept = watch.descriptors();
        kept.push(line.as_raw_fd());
        process::keep_descriptors(&mut kept, report.needs_standard_error())?;
        line.write_all(&[1])?;
        drop(line);

        if !watch_for.ready_when.is_empty() {
            match watch.until_ready(&watch_for.ready_when) {
                // Whose message this is the manager finds out by the process: it must not be gone.
                Ok(Ok(())) => drop(notifier.barrier()),
                Ok(Err(_)) => process::exit(0),
                Err(error) => give_up(report, &error),
            }
        }
        if let (Some(timeout), false) = (watchdog, watch_for.health_probe.is_empty())
            && let Err(error) = watch.feed(&watch_for.health_probe, timeout)
        {
            give_up(report, &error);
        }
        process::exit(0)
    }
}

/// The manager's own time-outs end a service that nobody speaks for any more.
fn give_up(report: &Report, error: &io::Error) -> ! {
    report.tell(Priority::Error, &format!("can't watch the service any more: {error}"), "");
    process::exit(1)
}

fn for_commands(environment: &Environment) -> Vec<(OsString, OsString)> {
    let pairs = environment.entries().iter().filter_map(|entry| {
        let bytes = entry.as_bytes();
        let equals = bytes.iter().position(|&byte| byte == b'=')?;
        Some((OsStr::from_bytes(&bytes[..equals]).to_owned(), OsStr::from_bytes(&bytes[equals + 1..]).to_owned()))
    });
    pairs.filter(|(name, _)| !NOT_FOR_COMMANDS.iter().any(|hidden| name == hidden)).collect()
}

/// Forks the watcher off a payload that is all set up. The payload is the one that returns with a line.
pub fn fork() -> io::Result<Result<Line, Post>> {
    let (line, other) = line()?;
    let payload = process::pidfd(nix::unistd::getpid())?;
    let forked = process::fork_as_sibling().map_err(|error| match error.raw_os_error() {
        Some(libc::EINVAL) => io::Error::other("the first process of a PID namespace can have no process beside it"),
        _ => error,
    })?;
    match forked {
        Fork::Parent(_) => Ok(Ok(line)),
        Fork::Child => Ok(Err(Post::new(other, payload))),
    }
}
