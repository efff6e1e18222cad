//! Going on in a child while the parent waits for it, and ends as it ends.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;

use nix::fcntl::OFlag;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill, raise};
use nix::unistd::{Pid, getpid, pipe2};

use super::Error;
use crate::sys::process::{self, End, Fork};
use crate::sys::signal::keep_children;

/// The parent, as its child knows it.
pub struct Parent(OwnedFd);

impl Parent {
    /// Lets the kernel send this process the signal of this number when its parent has ended. To be asked for last:
    /// the kernel forgets it when the process changes who it is.
    pub fn die_with(&self, number: i32) -> Result<(), Error> {
        let failed = |error: std::io::Error| Error::system("be killed with the parent")(error);
        process::die_with_parent(number).map_err(failed)?;
        // It may have been too late for that.
        match process::has_ended(&self.0).map_err(failed)? {
            true => process::exit(1),
            false => Ok(()),
        }
    }
}

/// What a parent does with the signals that end programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Impatience {
    /// It waits on: SIGINT and SIGTERM are the child's to heed.
    Ignored,
    /// It passes them on to the child.
    Forwarded,
}

/// As unshare(1) does it. Returns in the child, once the parent has done what is to be done `beside` it.
pub fn fork_unshare(impatience: Impatience, beside: impl FnOnce() -> Result<(), Error>) -> Result<Parent, Error> {
    let (go_ahead, give) = pipe2(OFlag::O_CLOEXEC).map_err(|error| Error::system("make a pipe")(error.into()))?;
    let parent = process::pidfd(getpid()).map_err(Error::system("open a descriptor of this process"))?;
    let impatient = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM]);
    let mut signals = impatient;
    if impatience == Impatience::Forwarded {
        signals.add(Signal::SIGCHLD);
    }
    let held = |error: nix::Error| Error::system("hold signals")(error.into());
    let before = signals.thread_swap_mask(SigmaskHow::SIG_BLOCK).map_err(held)?;
    match process::fork().map_err(Error::system("fork"))? {
        Fork::Child => {
            before.thread_set_mask().map_err(held)?;
            drop(give);
            match File::from(go_ahead).read_exact(&mut [0]) {
                Ok(()) => Ok(Parent(parent)),
                // The parent has said why, or was killed.
                Err(_) => process::exit(1),
            }
        }
        Fork::Parent(child) => {
            beside()?;
            File::from(give).write_all(&[1]).map_err(Error::system("let the child go on"))?;
            let end = match impatience {
                Impatience::Ignored => process::wait(child),
                Impatience::Forwarded => process::wait_forwarding(child, &mut Vec::new(), impatient),
            };
            process::end_like(end.map_err(Error::system("wait for the child"))?)
        }
    }
}

/// As nsenter(1) does it. Returns in the child; the parent stops when the child stops, so that job
/// control of the shell before it works. With a terminal of its own there is no such shell, and what
/// the keys signal is the child's to heed.
pub fn fork_nsenter(own_terminal: bool) -> Result<(), Error> {
    keep_children().map_err(Error::system("wait for children"))?;
    let of_keys = [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTSTP];
    let held: SigSet = of_keys.into_iter().filter(|_| own_terminal).collect();
    let failed = |error: nix::Error| Error::system("hold signals")(error.into());
    let before = held.thread_swap_mask(SigmaskHow::SIG_BLOCK).map_err(failed)?;
    match process::fork().map_err(Error::system("fork"))? {
        Fork::Child => before.thread_set_mask().map_err(failed),
        Fork::Parent(child) => process::end_like(wait_stopping(child)?),
    }
}

fn wait_stopping(child: Pid) -> Result<End, Error> {
    let stop_and_go_on = || {
        let _ = raise(Signal::SIGSTOP);
        let _ = kill(child, Signal::SIGCONT);
    };
    process::wait_with_stops(child, stop_and_go_on).map_err(Error::system("wait for the child"))
}
