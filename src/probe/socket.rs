//! Does a socket wait where a client would look for it?

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::MetadataExt;

use crate::cell::condition::{Endpoint, UnixName};
use crate::netlink::sock_diag::{InetSocket, Protocol, SockDiag, UnixSocket};

/// Does a TCP socket listen at the endpoint? Where no address is told, one at an address that is
/// none of this machine's own is found by a `thorough` look only.
pub fn tcp(diag: &mut SockDiag, endpoint: &Endpoint, thorough: bool) -> io::Result<bool> {
    let own = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    let likely = match &endpoint.address {
        Some(address) => std::slice::from_ref(address),
        None => own.as_slice(),
    };
    for address in likely {
        if diag.takes_connection(address.to_canonical(), endpoint.port)? {
            return Ok(true);
        }
    }
    Ok(thorough && diag.any_inet(Protocol::Tcp, endpoint.port, |socket| serves(socket, endpoint))?)
}

/// Is a UDP socket bound at the endpoint?
pub fn udp(diag: &mut SockDiag, endpoint: &Endpoint) -> io::Result<bool> {
    diag.any_inet(Protocol::Udp, endpoint.port, |socket| serves(socket, endpoint))
}

/// Would a client of the endpoint's address reach the socket?
fn serves(socket: &InetSocket, endpoint: &Endpoint) -> bool {
    let Some(wanted) = endpoint.address else { return true };
    // An IPv6 socket takes IPv4 clients under mapped addresses, ipv6(7).
    let bound = socket.address.to_canonical();
    match (bound, wanted.to_canonical()) {
        (bound, wanted) if bound == wanted => true,
        (IpAddr::V4(any), IpAddr::V4(_)) => any.is_unspecified(),
        (IpAddr::V6(any), IpAddr::V6(_)) => any.is_unspecified(),
        (IpAddr::V6(any), IpAddr::V4(_)) => any.is_unspecified() && !socket.only_v6,
        (IpAddr::V4(_), IpAddr::V6(_)) => false,
    }
}

/// Does a UNIX socket wait under the name?
pub fn unix(diag: &mut SockDiag, name: &UnixName) -> io::Result<bool> {
    match name {
        UnixName::Abstract(name) => {
            diag.any_unix(|socket| socket.name.and_then(|own| own.strip_prefix(b"\0")) == Some(name.as_bytes()))
        }
        UnixName::Path(path) => {
            // No file, no socket; and the kernel need not be asked for all sockets there are.
            let Ok(file) = fs::metadata(path) else { return Ok(false) };
            // The file may be bound under another name: a relative one, or one behind a link. The
            // name alone is not enough either: a file that was left behind may have it.
            diag.any_unix(|socket: &UnixSocket| match socket.inode {
                // The kernel tells the lower half only.
                Some(inode) => u64::from(inode) == file.ino() & u64::from(u32::MAX),
                None => socket.name == Some(path.as_bytes()),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reached(bound: &str, only_v6: bool, wanted: &str) -> bool {
        let socket = InetSocket { address: bound.parse().unwrap(), port: 80, only_v6 };
        let address = (!wanted.is_empty()).then(|| wanted.parse().unwrap());
        serves(&socket, &Endpoint { address, port: 80 })
    }

    #[test]
    fn a_socket_serves_the_addresses_that_reach_it() {
        for (bound, wanted) in [
            ("127.0.0.1", ""),
            ("::1", ""),
            ("127.0.0.1", "127.0.0.1"),
            ("0.0.0.0", "127.0.0.1"),
            ("::", "::1"),
            ("::", "127.0.0.1"),
            ("::", "0.0.0.0"),
            ("::ffff:127.0.0.1", "127.0.0.1"),
            ("127.0.0.1", "::ffff:127.0.0.1"),
        ] {
            assert!(reached(bound, false, wanted), "{bound} serves {wanted}");
        }
        for (bound, only_v6, wanted) in [
            ("127.0.0.1", false, "127.0.0.2"),
            ("127.0.0.1", false, "0.0.0.0"),
            ("0.0.0.0", false, "::1"),
            ("::1", false, "::"),
            ("::", true, "127.0.0.1"),
            ("::1", false, "127.0.0.1"),
        ] {
            assert!(!reached(bound, only_v6, wanted), "{bound} does not serve {wanted}");
        }
    }
}
