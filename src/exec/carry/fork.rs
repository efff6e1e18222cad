//! The step that splits the process in two, or more.

use std::io;

use super::{Role, Wrapper};
use crate::exec::beside::Job;
use crate::exec::fork::{self, Child, Parent};
use crate::sys::process;

impl Wrapper<'_> {
    pub(super) fn fork(&mut self, hand_over: bool, init: bool) -> io::Result<()> {
        let before = process::id();
        let watched = self.request.cell.is_watched();
        let relayed = self.request.relay.is_some();
        if relayed && !hand_over {
            return Err(io::Error::other("--relay needs --hand-over"));
        }
        self.open_inlet()?;
        // Until the exec the child has more than the processes that it may come upon there.
        process::hide_from_debuggers()?;
        let in_session = self.request.identity.drop_ambient;
        let parent = match hand_over {
            true => Parent::HandsOver { notifier: self.notifier()?, in_session },
            false => Parent::Waits,
        };
        let relays = relayed && !watched;
        let jobs = [
            (Job::Init, init),
            (Job::Relay, relays),
            (Job::Session, hand_over && in_session && !relays),
            (Job::Watcher, watched),
        ];
        let jobs = jobs.into_iter().filter(|(_, wanted)| *wanted).map(|(job, _)| job);
        self.role = match fork::fork(&parent, jobs)? {
            Child::Payload(lines) => Role::Payload(lines),
            Child::Beside(job, mut post) => {
                self.excuse = match post.excuse() {
                    Ok(excuse) => Some(excuse),
                    Err(error) => post.give_up(&error),
                };
                post.await_payload()?;
                Role::Beside(job, post)
            }
        };
        self.environment.follow_fork(before);
        Ok(())
    }
}
