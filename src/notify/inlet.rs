//! A notification socket of our own, where a service's messages arrive.

use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, bind, getsockname, setsockopt, socket, sockopt};
use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, recvmsg};

/// As much as systemd takes of one message.
const LARGEST: usize = 4096;
/// As many descriptors as fit into one, unix(7).
const MOST_FDS: usize = 253;

/// The socket.
#[derive(Debug)]
pub struct Inlet {
    socket: OwnedFd,
    address: String,
}

/// One message, as it came.
#[derive(Debug)]
pub struct Message {
    /// `NAME=VALUE` lines.
    pub text: String,
    /// Who has sent it, as the kernel says.
    pub sender: i32,
    /// What came along.
    pub fds: Vec<OwnedFd>,
}

impl Inlet {
    /// Opens one in the network namespace that the process is in, under an abstract name: no mount
    /// namespace hides that.
    pub fn open() -> io::Result<Inlet> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(AddressFamily::Unix, SockType::Datagram, flags, None)?;
        setsockopt(&socket, sockopt::PassCred, &true)?;
        // The kernel finds a name that is free.
        bind(socket.as_raw_fd(), &UnixAddr::new_unnamed())?;
        let address: UnixAddr = getsockname(socket.as_raw_fd())?;
        let name = address.as_abstract().and_then(|name| std::str::from_utf8(name).ok());
        let name = name.ok_or_else(|| io::Error::other("the socket has got no name"))?;
        Ok(Inlet { address: format!("@{name}"), socket })
    }

    /// What `$NOTIFY_SOCKET` is to say.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The next message; none when there is none just now. What is no message comes as an empty one.
    pub fn receive(&self) -> io::Result<Option<Message>> {
        let mut bytes = [0; LARGEST];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_FDS), ScmCredentials(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut slices = [IoSliceMut::new(&mut bytes)];
        let received = match recvmsg(&self.socket, &mut slices, &mut control, RecvFlags::CMSG_CLOEXEC) {
            Err(Errno::AGAIN | Errno::INTR) => return Ok(None),
            received => received?,
        };
        let (mut sender, mut fds) = (0, Vec::new());
        for part in control.drain() {
            match part {
                RecvAncillaryMessage::ScmCredentials(credentials) => sender = credentials.pid.as_raw_pid(),
                RecvAncillaryMessage::ScmRights(list) => fds.extend(list),
                _ => {}
            }
        }
        let truncated = received.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC);
        let length = received.bytes;
        let text = String::from_utf8(bytes[..length].to_vec()).unwrap_or_default();
        Ok(Some(Message { text: if truncated { String::new() } else { text }, sender, fds }))
    }
}

impl AsFd for Inlet {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
