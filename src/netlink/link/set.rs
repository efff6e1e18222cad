//! Changes to links.

use std::os::fd::BorrowedFd;

use super::{
    IFLA_ADDRESS, IFLA_IFALIAS, IFLA_IFNAME, IFLA_MASTER, IFLA_MTU, IFLA_NET_NS_FD, Mac, RTM_NEWLINK, UP, Which,
    header, which_text,
};
use crate::netlink::message::{Body, Request};

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

fn mac_text(mac: &Mac) -> String {
    mac.map(|byte| format!("{byte:02x}")).join(":")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::message::u32_at;

    #[test]
    fn a_change_is_told_in_words() {
        let change = Change { up: Some(false), master: Some(0), mac: Some([0xa; 6]), ..Change::default() };
        assert_eq!(set(Which::Name("p0"), &change).what, "set link p0 down address 0a:0a:0a:0a:0a:0a nomaster");
        let renamed = set(Which::Index(7), &Change { name: Some("eth1"), ..Change::default() });
        assert_eq!(renamed.what, "set link 7 name eth1");
        assert_eq!(u32_at(renamed.body.bytes(), 12), Some(0), "no flag is touched");
    }
}
