//! The things that a namespace is made of, each one change to the system that can be taken back.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::description::{IpvlanMode, MacvlanMode};
use crate::netlink::link::Mac;

/// In which network namespace a thing is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// In the one that is made.
    Inside,
    /// In the host's.
    Host,
    /// In another named one.
    Named(String),
}

/// One thing. Its text in the ledger is all that is needed to take it back, whatever became of the
/// file that asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Thing {
    /// A kernel setting; its key with slashes.
    Sysctl { side: Side, key: String, value: String },
    /// Forwarding between all links of a namespace, where not each of them can be told to.
    Forwarding { side: Side, ipv6: bool },
    /// A bridge, up.
    Bridge { side: Side, name: String, mac: Mac },
    /// A pair of links.
    Veth { name: String, mac: Mac, side: Side, host_name: String, host_mac: Mac },
    /// A link inside upon one of the host's.
    Macvlan { name: String, parent: String, mode: MacvlanMode, mac: Mac },
    /// The same, without a hardware address of its own.
    Ipvlan { name: String, parent: String, mode: IpvlanMode },
    /// A link of the host's, moved in with its addresses.
    Moved { name: String },
    /// The largest packet of a link.
    Mtu { side: Side, link: String, bytes: u32 },
    /// A link that is a port of a bridge.
    Port { side: Side, link: String, bridge: String },
    /// No duplicate address detection on a link.
    NoDetection { side: Side, link: String },
    /// A link that takes no routers' word for anything.
    NoRouters { side: Side, link: String },
    /// An address of a link; a shared one is of a bridge.
    Address { side: Side, link: String, address: IpNet, detect: bool, shared: bool },
    /// A link that is up.
    Up { side: Side, link: String },
    /// A route inside.
    Route {
        destination: IpNet,
        gateway: Option<IpAddr>,
        link: Option<String>,
        metric: Option<u32>,
        source: Option<IpAddr>,
    },
    /// The nftables table that gives packets from these networks the host's address.
    Nat { side: Side, sources: Vec<IpNet> },
}

impl Thing {
    /// Where it is to be taken back.
    pub fn side(&self) -> &Side {
        match self {
            Thing::Sysctl { side, .. }
            | Thing::Forwarding { side, .. }
            | Thing::Bridge { side, .. }
            | Thing::Veth { side, .. }
            | Thing::Mtu { side, .. }
            | Thing::Port { side, .. }
            | Thing::NoDetection { side, .. }
            | Thing::NoRouters { side, .. }
            | Thing::Address { side, .. }
            | Thing::Up { side, .. }
            | Thing::Nat { side, .. } => side,
            Thing::Macvlan { .. } | Thing::Ipvlan { .. } | Thing::Moved { .. } | Thing::Route { .. } => &Side::Inside,
        }
    }

    /// Is it a pair of links, of which one goes with the other?
    pub fn is_pair(&self) -> bool {
        matches!(self, Thing::Veth { .. })
    }

    /// Is it a link, or a pair of them, with nothing but what it is born with?
    pub fn is_new_link(&self) -> bool {
        matches!(self, Thing::Veth { .. } | Thing::Macvlan { .. } | Thing::Ipvlan { .. })
    }

    /// Is it an attribute of that link, or of an end of that pair?
    pub fn is_of(&self, link: &Thing) -> bool {
        let ends = match link {
            Thing::Veth { name, side, host_name, .. } => [Some((&Side::Inside, name)), Some((side, host_name))],
            Thing::Macvlan { name, .. } | Thing::Ipvlan { name, .. } => [Some((&Side::Inside, name)), None],
            _ => [None, None],
        };
        let attribute = match self {
            // The kernel itself makes those to what is on the link.
            Thing::Route { gateway: Some(_), link: Some(link), .. } => Some((&Side::Inside, link.as_str())),
            _ => self.link(),
        };
        ends.into_iter().flatten().any(|(side, name)| attribute == Some((side, name.as_str())))
    }

    /// The link that it is an attribute of, and goes with.
    fn link(&self) -> Option<(&Side, &str)> {
        match self {
            Thing::Mtu { side, link, .. }
            | Thing::Port { side, link, .. }
            | Thing::NoDetection { side, link }
            | Thing::NoRouters { side, link }
            | Thing::Address { side, link, shared: false, .. }
            | Thing::Up { side, link } => Some((side, link)),
            _ => None,
        }
    }

    /// Does it go with that pair by itself?
    pub fn goes_with(&self, pair: &Thing) -> bool {
        matches!(pair, Thing::Veth { side, host_name, .. } if self.link() == Some((side, host_name)))
    }

    /// Does it go with the namespace by itself? A moved link would, too, and must not.
    pub fn goes_with_namespace(&self) -> bool {
        *self.side() == Side::Inside && !matches!(self, Thing::Moved { .. })
    }

    /// What other namespaces may need as well goes with the last one that does. The key says which
    /// one it is.
    pub fn shared_as(&self) -> Option<String> {
        if *self.side() == Side::Inside {
            return None;
        }
        let place = match self.side() {
            Side::Named(name) => format!("netns-{name}"),
            _ => "host".to_owned(),
        };
        let file_name = |text: &str| text.replace('/', "|");
        match self {
            Thing::Bridge { name, .. } => Some(format!("{place},bridge,{}", file_name(name))),
            Thing::Sysctl { key, .. } => Some(format!("{place},sysctl,{}", file_name(key))),
            Thing::Forwarding { ipv6, .. } => Some(format!("{place},forwarding,{}", if *ipv6 { 6 } else { 4 })),
            Thing::Address { link, address, shared: true, .. } => {
                Some(format!("{place},address,{},{}", file_name(link), file_name(&address.to_string())))
            }
            _ => None,
        }
    }
}
