//! One look at the conditions of a service: which of them does not hold.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{Ended, STATUS_FIRST, STATUS_OFTEN, Watch};
use crate::cell::Condition;
use crate::cell::condition::What;
use crate::probe::command::{Outcome, Run};
use crate::probe::socket;
use crate::sys::process;

/// A condition that does not hold, and why.
pub struct Unmet<'c> {
    pub condition: &'c Condition,
    pub why: String,
}

impl Watch<'_> {
    /// The first condition that does not hold. Commands take the longest and come last; what else
    /// must hold is looked at once more after them, for all have to hold together.
    pub(super) fn first_unmet<'c>(
        &mut self,
        conditions: &'c [Condition],
        limit: Duration,
        tick: &mut dyn FnMut(&Watch, &Condition) -> io::Result<()>,
    ) -> io::Result<Result<Option<Unmet<'c>>, Ended>> {
        if let Some(unmet) = self.first_unmet_at_a_look(conditions)? {
            return Ok(Ok(Some(unmet)));
        }
        let mut ran = false;
        for condition in conditions {
            let What::Exec(words) = &condition.what else { continue };
            ran = true;
            match self.run(condition, words, limit, tick)? {
                Err(Ended) => return Ok(Err(Ended)),
                Ok(Some(why)) => return Ok(Ok(Some(Unmet { condition, why }))),
                Ok(None) => {}
            }
        }
        if !ran {
            return Ok(Ok(None));
        }
        self.thorough_at = Instant::now();
        Ok(Ok(self.first_unmet_at_a_look(conditions)?))
    }

    fn first_unmet_at_a_look<'c>(&mut self, conditions: &'c [Condition]) -> io::Result<Option<Unmet<'c>>> {
        let begun = Instant::now();
        let thorough = begun >= self.thorough_at;
        let mut unmet = None;
        for condition in conditions.iter().filter(|condition| !matches!(condition.what, What::Exec(_))) {
            if !self.holds(condition, thorough)? {
                unmet = Some(Unmet { condition, why: "does not hold".to_owned() });
                break;
            }
        }
        if thorough {
            // However many sockets there are, at most a fiftieth of the time goes into this.
            self.thorough_at = begun + 50 * begun.elapsed();
        }
        Ok(unmet)
    }

    pub(super) fn holds(&mut self, condition: &Condition, thorough: bool) -> io::Result<bool> {
        let never_opened = || io::Error::from(io::ErrorKind::NotConnected);
        match (&condition.what, &mut self.diag) {
            (What::Tcp(endpoint), Some(diag)) => socket::tcp(diag, endpoint, thorough),
            (What::Udp(endpoint), Some(diag)) => socket::udp(diag, endpoint),
            (What::Unix(name), Some(diag)) => socket::unix(diag, name),
            (What::Path(path), _) => Ok(self.paths.as_ref().ok_or_else(never_opened)?.exists(Path::new(path))),
            (What::Unexpanded, _) => Err(io::Error::other(format!("{condition} has a specifier that nobody expanded"))),
            (What::Exec(_) | What::Tcp(_) | What::Udp(_) | What::Unix(_), _) => Err(never_opened()),
        }
    }

    /// Why the command fails, if it does.
    fn run(
        &mut self,
        condition: &Condition,
        words: &[Vec<u8>],
        limit: Duration,
        tick: &mut dyn FnMut(&Watch, &Condition) -> io::Result<()>,
    ) -> io::Result<Result<Option<String>, Ended>> {
        let outcome = match Run::start(words, &self.environment, limit) {
            Ok(mut run) => loop {
                if let Some(outcome) = run.poll(&self.payload, STATUS_FIRST)? {
                    break outcome;
                }
                if self.sleep(Duration::ZERO)? == Err(Ended) {
                    return Ok(Err(Ended));
                }
                tick(self, condition)?;
            },
            Err(error) => Outcome { failure: Some(error.to_string()), output: String::new() },
        };
        process::reap();
        self.tell_if_new(condition, &outcome);
        Ok(Ok(outcome.failure))
    }

    /// A command that says the same each time says it in the log once.
    fn tell_if_new(&mut self, condition: &Condition, outcome: &Outcome) {
        let last = self.told.iter_mut().find(|(text, _)| *text == condition.text);
        match last {
            Some((_, last)) if last == outcome => return,
            Some((_, last)) => *last = outcome.clone(),
            None => self.told.push((condition.text.clone(), outcome.clone())),
        }
        let ending = outcome.failure.as_deref().unwrap_or("holds");
        match outcome.output.as_str() {
            "" if outcome.failure.is_none() => {}
            "" => (self.tell)(&format!("{condition}: {ending}")),
            output => (self.tell)(&format!("{condition}: {ending}: {output}")),
        }
    }
}

/// How long to leave a condition alone that did not hold, so long after the start: no start is to
/// become longer by more than a small part of itself, and none is to be busy with looking.
pub fn pause(condition: &Condition, waited: Duration) -> Duration {
    let part =
        |divisor, least, most| (waited / divisor).clamp(Duration::from_millis(least), Duration::from_millis(most));
    match condition.what {
        // Events wake the watcher; this is for what they miss, as a mount over a directory.
        What::Path(_) => STATUS_OFTEN,
        // A process each time.
        What::Exec(_) => part(20, 20, 1000),
        _ => part(500, 1, 100),
    }
}
