//! Addresses of links, rtnetlink(7).

use ipnet::IpNet;

use super::error::Error;
use super::ip::{family, ip, octets};
use super::message::{Body, Request, attributes, flag, u32_at};
use super::socket::Socket;

const RTM_NEWADDR: u16 = 20;
const RTM_DELADDR: u16 = 21;
const RTM_GETADDR: u16 = 22;

// Of linux/if_addr.h.
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_BROADCAST: u16 = 4;
const IFA_FLAGS: u16 = 8;

/// Of IFA_FLAGS: another machine has it already.
const DADFAILED: u32 = 0x08;
/// No other machine can have it: use it at once.
const NODAD: u32 = 0x02;
/// Whether another machine has it is being found out.
const TENTATIVE: u32 = 0x40;
/// It may be used while that is so.
const OPTIMISTIC: u32 = 0x04;

/// Whether duplicate address detection is wanted; IPv4 has none in the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detection {
    /// As the link is set up.
    #[default]
    Usual,
    /// None: both ends of the link are ours.
    Never,
}

/// An address of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// The number of the link.
    pub link: u32,
    /// The address, and how much of it the network has.
    pub net: IpNet,
    /// IFA_F_… flags.
    pub flags: u32,
}

impl Address {
    /// Can it not be used yet?
    pub fn is_tentative(&self) -> bool {
        self.flags & (TENTATIVE | OPTIMISTIC) == TENTATIVE && !self.is_duplicate()
    }

    /// Has another machine got it?
    pub fn is_duplicate(&self) -> bool {
        self.flags & DADFAILED != 0
    }
}

/// Gives a link an address.
pub fn add(link: u32, net: IpNet, detection: Detection) -> Request<'static> {
    let mut body = body(link, net);
    // As systemd-networkd has it: the last address of a network that has more than two.
    if let IpNet::V4(v4) = net
        && v4.prefix_len() <= 30
    {
        body.put(IFA_BROADCAST, &v4.broadcast().octets());
    }
    if detection == Detection::Never && net.addr().is_ipv6() {
        body.put_u32(IFA_FLAGS, NODAD);
    }
    let flags = flag::CREATE | flag::EXCLUSIVE;
    Request { what: format!("add address {net} to link {link}"), kind: RTM_NEWADDR, flags, body }
}

/// Takes an address from a link.
pub fn delete(link: u32, net: IpNet) -> Request<'static> {
    let what = format!("delete address {net} of link {link}");
    Request { what, kind: RTM_DELADDR, flags: 0, body: body(link, net) }
}

/// All addresses of the namespace.
pub fn list(socket: &mut Socket) -> Result<Vec<Address>, Error> {
    let request =
        Request { what: "list addresses".to_owned(), kind: RTM_GETADDR, flags: 0, body: Body::new(&header(0, 0, 0)) };
    socket.all(&request, read)
}

/// An address, out of the body of a message.
pub fn read(body: &[u8]) -> Option<Address> {
    const HEADER: usize = 8;
    let (length, mut flags, link) = (*body.get(1)?, u32::from(*body.get(2)?), u32_at(body, 4)?);
    let (mut address, mut local) = (None, None);
    for (kind, value) in attributes(body.get(HEADER..)?) {
        match kind {
            IFA_ADDRESS => address = ip(value),
            IFA_LOCAL => local = ip(value),
            IFA_FLAGS => flags = u32_at(value, 0)?,
            _ => {}
        }
    }
    // On a point-to-point link the two differ, and the first is the other side's.
    Some(Address { link, net: IpNet::new(local.or(address)?, length).ok()?, flags })
}

fn body(link: u32, net: IpNet) -> Body<'static> {
    let mut body = Body::new(&header(family(net.addr()), net.prefix_len(), link));
    let octets = octets(net.addr());
    body.put(IFA_LOCAL, &octets).put(IFA_ADDRESS, &octets);
    body
}

/// struct ifaddrmsg.
fn header(family: u8, length: u8, link: u32) -> [u8; 8] {
    let [a, b, c, d] = link.to_ne_bytes();
    [family, length, 0, 0, a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_back(text: &str, detection: Detection) -> Address {
        read(add(3, text.parse().unwrap(), detection).body.bytes()).unwrap()
    }

    #[test]
    fn an_address_reads_back() {
        for text in ["10.1.0.2/24", "10.1.0.2/32", "fd00::2/64"] {
            let address = Address { link: 3, net: text.parse().unwrap(), flags: 0 };
            assert_eq!(read_back(text, Detection::Usual), address);
        }
        assert_eq!(read_back("fd00::2/64", Detection::Never).flags, NODAD);
        assert_eq!(read_back("10.1.0.2/24", Detection::Never).flags, 0, "IPv4 knows no such flag");
    }

    #[test]
    fn a_broadcast_address_takes_a_network_that_has_room_for_it() {
        let broadcast = |text: &str| {
            let request = add(3, text.parse().unwrap(), Detection::Usual);
            attributes(&request.body.bytes()[8..]).find(|(kind, _)| *kind == IFA_BROADCAST).and_then(|(_, v)| ip(v))
        };
        assert_eq!(broadcast("10.1.0.2/30"), Some("10.1.0.3".parse().unwrap()));
        assert_eq!(broadcast("10.1.0.2/31"), None);
        assert_eq!(broadcast("fd00::2/64"), None);
    }

    #[test]
    fn the_flags_tell_whether_it_can_be_used() {
        let with = |flags| Address { flags, ..read_back("fd00::2/64", Detection::Usual) };
        for (flags, tentative, duplicate) in
            [(0x80, false, false), (0xc0, true, false), (0xc4, false, false), (0xc8, false, true)]
        {
            assert_eq!((with(flags).is_tentative(), with(flags).is_duplicate()), (tentative, duplicate), "{flags:#x}");
        }
    }
}
