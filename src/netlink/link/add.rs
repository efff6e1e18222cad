//! New links.

use std::os::fd::BorrowedFd;

use super::{
    IFLA_ADDRESS, IFLA_IFNAME, IFLA_INFO_KIND, IFLA_LINK, IFLA_LINKINFO, IFLA_MTU, IFLA_NET_NS_FD, Mac, RTM_NEWLINK,
    header,
};
use crate::netlink::message::{Body, Request, flag};

// Of linux/if_link.h.
const IFLA_INFO_DATA: u16 = 2;
const VETH_INFO_PEER: u16 = 1;
const IFLA_MACVLAN_MODE: u16 = 1;
const IFLA_IPVLAN_MODE: u16 = 1;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::message::{attributes, text, u32_at};

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
}
