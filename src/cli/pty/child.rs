//! Going on in a child that has a terminal of its own, while the parent passes on between it and the
//! person's.

use std::cell::Cell;
use std::io::{self, pipe};

use nix::sys::signal::SigmaskHow;

use super::{Wish, attend, signals};
use crate::sys::process::{self, Fork};
use crate::sys::signal::keep_children;
use crate::sys::tty::Pty;

/// Returns in the child, whose session and standard streams are the terminal's. The parent ends as the
/// child does, and before it where the person leaves it alone, which hangs the terminal up.
pub fn fork() -> io::Result<()> {
    let pty = Pty::open()?;
    pty.resize_like(io::stdout())?;
    let (until_taken, taken) = pipe()?;
    keep_children()?;
    let before = signals().thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    let child = match process::fork()? {
        Fork::Child => {
            before.thread_set_mask()?;
            pty.take()?;
            drop(taken);
            return Ok(());
        }
        Fork::Parent(child) => child,
    };
    drop(taken);
    let ended = process::pidfd(child)?;
    let left = Cell::new(false);
    attend(Some(pty), until_taken, &ended, |wish| match wish {
        Wish::Disconnect => left.set(true),
        // It may have ended just now.
        Wish::End(signal) => drop(process::signal(&ended, signal as i32)),
    })?;
    if left.get() {
        process::exit(0);
    }
    process::end_like(process::wait(child)?)
}
