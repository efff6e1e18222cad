//! Passing on between the terminal that a person sits at and a pseudo terminal, and the signals
//! that are meant for what runs there.

mod child;

use std::collections::VecDeque;
use std::io::{self, stdin, stdout};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::{read, write};

pub use self::child::fork;
use crate::sys::tty::{Pty, RawMode, is_terminal};

/// What the person at the terminal wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// To leave what runs there alone: the key was hit three times.
    Disconnect,
    /// It to end.
    End(Signal),
}

/// Ctrl-], three times within a second.
const DISCONNECT: u8 = 0x1d;
const DISCONNECT_TIMES: usize = 3;
const DISCONNECT_WITHIN: Duration = Duration::from_secs(1);

/// How long what was printed last may be under way, in milliseconds, where somebody still has the
/// other end open.
const LAST_WORDS: u8 = 100;

/// The signals that end a program, which here are meant for what it started.
const ENDING: [Signal; 4] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT];

/// Keeps the signals that [`attend`] waits for from ending the program. To be called before there is
/// a second thread.
pub fn hold_signals() -> io::Result<()> {
    Ok(signals().thread_block()?)
}

fn signals() -> SigSet {
    let mut set: SigSet = ENDING.into_iter().collect();
    set.add(Signal::SIGWINCH);
    set.add(Signal::SIGCONT);
    set
}

/// Passes on, if there is a pseudo terminal, until `done` can be read or is closed, and tells every
/// wish. After one to disconnect it returns. What is typed stays where it is until `taken` can be read
/// or is closed: who takes a terminal over may throw away what it has.
pub fn attend(pty: Option<Pty>, taken: impl AsFd, done: impl AsFd, tell: impl Fn(Wish)) -> io::Result<()> {
    let signals = SignalFd::with_flags(&signals(), SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
    let mut relay = pty.map(Relay::begin).transpose()?;
    let mut is_taken = false;
    let (input, output) = (stdin(), stdout());
    loop {
        let mut fds =
            vec![PollFd::new(done.as_fd(), PollFlags::POLLIN), PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
        if let Some(relay) = &relay {
            fds.push(PollFd::new(relay.pty.master.as_fd(), relay.awaits_of_pty()));
            let input = if is_taken { input.as_fd() } else { taken.as_fd() };
            // With no event asked for, poll would still tell of a hang-up, again and again.
            fds.extend(relay.wants_input().then(|| PollFd::new(input, PollFlags::POLLIN)));
            fds.extend((!relay.to_terminal.is_empty()).then(|| PollFd::new(output.as_fd(), PollFlags::POLLOUT)));
        }
        match poll(&mut fds, PollTimeout::NONE) {
            Err(Errno::EINTR) => continue,
            other => other?,
        };
        let happened: Vec<bool> = fds.iter().map(|fd| fd.any() == Some(true)).collect();
        while let Ok(Some(signal)) = signals.read_signal() {
            match (Signal::try_from(signal.ssi_signo as i32), &relay) {
                (Ok(Signal::SIGWINCH), Some(relay)) => relay.pty.resize_like(stdout())?,
                (Ok(Signal::SIGCONT), Some(relay)) => relay.resume()?,
                (Ok(signal), _) if ENDING.contains(&signal) => tell(Wish::End(signal)),
                _ => {}
            }
        }
        if let Some(relay) = &mut relay {
            // In the order in which they were pushed above.
            let mut happened = happened[2..].iter().copied();
            happened.next();
            let awaited = relay.wants_input() && happened.next() == Some(true);
            if relay.pass_on(awaited && is_taken)? {
                tell(Wish::Disconnect);
                return Ok(());
            }
            is_taken |= awaited;
        }
        if happened[0] {
            return relay.map_or(Ok(()), Relay::finish);
        }
    }
}

/// What is under way in either direction.
struct Relay {
    pty: Pty,
    raw: Option<RawMode>,
    to_pty: VecDeque<u8>,
    to_terminal: VecDeque<u8>,
    input_open: bool,
    /// Has the line that the other side reads at the moment nothing in it yet?
    at_line_start: bool,
    escapes: VecDeque<Instant>,
}

impl Relay {
    const FULL: usize = 64 << 10;

    fn begin(pty: Pty) -> io::Result<Relay> {
        pty.resize_like(stdout())?;
        let raw = is_terminal(stdin()).then(|| RawMode::enter(stdin())).transpose()?;
        Ok(Relay {
            pty,
            raw,
            to_pty: VecDeque::new(),
            to_terminal: VecDeque::new(),
            input_open: true,
            at_line_start: true,
            escapes: VecDeque::new(),
        })
    }

    /// After the program was stopped and goes on, the terminal is as the shell wants it.
    fn resume(&self) -> io::Result<()> {
        self.raw.as_ref().map_or(Ok(()), RawMode::again)
    }

    fn wants_input(&self) -> bool {
        self.input_open && self.to_pty.len() < Relay::FULL
    }

    fn awaits_of_pty(&self) -> PollFlags {
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::POLLIN, self.to_terminal.len() < Relay::FULL);
        flags.set(PollFlags::POLLOUT, !self.to_pty.is_empty());
        flags
    }

    /// Moves on what can be moved; true if the person wants to leave.
    fn pass_on(&mut self, readable: bool) -> io::Result<bool> {
        let mut buffer = [0; 4096];
        if readable {
            match read(stdin(), &mut buffer) {
                Ok(0) => self.end_input()?,
                Ok(count) => {
                    if self.has_escaped(&buffer[..count]) {
                        return Ok(true);
                    }
                    self.at_line_start = buffer[count - 1] == b'\n';
                    self.to_pty.extend(&buffer[..count]);
                }
                Err(Errno::EINTR | Errno::EAGAIN) => {}
                // A terminal that has gone.
                Err(Errno::EIO) => self.input_open = false,
                Err(error) => return Err(error.into()),
            }
        }
        while !self.to_pty.is_empty() {
            match write(&self.pty.master, self.to_pty.as_slices().0) {
                Ok(count) => drop(self.to_pty.drain(..count)),
                Err(Errno::EAGAIN | Errno::EINTR) => break,
                Err(error) => return Err(error.into()),
            }
        }
        self.read_pty(&mut buffer)?;
        self.write_terminal()?;
        Ok(false)
    }

    /// True if there is no more to come.
    fn read_pty(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        while self.to_terminal.len() < Relay::FULL {
            match read(&self.pty.master, buffer) {
                Ok(0) | Err(Errno::EIO) => return Ok(true),
                Ok(count) => self.to_terminal.extend(&buffer[..count]),
                Err(Errno::EAGAIN | Errno::EINTR) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(false)
    }

    /// Writes as much as the terminal takes at once; `PIPE_BUF` is what any takes that takes something.
    fn write_terminal(&mut self) -> io::Result<()> {
        while !self.to_terminal.is_empty() && can_write() {
            let front = self.to_terminal.as_slices().0;
            match write(stdout(), &front[..front.len().min(libc::PIPE_BUF)]) {
                Ok(count) => drop(self.to_terminal.drain(..count)),
                Err(Errno::EAGAIN | Errno::EINTR) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// What reads lines is told by the character for it, where the line has nothing in it; else that
    /// character only hands the line over.
    fn end_input(&mut self) -> io::Result<()> {
        self.input_open = false;
        let times = if self.at_line_start { 1 } else { 2 };
        self.to_pty.extend(std::iter::repeat_n(self.pty.end_of_input()?, times));
        Ok(())
    }

    fn has_escaped(&mut self, typed: &[u8]) -> bool {
        // What is piped in may have any bytes.
        if self.raw.is_none() {
            return false;
        }
        let now = Instant::now();
        for &key in typed {
            if key == DISCONNECT {
                self.escapes.push_back(now);
            } else {
                self.escapes.clear();
            }
        }
        self.escapes.retain(|then| now.duration_since(*then) <= DISCONNECT_WITHIN);
        self.escapes.len() >= DISCONNECT_TIMES
    }

    /// Passes on what was printed last.
    fn finish(mut self) -> io::Result<()> {
        self.pty.slave = None;
        let mut buffer = [0; 4096];
        loop {
            let ended = self.read_pty(&mut buffer)?;
            while !self.to_terminal.is_empty() {
                let output = stdout();
                poll(&mut [PollFd::new(output.as_fd(), PollFlags::POLLOUT)], PollTimeout::NONE)?;
                self.write_terminal()?;
            }
            let mut master = [PollFd::new(self.pty.master.as_fd(), PollFlags::POLLIN)];
            if ended || poll(&mut master, PollTimeout::from(LAST_WORDS))? == 0 {
                return Ok(());
            }
        }
    }
}

fn can_write() -> bool {
    let output = stdout();
    let mut fds = [PollFd::new(output.as_fd(), PollFlags::POLLOUT)];
    matches!(poll(&mut fds, PollTimeout::ZERO), Ok(1..))
}
