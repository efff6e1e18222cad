//! The sockets of the network namespace, sock_diag(7).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::socket::SockProtocol;

use super::message::{Body, Request, attributes, u32_at};
use super::socket::Socket;

const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// States of linux/tcp_states.h, which all families use.
const CLOSE: u8 = 7;
const LISTEN: u8 = 10;
/// An attribute of linux/inet_diag.h: does an IPv6 socket take no IPv4?
const INET_DIAG_SKV6ONLY: u16 = 11;
/// Of linux/unix_diag.h: the name that a socket is bound to, and the file of that name.
const UNIX_DIAG_NAME: u16 = 0;
const UNIX_DIAG_VFS: u16 = 1;

/// An internet protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Of which those sockets count that listen.
    Tcp = 6,
    /// Of which those sockets count that are bound and not connected.
    Udp = 17,
}

/// A socket that waits for clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InetSocket {
    /// The address that it is bound to.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
    /// Are IPv4 clients kept from it?
    pub only_v6: bool,
}

/// A UNIX socket that waits for clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnixSocket<'b> {
    /// The name that it was bound to; an abstract one begins with NUL.
    pub name: Option<&'b [u8]>,
    /// The inode number of the file.
    pub inode: Option<u32>,
}

/// A connection to the kernel. It tells of the network namespace in which it was opened.
#[derive(Debug)]
pub struct SockDiag(Socket);

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    /// The one that it names.
    One,
    /// All there are, narrowed down by what it names.
    All,
}

impl SockDiag {
    /// Opens it.
    pub fn open() -> io::Result<SockDiag> {
        Ok(SockDiag(Socket::open(SockProtocol::NetlinkSockDiag)?))
    }

    /// Is there a TCP socket that would take a connection to the address? The kernel looks it up as
    /// it does for a client, in the twentieth part of the time that all sockets take.
    pub fn takes_connection(&mut self, address: IpAddr, port: u16) -> io::Result<bool> {
        let request = inet_request(Protocol::Tcp, address, port);
        match self.any(Ask::One, &request, |body| inet_socket(body).is_some_and(|socket| socket.port == port)) {
            // A kernel without IPv6 says EINVAL.
            Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::EINVAL)) => Ok(false),
            other => other,
        }
    }

    /// Does a socket wait at `port` that `fits`?
    pub fn any_inet(&mut self, protocol: Protocol, port: u16, fits: impl Fn(&InetSocket) -> bool) -> io::Result<bool> {
        for family in [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)] {
            let request = inet_request(protocol, family, port);
            if self.any(Ask::All, &request, |body| {
                inet_socket(body).is_some_and(|socket| socket.port == port && fits(&socket))
            })? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Does a UNIX socket wait that `fits`?
    pub fn any_unix(&mut self, fits: impl Fn(&UnixSocket) -> bool) -> io::Result<bool> {
        self.any(Ask::All, &unix_request(), |body| unix_socket(body).is_some_and(|socket| fits(&socket)))
    }

    /// Does what the kernel has fit? It has all or one, as is asked.
    fn any(&mut self, ask: Ask, request: &[u8], fits: impl Fn(&[u8]) -> bool) -> io::Result<bool> {
        let (kind, body) = (SOCK_DIAG_BY_FAMILY, Body::new(request));
        let request = Request { what: "list sockets".into(), kind, flags: 0, body };
        let fitting = |body: &[u8]| fits(body).then_some(());
        match ask {
            Ask::One => Ok(self.0.one(&request, |body| Some(fits(body)))?),
            Ask::All => match self.0.all(&request, fitting) {
                Err(error) if error.errno() == Some(libc::ENOENT) => Err(io::Error::other(
                    "this kernel can't tell (CONFIG_INET_DIAG, CONFIG_INET_UDP_DIAG, CONFIG_UNIX_DIAG)",
                )),
                all => Ok(!all?.is_empty()),
            },
        }
    }
}

impl AsFd for SockDiag {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// struct inet_diag_req_v2. Of all sockets those at the port are meant, whatever the address.
fn inet_request(protocol: Protocol, address: IpAddr, port: u16) -> Vec<u8> {
    let state = match protocol {
        Protocol::Tcp => LISTEN,
        Protocol::Udp => CLOSE,
    };
    let (family, address) = match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            (libc::AF_INET, [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
        }
        IpAddr::V6(address) => (libc::AF_INET6, address.octets()),
    };
    let mut request = vec![family as u8, protocol as u8, 0, 0];
    request.extend((1u32 << state).to_ne_bytes());
    request.extend(port.to_be_bytes());
    // The other port: any.
    request.extend([0; 2]);
    request.extend(address);
    // The other address, the interface: any. The cookie: none.
    request.extend([0; 16 + 4]);
    request.extend([0xff; 8]);
    request
}

/// struct inet_diag_msg.
fn inet_socket(body: &[u8]) -> Option<InetSocket> {
    const MESSAGE: usize = 72;
    let port = u16::from_be_bytes(body.get(4..6)?.try_into().ok()?);
    let bytes: [u8; 16] = body.get(8..24)?.try_into().ok()?;
    let address = match i32::from(*body.first()?) {
        libc::AF_INET => IpAddr::V4(Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3])),
        libc::AF_INET6 => IpAddr::V6(Ipv6Addr::from(bytes)),
        _ => return None,
    };
    let only_v6 = attributes(body.get(MESSAGE..)?).any(|(kind, value)| kind == INET_DIAG_SKV6ONLY && value == [1]);
    Some(InetSocket { address, port, only_v6 })
}

/// struct unix_diag_req.
fn unix_request() -> Vec<u8> {
    const SHOW_NAME: u32 = 1;
    const SHOW_VFS: u32 = 2;
    let mut request = vec![libc::AF_UNIX as u8, 0, 0, 0];
    request.extend((1u32 << LISTEN | 1 << CLOSE).to_ne_bytes());
    request.extend([0; 4]);
    request.extend((SHOW_NAME | SHOW_VFS).to_ne_bytes());
    request.extend([0xff; 8]);
    request
}

/// struct unix_diag_msg. A stream socket that is bound and does not listen yet is none that waits.
fn unix_socket(body: &[u8]) -> Option<UnixSocket<'_>> {
    const MESSAGE: usize = 16;
    let (kind, state) = (i32::from(*body.get(1)?), *body.get(2)?);
    if state != LISTEN && kind != libc::SOCK_DGRAM {
        return None;
    }
    let mut socket = UnixSocket { name: None, inode: None };
    for (kind, value) in attributes(body.get(MESSAGE..)?) {
        match kind {
            UNIX_DIAG_NAME => socket.name = Some(value.strip_suffix(b"\0").unwrap_or(value)),
            UNIX_DIAG_VFS => socket.inode = u32_at(value, 0),
            _ => {}
        }
    }
    Some(socket)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_endian = "little")]
    use crate::netlink::message::messages;
    use std::net::{TcpListener, UdpSocket};
    use std::os::unix::net::{UnixDatagram, UnixListener};

    /// What Linux 6.18 answered for a listener at [::]:18080 that takes no IPv4.
    #[cfg(target_endian = "little")]
    const INET: &str = "840000001400020001000000147000000a0a000046a000000000000000000000000000000000000000000000\
        0000000000000000000000000000000005030000000000000000000000000000800000000000000095a31200\
        050008000000000005000b000100000008000f00000000000c00150001000000000000000600160012000000";
    /// And for one at /tmp/unitcell-sample.
    #[cfg(target_endian = "little")]
    const UNIX: &str = "500000001400020001000000116c000001010a00ea9d12000313000000000000190000002f746d702f756e6974\
        63656c6c2d73616d706c65000000000c000100c2c098000000e00f0500060000000000";

    #[cfg(target_endian = "little")]
    fn body(hex: &str) -> Vec<u8> {
        let digit = |byte: u8| char::from(byte).to_digit(16).unwrap() as u8;
        let bytes: Vec<u8> = hex.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect();
        let message = messages(&bytes).next().unwrap();
        assert_eq!((message.kind, message.sequence), (SOCK_DIAG_BY_FAMILY, 1));
        message.body.to_vec()
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn an_answer_is_read() {
        let sample = body(INET);
        let socket = inet_socket(&sample).unwrap();
        assert_eq!(socket, InetSocket { address: "::".parse().unwrap(), port: 18080, only_v6: true });
        // Cut short, it says less and is no reason to fall over.
        for length in 0..sample.len() {
            let _ = inet_socket(&sample[..length]);
        }
        let mut v4 = sample.clone();
        v4[0] = libc::AF_INET as u8;
        assert_eq!(inet_socket(&v4).unwrap().address, "0.0.0.0".parse::<IpAddr>().unwrap());
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn a_unix_answer_is_read() {
        let mut sample = body(UNIX);
        let socket = UnixSocket { name: Some(b"/tmp/unitcell-sample"), inode: Some(0x98c0c2) };
        assert_eq!(unix_socket(&sample), Some(socket));
        sample[2] = CLOSE;
        assert_eq!(unix_socket(&sample), None, "bound is not listening");
        sample[1] = libc::SOCK_DGRAM as u8;
        assert_eq!(unix_socket(&sample), Some(socket), "but a datagram socket knows no listening");
    }

    #[test]
    fn sockets_of_this_process_are_found() {
        let mut diag = SockDiag::open().unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = tcp.local_addr().unwrap().port();
        let here = |socket: &InetSocket| socket.address.is_loopback();
        assert!(diag.any_inet(Protocol::Tcp, port, here).unwrap());
        assert!(!diag.any_inet(Protocol::Udp, port, here).unwrap());
        assert!(diag.takes_connection(Ipv4Addr::LOCALHOST.into(), port).unwrap());
        assert!(!diag.takes_connection(Ipv6Addr::LOCALHOST.into(), port).unwrap());
        assert!(!diag.takes_connection("127.0.0.2".parse().unwrap(), port).unwrap());
        assert!(!diag.takes_connection(Ipv4Addr::UNSPECIFIED.into(), port).unwrap());
        drop(tcp);
        assert!(!diag.takes_connection(Ipv4Addr::LOCALHOST.into(), port).unwrap());
        assert!(!diag.any_inet(Protocol::Tcp, port, here).unwrap());
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        assert!(diag.any_inet(Protocol::Udp, udp.local_addr().unwrap().port(), here).unwrap());

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("stream");
        let named = |socket: &UnixSocket| socket.name == Some(path.as_os_str().as_encoded_bytes());
        assert!(!diag.any_unix(named).unwrap());
        let _listener = UnixListener::bind(&path).unwrap();
        assert!(diag.any_unix(named).unwrap());
        let other = directory.path().join("datagram");
        let _datagram = UnixDatagram::bind(&other).unwrap();
        assert!(diag.any_unix(|socket| socket.name == Some(other.as_os_str().as_encoded_bytes())).unwrap());
    }
}
