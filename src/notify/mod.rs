//! sd_notify(3): the socket, connected before the namespaces change, and the hand-over of the
//! unit's main process.
//!
//! The messages' text is the sd-notify crate's; the socket is ours, since that crate opens the
//! path anew for each message, when it may mean something else, and knows no barrier.
#![forbid(unsafe_code)]

mod inlet;
mod processes;
mod relay;

use std::ffi::OsStr;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

pub use inlet::Inlet;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, UnixAddr, connect, sendmsg, socket,
};
pub use processes::Processes;
pub use relay::{Access, Held, Relay};
pub use sd_notify::NotifyState;

use crate::sys::signal::uninterrupted;

/// How long the manager may take to work through the messages before a barrier: as long as
/// sd_notify_barrier(3)'s users commonly give it. Its stop or start time-out rules above this.
const BARRIER_TIMEOUT_MS: u16 = 30_000;

/// A connection to the manager.
#[derive(Debug)]
pub struct Notifier(OwnedFd);

impl Notifier {
    /// Connects to the socket that the text of `$NOTIFY_SOCKET` names: a path, or an abstract
    /// name after `@`.
    pub fn connect(address: &OsStr) -> io::Result<Notifier> {
        let address = match address.as_bytes() {
            [b'/', ..] => UnixAddr::new(address)?,
            [b'@', name @ ..] => UnixAddr::new_abstract(name)?,
            _ => return Err(io::Error::new(io::ErrorKind::Unsupported, "NOTIFY_SOCKET is no UNIX socket")),
        };
        let fd = socket(AddressFamily::Unix, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
        uninterrupted(|| connect(fd.as_raw_fd(), &address))?;
        Ok(Notifier(fd))
    }

    /// Sends one message of several fields.
    pub fn send(&self, fields: &[NotifyState<'_>]) -> io::Result<()> {
        let text: Vec<String> = fields.iter().map(ToString::to_string).collect();
        self.send_with(&text.join("\n"), &[])
    }

    /// Sends one field as root, which takes CAP_SETUID and CAP_SETGID; unix(7).
    pub fn send_as_root(&self, field: &NotifyState<'_>) -> io::Result<()> {
        let root = libc::ucred { pid: nix::unistd::getpid().as_raw(), uid: 0, gid: 0 }.into();
        self.send_with_control(&field.to_string(), &[ControlMessage::ScmCredentials(&root)])
    }

    /// Returns once the manager has worked through all messages sent so far.
    pub fn barrier(&self) -> io::Result<()> {
        let (done, theirs) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
        self.send_with("BARRIER=1", &[theirs.as_raw_fd()])?;
        drop(theirs);
        let mut closed = [PollFd::new(done.as_fd(), PollFlags::empty())];
        match uninterrupted(|| poll(&mut closed, PollTimeout::from(BARRIER_TIMEOUT_MS)))? {
            0 => Err(io::ErrorKind::TimedOut.into()),
            _ => Ok(()),
        }
    }

    /// Sends a message that is text already, and descriptors along with it.
    pub fn send_with(&self, text: &str, fds: &[i32]) -> io::Result<()> {
        let control = [ControlMessage::ScmRights(fds)];
        self.send_with_control(text, if fds.is_empty() { &[] } else { &control })
    }

    fn send_with_control(&self, text: &str, control: &[ControlMessage<'_>]) -> io::Result<()> {
        let payload = [IoSlice::new(text.as_bytes())];
        uninterrupted(|| sendmsg::<()>(self.0.as_raw_fd(), &payload, control, MsgFlags::MSG_NOSIGNAL, None))?;
        Ok(())
    }
}

impl AsFd for Notifier {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
