//! The process that relays what a service in a PID namespace of its own tells the manager.
//!
//! It is the one that systemd started, which would have left: it is in the manager's PID namespace, and
//! so can say which process the service means by a number of its own.

use std::convert::Infallible;
use std::io;
use std::os::fd::{AsFd, AsRawFd};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::beside::Post;
use super::report::{Priority, Report};
use crate::notify::{Held, Notifier, Relay};
use crate::sys::{capability, process};

/// Relays, to the end of the process. What it returns is why it can't begin.
pub fn run(post: Post, mut relay: Relay, notifier: &Notifier, report: &Report) -> io::Result<Infallible> {
    // The last words of a service come after the signal that asks all of it to end.
    process::hold_signals()?;
    capability::drop_all()?;
    std::env::set_current_dir("/")?;
    let mut kept = relay.descriptors();
    kept.push(notifier.as_fd().as_raw_fd());
    let goes_with = post.take_up(kept, report)?;
    loop {
        let mut fds =
            [PollFd::new(goes_with.as_fd(), PollFlags::POLLIN), PollFd::new(relay.as_fd(), PollFlags::POLLIN)];
        let _ = poll(&mut fds, PollTimeout::NONE);
        let ended = fds[0].any() == Some(true);
        if let Err(error) = relay.pass_on(notifier, Held::default()) {
            report.tell(Priority::Error, &format!("can't relay what the service says: {error}"), "");
            process::exit(1);
        }
        if ended {
            // Whose message this is the manager finds out by the process: it must not be gone.
            let _ = notifier.barrier();
            process::exit(0);
        }
    }
}
