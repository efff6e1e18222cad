//! What a `NAME.netns` file says: text in, a typed [`Description`] and findings out.

pub mod key;
pub mod value;

mod check;
mod read;

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use ipnet::IpNet;

pub use key::{KEYS, Key, Section};
pub use read::Descriptions;
pub use value::{Families, IpvlanMode, MacAddress, MacvlanMode};

use crate::unit::Location;

/// How a named network namespace should be.
#[derive(Debug, Clone, Default)]
pub struct Description {
    /// The files that say so, in the order in which they apply.
    pub files: Vec<Arc<Path>>,
    /// `[NetworkNamespace]`.
    pub general: General,
    /// Each `[Veth]`.
    pub veths: Vec<Veth>,
    /// Each `[Macvlan]`.
    pub macvlans: Vec<Macvlan>,
    /// Each `[IPVlan]`.
    pub ipvlans: Vec<Ipvlan>,
    /// Each `[Route]`.
    pub routes: Vec<Route>,
    /// Each `[Publish]`.
    pub publish: Vec<Publish>,
}

/// What concerns the namespace as a whole.
#[derive(Debug, Clone, Default)]
pub struct General {
    /// Name servers.
    pub dns: Vec<IpAddr>,
    /// Search domains.
    pub domains: Vec<String>,
    /// Whose packets leave the host under its own address.
    pub masquerade: Families,
    /// Kernel settings below net.
    pub sysctls: Vec<(String, String)>,
    /// Existing interfaces to move in.
    pub interfaces: Vec<String>,
    /// Does it go when no unit needs it any more?
    pub stop_when_unneeded: bool,
    /// Where `Address=auto` chooses from.
    pub pools: Vec<IpNet>,
    /// Where the section begins, if it is there.
    pub at: Option<Location>,
}

/// A pair of interfaces, one inside.
#[derive(Debug, Clone)]
pub struct Veth {
    /// The one inside.
    pub name: String,
    /// The other one, if its name was chosen.
    pub host_name: Option<String>,
    /// Addresses of the one inside.
    pub addresses: Vec<IpNet>,
    /// Choose addresses for both, and a default route?
    pub auto: bool,
    /// Addresses of the other one, or of the bridge.
    pub host_addresses: Vec<IpNet>,
    /// Default routes.
    pub gateways: Vec<IpAddr>,
    /// The bridge that the other one is a port of.
    pub bridge: Option<String>,
    /// Largest packet, of both.
    pub mtu: Option<u32>,
    /// Hardware address of the one inside.
    pub mac: Option<MacAddress>,
    /// Hardware address of the other one.
    pub host_mac: Option<MacAddress>,
    /// The named network namespace that the other one is in, if not the host's.
    pub host_namespace: Option<String>,
    /// Where the section begins.
    pub at: Location,
}

/// An interface of its own upon one of the host's, with a hardware address of its own.
#[derive(Debug, Clone)]
pub struct Macvlan {
    /// Its name inside.
    pub name: String,
    /// The host's interface.
    pub parent: String,
    /// Whom it can talk to.
    pub mode: MacvlanMode,
    /// Its addresses.
    pub addresses: Vec<IpNet>,
    /// Default routes.
    pub gateways: Vec<IpAddr>,
    /// Largest packet.
    pub mtu: Option<u32>,
    /// Its hardware address.
    pub mac: Option<MacAddress>,
    /// Where the section begins.
    pub at: Location,
}

/// An interface of its own upon one of the host's, with the hardware address of that one.
#[derive(Debug, Clone)]
pub struct Ipvlan {
    /// Its name inside.
    pub name: String,
    /// The host's interface.
    pub parent: String,
    /// On which layer it is told from the others.
    pub mode: IpvlanMode,
    /// Its addresses.
    pub addresses: Vec<IpNet>,
    /// Default routes.
    pub gateways: Vec<IpAddr>,
    /// Largest packet.
    pub mtu: Option<u32>,
    /// Where the section begins.
    pub at: Location,
}

/// A route inside.
#[derive(Debug, Clone)]
pub struct Route {
    /// Where to; none before it was set.
    pub destination: Option<IpNet>,
    /// By way of whom.
    pub gateway: Option<IpAddr>,
    /// By which interface.
    pub interface: Option<String>,
    /// Of two routes to the same destination the smaller one counts.
    pub metric: Option<u32>,
    /// The address that packets leave with.
    pub source: Option<IpAddr>,
    /// Where the section begins.
    pub at: Location,
}

/// A socket of the host that is served inside.
#[derive(Debug, Clone)]
pub struct Publish {
    /// Where the host listens, as in systemd.socket(5).
    pub listen: String,
    /// Where it is served, as systemd-socket-proxyd(8) takes it.
    pub connect: String,
    /// Where the section begins.
    pub at: Location,
}

impl Veth {
    fn new(at: Location) -> Veth {
        Veth {
            name: "eth0".to_owned(),
            host_name: None,
            addresses: Vec::new(),
            auto: false,
            host_addresses: Vec::new(),
            gateways: Vec::new(),
            bridge: None,
            mtu: None,
            mac: None,
            host_mac: None,
            host_namespace: None,
            at,
        }
    }
}

impl Macvlan {
    fn new(at: Location) -> Macvlan {
        Macvlan {
            name: "mv0".to_owned(),
            parent: String::new(),
            mode: MacvlanMode::default(),
            addresses: Vec::new(),
            gateways: Vec::new(),
            mtu: None,
            mac: None,
            at,
        }
    }
}

impl Ipvlan {
    fn new(at: Location) -> Ipvlan {
        Ipvlan {
            name: "ipv0".to_owned(),
            parent: String::new(),
            mode: IpvlanMode::default(),
            addresses: Vec::new(),
            gateways: Vec::new(),
            mtu: None,
            at,
        }
    }
}

impl Route {
    fn new(at: Location) -> Route {
        Route { destination: None, gateway: None, interface: None, metric: None, source: None, at }
    }
}

impl Publish {
    fn new(at: Location) -> Publish {
        Publish { listen: String::new(), connect: String::new(), at }
    }
}

#[cfg(test)]
#[path = "../tests/description.rs"]
mod tests;
