//! Processes beside the payload: what they have in common.
//!
//! Each is a child of whoever started the wrapper, as the payload is: systemd reaps it, and the payload
//! has no child that it does not know. It takes the steps of the payload's identity, too, and
//! so sees and may do what the payload sees and may do.

use std::io::{self, Read, Write};
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;

use nix::unistd::Pid;

use super::report::Report;
use crate::cell::steps::Step;
use crate::sys::descriptors;
use crate::sys::process::{self, Fork};

/// What such a process is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// To be the first process of the payload's PID namespace.
    Init,
    /// To relay what the payload tells the manager.
    Relay,
    /// To keep the payload's PAM session open.
    Session,
    /// To watch the payload's conditions.
    Watcher,
}

impl Job {
    /// Is it for the process that systemd started, which has handed over and stays where the manager is?
    pub fn stays(self) -> bool {
        matches!(self, Job::Relay | Job::Session)
    }

    /// Does a process with this job take the step, too? Each ends with the step that is its job.
    pub fn takes(self, step: &Step) -> bool {
        let another = match step {
            Step::StartInit => self != Job::Init,
            Step::Relay => self != Job::Relay,
            Step::KeepSession => self != Job::Session,
            _ => false,
        };
        !another && !step.is_of_the_cell()
    }
}

/// What a process says when it is about its work; what else it says is why it can't be.
const AT_WORK: u8 = 1;

/// The payload's end of the line between the two.
#[derive(Debug)]
pub struct Line {
    job: Job,
    stream: UnixStream,
}

/// The other end, and the payload once that has called.
#[derive(Debug)]
pub struct Post {
    line: UnixStream,
    /// Its number, as seen from here, and its pidfd.
    payload: Option<(i32, OwnedFd)>,
    /// The pidfd of another one to go with.
    goes_with: Option<OwnedFd>,
}

/// A line whose ends have not found their processes yet.
pub fn line(job: Job) -> io::Result<(Line, Post)> {
    let (payload, other) = UnixStream::pair()?;
    Ok((Line { job, stream: payload }, Post { line: other, payload: None, goes_with: None }))
}

/// Forks a process off a payload that is all set up. The payload is the one that returns with a line.
pub fn fork(job: Job) -> io::Result<Result<Line, Post>> {
    let (line, post) = line(job)?;
    let forked = process::fork_as_sibling().map_err(|error| match error.raw_os_error() {
        Some(libc::EINVAL) => io::Error::other("the first process of a PID namespace can have no process beside it"),
        _ => error,
    })?;
    match forked {
        Fork::Parent(_) => Ok(Ok(line)),
        Fork::Child => Ok(Err(post)),
    }
}

impl Line {
    /// What the process at the other end is for.
    pub fn job(&self) -> Job {
        self.job
    }

    /// Sends the process at the other end to its work; returns once it is about it.
    pub fn start(self) -> io::Result<()> {
        // The other process goes when this is closed: where it can't work, with the end of this process.
        let mut stream = ManuallyDrop::new(self.stream);
        match stream.write_all(&process::id().to_ne_bytes()) {
            // One that is gone has left its reason.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            sent => sent?,
        }
        let mut answer = [0];
        match stream.read_exact(&mut answer) {
            Ok(()) if answer == [AT_WORK] => {
                drop(ManuallyDrop::into_inner(stream));
                Ok(())
            }
            Ok(()) => {
                let mut reason = answer.to_vec();
                stream.read_to_end(&mut reason)?;
                Err(io::Error::other(String::from_utf8_lossy(&reason).into_owned()))
            }
            Err(_) => Err(io::Error::other("the process beside the service has ended")),
        }
    }
}

impl Post {
    /// In a process that has made the payload, and knows its number already. With an init it goes when
    /// that goes.
    pub fn find(&mut self, payload: Pid, init: Option<Pid>) -> io::Result<()> {
        self.payload = Some((payload.as_raw(), process::pidfd(payload)?));
        self.goes_with = init.map(process::pidfd).transpose()?;
        Ok(())
    }

    /// Waits until the payload has made all of the cell, and joins what was made since the fork.
    pub fn await_payload(&mut self) -> io::Result<()> {
        let mut pid = [0; size_of::<i32>()];
        match self.line.read_exact(&mut pid) {
            // It has told why it can't go on.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => process::exit(0),
            called => called?,
        }
        if self.payload.is_none() {
            // It waits for an answer: the number is no other process's yet.
            let pid = Pid::from_raw(i32::from_ne_bytes(pid));
            self.payload = Some((pid.as_raw(), process::pidfd(pid)?));
        }
        Ok(())
    }

    /// A way to tell the payload what goes wrong.
    pub fn excuse(&self) -> io::Result<Excuse> {
        self.line.try_clone().map(Excuse)
    }

    /// A pidfd of the payload.
    pub fn payload(&self) -> io::Result<BorrowedFd<'_>> {
        self.payload.as_ref().map(|(_, pidfd)| pidfd.as_fd()).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Tells the payload why there is nobody at this post, and ends.
    pub fn give_up(self, why: &io::Error) -> ! {
        Excuse(self.line).give(&why.to_string())
    }

    /// The number of the payload.
    pub fn number(&self) -> io::Result<i32> {
        self.payload.as_ref().map(|(number, _)| *number).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Leaves all behind that the work does not take, but for the payload and what `descriptors`
    /// has, and lets the payload go on. Returns a pidfd of the process to go with.
    pub fn take_up(mut self, mut descriptors: Vec<RawFd>, report: &Report) -> io::Result<OwnedFd> {
        let (_, payload) = self.payload.take().ok_or(io::ErrorKind::NotConnected)?;
        let goes_with = self.goes_with.take().unwrap_or(payload);
        process::withdraw()?;
        descriptors.extend([goes_with.as_raw_fd(), self.line.as_raw_fd()]);
        if let Err(error) = descriptors::keep(&mut descriptors, report.needs_standard_error()) {
            // The other way to tell may be closed by now.
            self.give_up(&error);
        }
        self.line.write_all(&[AT_WORK])?;
        Ok(goes_with)
    }
}

/// How a process beside the payload tells why it can't take up its work. The payload it is who
/// reports it: it is whom the manager watches, and where one of the two is the first process of the PID
/// namespace, its end is the end of the other.
#[derive(Debug)]
pub struct Excuse(UnixStream);

impl Excuse {
    /// Leaves the reason behind, and the process once the payload has reported it.
    pub fn give(mut self, reason: &str) -> ! {
        let _ = self.0.write_all(reason.as_bytes());
        let _ = self.0.shutdown(std::net::Shutdown::Write);
        // The payload's end closes its end of the line.
        let _ = self.0.read_to_end(&mut Vec::new());
        process::exit(1)
    }
}
