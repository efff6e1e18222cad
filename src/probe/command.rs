//! Running a probe's command, within a time limit.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, pipe2};

use crate::sys::process;

/// As much of a command's output as is shown.
const SHOWN: usize = 512;

/// A command under way. Dropped, it is killed, and all that it has started with it.
pub struct Run {
    child: Child,
    end: OwnedFd,
    /// None once everybody has closed it.
    output: Option<OwnedFd>,
    shown: Vec<u8>,
    deadline: Instant,
    limit: Duration,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Why it counts as failed; none if it does not.
    pub failure: Option<String>,
    /// What it wrote, both streams together.
    pub output: String,
}

impl Run {
    /// Starts it, in a process group of its own.
    pub fn start(words: &[Vec<u8>], environment: &[(OsString, OsString)], limit: Duration) -> io::Result<Run> {
        let (ours, theirs) = pipe2(OFlag::O_CLOEXEC)?;
        fcntl(&ours, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        let words: Vec<&OsStr> = words.iter().map(|word| OsStr::from_bytes(word)).collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).env_clear().envs(environment.iter().map(|(name, value)| (name, value)));
        command.stdout(theirs.try_clone()?).stderr(theirs).stdin(Stdio::null()).process_group(0);
        let child = command.spawn()?;
        let end = process::pidfd(Pid::from_raw(child.id().cast_signed()))?;
        Ok(Run { child, end, output: Some(ours), shown: Vec::new(), deadline: Instant::now() + limit, limit })
    }

    /// Waits for its end; but for `pause` at most, and only until `alarm` can be read.
    pub fn poll(&mut self, alarm: impl AsFd, pause: Duration) -> io::Result<Option<Outcome>> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let mut fds =
            vec![PollFd::new(alarm.as_fd(), PollFlags::POLLIN), PollFd::new(self.end.as_fd(), PollFlags::POLLIN)];
        fds.extend(self.output.as_ref().map(|output| PollFd::new(output.as_fd(), PollFlags::POLLIN)));
        match poll(&mut fds, milliseconds(left.min(pause))) {
            Ok(_) | Err(nix::Error::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        drop(fds);
        self.drain()?;
        let failure = match self.child.try_wait()? {
            Some(status) => failure_of(status),
            None if Instant::now() < self.deadline => return Ok(None),
            None => Some(format!("no end within {:?}", self.limit)),
        };
        let output = String::from_utf8_lossy(&self.shown).trim().to_owned();
        Ok(Some(Outcome { failure, output }))
    }

    /// Reads all that there is, so that the command need not wait, and keeps the beginning.
    fn drain(&mut self) -> io::Result<()> {
        let mut buffer = [0; 4096];
        while let Some(output) = &self.output {
            match nix::unistd::read(output, &mut buffer) {
                Ok(0) => self.output = None,
                Ok(length) => {
                    let kept = length.min(SHOWN - self.shown.len());
                    self.shown.extend_from_slice(&buffer[..kept]);
                }
                Err(nix::Error::EAGAIN) => break,
                Err(nix::Error::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = killpg(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

fn failure_of(status: ExitStatus) -> Option<String> {
    match (status.code(), status.signal()) {
        (Some(0), _) => None,
        (Some(code), _) => Some(format!("exit status {code}")),
        (None, signal) => Some(format!("killed by signal {}", signal.unwrap_or_default())),
    }
}

/// For poll(2), never less than what is asked for.
pub fn milliseconds(span: Duration) -> PollTimeout {
    let rounded_up = span + Duration::from_nanos(999_999);
    PollTimeout::try_from(rounded_up.as_millis()).unwrap_or(PollTimeout::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(words: &[&str], limit: Duration) -> Outcome {
        let words: Vec<Vec<u8>> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
        let (_quiet, alarm) = std::io::pipe().map(|(reader, writer)| (writer, reader)).unwrap();
        let mut run = Run::start(&words, &[("PATH".into(), path)], limit).unwrap();
        loop {
            if let Some(outcome) = run.poll(&alarm, Duration::from_millis(50)).unwrap() {
                return outcome;
            }
        }
    }

    #[test]
    fn a_command_tells_how_it_ended() {
        let long = Duration::from_secs(30);
        assert_eq!(run(&["true"], long).failure, None);
        let outcome = run(&["sh", "-c", "echo out; echo err >&2; exit 3"], long);
        assert_eq!((outcome.failure.as_deref(), outcome.output.as_str()), (Some("exit status 3"), "out\nerr"));
        assert_eq!(run(&["sh", "-c", "kill -9 $$"], long).failure.as_deref(), Some("killed by signal 9"));
        // More than a pipe holds, of which the beginning is kept.
        let outcome = run(&["sh", "-c", "yes | head -c 300000"], long);
        assert_eq!((outcome.failure, outcome.output.len()), (None, SHOWN - 1));
    }

    #[test]
    fn a_command_without_an_end_is_killed_with_its_children() {
        let begun = Instant::now();
        let outcome = run(&["sh", "-c", "sleep 60 & exec sleep 60"], Duration::from_millis(100));
        assert_eq!(outcome.failure.as_deref(), Some("no end within 100ms"));
        assert!(begun.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn output_may_be_closed_long_before_the_end() {
        assert_eq!(
            run(&["sh", "-c", "exec >&- 2>&-; sleep 0.1; exit 4"], Duration::from_secs(30)).failure.as_deref(),
            Some("exit status 4")
        );
    }
}
