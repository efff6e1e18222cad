//! Going on in a child: the first process of a PID namespace.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;

use nix::unistd::Pid;

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

/// Forks; returns in the child alone, or where that did not come to be.
///
/// The child waits until the parent has handed over, and gives up with it when that fails: no
/// payload runs that the manager does not know as the main process.
pub fn fork(parent: &Parent<'_>) -> io::Result<()> {
    let (go_ahead, give) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
    let forked = match parent {
        // systemd waits only for its own children: it would not notice the end of another's, and
        // kill it at once when the unit is stopped.
        Parent::HandsOver(_) => process::fork_as_sibling()?,
        Parent::Waits => process::fork()?,
    };
    match forked {
        Fork::Child => {
            drop(give);
            // While the parent is there: the terminal goes with the session's leader.
            if let Parent::HandsOver(_) = parent {
                process::lead_session()?;
            }
            match File::from(go_ahead).read_exact(&mut [0]) {
                Ok(()) => Ok(()),
                // The parent has said why, or was killed.
                Err(_) => process::exit(ExitStatus::Namespace as u8),
            }
        }
        Fork::Parent(child) => {
            drop(go_ahead);
            match parent {
                Parent::HandsOver(notifier) => hand_over(child, give, notifier),
                Parent::Waits => wait(child, give),
            }
        }
    }
}

fn hand_over(child: Pid, give: OwnedFd, notifier: &Notifier) -> io::Result<()> {
    notifier.send(&[NotifyState::MainPid(child.as_raw().cast_unsigned())])?;
    notifier.barrier()?;
    File::from(give).write_all(&[1])?;
    process::exit(0)
}

fn wait(child: Pid, give: OwnedFd) -> io::Result<()> {
    process::hold_signals()?;
    File::from(give).write_all(&[1])?;
    process::end_like(process::wait_forwarding(child)?)
}
