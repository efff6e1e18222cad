//! NAT by nftables, in tables of our own: what leaves a network gets the address that it leaves by.
//!
//! A table is replaced and removed as a whole, in one transaction, so nobody else's rules are seen,
//! let alone touched; `nft list table inet NAME` shows ours.

use std::io;
use std::net::IpAddr;

use ipnet::IpNet;
use nix::sys::socket::SockProtocol;

use super::error::Error;
use super::ip::octets;
use super::message::{Body, Request, attributes, flag, text};
use super::socket::Socket;
use crate::sys::namespace::{Namespace, within};
use crate::sys::network::close_later;

// Of linux/netfilter/nfnetlink.h and nf_tables.h.
const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;
const NFTABLES: u16 = 10;
const NEWTABLE: u16 = NFTABLES << 8;
const GETTABLE: u16 = NFTABLES << 8 | 1;
const DELTABLE: u16 = NFTABLES << 8 | 2;
const NEWCHAIN: u16 = NFTABLES << 8 | 3;
const NEWRULE: u16 = NFTABLES << 8 | 6;
const NFTA_TABLE_NAME: u16 = 1;
const NFTA_CHAIN_TABLE: u16 = 1;
const NFTA_CHAIN_NAME: u16 = 3;
const NFTA_CHAIN_HOOK: u16 = 4;
const NFTA_CHAIN_TYPE: u16 = 7;
const NFTA_HOOK_HOOKNUM: u16 = 1;
const NFTA_HOOK_PRIORITY: u16 = 2;
const NFTA_RULE_TABLE: u16 = 1;
const NFTA_RULE_CHAIN: u16 = 2;
const NFTA_RULE_EXPRESSIONS: u16 = 4;
const NFTA_LIST_ELEM: u16 = 1;
const NFTA_EXPR_NAME: u16 = 1;
const NFTA_EXPR_DATA: u16 = 2;
const NFTA_DATA_VALUE: u16 = 1;
/// NFPROTO_INET: both families.
const INET: u8 = 1;
const POSTROUTING: u32 = 4;
/// NF_IP_PRI_NAT_SRC.
const SOURCE_NAT: i32 = 100;
const CHAIN: &str = "postrouting";
/// NFT_REG_1, the only register that is used.
const REGISTER: u32 = 1;

/// A socket that speaks nftables.
#[derive(Debug)]
pub struct Nat(Socket);

impl Nat {
    /// Opens one, in the namespace of the thread.
    pub fn open() -> io::Result<Nat> {
        Ok(Nat(Socket::open(SockProtocol::NetlinkNetFilter)?))
    }

    /// Opens one for another namespace.
    pub fn open_in(namespace: &Namespace) -> io::Result<Nat> {
        within(namespace, libc::CLONE_NEWNET.cast_unsigned(), Nat::open)
    }

    /// Makes the table, in place of one that has the name: what comes from one of the networks and
    /// goes elsewhere is sent from the address of the link that it leaves by.
    pub fn masquerade(&mut self, table: &str, sources: &[IpNet]) -> Result<(), Error> {
        let mut requests = vec![new_table(table, flag::EXCLUSIVE), new_chain(table)];
        requests.extend(sources.iter().map(|source| new_rule(table, *source)));
        match self.transact(&requests) {
            Err(error) if error.errno() == Some(libc::EEXIST) => {}
            other => return other,
        }
        // Only then, for whoever closes the socket has to wait until the old one is gone for good. It
        // may have gone meanwhile, and what is not there can't be deleted; what is there can be made.
        requests.splice(..1, [new_table(table, 0), delete_table(table), new_table(table, 0)]);
        self.transact(&requests)
    }

    /// Removes a table; false if there is none.
    pub fn remove(&mut self, table: &str) -> Result<bool, Error> {
        match self.transact(&[delete_table(table)]) {
            Err(error) if error.errno() == Some(libc::ENOENT) => Ok(false),
            other => other.map(|()| true),
        }
    }

    /// Closes it. Rules that were removed are gone for good some milliseconds later, which is not waited for
    /// where that can be left to the kernel.
    pub fn close(self) {
        close_later(self.0.into());
    }

    /// The names of all tables of the family that ours are of.
    pub fn tables(&mut self) -> Result<Vec<String>, Error> {
        let body = Body::new(&header(INET, 0));
        self.0.all(&Request { what: "list nftables tables".into(), kind: GETTABLE, flags: 0, body }, |body| {
            attributes(body.get(4..)?).find(|(kind, _)| *kind == NFTA_TABLE_NAME).map(|(_, value)| text(value))
        })
    }

    fn transact(&mut self, requests: &[Request<'_>]) -> Result<(), Error> {
        let mark = |what: &str, kind| {
            let body = Body::new(&header(libc::AF_UNSPEC as u8, NFTABLES));
            Request { what: what.to_owned(), kind, flags: 0, body }
        };
        let begin = mark("change nftables", BATCH_BEGIN);
        self.0.transact(&begin, requests, &mark("end an nftables transaction", BATCH_END))
    }
}

fn new_table(table: &str, flags: u16) -> Request<'static> {
    let mut body = Body::new(&header(INET, 0));
    body.put_text(NFTA_TABLE_NAME, table);
    Request { what: format!("add table inet {table}"), kind: NEWTABLE, flags: flag::CREATE | flags, body }
}

fn delete_table(table: &str) -> Request<'static> {
    let mut body = Body::new(&header(INET, 0));
    body.put_text(NFTA_TABLE_NAME, table);
    Request { what: format!("delete table inet {table}"), kind: DELTABLE, flags: 0, body }
}

/// `type nat hook postrouting priority srcnat`
fn new_chain(table: &str) -> Request<'static> {
    let mut hook = Body::new(&[]);
    hook.put(NFTA_HOOK_HOOKNUM, &POSTROUTING.to_be_bytes()).put(NFTA_HOOK_PRIORITY, &SOURCE_NAT.to_be_bytes());
    let mut body = Body::new(&header(INET, 0));
    body.put_text(NFTA_CHAIN_TABLE, table).put_text(NFTA_CHAIN_NAME, CHAIN);
    body.put_nested(NFTA_CHAIN_HOOK, &hook).put_text(NFTA_CHAIN_TYPE, "nat");
    Request { what: format!("add chain inet {table} {CHAIN}"), kind: NEWCHAIN, flags: flag::CREATE, body }
}

/// `ip saddr SOURCE ip daddr != SOURCE masquerade`, or the same of ip6.
fn new_rule(table: &str, source: IpNet) -> Request<'static> {
    /// Where the addresses are in the header of a packet.
    const V4: (u32, u32) = (12, 16);
    const V6: (u32, u32) = (8, 24);
    let (protocol, (from, to)) = match source.addr() {
        IpAddr::V4(_) => (libc::NFPROTO_IPV4 as u8, V4),
        IpAddr::V6(_) => (libc::NFPROTO_IPV6 as u8, V6),
    };
    let source = source.trunc();
    let mut expressions = Body::new(&[]);
    let mut add = |expression: Body<'static>| {
        expressions.put_nested(NFTA_LIST_ELEM, &expression);
    };
    add(load_family());
    add(compare(true, &[protocol]));
    for (offset, equal) in [(from, true), (to, false)] {
        let address = octets(source.network());
        add(load_address(offset, address.len() as u32));
        add(mask(&octets(source.netmask())));
        add(compare(equal, &address));
    }
    add(expression("masq", &Body::new(&[])));
    let mut body = Body::new(&header(INET, 0));
    body.put_text(NFTA_RULE_TABLE, table).put_text(NFTA_RULE_CHAIN, CHAIN);
    body.put_nested(NFTA_RULE_EXPRESSIONS, &expressions);
    let what = format!("add rule inet {table} {CHAIN} to masquerade {source}");
    Request { what, kind: NEWRULE, flags: flag::CREATE | flag::APPEND, body }
}

fn load_family() -> Body<'static> {
    const DREG: u16 = 1;
    const KEY: u16 = 2;
    const NFPROTO: u32 = 15;
    let mut data = Body::new(&[]);
    data.put(DREG, &REGISTER.to_be_bytes()).put(KEY, &NFPROTO.to_be_bytes());
    expression("meta", &data)
}

fn load_address(offset: u32, length: u32) -> Body<'static> {
    const NETWORK_HEADER: u32 = 1;
    let mut data = Body::new(&[]);
    for (kind, value) in (1..).zip([REGISTER, NETWORK_HEADER, offset, length]) {
        data.put(kind, &value.to_be_bytes());
    }
    expression("payload", &data)
}

fn mask(mask: &[u8]) -> Body<'static> {
    let mut data = Body::new(&[]);
    for (kind, value) in (1..).zip([REGISTER, REGISTER, mask.len() as u32]) {
        data.put(kind, &value.to_be_bytes());
    }
    data.put_nested(4, &value(mask)).put_nested(5, &value(&vec![0; mask.len()]));
    expression("bitwise", &data)
}

fn compare(equal: bool, with: &[u8]) -> Body<'static> {
    const SREG: u16 = 1;
    const OP: u16 = 2;
    const DATA: u16 = 3;
    let mut data = Body::new(&[]);
    data.put(SREG, &REGISTER.to_be_bytes()).put(OP, &u32::from(!equal).to_be_bytes());
    data.put_nested(DATA, &value(with));
    expression("cmp", &data)
}

fn value(bytes: &[u8]) -> Body<'static> {
    let mut data = Body::new(&[]);
    data.put(NFTA_DATA_VALUE, bytes);
    data
}

fn expression(name: &str, data: &Body<'static>) -> Body<'static> {
    let mut expression = Body::new(&[]);
    expression.put_text(NFTA_EXPR_NAME, name).put_nested(NFTA_EXPR_DATA, data);
    expression
}

/// struct nfgenmsg.
fn header(family: u8, resource: u16) -> [u8; 4] {
    let [a, b] = resource.to_be_bytes();
    [family, 0, a, b]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expressions of a rule: their name, and the bytes of what they are told.
    fn expressions(rule: &Request<'_>) -> Vec<(String, Vec<u8>)> {
        let find = |bytes: &[u8], kind| {
            attributes(bytes).find(|(found, _)| *found == kind).map(|(_, value)| value.to_vec()).unwrap()
        };
        let list = find(&rule.body.bytes()[4..], NFTA_RULE_EXPRESSIONS);
        attributes(&list).map(|(_, value)| (text(&find(value, 1)), find(value, 2))).collect()
    }

    /// As `nft --debug=netlink` shows them of `ip saddr 10.1.0.0/24 ip daddr != 10.1.0.0/24 masquerade`.
    #[test]
    #[cfg(target_endian = "little")]
    fn a_rule_is_made_of_expressions() {
        let rule = new_rule("unitcell-blue", "10.1.0.2/24".parse().unwrap());
        assert_eq!(rule.what, "add rule inet unitcell-blue postrouting to masquerade 10.1.0.0/24");
        let expressions = expressions(&rule);
        let names: Vec<_> = expressions.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["meta", "cmp", "payload", "bitwise", "cmp", "payload", "bitwise", "cmp", "masq"]);
        let word = |kind: u8, value: u8| [8, 0, kind, 0, 0, 0, 0, value];
        assert_eq!(expressions[0].1, [word(1, 1), word(2, 15)].concat());
        assert_eq!(expressions[2].1, [word(1, 1), word(2, 1), word(3, 12), word(4, 4)].concat());
        let mask =
            [[12, 0, 4, 128, 8, 0, 1, 0].as_slice(), &[255, 255, 255, 0], &[12, 0, 5, 128, 8, 0, 1, 0, 0, 0, 0, 0]];
        assert_eq!(expressions[3].1, [[word(1, 1), word(2, 1), word(3, 4)].concat(), mask.concat()].concat());
        let equal = [word(1, 1), word(2, 0)].concat();
        let network = [12, 0, 3, 128, 8, 0, 1, 0, 10, 1, 0, 0];
        assert_eq!(expressions[4].1, [equal, network.to_vec()].concat());
        assert_eq!(expressions[7].1[..16], [word(1, 1), word(2, 1)].concat(), "and not to itself");
    }

    #[test]
    fn ipv6_has_its_addresses_elsewhere() {
        let expressions = expressions(&new_rule("unitcell-blue", "fd00::2/126".parse().unwrap()));
        for (place, offset) in [(2, 8u32), (5, 24)] {
            let values: Vec<_> = attributes(&expressions[place].1).map(|(_, value)| value.to_vec()).collect();
            assert_eq!(values[2..], [offset.to_be_bytes(), 16u32.to_be_bytes()]);
        }
    }
}
