//! Going on in a child: the first process of a PID namespace.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::SigSet;
use nix::unistd::Pid;

use super::beside::{self, Job, Line, Post};
use crate::cell::steps::ExitStatus;
use crate::notify::{Notifier, NotifyState};
use crate::sys::process::{self, Fork};

/// What becomes of the parent.
pub enum Parent<'n> {
    /// It makes the child the unit's main process over this connection, and leaves.
    HandsOver {
        /// The connection.
        notifier: &'n Notifier,
        /// Is it in a PAM session, and so not root, and may be no process of the unit any more?
        in_session: bool,
    },
    /// It waits for the child, passes signals on to it, and ends as it ends.
    Waits,
}

impl Parent<'_> {
    fn fork(&self) -> io::Result<Fork> {
        match self {
            // systemd waits only for its own children: it would not notice the end of another's, and
            // kill it at once when the unit is stopped.
            Parent::HandsOver { .. } => process::fork_as_sibling(),
            Parent::Waits => process::fork(),
        }
    }
}

/// Which of the new processes this is.
pub enum Child {
    /// The payload, with a line to each process beside it.
    Payload(Vec<Line>),
    /// One of these. The payload could not fork it beside itself: its children are all below it, as
    /// below the first process of any PID namespace.
    Beside(Job, Post),
}

/// Forks; returns in the children alone, or where they did not come to be.
///
/// The payload waits until the parent has handed over, and gives up with it when that fails: no
/// payload runs that the manager does not know as the main process.
pub fn fork(parent: &Parent<'_>, jobs: impl Iterator<Item = Job>) -> io::Result<Child> {
    let (go_ahead, give) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
    let (mut lines, mut posts) = (Vec::new(), Vec::new());
    for job in jobs {
        let (line, post) = beside::line(job)?;
        lines.push(line);
        posts.push((job, post));
    }
    // The first process in the namespace is its init, and nothing can be in it before that.
    let mut init = None;
    if let Some(place) = posts.iter().position(|(job, _)| *job == Job::Init) {
        let (job, post) = posts.swap_remove(place);
        match parent.fork()? {
            Fork::Child => return Ok(Child::Beside(job, post)),
            Fork::Parent(pid) => init = Some(pid),
        }
    }
    let payload = match parent.fork()? {
        Fork::Child => {
            drop((give, posts));
            // While the parent is there: the terminal goes with the session's leader.
            if let Parent::HandsOver { .. } = parent
                && let Err(error) = process::lead_session()
            {
                // What goes with their ends is not to go before this one has told why.
                std::mem::forget(lines);
                return Err(error);
            }
            return match File::from(go_ahead).read_exact(&mut [0]) {
                Ok(()) => Ok(Child::Payload(lines)),
                // The parent has said why, or was killed.
                Err(_) => process::exit(ExitStatus::Namespace as u8),
            };
        }
        Fork::Parent(payload) => payload,
    };
    drop((go_ahead, lines));
    let staying = posts.iter().position(|(job, _)| job.stays()).map(|place| posts.swap_remove(place));
    let mut others = Vec::from_iter(init);
    while let Some((job, post)) = posts.pop() {
        match parent.fork() {
            Ok(Fork::Child) => return Ok(Child::Beside(job, post)),
            Ok(Fork::Parent(other)) => others.push(other),
            // There is no place in a PID namespace whose first process has ended, and that has said why.
            Err(_) if nobody_waits_for(&give) => process::exit(ExitStatus::Namespace as u8),
            Err(error) => return Err(error),
        }
    }
    match parent {
        Parent::HandsOver { notifier, in_session } => {
            hand_over(payload, give, notifier, *in_session)?;
            match staying {
                Some((job, mut post)) => match post.find(payload, init) {
                    Ok(()) => Ok(Child::Beside(job, post)),
                    Err(error) => post.give_up(&error),
                },
                None => process::exit(0),
            }
        }
        Parent::Waits => wait(payload, others, give),
    }
}

/// Has the payload closed its end?
fn nobody_waits_for(give: &OwnedFd) -> bool {
    let mut fds = [PollFd::new(give.as_fd(), PollFlags::empty())];
    poll(&mut fds, PollTimeout::ZERO).is_ok_and(|closed| closed > 0)
}

fn hand_over(child: Pid, give: OwnedFd, notifier: &Notifier, in_session: bool) -> io::Result<()> {
    let main = NotifyState::MainPid(child.as_raw().cast_unsigned());
    // A session's processes are in a control group of their own (pam_systemd(8)), and the manager takes one
    // that is not in the unit's for the main one if root says so.
    if in_session {
        notifier.send_as_root(&main)?
    } else {
        notifier.send(&[main])?
    }
    notifier.barrier()?;
    File::from(give).write_all(&[1])
}

fn wait(child: Pid, mut others: Vec<Pid>, give: OwnedFd) -> io::Result<Child> {
    process::hold_signals()?;
    File::from(give).write_all(&[1])?;
    let end = process::wait_forwarding(child, &mut others, SigSet::all())?;
    // All that was left in the namespace ends with its first process. Whoever executed the wrapper may have
    // left it children of its own.
    process::wait_for_all(others);
    process::end_like(end)
}
