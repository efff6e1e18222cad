//! Routes, rtnetlink(7).

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::error::Error;
use super::ip::{family, ip, octets};
use super::message::{Body, Request, attributes, flag, u32_at};
use super::socket::Socket;

const RTM_NEWROUTE: u16 = 24;
const RTM_DELROUTE: u16 = 25;
const RTM_GETROUTE: u16 = 26;

// Of linux/rtnetlink.h.
const RTA_DST: u16 = 1;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PRIORITY: u16 = 6;
const RTA_PREFSRC: u16 = 7;
const RTA_TABLE: u16 = 15;
const RTA_VIA: u16 = 18;
const RTN_UNICAST: u8 = 1;
const RTPROT_STATIC: u8 = 4;
const RT_SCOPE_UNIVERSE: u8 = 0;
const RT_SCOPE_LINK: u8 = 253;
const RT_SCOPE_NOWHERE: u8 = 255;
const RTNH_F_ONLINK: u32 = 4;
/// The table that packets are routed by.
pub const MAIN: u32 = 254;

/// A route to one next hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// Where it leads; a prefix of no length is the default route of its family.
    pub destination: IpNet,
    /// Over whom; none where the destination is on the link itself.
    pub gateway: Option<IpAddr>,
    /// Over which link; the kernel finds the one that has the gateway.
    pub link: Option<u32>,
    /// The address that packets are sent from.
    pub source: Option<IpAddr>,
    /// Which one is taken of several to the same destination: that with the smallest.
    pub metric: Option<u32>,
    /// Is the gateway on the link, whatever the addresses of the link say?
    pub onlink: bool,
    /// In which table.
    pub table: u32,
}

impl Route {
    /// A route in the main table.
    pub fn to(destination: IpNet) -> Route {
        Route { destination, gateway: None, link: None, source: None, metric: None, onlink: false, table: MAIN }
    }

    /// The default route of a gateway's family.
    pub fn default_by(gateway: IpAddr) -> Route {
        Route { gateway: Some(gateway), ..Route::to(everywhere(family(gateway))) }
    }
}

/// Adds a route, unless there is one to the destination with the metric.
pub fn add(route: &Route) -> Request<'static> {
    changing("add", RTM_NEWROUTE, flag::CREATE | flag::EXCLUSIVE, route)
}

/// Adds a route in place of the one to the destination with the metric.
pub fn replace(route: &Route) -> Request<'static> {
    changing("replace", RTM_NEWROUTE, flag::CREATE | flag::REPLACE, route)
}

/// Removes a route.
pub fn delete(route: &Route) -> Request<'static> {
    changing("delete", RTM_DELROUTE, 0, route)
}

/// All routes of the namespace, of both families, but the kernel's own for single addresses.
pub fn list(socket: &mut Socket) -> Result<Vec<Route>, Error> {
    let request = Request { what: "list routes".into(), kind: RTM_GETROUTE, flags: 0, body: Body::new(&[0; 12]) };
    socket.all(&request, read)
}

fn changing(verb: &str, kind: u16, flags: u16, route: &Route) -> Request<'static> {
    let destination = route.destination.trunc();
    let mut what = format!("{verb} route to {destination}");
    let scope = match (route.gateway, kind) {
        (_, RTM_DELROUTE) => RT_SCOPE_NOWHERE,
        (None, _) => RT_SCOPE_LINK,
        (Some(_), _) => RT_SCOPE_UNIVERSE,
    };
    let mut header = [0; 12];
    header[0] = family(destination.addr());
    header[1] = destination.prefix_len();
    header[5] = RTPROT_STATIC;
    header[6] = scope;
    header[7] = RTN_UNICAST;
    if kind == RTM_DELROUTE {
        // Whoever made it, and whatever its type.
        (header[5], header[7]) = (0, 0);
    }
    header[8..12].copy_from_slice(&if route.onlink { RTNH_F_ONLINK } else { 0 }.to_ne_bytes());
    let mut body = Body::new(&header);
    if destination.prefix_len() != 0 {
        body.put(RTA_DST, &octets(destination.addr()));
    }
    if let Some(gateway) = route.gateway {
        what.push_str(&format!(" via {gateway}"));
        if gateway.is_ipv4() == destination.addr().is_ipv4() {
            body.put(RTA_GATEWAY, &octets(gateway));
        } else {
            let via = [u16::from(family(gateway)).to_ne_bytes().to_vec(), octets(gateway)].concat();
            body.put(RTA_VIA, &via);
        }
    }
    if let Some(link) = route.link {
        what.push_str(&format!(" over link {link}"));
        body.put_u32(RTA_OIF, link);
    }
    if let Some(source) = route.source {
        body.put(RTA_PREFSRC, &octets(source));
    }
    if let Some(metric) = route.metric {
        body.put_u32(RTA_PRIORITY, metric);
    }
    body.put_u32(RTA_TABLE, route.table);
    Request { what, kind, flags, body }
}

fn read(body: &[u8]) -> Option<Route> {
    const HEADER: usize = 12;
    let (family, length, kind) = (*body.first()?, *body.get(1)?, *body.get(7)?);
    if kind != RTN_UNICAST {
        return None;
    }
    let mut route = Route::to(everywhere(family));
    route.table = u32::from(*body.get(4)?);
    route.onlink = u32_at(body, 8)? & RTNH_F_ONLINK != 0;
    for (kind, value) in attributes(body.get(HEADER..)?) {
        match kind {
            RTA_DST => route.destination = IpNet::new(ip(value)?, length).ok()?,
            RTA_GATEWAY => route.gateway = ip(value),
            RTA_VIA => route.gateway = ip(value.get(2..)?),
            RTA_OIF => route.link = u32_at(value, 0),
            RTA_PREFSRC => route.source = ip(value),
            RTA_PRIORITY => route.metric = u32_at(value, 0),
            RTA_TABLE => route.table = u32_at(value, 0)?,
            _ => {}
        }
    }
    Some(route)
}

fn everywhere(family: u8) -> IpNet {
    if i32::from(family) == libc::AF_INET { Ipv4Net::default().into() } else { Ipv6Net::default().into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(destination: &str, gateway: &str) -> Route {
        Route { gateway: Some(gateway.parse().unwrap()), ..Route::to(destination.parse().unwrap()) }
    }

    #[test]
    fn a_route_reads_back() {
        for route in [
            Route::default_by("10.1.0.1".parse().unwrap()),
            Route { onlink: true, link: Some(3), metric: Some(7), ..route("10.9.0.0/16", "10.1.0.1") },
            Route { source: Some("fd00::5".parse().unwrap()), table: 1000, ..route("fd00:9::/48", "fe80::1") },
            Route { link: Some(3), ..route("10.9.0.0/16", "fe80::1") },
        ] {
            assert_eq!(read(add(&route).body.bytes()), Some(route));
        }
    }

    #[test]
    fn it_is_told_in_words_and_without_the_bits_of_a_host() {
        let route = Route { link: Some(3), ..route("10.9.1.2/16", "10.1.0.1") };
        assert_eq!(replace(&route).what, "replace route to 10.9.0.0/16 via 10.1.0.1 over link 3");
    }

    #[test]
    fn what_is_deleted_may_be_anybodys() {
        let request = delete(&route("10.9.0.0/16", "10.1.0.1"));
        assert_eq!(request.body.bytes()[5..8], [0, RT_SCOPE_NOWHERE, 0]);
    }
}
