//! A socket: requests out, answers in.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, send, socket,
};

use super::error::{Error, Refusal};
use super::message::{self, Message, Request, flag, messages};
use crate::sys::namespace::{Namespace, within};
use crate::sys::network::{NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK, set_netlink_option};

/// As much as the kernel puts into one datagram, which it cuts a dump into.
const DATAGRAM: usize = 32 * 1024;
/// How many requests go out at once: should the kernel refuse all of them, its answers still fit
/// into the socket's buffer.
const AT_ONCE: usize = 100;

/// A socket, which speaks for the network namespace that it was opened in, wherever its owner goes.
#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
    sequence: u32,
    buffer: Vec<u8>,
}

impl Socket {
    /// Opens one for links, addresses and routes, in the namespace of the thread.
    pub fn route() -> io::Result<Socket> {
        Socket::open(SockProtocol::NetlinkRoute)
    }

    /// Opens one for links, addresses and routes of another namespace.
    pub fn route_in(namespace: &Namespace) -> io::Result<Socket> {
        within(namespace, libc::CLONE_NEWNET.cast_unsigned(), Socket::route)
    }

    /// Opens one of any protocol.
    pub fn open(protocol: SockProtocol) -> io::Result<Socket> {
        let fd = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol)?;
        // Without these it works as well, and tells less.
        for option in [NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK] {
            let _ = set_netlink_option(fd.as_fd(), option);
        }
        Ok(Socket { fd, sequence: 0, buffer: vec![0; DATAGRAM] })
    }

    /// Has the kernel send what happens from now on: `groups` are numbers of RTNLGRP_*, up to 32.
    pub fn subscribe(&self, groups: &[u32]) -> io::Result<()> {
        let mask = groups.iter().fold(0, |mask, group| mask | 1 << (group - 1));
        Ok(bind(self.fd.as_raw_fd(), &NetlinkAddr::new(0, mask))?)
    }

    /// Hands over what has happened since [`Socket::subscribe`] or the last time. Where more has
    /// happened than could be kept, nobody knows what: so what it was is only ever a reason to look.
    pub fn news(&mut self, mut each: impl FnMut(&Message<'_>)) -> io::Result<()> {
        loop {
            match recv(self.fd.as_raw_fd(), &mut self.buffer, MsgFlags::MSG_DONTWAIT) {
                Ok(length) => messages(&self.buffer[..length]).for_each(|message| each(&message)),
                Err(nix::Error::ENOBUFS | nix::Error::EINTR) => {}
                Err(nix::Error::EAGAIN) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Sends requests, many at once, and tells all that were refused. The kernel goes on after a
    /// request that failed: whoever minds has to undo what came after it.
    pub fn carry_out(&mut self, requests: &[Request<'_>]) -> Result<(), Error> {
        let mut refused = Vec::new();
        for (chunk, part) in requests.chunks(AT_ONCE).enumerate() {
            let all: Vec<_> = part.iter().collect();
            let among = self.exchange(&all, part.len() - 1, false)?;
            refused.extend(among.into_iter().map(|refusal| refusal.after(chunk * AT_ONCE)));
        }
        if refused.is_empty() { Ok(()) } else { Err(Error::Refused(refused)) }
    }

    /// Sends requests between two that make them one transaction: all are carried out, or none.
    pub fn transact(&mut self, begin: &Request<'_>, requests: &[Request<'_>], end: &Request<'_>) -> Result<(), Error> {
        let all: Vec<_> = [begin].into_iter().chain(requests).chain([end]).collect();
        match self.exchange(&all, requests.len(), true)? {
            refused if refused.is_empty() => Ok(()),
            refused => Err(Error::Refused(refused)),
        }
    }

    /// Sends all at once, and reads the answers. No answer to a request means that nothing was wrong
    /// with it; the `last` one is answered in any case. Where an error of the first speaks for
    /// `whole`, no other answer comes.
    fn exchange(&mut self, requests: &[&Request<'_>], last: usize, whole: bool) -> Result<Vec<Refusal>, Error> {
        let first = self.sequence.wrapping_add(1);
        let mut bytes = Vec::new();
        for (index, request) in requests.iter().enumerate() {
            let flags = flag::REQUEST | request.flags | if index == last { flag::ACK } else { 0 };
            self.sequence = self.sequence.wrapping_add(1);
            message::append(&mut bytes, request.kind, flags, self.sequence, request.body.bytes());
        }
        send(self.fd.as_raw_fd(), &bytes, MsgFlags::empty())?;
        let mut refused = Vec::new();
        self.answers(first, last, |index, message| {
            if message.kind == message::ERROR {
                refused.extend(Refusal::of(requests[index], index, message));
                return Ok(index == last || whole && index == 0);
            }
            Ok(false)
        })?;
        Ok(refused)
    }

    /// Asks for one thing.
    pub fn one<T>(&mut self, request: &Request<'_>, read: impl Fn(&[u8]) -> Option<T>) -> Result<T, Error> {
        let sequence = self.ask(request, 0)?;
        let mut found = None;
        self.answers(sequence, 0, |_, message| {
            not_refused(request, message)?;
            found = read(message.body);
            Ok(true)
        })?;
        found.ok_or_else(|| Error::Socket(io::Error::other(format!("can't {}: a strange answer", request.what))))
    }

    /// Asks for all there are, and keeps what `read` makes of them.
    pub fn all<T>(&mut self, request: &Request<'_>, read: impl Fn(&[u8]) -> Option<T>) -> Result<Vec<T>, Error> {
        loop {
            let sequence = self.ask(request, flag::DUMP)?;
            let (mut found, mut interrupted) = (Vec::new(), false);
            self.answers(sequence, 0, |_, message| {
                interrupted |= message.flags & flag::INTERRUPTED != 0;
                not_refused(request, message)?;
                let over = matches!(message.kind, message::ERROR | message::DONE);
                found.extend((!over).then(|| read(message.body)).flatten());
                Ok(over)
            })?;
            // What changed while it was read may be there twice, or not at all.
            if !interrupted {
                return Ok(found);
            }
        }
    }

    fn ask(&mut self, request: &Request<'_>, flags: u16) -> Result<u32, Error> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut bytes = Vec::new();
        let flags = flag::REQUEST | request.flags | flags;
        message::append(&mut bytes, request.kind, flags, self.sequence, request.body.bytes());
        send(self.fd.as_raw_fd(), &bytes, MsgFlags::empty())?;
        Ok(self.sequence)
    }

    /// Hands over the answers to the requests from number `first` to that `last` places after it,
    /// until `each` says that there are no more.
    fn answers(
        &mut self,
        first: u32,
        last: usize,
        mut each: impl FnMut(usize, &Message<'_>) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        loop {
            let length = match recv(self.fd.as_raw_fd(), &mut self.buffer, MsgFlags::MSG_TRUNC) {
                Err(nix::Error::EINTR) => continue,
                other => other?,
            };
            let datagram = self.buffer.get(..length);
            for message in messages(datagram.ok_or_else(|| io::Error::other("an answer is too long to be read"))?) {
                // Answers to an earlier question that was given up, and news, are not for this one.
                let index = message.sequence.wrapping_sub(first) as usize;
                if index <= last && each(index, &message)? {
                    return Ok(());
                }
            }
        }
    }
}

impl From<Socket> for OwnedFd {
    fn from(socket: Socket) -> OwnedFd {
        socket.fd
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// The last message of a dump may be an error as well.
fn not_refused(request: &Request<'_>, message: &Message<'_>) -> Result<(), Error> {
    if !matches!(message.kind, message::ERROR | message::DONE) {
        return Ok(());
    }
    Refusal::of(request, 0, message).map_or(Ok(()), |refusal| Err(Error::Refused(vec![refusal])))
}
