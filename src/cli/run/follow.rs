//! A service that was started, followed as far as is wanted.

use std::io::{PipeWriter, pipe};
use std::process::ExitCode;
use std::task::Poll;
use std::thread::{self, JoinHandle};

use serde::Serialize;

use super::ending::{self, ended, not_started};
use super::mailbox::Mailbox;
use super::{Run, RunError};
use crate::bus::transient::Property;
use crate::bus::{self, Change, Outcome, Started, Systemd};
use crate::cli::Error;
use crate::cli::output::{Output, to_stderr};
use crate::cli::progress::Progress;
use crate::cli::pty::{self, Wish};
use crate::cli::terminal::Terminal;
use crate::sys::tty::Pty;
use crate::unit::UnitName;

/// What is needed for it.
pub struct Follow<'r> {
    pub run: &'r Run,
    pub systemd: &'r Systemd,
    pub output: &'r Output,
    pub terminal: Terminal,
}

/// What `--json` tells.
#[derive(Debug, Serialize)]
struct Told<'t> {
    unit: &'t str,
    #[serde(skip_serializing_if = "str::is_empty")]
    invocation_id: &'t str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ready_within_usec: Option<u128>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_status: Option<i32>,
}

/// What is awaited.
enum Event {
    Change(Change),
    Wish(Wish),
}

/// The thread at the terminal, which goes on until it is told to end.
struct Attendant {
    /// Closed when the service has its terminal.
    taken: Option<PipeWriter>,
    /// Closed when there is nothing more to come from it.
    done: PipeWriter,
    thread: JoinHandle<std::io::Result<()>>,
}

impl Attendant {
    fn hire(pty: Option<Pty>, wishes: &Mailbox<Wish>) -> std::io::Result<Attendant> {
        let (until_taken, taken) = pipe()?;
        let (until_done, done) = pipe()?;
        let wishes = wishes.clone();
        let thread = thread::Builder::new()
            .name("terminal".to_owned())
            .spawn(move || pty::attend(pty, until_taken, until_done, |wish| wishes.put(wish)))?;
        Ok(Attendant { taken: Some(taken), done, thread })
    }

    /// Lets it hand on what is typed.
    fn let_type(&mut self) {
        self.taken = None;
    }

    /// Waits until it has passed on what was printed last.
    fn dismiss(self) -> std::io::Result<()> {
        drop(self.done);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Follow<'_> {
    /// Starts the service and follows it; tells how it went, and with which status to exit.
    pub async fn start(&self, name: &UnitName, properties: &[Property], pty: Option<Pty>) -> Result<ExitCode, Error> {
        let has_pty = pty.is_some();
        let mut started = Started::start(self.systemd, name.as_str(), properties).await.map_err(RunError::Bus)?;
        if self.run.no_block {
            self.tell_name(name, "")?;
            return Ok(ExitCode::SUCCESS);
        }
        let wishes = Mailbox::new();
        let mut attendant = match self.run.waits() {
            true => Some(Attendant::hire(pty, &wishes).map_err(Error::Terminal)?),
            false => None,
        };
        let followed = self.follow(&mut started, &wishes, attendant.as_mut().filter(|_| has_pty)).await;
        if let Some(attendant) = attendant {
            attendant.dismiss().map_err(Error::Terminal)?;
        }
        self.conclude(&started, followed?).await
    }

    async fn follow(
        &self,
        started: &mut Started<'_>,
        wishes: &Mailbox<Wish>,
        mut at_terminal: Option<&mut Attendant>,
    ) -> Result<Followed, Error> {
        let has_pty = at_terminal.is_some();
        let mut progress = Progress::new(!self.run.quiet && !has_pty);
        let mut interrupted = None;
        let mut job: Option<String> = None;
        let mut over = false;
        loop {
            match (&job, self.run.waits()) {
                (Some(result), false) => return Ok(Followed { job: result.clone(), interrupted, left: false }),
                (Some(result), true) if over => return Ok(Followed { job: result.clone(), interrupted, left: false }),
                _ => {}
            }
            let event = either(started, wishes).await.map_err(RunError::Bus)?;
            if started.is_executed() || matches!(event, Event::Change(Change::Job(_))) {
                at_terminal.take().map(Attendant::let_type);
            }
            match event {
                Event::Change(Change::Job(result)) => {
                    progress.clear();
                    if result == "done" && !has_pty {
                        let outcome = started.outcome().await.map_err(RunError::Bus)?;
                        self.tell_started(started.name(), &outcome)?;
                    }
                    job = Some(result);
                }
                Event::Change(Change::Ended) => over = true,
                Event::Change(Change::Told) if job.is_none() && !started.status().is_empty() => {
                    progress.tell(&format!("{}: {}", started.name(), started.status()));
                }
                Event::Change(Change::Told) => {}
                Event::Wish(Wish::End(signal)) if interrupted.is_none() => {
                    interrupted = Some(signal);
                    progress.clear();
                    self.say(&format!("Stopping {}; once more leaves it alone.", started.name()), has_pty);
                    self.systemd.stop(started.name()).await.map_err(RunError::Bus)?;
                }
                Event::Wish(_) => return Ok(Followed { job: job.unwrap_or_default(), interrupted, left: true }),
            }
        }
    }

    async fn conclude(&self, started: &Started<'_>, followed: Followed) -> Result<ExitCode, Error> {
        if followed.left {
            if !self.run.quiet {
                to_stderr(&format!("Left {} alone.\n", started.name()));
            }
            return Ok(followed.interrupted.map_or(ExitCode::SUCCESS, |signal| ExitCode::from(128 + signal as u8)));
        }
        let outcome = started.outcome().await.map_err(RunError::Bus)?;
        let failed = !matches!(followed.job.as_str(), "done" | "skipped") && followed.interrupted.is_none();
        if failed {
            let elsewhere = self.run.whom.elsewhere().is_some();
            to_stderr(&not_started(
                started.name(),
                &followed.job,
                &outcome,
                self.run.whom.scope(),
                elsewhere,
                self.terminal,
            ));
        }
        if !self.run.waits() {
            return Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS });
        }
        if !self.run.quiet && !failed {
            to_stderr(&ended(&outcome));
        }
        let code = match followed.interrupted {
            Some(signal) => 128 + signal as u8,
            None => ending::exit_code(&outcome, failed),
        };
        if self.output.is_json() {
            self.json(started.name(), &outcome, true)?;
        }
        Ok(ExitCode::from(code))
    }

    fn tell_started(&self, name: &str, outcome: &Outcome) -> Result<(), Error> {
        if self.output.is_json() {
            return if self.run.waits() { Ok(()) } else { self.json(name, outcome, false) };
        }
        if self.run.quiet {
            return Ok(());
        }
        let invocation = match outcome.invocation.as_str() {
            "" => String::new(),
            id => format!("; invocation ID: {id}"),
        };
        to_stderr(&format!("Running as unit: {name}{invocation}\n"));
        if let (true, Some(within)) = (self.run.wait_ready, outcome.started_within) {
            to_stderr(&format!("{name} is ready after {}.\n", ending::span(within)));
        }
        Ok(())
    }

    fn tell_name(&self, name: &UnitName, invocation: &str) -> Result<(), Error> {
        let outcome = Outcome { invocation: invocation.to_owned(), ..Outcome::default() };
        self.tell_started(name.as_str(), &outcome)
    }

    fn json(&self, name: &str, outcome: &Outcome, ended: bool) -> Result<(), Error> {
        let told = Told {
            unit: name,
            invocation_id: &outcome.invocation,
            ready_within_usec: outcome.started_within.filter(|_| self.run.wait_ready).map(|within| within.as_micros()),
            result: ended.then_some(outcome.result.as_str()),
            exit_status: (ended && outcome.code == ending::EXITED).then_some(outcome.status),
        };
        Ok(self.output.print(&told, |_| String::new())?)
    }

    /// Tells a line also where the terminal is in raw mode.
    fn say(&self, line: &str, raw: bool) {
        if !self.run.quiet {
            to_stderr(&format!("{}{line}\r\n", if raw { "\r\n" } else { "" }));
        }
    }
}

/// How far it was followed.
struct Followed {
    job: String,
    interrupted: Option<nix::sys::signal::Signal>,
    /// Is it still there, as far as we know?
    left: bool,
}

/// What comes first.
async fn either(started: &mut Started<'_>, wishes: &Mailbox<Wish>) -> Result<Event, bus::Error> {
    let mut change = std::pin::pin!(started.next());
    let mut wish = std::pin::pin!(wishes.next());
    std::future::poll_fn(|context| {
        if let Poll::Ready(wish) = wish.as_mut().poll(context) {
            return Poll::Ready(Ok(Event::Wish(wish)));
        }
        change.as_mut().poll(context).map(|change| change.map(Event::Change))
    })
    .await
}
