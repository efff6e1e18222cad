//! What the keys of a description say together, and can't.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{Description, Veth};
use crate::unit::{Finding, Location};

/// All that contradicts itself or is missing.
pub fn check(name: &str, description: &Description) -> Vec<Finding> {
    let mut check = Check { findings: Vec::new() };
    check.names(description);
    for veth in &description.veths {
        check.veth(name, veth);
    }
    for (section, parent, at) in parents(description) {
        if parent.is_empty() {
            check.error(at, format!("[{section}] has no Parent="), "name the host's interface that it is upon");
        }
    }
    check.gateways(description);
    check.routes(description);
    check.publish(description);
    check.masquerade(description);
    check.findings
}

struct Check {
    findings: Vec<Finding>,
}

impl Check {
    fn error(&mut self, at: &Location, message: impl Into<String>, remedy: impl Into<String>) {
        self.findings.push(Finding::error(Some(at.clone()), message, remedy));
    }

    fn names(&mut self, description: &Description) {
        let mut seen: Vec<&str> = Vec::new();
        let inside = links(description).into_iter();
        let moved = description
            .general
            .at
            .iter()
            .flat_map(|at| description.general.interfaces.iter().map(move |name| (name.as_str(), at)));
        for (name, at) in inside.chain(moved) {
            if seen.contains(&name) {
                self.error(at, format!("two interfaces inside are called {name}"), "give one another Name=");
            }
            seen.push(name);
        }
        let mut outside: Vec<(&Option<String>, &str)> = Vec::new();
        for veth in &description.veths {
            let Some(host_name) = &veth.host_name else { continue };
            let place = (&veth.host_namespace, host_name.as_str());
            if outside.contains(&place) {
                self.error(
                    &veth.at,
                    format!("two interfaces outside are called {host_name}"),
                    "give one another HostName=",
                );
            }
            outside.push(place);
        }
    }

    fn veth(&mut self, name: &str, veth: &Veth) {
        let given = !veth.host_addresses.is_empty() || !veth.gateways.is_empty();
        if veth.auto && (given || veth.bridge.is_some()) {
            self.error(
                &veth.at,
                "Address=auto chooses the addresses of both ends and the default route itself",
                "remove HostAddress=, Gateway= and Bridge=, or give an address",
            );
        }
        if veth.host_namespace.as_deref() == Some(name) {
            self.error(&veth.at, format!("HostNetworkNamespace={name} is this one"), "name another one, or remove it");
        }
        if veth.mac.is_some() && veth.mac == veth.host_mac {
            self.error(&veth.at, "both ends have the same hardware address", "change one of the two");
        }
        let name = veth.host_name.as_ref();
        if name.is_some() && name == veth.bridge.as_ref() {
            self.error(&veth.at, "HostName= and Bridge= are the same", "give one another name");
        }
    }

    /// The kernel would refuse the route, in fewer words.
    fn gateways(&mut self, description: &Description) {
        let of_veths = description.veths.iter().map(|veth| (&veth.addresses, &veth.gateways, &veth.at));
        let of_macvlans = description.macvlans.iter().map(|link| (&link.addresses, &link.gateways, &link.at));
        let of_ipvlans = description.ipvlans.iter().map(|link| (&link.addresses, &link.gateways, &link.at));
        for (addresses, gateways, at) in of_veths.chain(of_macvlans).chain(of_ipvlans) {
            for gateway in gateways.iter().filter(|gateway| !is_reached(gateway, addresses)) {
                self.error(
                    at,
                    format!("Gateway={gateway} is in none of the networks of Address="),
                    "give an address in the network of the gateway",
                );
            }
        }
    }

    fn routes(&mut self, description: &Description) {
        for route in &description.routes {
            if route.destination.is_none() && route.gateway.is_none() {
                self.error(&route.at, "[Route] has neither Destination= nor Gateway=", "say where to");
                continue;
            }
            if route.gateway.is_none() && route.interface.is_none() {
                self.error(&route.at, "[Route] has neither Gateway= nor Interface=", "say by way of whom");
            }
            let families = [route.destination.map(|net| net.addr()), route.gateway, route.source];
            let ipv4: Vec<bool> = families.into_iter().flatten().map(|ip| ip.is_ipv4()).collect();
            if ipv4.iter().any(|&is| is != ipv4[0]) {
                self.error(&route.at, "[Route] mixes IPv4 and IPv6", "write one for each");
            }
            let known = |name: &String| {
                links(description).iter().any(|(link, _)| link == name) || description.general.interfaces.contains(name)
            };
            if let Some(name) = route.interface.as_ref().filter(|name| !known(name)) {
                self.error(&route.at, format!("there is no interface {name} inside"), "name one of this file");
            }
        }
    }

    fn publish(&mut self, description: &Description) {
        let mut seen: Vec<&str> = Vec::new();
        for publish in &description.publish {
            for (key, value) in [("ListenStream", &publish.listen), ("ConnectStream", &publish.connect)] {
                if value.is_empty() {
                    self.error(&publish.at, format!("[Publish] has no {key}="), "add it");
                }
            }
            if seen.contains(&publish.listen.as_str()) {
                self.error(&publish.at, format!("ListenStream={} a second time", publish.listen), "remove one");
            }
            seen.push(&publish.listen);
        }
    }

    fn masquerade(&mut self, description: &Description) {
        let Some(at) = &description.general.at else { return };
        let wanted = description.general.masquerade;
        let has = |ipv4: bool| {
            description
                .veths
                .iter()
                .any(|veth| veth.auto || veth.addresses.iter().any(|net| net.addr().is_ipv4() == ipv4))
        };
        for (family, wanted, ipv4) in [("ipv4", wanted.ipv4, true), ("ipv6", wanted.ipv6, false)] {
            if wanted && !has(ipv4) {
                self.error(
                    at,
                    format!("IPMasquerade= asks for {family}, but no [Veth] has such an address"),
                    "add Address= to a [Veth]",
                );
            }
        }
    }
}

/// The names of the interfaces that are made, and where that is said.
fn links(description: &Description) -> Vec<(&str, &Location)> {
    let veths = description.veths.iter().map(|link| (link.name.as_str(), &link.at));
    let macvlans = description.macvlans.iter().map(|link| (link.name.as_str(), &link.at));
    let ipvlans = description.ipvlans.iter().map(|link| (link.name.as_str(), &link.at));
    veths.chain(macvlans).chain(ipvlans).collect()
}

fn parents(description: &Description) -> Vec<(&'static str, &str, &Location)> {
    let macvlans = description.macvlans.iter().map(|link| ("Macvlan", link.parent.as_str(), &link.at));
    let ipvlans = description.ipvlans.iter().map(|link| ("IPVlan", link.parent.as_str(), &link.at));
    macvlans.chain(ipvlans).collect()
}

/// A link-local gateway is reached by any link.
fn is_reached(gateway: &IpAddr, addresses: &[IpNet]) -> bool {
    let link_local = matches!(gateway, IpAddr::V6(ip) if ip.is_unicast_link_local());
    link_local || addresses.iter().any(|net| net.contains(gateway))
}
