//! Links: the interfaces of a network namespace, rtnetlink(7).

use std::os::fd::BorrowedFd;

use super::error::Error;
use super::message::{Body, Request, attributes, flag, text, u32_at};
use super::socket::Socket;

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
const IFLA_INFO_DATA: u16 = 2;
const VETH_INFO_PEER: u16 = 1;
const IFLA_MACVLAN_MODE: u16 = 1;
const IFLA_IPVLAN_MODE: u16 = 1;

/// IFF_UP.
const UP: u32 = libc::IFF_UP as u32;

/// A hardware address.
pub type Mac = [u8; 6];

/// What a new link is to be.
#[derive(Debug, Clone, Copy)]
pub enum Kind<'a> {
    /// One end of a pair, and the other.
    Veth(&'a End<'a>),
    /// A switch.
    Bridge,
    /// A further hardware address on a link.
    Macvlan(MacvlanMode),
    /// A further address on a link, which shares its hardware address.
    Ipvlan(IpvlanMode),
}

/// How macvlan links on one parent see each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MacvlanMode {
    /// Not at all.
    Private = 1,
    /// Over the switch outside.
    Vepa = 2,
    /// At once.
    Bridge = 4,
    /// There is one alone, and it takes the parent over.
    Passthru = 8,
    /// By lists of sources.
    Source = 16,
}

/// Where an ipvlan link's packets are routed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IpvlanMode {
    /// Where it is itself.
    L2 = 0,
    /// Where its parent is.
    L3 = 1,
    /// The same, with the parent's netfilter.
    L3s = 2,
}

/// One end of a link, and where it is to be.
#[derive(Debug, Clone, Copy, Default)]
pub struct End<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its number; the kernel chooses one where it is 0. Who chooses can go on in the same send.
    pub index: u32,
    /// The namespace that it is born in, where that is another one than the socket's.
    pub namespace: Option<BorrowedFd<'a>>,
    /// Its MTU, where it is to be another one than the kernel's choice.
    pub mtu: Option<u32>,
    /// Its hardware address, likewise.
    pub mac: Option<Mac>,
}

/// Makes a link, which is down.
///
/// `parent` is the number, in the socket's namespace, of the link that a macvlan or ipvlan is on.
pub fn add<'a>(end: &End<'a>, kind: Kind<'a>, parent: Option<u32>) -> Request<'a> {
    let name = match kind {
        Kind::Veth(_) => "veth",
        Kind::Bridge => "bridge",
        Kind::Macvlan(_) => "macvlan",
        Kind::Ipvlan(_) => "ipvlan",
    };
    let mut data = Body::new(&[]);
    match kind {
        Kind::Veth(peer) => data.put_nested(VETH_INFO_PEER, &end_body(peer)),
        Kind::Bridge => &mut data,
        Kind::Macvlan(mode) => data.put_u32(IFLA_MACVLAN_MODE, mode as u32),
        Kind::Ipvlan(mode) => data.put(IFLA_IPVLAN_MODE, &(mode as u16).to_ne_bytes()),
    };
    let mut info = Body::new(&[]);
    info.put_text(IFLA_INFO_KIND, name).put_nested(IFLA_INFO_DATA, &data);
    let mut body = end_body(end);
    if let Some(parent) = parent {
        body.put_u32(IFLA_LINK, parent);
    }
    body.put_nested(IFLA_LINKINFO, &info);
    let what = match kind {
        Kind::Veth(peer) => format!("add veth link {} with peer {}", end.name, peer.name),
        _ => format!("add {name} link {}", end.name),
    };
    Request { what, kind: RTM_NEWLINK, flags: flag::CREATE | flag::EXCLUSIVE, body }
}

fn end_body<'a>(end: &End<'a>) -> Body<'a> {
    let mut body = Body::new(&header(end.index, 0, 0));
    body.put_text(IFLA_IFNAME, end.name);
    if let Some(namespace) = end.namespace {
        body.put_fd(IFLA_NET_NS_FD, namespace);
    }
    if let Some(mtu) = end.mtu {
        body.put_u32(IFLA_MTU, mtu);
    }
    if let Some(mac) = end.mac {
        body.put(IFLA_ADDRESS, &mac);
    }
    body
}

/// What a link can be told by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which<'a> {
    /// Its number.
    Index(u32),
    /// Its name.
    Name(&'a str),
}

/// What is to change about a link; what is `None` stays.
#[derive(Debug, Clone, Copy, Default)]
pub struct Change<'a> {
    /// Up or down?
    pub up: Option<bool>,
    /// Another name; the link must be down on kernels before 6.2.
    pub name: Option<&'a str>,
    /// Another MTU.
    pub mtu: Option<u32>,
    /// Another hardware address.
    pub mac: Option<Mac>,
    /// The bridge that it is a port of; 0 for none.
    pub master: Option<u32>,
    /// The namespace that it moves to, where it is down, without addresses, and nobody's port.
    pub namespace: Option<BorrowedFd<'a>>,
    /// A text for people.
    pub alias: Option<&'a str>,
}

/// Changes a link.
pub fn set<'a>(which: Which<'a>, change: &Change<'a>) -> Request<'a> {
    let mut changes = Vec::new();
    let flags = match change.up {
        Some(true) => UP,
        _ => 0,
    };
    let (index, name) = match which {
        Which::Index(index) => (index, change.name),
        Which::Name(name) => (0, Some(name)),
    };
    let mut body = Body::new(&header(index, flags, if change.up.is_some() { UP } else { 0 }));
    if let Some(up) = change.up {
        changes.push(if up { "up".to_owned() } else { "down".to_owned() });
    }
    if let Some(name) = name {
        body.put_text(IFLA_IFNAME, name);
    }
    if let (Which::Index(_), Some(name)) = (which, name) {
        changes.push(format!("name {name}"));
    }
    if let Some(mtu) = change.mtu {
        body.put_u32(IFLA_MTU, mtu);
        changes.push(format!("mtu {mtu}"));
    }
    if let Some(mac) = change.mac {
        body.put(IFLA_ADDRESS, &mac);
        changes.push(format!("address {}", mac_text(&mac)));
    }
    if let Some(master) = change.master {
        body.put_u32(IFLA_MASTER, master);
        changes.push(if master == 0 { "nomaster".to_owned() } else { format!("master {master}") });
    }
    if let Some(namespace) = change.namespace {
        body.put_fd(IFLA_NET_NS_FD, namespace);
        changes.push("netns".to_owned());
    }
    if let Some(alias) = change.alias {
        body.put_text(IFLA_IFALIAS, alias);
        changes.push(format!("alias {alias}"));
    }
    let what = format!("set link {} {}", which_text(which), changes.join(" "));
    Request { what, kind: RTM_NEWLINK, flags: 0, body }
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

fn mac_text(mac: &Mac) -> String {
    mac.map(|byte| format!("{byte:02x}")).join(":")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::message::messages;

    /// The value of an attribute inside of attributes.
    fn inside(bytes: &[u8], path: &[u16]) -> Option<Vec<u8>> {
        path.iter().try_fold(bytes.to_vec(), |bytes, kind| {
            attributes(&bytes).find(|(found, _)| found == kind).map(|(_, value)| value.to_vec())
        })
    }

    /// What `ip link add link aa name iv0 type ipvlan mode l3` sends, and `type macvlan mode bridge`.
    #[test]
    #[cfg(target_endian = "little")]
    fn modes_are_encoded_as_ip_does() {
        for (kind, name, mode) in [
            (Kind::Ipvlan(IpvlanMode::L3), "ipvlan", [6, 0, 1, 0, 1, 0, 0, 0]),
            (Kind::Macvlan(MacvlanMode::Bridge), "macvlan", [8, 0, 1, 0, 4, 0, 0, 0]),
        ] {
            let request = add(&End { name: "iv0", ..End::default() }, kind, Some(3));
            assert_eq!(request.what, format!("add {name} link iv0"));
            assert_eq!((request.kind, request.flags), (RTM_NEWLINK, 0x600));
            let attributes = &request.body.bytes()[16..];
            assert_eq!(inside(attributes, &[IFLA_LINK]).unwrap(), 3u32.to_ne_bytes());
            assert_eq!(text(&inside(attributes, &[IFLA_LINKINFO, IFLA_INFO_KIND]).unwrap()), name);
            assert_eq!(inside(attributes, &[IFLA_LINKINFO, IFLA_INFO_DATA]).unwrap(), mode);
        }
    }

    #[test]
    fn the_other_end_says_where_it_is_to_be() {
        let namespace = std::fs::File::open("/proc/self/ns/net").unwrap();
        let namespace = std::os::fd::AsFd::as_fd(&namespace);
        let peer = End { name: "eth0", index: 2, namespace: Some(namespace), mtu: Some(1400), mac: Some([2; 6]) };
        let request = add(&End { name: "ve-blue", ..End::default() }, Kind::Veth(&peer), None);
        let data = inside(&request.body.bytes()[16..], &[IFLA_LINKINFO, IFLA_INFO_DATA, VETH_INFO_PEER]).unwrap();
        assert_eq!(u32_at(&data, 4), Some(2));
        let fd = std::os::fd::AsRawFd::as_raw_fd(&namespace).to_ne_bytes();
        for (kind, value) in [
            (IFLA_IFNAME, b"eth0\0".as_slice()),
            (IFLA_NET_NS_FD, &fd),
            (IFLA_MTU, &1400u32.to_ne_bytes()),
            (IFLA_ADDRESS, &[2; 6]),
        ] {
            assert_eq!(inside(&data[16..], &[kind]).unwrap(), value, "{kind}");
        }
    }

    #[test]
    fn a_change_is_told_in_words() {
        let change = Change { up: Some(false), master: Some(0), mac: Some([0xa; 6]), ..Change::default() };
        assert_eq!(set(Which::Name("p0"), &change).what, "set link p0 down address 0a:0a:0a:0a:0a:0a nomaster");
        let renamed = set(Which::Index(7), &Change { name: Some("eth1"), ..Change::default() });
        assert_eq!(renamed.what, "set link 7 name eth1");
        assert_eq!(u32_at(renamed.body.bytes(), 12), Some(0), "no flag is touched");
    }

    #[test]
    fn a_message_cut_short_is_no_link() {
        let mut bytes = Vec::new();
        let body = add(&End { name: "br0", index: 9, ..End::default() }, Kind::Bridge, None).body;
        super::super::message::append(&mut bytes, RTM_NEWLINK, 0, 1, body.bytes());
        let message = messages(&bytes).next().unwrap();
        let link = read(message.body).unwrap();
        assert_eq!((link.index, link.name.as_str(), link.kind.as_deref()), (9, "br0", Some("bridge")));
        for length in 0..message.body.len() {
            let _ = read(&message.body[..length]);
        }
        assert_eq!(read(&[]), None);
    }
}
