//! Pseudo terminals, and the mode and size of the terminal that a person sits at.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Mutex, Once, PoisonError};

use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use rustix::termios::{self, OptionalActions, SpecialCodeIndex, Termios};

/// Both ends of a pseudo terminal.
#[derive(Debug)]
pub struct Pty {
    /// The end of who plays the terminal; reading it does not block.
    pub master: OwnedFd,
    /// The other end, which is kept open so that it does not hang up before somebody has taken it.
    pub slave: Option<OwnedFd>,
    /// The path of the other end.
    pub path: String,
}

impl Pty {
    /// A new one.
    pub fn open() -> io::Result<Pty> {
        let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        rustix::pty::grantpt(&master)?;
        rustix::pty::unlockpt(&master)?;
        let path = rustix::pty::ptsname(&master, Vec::new())?;
        let path = path.into_string().map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        let slave = rustix::fs::open(path.as_str(), OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
        rustix::fs::fcntl_setfl(&master, rustix::fs::fcntl_getfl(&master)? | OFlags::NONBLOCK)?;
        Ok(Pty { master, slave: Some(slave), path })
    }

    /// Makes it the terminal of a session that this process leads, and its standard streams.
    pub fn take(self) -> io::Result<()> {
        let slave = self.slave.ok_or(io::ErrorKind::NotConnected)?;
        rustix::process::setsid()?;
        rustix::process::ioctl_tiocsctty(&slave)?;
        nix::unistd::dup2_stdin(&slave)?;
        nix::unistd::dup2_stdout(&slave)?;
        Ok(nix::unistd::dup2_stderr(&slave)?)
    }

    /// Gives it the size of this terminal; where that is none, it has no size.
    pub fn resize_like(&self, terminal: impl AsFd) -> io::Result<()> {
        match termios::tcgetwinsize(terminal) {
            Ok(size) => Ok(termios::tcsetwinsize(&self.master, size)?),
            Err(_) => Ok(()),
        }
    }

    /// The character that means the end of the input: to the terminal where it hands on whole lines, and
    /// by custom to programs that read it key by key.
    pub fn end_of_input(&self) -> io::Result<u8> {
        Ok(termios::tcgetattr(&self.master)?.special_codes[SpecialCodeIndex::VEOF])
    }
}

/// Is it a terminal?
pub fn is_terminal(fd: impl AsFd) -> bool {
    termios::isatty(fd)
}

/// The terminal that is in raw mode, and the mode that it had: one at a time, as for a person.
static BEFORE: Mutex<Option<(OwnedFd, Termios)>> = Mutex::new(None);

/// A terminal that hands every key through. It goes back to its mode when this is dropped, and
/// also when the program panics, even one that then aborts.
#[derive(Debug)]
pub struct RawMode(());

impl RawMode {
    /// Puts the terminal in raw mode.
    pub fn enter(terminal: impl AsFd) -> io::Result<RawMode> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let next = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                leave();
                next(panic);
            }));
        });
        let fd = terminal.as_fd().try_clone_to_owned()?;
        let before = termios::tcgetattr(&fd)?;
        let raw = RawMode(());
        set_raw(&fd, &before)?;
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some((fd, before));
        Ok(raw)
    }

    /// Does so again, after somebody else had the terminal.
    pub fn again(&self) -> io::Result<()> {
        match &*BEFORE.lock().unwrap_or_else(PoisonError::into_inner) {
            Some((fd, before)) => set_raw(fd, before),
            None => Ok(()),
        }
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        leave();
    }
}

fn set_raw(fd: &OwnedFd, before: &Termios) -> io::Result<()> {
    let mut raw = before.clone();
    raw.make_raw();
    Ok(termios::tcsetattr(fd, OptionalActions::Now, &raw)?)
}

fn leave() {
    if let Some((fd, before)) = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        let _ = termios::tcsetattr(fd, OptionalActions::Drain, &before);
    }
}
