//! Links that there are.

use super::{
    IFLA_ADDRESS, IFLA_IFALIAS, IFLA_IFNAME, IFLA_INFO_KIND, IFLA_LINK, IFLA_LINK_NETNSID, IFLA_LINKINFO, IFLA_MASTER,
    IFLA_MTU, Mac, RTM_GETLINK, UP, Which, asking, which_text,
};
use crate::netlink::error::Error;
use crate::netlink::message::{attributes, text, u32_at};
use crate::netlink::socket::Socket;

/// A link that there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its number in its namespace.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// IFF_… flags, netdevice(7).
    pub flags: u32,
    /// What it is: `veth`, `bridge`; none for hardware and lo.
    pub kind: Option<String>,
    /// Its MTU.
    pub mtu: u32,
    /// Its hardware address.
    pub mac: Option<Mac>,
    /// The bridge that it is a port of.
    pub master: Option<u32>,
    /// The number of the other end, or of the parent, in the namespace where that is.
    pub peer: Option<u32>,
    /// The number that the socket's namespace has for the one where that is, if that is another.
    pub peer_nsid: Option<i32>,
    /// A text for people.
    pub alias: Option<String>,
}

impl Link {
    /// Is it lo?
    pub fn is_loopback(&self) -> bool {
        self.flags & libc::IFF_LOOPBACK as u32 != 0
    }

    /// Is it switched on?
    pub fn is_up(&self) -> bool {
        self.flags & UP != 0
    }

    /// Does it carry packets? A pair does while both ends are up, a bridge while it has a port that does.
    pub fn carries(&self) -> bool {
        const RUNNING: u32 = libc::IFF_RUNNING as u32;
        /// What IFF_RUNNING follows in a moment.
        const LOWER_UP: u32 = 1 << 16;
        self.flags & (UP | RUNNING | LOWER_UP) == UP | RUNNING | LOWER_UP
    }
}

/// All links of the namespace.
pub fn list(socket: &mut Socket) -> Result<Vec<Link>, Error> {
    socket.all(&asking(RTM_GETLINK, "list links".to_owned(), Which::Index(0)), read)
}

/// One link, if there is such a one.
pub fn find(socket: &mut Socket, which: Which<'_>) -> Result<Option<Link>, Error> {
    match socket.one(&asking(RTM_GETLINK, format!("find link {}", which_text(which)), which), read) {
        Err(error) if error.errno() == Some(libc::ENODEV) => Ok(None),
        found => found.map(Some),
    }
}

/// A link, out of the body of a message.
pub fn read(body: &[u8]) -> Option<Link> {
    const HEADER: usize = 16;
    let (index, flags) = (u32_at(body, 4)?, u32_at(body, 8)?);
    let mut link = Link {
        index,
        name: String::new(),
        flags,
        kind: None,
        mtu: 0,
        mac: None,
        master: None,
        peer: None,
        peer_nsid: None,
        alias: None,
    };
    for (kind, value) in attributes(body.get(HEADER..)?) {
        match kind {
            IFLA_IFNAME => link.name = text(value),
            IFLA_MTU => link.mtu = u32_at(value, 0)?,
            IFLA_ADDRESS => link.mac = value.try_into().ok(),
            IFLA_MASTER => link.master = u32_at(value, 0),
            IFLA_LINK => link.peer = u32_at(value, 0),
            IFLA_LINK_NETNSID => link.peer_nsid = u32_at(value, 0).map(u32::cast_signed),
            IFLA_IFALIAS => link.alias = Some(text(value)),
            IFLA_LINKINFO => {
                link.kind = attributes(value).find(|(kind, _)| *kind == IFLA_INFO_KIND).map(|(_, value)| text(value));
            }
            _ => {}
        }
    }
    Some(link)
}

#[cfg(test)]
mod tests {
    use super::super::{End, Kind, RTM_NEWLINK, add};
    use super::*;
    use crate::netlink::message::{append, messages};

    #[test]
    fn a_message_cut_short_is_no_link() {
        let mut bytes = Vec::new();
        let body = add(&End { name: "br0", index: 9, ..End::default() }, Kind::Bridge, None).body;
        append(&mut bytes, RTM_NEWLINK, 0, 1, body.bytes());
        let message = messages(&bytes).next().unwrap();
        let link = read(message.body).unwrap();
        assert_eq!((link.index, link.name.as_str(), link.kind.as_deref()), (9, "br0", Some("bridge")));
        for length in 0..message.body.len() {
            let _ = read(&message.body[..length]);
        }
        assert_eq!(read(&[]), None);
    }
}
