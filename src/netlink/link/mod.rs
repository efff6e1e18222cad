//! Links: the interfaces of a network namespace, rtnetlink(7).

mod add;
mod found;
mod set;

pub use add::{End, IpvlanMode, Kind, MacvlanMode, add};
pub use found::{Link, find, list, read};
pub use set::{Change, set};

use super::message::{Body, Request};

pub(super) const RTM_NEWLINK: u16 = 16;
pub(super) const RTM_DELLINK: u16 = 17;
const RTM_GETLINK: u16 = 18;

// Of linux/if_link.h.
const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_LINK: u16 = 5;
const IFLA_MASTER: u16 = 10;
const IFLA_LINKINFO: u16 = 18;
const IFLA_IFALIAS: u16 = 20;
const IFLA_NET_NS_FD: u16 = 28;
const IFLA_LINK_NETNSID: u16 = 37;
const IFLA_INFO_KIND: u16 = 1;

/// IFF_UP.
const UP: u32 = libc::IFF_UP as u32;

/// A hardware address.
pub type Mac = [u8; 6];

/// What a link can be told by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which<'a> {
    /// Its number.
    Index(u32),
    /// Its name.
    Name(&'a str),
}

/// Removes a link, and with it the other end of a pair.
pub fn delete(which: Which<'_>) -> Request<'_> {
    asking(RTM_DELLINK, format!("delete link {}", which_text(which)), which)
}

fn asking<'a>(kind: u16, what: String, which: Which<'a>) -> Request<'a> {
    let mut body = Body::new(&header(if let Which::Index(index) = which { index } else { 0 }, 0, 0));
    if let Which::Name(name) = which {
        body.put_text(IFLA_IFNAME, name);
    }
    Request { what, kind, flags: 0, body }
}

/// struct ifinfomsg.
fn header(index: u32, flags: u32, change: u32) -> [u8; 16] {
    let mut header = [0; 16];
    header[4..8].copy_from_slice(&index.to_ne_bytes());
    header[8..12].copy_from_slice(&flags.to_ne_bytes());
    header[12..16].copy_from_slice(&change.to_ne_bytes());
    header
}

fn which_text(which: Which<'_>) -> String {
    match which {
        Which::Index(index) => index.to_string(),
        Which::Name(name) => name.to_owned(),
    }
}
