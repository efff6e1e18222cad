//! The watcher at work: until the service is ready, and as long as it lives for its health.

mod look;

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, poll};

use super::command::{Outcome, milliseconds};
use super::path::PathWatch;
use crate::cell::Condition;
use crate::cell::condition::What;
use crate::netlink::sock_diag::SockDiag;
use crate::notify::{Held, Notifier, NotifyState, Relay};
use look::{Unmet, pause};

/// What a command may take that decides about readiness.
const COMMAND_LIMIT: Duration = Duration::from_secs(10);
/// How often the status tells how long the wait has been, at first and after a while.
const STATUS_FIRST: Duration = Duration::from_millis(200);
const STATUS_OFTEN: Duration = Duration::from_secs(1);
const STATUS_SELDOM: Duration = Duration::from_secs(5);

/// The service's main process has ended, and with it all that there was to watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended;

/// A watcher of one service.
pub struct Watch<'w> {
    notifier: &'w Notifier,
    payload: OwnedFd,
    diag: Option<SockDiag>,
    paths: Option<PathWatch>,
    environment: Vec<(OsString, OsString)>,
    tell: &'w dyn Fn(&str),
    /// What the service itself tells the manager, where that must not count yet, or not all of it.
    relay: Option<(Relay, Held)>,
    /// When to go through all sockets again.
    thorough_at: Instant,
    /// What was told last of each command.
    told: Vec<(String, Outcome)>,
}

impl<'w> Watch<'w> {
    /// Opens what the conditions take, in the namespaces that the process is in. `payload` is a
    /// pidfd of the service's main process, `environment` is for commands, and `tell` logs a line.
    pub fn new<'c>(
        conditions: impl Iterator<Item = &'c Condition> + Clone,
        notifier: &'w Notifier,
        payload: OwnedFd,
        environment: Vec<(OsString, OsString)>,
        tell: &'w dyn Fn(&str),
    ) -> io::Result<Watch<'w>> {
        let diag = match conditions.clone().any(Condition::asks_for_sockets) {
            true => Some(SockDiag::open()?),
            false => None,
        };
        let paths = match conditions.clone().any(|condition| matches!(condition.what, What::Path(_))) {
            true => Some(PathWatch::new()?),
            false => None,
        };
        let thorough_at = Instant::now();
        let mut watch =
            Watch { notifier, payload, diag, paths, environment, tell, relay: None, thorough_at, told: Vec::new() };
        // One look at all that is no command: a kernel that does not answer is to be known now.
        for condition in conditions.filter(|condition| !matches!(condition.what, What::Exec(_))) {
            watch.holds(condition, true)?;
        }
        Ok(watch)
    }

    /// Relays what the service says meanwhile: all but READY=1 until it is ready, and never WATCHDOG=1
    /// where a probe feeds the watchdog.
    pub fn relaying(self, relay: Option<Relay>, probed: bool) -> Watch<'w> {
        Watch { relay: relay.map(|relay| (relay, Held { ready: false, watchdog: probed })), ..self }
    }

    /// The descriptors that the watcher needs.
    pub fn descriptors(&self) -> Vec<RawFd> {
        let mut fds = vec![self.notifier.as_fd().as_raw_fd(), self.payload.as_raw_fd()];
        fds.extend(self.diag.as_ref().map(|diag| diag.as_fd().as_raw_fd()));
        fds.extend(self.paths.as_ref().map(|paths| paths.as_fd().as_raw_fd()));
        fds.extend(self.relay.iter().flat_map(|(relay, _)| relay.descriptors()));
        fds
    }

    /// Tells the manager READY=1 when all conditions hold, and the service has said so where it is heard.
    pub fn until_ready(&mut self, conditions: &[Condition]) -> io::Result<Result<(), Ended>> {
        let begun = Instant::now();
        let mut status_at = begun + STATUS_FIRST;
        self.hold_ready(true);
        loop {
            let mut ticker = |watch: &Watch, condition: &Condition| -> io::Result<()> {
                let now = Instant::now();
                if now < status_at {
                    return Ok(());
                }
                let waited = now - begun;
                status_at = now + if waited < 10 * STATUS_OFTEN { STATUS_OFTEN } else { STATUS_SELDOM };
                let status = format!("waiting for {condition}, {:.1} s", waited.as_secs_f64());
                watch.notifier.send(&[NotifyState::Status(&status)])
            };
            let unmet = match self.first_unmet(conditions, COMMAND_LIMIT, &mut ticker)? {
                Err(Ended) => return Ok(Err(Ended)),
                Ok(unmet) => unmet,
            };
            let waited = begun.elapsed();
            if unmet.is_none() && !self.service_is_ready() {
                if Instant::now() >= status_at {
                    status_at = Instant::now() + STATUS_SELDOM;
                    self.notifier.send(&[NotifyState::Status("waiting for READY=1 of the service")])?;
                }
                // Its message ends the pause.
                if self.sleep(STATUS_FIRST)? == Err(Ended) {
                    return Ok(Err(Ended));
                }
                continue;
            }
            let Some(Unmet { condition, .. }) = unmet else {
                let names: Vec<&str> = conditions.iter().map(|condition| condition.text.as_str()).collect();
                let status = format!("ready after {:.1} s: {}", waited.as_secs_f64(), names.join(", "));
                self.notifier.send(&[NotifyState::Ready, NotifyState::Status(&status)])?;
                self.hold_ready(false);
                return Ok(Ok(()));
            };
            ticker(self, condition)?;
            let pause = pause(condition, waited).min(status_at.saturating_duration_since(Instant::now()));
            if self.sleep(pause)? == Err(Ended) {
                return Ok(Err(Ended));
            }
        }
    }

    fn service_is_ready(&self) -> bool {
        self.relay.as_ref().is_none_or(|(relay, _)| relay.has_said_ready())
    }

    fn hold_ready(&mut self, hold: bool) {
        if let Some((_, held)) = &mut self.relay {
            held.ready = hold;
        }
    }

    /// Relays only, until the service ends; at once where there is nothing to relay.
    pub fn until_ended(&mut self) -> io::Result<Ended> {
        while self.relay.is_some() && self.sleep(STATUS_SELDOM)?.is_ok() {}
        Ok(Ended)
    }

    /// Feeds the watchdog twice in `timeout` while all conditions hold, until the service ends.
    pub fn feed(&mut self, conditions: &[Condition], timeout: Duration) -> io::Result<Ended> {
        let mut shown = String::new();
        loop {
            let begun = Instant::now();
            // Whatever that costs, a service that is well must not be taken for one that is not.
            self.thorough_at = begun;
            // With half of the time between two looks, this leaves a quarter to spare.
            let unmet = match self.first_unmet(conditions, COMMAND_LIMIT.min(timeout / 4), &mut |_, _| Ok(()))? {
                Err(Ended) => return Ok(Ended),
                Ok(unmet) => unmet,
            };
            let (status, pause) = match &unmet {
                None => ("healthy".to_owned(), timeout / 2),
                // Time enough for more looks before the watchdog bites.
                Some(Unmet { condition, why }) => (format!("unhealthy: {condition}: {why}"), timeout / 8),
            };
            let mut fields = Vec::new();
            if unmet.is_none() {
                fields.push(NotifyState::Watchdog);
            }
            if status != shown {
                fields.push(NotifyState::Status(&status));
            }
            if !fields.is_empty() {
                self.notifier.send(&fields)?;
            }
            shown = status;
            if self.sleep(pause.saturating_sub(begun.elapsed()))? == Err(Ended) {
                return Ok(Ended);
            }
        }
    }

    /// Returns when the pause is over, a path may have come to be, or the service has ended or said
    /// something.
    fn sleep(&mut self, pause: Duration) -> io::Result<Result<(), Ended>> {
        let mut fds = vec![PollFd::new(self.payload.as_fd(), PollFlags::POLLIN)];
        fds.extend(self.paths.as_ref().map(|paths| PollFd::new(paths.as_fd(), PollFlags::POLLIN)));
        fds.extend(self.relay.as_ref().map(|(relay, _)| PollFd::new(relay.as_fd(), PollFlags::POLLIN)));
        match poll(&mut fds, milliseconds(pause)) {
            Ok(0) | Err(nix::Error::EINTR) => return Ok(Ok(())),
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        let ended = fds[0].revents().is_some_and(|events| !events.is_empty());
        if let Some((relay, held)) = &mut self.relay {
            // Its last words as well.
            relay.pass_on(self.notifier, *held)?;
        }
        if ended {
            return Ok(Err(Ended));
        }
        if let Some(paths) = &self.paths {
            paths.drain();
        }
        Ok(Ok(()))
    }
}
