//! What is in a network namespace: its interfaces, and where their other ends are.

use std::collections::HashMap;
use std::io;
use std::os::fd::AsFd;

use serde::Serialize;

use super::scan::{Namespace, Scan};
use crate::cell::Kind;
use crate::netlink::link::{self, Link};
use crate::netlink::{Socket, address, nsid};

/// An interface.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Interface {
    /// Its number.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// `veth`, `bridge` and the like; none for hardware and lo.
    pub kind: Option<String>,
    /// Is it switched on?
    pub up: bool,
    /// Its addresses, with the length of their prefix.
    pub addresses: Vec<String>,
    /// The bridge that it is a port of.
    pub master: Option<u32>,
    /// The other end of a pair, or what it is made upon.
    pub peer: Option<Peer>,
}

/// The other end of an interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Peer {
    /// Its number there.
    pub index: u32,
    /// Where it is; none if that is out of sight.
    pub namespace: Option<u64>,
}

impl Interface {
    /// Is it the loopback that every network namespace has?
    pub fn is_loopback(&self) -> bool {
        self.name == "lo"
    }
}

/// The interfaces of a namespace, to who may enter it.
pub fn interfaces(namespace: &Namespace, scan: &Scan) -> io::Result<Vec<Interface>> {
    let file = namespace.open().ok_or(io::ErrorKind::NotFound)?;
    let mut socket = Socket::route_in(&file.into())?;
    let links = link::list(&mut socket).map_err(io::Error::other)?;
    let addresses = address::list(&mut socket).map_err(io::Error::other)?;
    let numbers =
        if links.iter().any(|link| link.peer_nsid.is_some()) { numbers(&mut socket, scan) } else { HashMap::new() };
    let interface = |link: Link| {
        let own = addresses.iter().filter(|address| address.link == link.index);
        let place = match link.peer_nsid {
            None => Some(namespace.inode),
            Some(nsid) => numbers.get(&nsid).copied(),
        };
        Interface {
            index: link.index,
            up: link.is_up(),
            addresses: own.map(|address| address.net.to_string()).collect(),
            master: link.master,
            // A tunnel's is no interface, but 0.
            peer: link.peer.filter(|&index| index != 0).map(|index| Peer { index, namespace: place }),
            kind: link.kind,
            name: link.name,
        }
    };
    Ok(links.into_iter().map(interface).collect())
}

/// The namespaces that have a number in the socket's.
fn numbers(socket: &mut Socket, scan: &Scan) -> HashMap<i32, u64> {
    let networks = scan.namespaces.iter().filter(|namespace| namespace.kind == Kind::Network);
    let number = |namespace: &Namespace| Some((nsid::of(socket, namespace.open()?.as_fd()).ok()??, namespace.inode));
    networks.filter_map(number).collect()
}
