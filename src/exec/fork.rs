//! Going on in a child: the first process of a PID namespace.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use nix::unistd::Pid;

use super::watcher::{self, Line, Post};
use crate::cell::steps::ExitStatus;
use crate::notify::{Notifier, NotifyState};
use crate::sys::process::{self, Fork};

/// What becomes of the parent.
pub enum Parent<'n> {
    /// It makes the child the unit's main process over this connection, and leaves.
    HandsOver(&'n Notifier),
    /// It waits for the child, passes signals on to it, and ends as it ends.
    Waits,
}

impl Parent<'_> {
    fn fork(&self) -> io::Result<Fork> {
        match self {
            // systemd waits only for its own children: it would not notice the end of another's, and
            // kill it at once when the unit is stopped.
            Parent::HandsOver(_) => process::fork_as_sibling(),
            Parent::Waits => process::fork(),
        }
    }
}

/// Which of the new processes this is.
pub enum Child {
    /// The payload, with a line to its watcher if it has one.
    Payload(Option<Line>),
    /// The watcher. The payload could not fork it beside itself: its children are all below it, as
    /// below the first process of any PID namespace.
    Watcher(Post),
}

/// Forks; returns in the children alone, or where they did not come to be.
///
/// The payload waits until the parent has handed over, and gives up with it when that fails: no
/// payload runs that the manager does not know as the main process.
pub fn fork(parent: &Parent<'_>, watched: bool) -> io::Result<Child> {
    let (go_ahead, give) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
    let (line, other_end) = match watched {
        true => watcher::line().map(|(line, other_end)| (Some(line), Some(other_end)))?,
        false => (None, None),
    };
    match parent.fork()? {
        Fork::Child => {
            drop((give, other_end));
            // While the parent is there: the terminal goes with the session's leader.
            if let Parent::HandsOver(_) = parent {
                process::lead_session()?;
            }
            match File::from(go_ahead).read_exact(&mut [0]) {
                Ok(()) => Ok(Child::Payload(line)),
                // The parent has said why, or was killed.
                Err(_) => process::exit(ExitStatus::Namespace as u8),
            }
        }
        Fork::Parent(child) => {
            drop((go_ahead, line));
            let give = match other_end {
                Some(other_end) => match fork_watcher(parent, child, give, other_end)? {
                    Ok(give) => give,
                    Err(post) => return Ok(Child::Watcher(post)),
                },
                None => give,
            };
            match parent {
                Parent::HandsOver(notifier) => hand_over(child, give, notifier),
                Parent::Waits => wait(child, give),
            }
        }
    }
}

/// The parent is the one that returns with what lets the payload go on.
fn fork_watcher(
    parent: &Parent<'_>,
    payload: Pid,
    give: OwnedFd,
    line: UnixStream,
) -> io::Result<Result<OwnedFd, Post>> {
    let payload = process::pidfd(payload)?;
    match parent.fork()? {
        Fork::Parent(_) => Ok(Ok(give)),
        Fork::Child => Ok(Err(Post::new(line, payload))),
    }
}

fn hand_over(child: Pid, give: OwnedFd, notifier: &Notifier) -> io::Result<Child> {
    notifier.send(&[NotifyState::MainPid(child.as_raw().cast_unsigned())])?;
    notifier.barrier()?;
    File::from(give).write_all(&[1])?;
    process::exit(0)
}

fn wait(child: Pid, give: OwnedFd) -> io::Result<Child> {
    process::hold_signals()?;
    File::from(give).write_all(&[1])?;
    process::end_like(process::wait_forwarding(child)?)
}
