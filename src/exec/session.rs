//! The process that keeps a PAM session open for a service in a PID namespace of its own.
//!
//! It is the one that systemd started and opened the session for, which would have left: whoever watches it
//! closes the session at its end.

use std::convert::Infallible;
use std::io;
use std::os::fd::AsFd;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::beside::Post;
use super::report::Report;
use crate::sys::{capability, process};

/// Keeps the session open, to the end of the process. What it returns is why it can't begin.
pub fn run(post: Post, report: &Report) -> io::Result<Infallible> {
    // The service may take its time to end after the signal that asks all of it to.
    process::hold_signals()?;
    capability::drop_all()?;
    std::env::set_current_dir("/")?;
    let goes_with = post.take_up(Vec::new(), report)?;
    loop {
        let mut fds = [PollFd::new(goes_with.as_fd(), PollFlags::POLLIN)];
        let _ = poll(&mut fds, PollTimeout::NONE);
        if fds[0].any() == Some(true) {
            process::exit(0);
        }
    }
}
