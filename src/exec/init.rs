//! The first process of a PID namespace, where `Init=` asks for one beside the payload.
//!
//! The payload is not its child, but that of whoever started the wrapper, who so learns of the
//! payload's exact end. This one takes in the orphans of the namespace, and ends with the payload, or,
//! where that may name another main process, with the last one; with it the kernel ends whatever is left.

use std::convert::Infallible;
use std::io;
use std::os::fd::{AsFd, AsRawFd};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::SigSet;
use nix::sys::signalfd::{SfdFlags, SignalFd};

use super::beside::Post;
use super::report::Report;
use crate::sys::{capability, process};

/// Is the namespace's init, to the end of the process. What it returns is why it can't begin.
pub fn run(post: Post, to_the_last: bool, report: &Report) -> io::Result<Infallible> {
    process::hold_signals()?;
    let signals = SignalFd::with_flags(&SigSet::all(), SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
    std::env::set_current_dir("/")?;
    capability::drop_all()?;
    let payload = post.take_up(vec![signals.as_fd().as_raw_fd()], report)?;
    let mut ended = false;
    let mut others = true;
    while !ended || (to_the_last && others) {
        let mut fds = vec![PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
        fds.extend((!ended).then(|| PollFd::new(payload.as_fd(), PollFlags::POLLIN)));
        let _ = poll(&mut fds, PollTimeout::NONE);
        // By then its children are this one's.
        ended |= fds.get(1).is_some_and(|payload| payload.any() == Some(true));
        while let Ok(Some(signal)) = signals.read_signal() {
            match signal.ssi_signo.cast_signed() {
                libc::SIGCHLD => {}
                // Whoever is outside of the namespace has no number in it. There the manager signals
                // the whole control group, and so has reached the payload, too.
                _ if signal.ssi_pid == 0 => {}
                number => drop(process::signal(&payload, number)),
            }
        }
        others = process::reap();
    }
    process::exit(0)
}
