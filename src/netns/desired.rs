//! From a description to the ordered list of things that it comes to. Pure: what it has to know of
//! the machine is in [`Facts`].

use std::net::IpAddr;

use ipnet::IpNet;

use super::description::{Description, Families, MacAddress, Veth};
use super::hash::hash;
use super::pool::Ends;
use super::thing::{Side, Thing};
use crate::netlink::link::Mac;

/// What a description can't say.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Has the kernel IPv6?
    pub ipv6: bool,
    /// What was chosen for the links with `Address=auto`.
    pub chosen: Vec<(String, Ends)>,
    /// What the places outside are like where packets are masqueraded.
    pub outside: Vec<(Side, Outside)>,
}

/// A network namespace that packets leave by.
#[derive(Debug, Clone, Default)]
pub struct Outside {
    /// The links that the default routes lead over, for IPv4 and IPv6.
    pub uplinks: [Vec<String>; 2],
    /// Can IPv6 packets be forwarded from single links, as IPv4 packets can? (Linux 6.17)
    pub force_forwarding: bool,
    /// The links that listen to routers, which they stop to do once IPv6 is forwarded.
    pub listening: Vec<String>,
}

/// Whether a link listens to routers,
pub fn accept_ra(link: &str) -> String {
    format!("net/ipv6/conf/{link}/accept_ra")
}

/// and the value with which it does though packets are forwarded.
pub const ROUTER_LISTENS: &str = "2";

/// The side that the other end of a pair is on.
pub fn outer_side(veth: &Veth) -> Side {
    veth.host_namespace.clone().map_or(Side::Host, Side::Named)
}

/// The things that the namespace `name` is made of, in the order in which they can be made.
pub fn desired(name: &str, description: &Description, facts: &Facts) -> Vec<Thing> {
    let mut list = List { name, description, facts, things: Vec::new() };
    list.sysctls(false);
    list.bridges();
    list.links();
    list.sysctls(true);
    list.addresses();
    list.up();
    list.routes();
    list.masquerade();
    list.things
}

struct List<'d> {
    name: &'d str,
    description: &'d Description,
    facts: &'d Facts,
    things: Vec<Thing>,
}

impl List<'_> {
    /// Settings of links that are made here come after those, all others before: links take over
    /// the defaults when they are made.
    fn sysctls(&mut self, of_links: bool) {
        let links = self.names();
        for (key, value) in &self.description.general.sysctls {
            let of_link = key.split('/').nth(3).is_some_and(|part| links.iter().any(|link| link == part));
            if of_link == of_links {
                self.things.push(Thing::Sysctl { side: Side::Inside, key: key.clone(), value: value.clone() });
            }
        }
    }

    fn bridges(&mut self) {
        for veth in &self.description.veths {
            let Some(bridge) = &veth.bridge else { continue };
            let side = outer_side(veth);
            let thing = Thing::Bridge { side, name: bridge.clone(), mac: mac("", bridge) };
            if !self.things.contains(&thing) {
                self.things.push(thing);
            }
        }
    }

    fn links(&mut self) {
        for veth in &self.description.veths {
            let host_name = self.host_name(veth);
            self.things.push(Thing::Veth {
                name: veth.name.clone(),
                mac: chosen(veth.mac, self.name, &veth.name),
                side: outer_side(veth),
                host_mac: chosen(veth.host_mac, self.name, &format!("{}/outside", veth.name)),
                host_name: host_name.clone(),
            });
            self.mtu(Side::Inside, &veth.name, veth.mtu);
            self.mtu(outer_side(veth), &host_name, veth.mtu);
            if !self.detects(veth) {
                self.no_detection(Side::Inside, &veth.name);
                self.no_detection(outer_side(veth), &host_name);
            }
            if self.facts.ipv6 {
                // Whoever is inside may say that they are one, and would have the packets of all outside.
                self.things.push(Thing::NoRouters { side: outer_side(veth), link: host_name.clone() });
            }
            if let Some(bridge) = &veth.bridge {
                self.things.push(Thing::Port { side: outer_side(veth), link: host_name, bridge: bridge.clone() });
            }
        }
        for link in &self.description.macvlans {
            let mac = chosen(link.mac, self.name, &link.name);
            self.things.push(Thing::Macvlan {
                name: link.name.clone(),
                parent: link.parent.clone(),
                mode: link.mode,
                mac,
            });
            self.mtu(Side::Inside, &link.name, link.mtu);
            if !has_ipv6(&link.addresses) {
                self.no_detection(Side::Inside, &link.name);
            }
        }
        for link in &self.description.ipvlans {
            self.things.push(Thing::Ipvlan { name: link.name.clone(), parent: link.parent.clone(), mode: link.mode });
            self.mtu(Side::Inside, &link.name, link.mtu);
            if !has_ipv6(&link.addresses) {
                self.no_detection(Side::Inside, &link.name);
            }
        }
        for name in &self.description.general.interfaces {
            self.things.push(Thing::Moved { name: name.clone() });
        }
    }

    fn mtu(&mut self, side: Side, link: &str, mtu: Option<u32>) {
        self.things.extend(mtu.map(|bytes| Thing::Mtu { side, link: link.to_owned(), bytes }));
    }

    /// Where both ends are ours, or where there is no IPv6 address but those that the kernel makes
    /// of hardware addresses, nobody need wait for an answer to whether it is taken.
    fn no_detection(&mut self, side: Side, link: &str) {
        if self.facts.ipv6 {
            self.things.push(Thing::NoDetection { side, link: link.to_owned() });
        }
    }

    /// Is there somebody on the link who might have its addresses?
    fn detects(&self, veth: &Veth) -> bool {
        veth.bridge.is_some() && (has_ipv6(&veth.addresses) || has_ipv6(&veth.host_addresses))
    }

    fn addresses(&mut self) {
        for veth in &self.description.veths {
            let outside = veth.bridge.clone().unwrap_or_else(|| self.host_name(veth));
            let detect = self.detects(veth);
            let chosen: Vec<Ends> = self.chosen(veth).collect();
            let host = veth.host_addresses.iter().copied().chain(chosen.iter().map(|ends| ends.outside));
            for address in host {
                self.address(outer_side(veth), &outside, address, detect, veth.bridge.is_some());
            }
            let inside = veth.addresses.iter().copied().chain(chosen.iter().map(|ends| ends.inside));
            for address in inside {
                self.address(Side::Inside, &veth.name, address, detect, false);
            }
        }
        for link in &self.description.macvlans {
            for address in &link.addresses {
                self.address(Side::Inside, &link.name, *address, true, false);
            }
        }
        for link in &self.description.ipvlans {
            for address in &link.addresses {
                self.address(Side::Inside, &link.name, *address, true, false);
            }
        }
    }

    fn address(&mut self, side: Side, link: &str, address: IpNet, detect: bool, shared: bool) {
        self.things.push(Thing::Address { side, link: link.to_owned(), address, detect, shared });
    }

    fn up(&mut self) {
        for veth in &self.description.veths {
            self.things.push(Thing::Up { side: outer_side(veth), link: self.host_name(veth) });
        }
        for link in self.names() {
            self.things.push(Thing::Up { side: Side::Inside, link });
        }
    }

    fn routes(&mut self) {
        let route =
            |destination, gateway, link| Thing::Route { destination, gateway, link, metric: None, source: None };
        for veth in &self.description.veths {
            let chosen: Vec<IpAddr> = self.chosen(veth).map(|ends| ends.outside.addr()).collect();
            for gateway in veth.gateways.iter().copied().chain(chosen) {
                self.things.push(route(everywhere(gateway), Some(gateway), Some(veth.name.clone())));
            }
        }
        let macvlans = self.description.macvlans.iter().map(|link| (&link.name, &link.gateways));
        let ipvlans = self.description.ipvlans.iter().map(|link| (&link.name, &link.gateways));
        for (name, gateways) in macvlans.chain(ipvlans) {
            for gateway in gateways {
                self.things.push(route(everywhere(*gateway), Some(*gateway), Some(name.clone())));
            }
        }
        for given in &self.description.routes {
            // One of the two is there: that was checked.
            let Some(destination) = given.destination.or(given.gateway.map(everywhere)) else { continue };
            self.things.push(Thing::Route {
                destination,
                gateway: given.gateway,
                link: given.interface.clone(),
                metric: given.metric,
                source: given.source,
            });
        }
    }

    fn masquerade(&mut self) {
        let wanted = self.description.general.masquerade;
        for (side, outside) in &self.facts.outside {
            let mut sources: Vec<IpNet> = Vec::new();
            let mut links = Vec::new();
            for veth in self.description.veths.iter().filter(|veth| outer_side(veth) == *side) {
                let chosen = self.chosen(veth).map(|ends| ends.inside);
                let inside = veth.addresses.iter().copied().chain(chosen).filter(|net| wanted.have(net.addr()));
                sources.extend(inside.map(|net| net.trunc()));
                links.push(veth.bridge.clone().unwrap_or_else(|| self.host_name(veth)));
            }
            sources.sort();
            sources.dedup();
            if sources.is_empty() {
                continue;
            }
            let families = Families {
                ipv4: sources.iter().any(|net| net.addr().is_ipv4()),
                ipv6: sources.iter().any(|net| net.addr().is_ipv6()),
            };
            // The rules first: what is forwarded without them would show addresses that nobody knows.
            self.things.push(Thing::Nat { side: side.clone(), sources });
            self.forwarding(side, outside, &links, families);
        }
    }

    /// Packets are forwarded by what the link says that they come in by: ours for those that leave,
    /// the uplinks for the answers.
    fn forwarding(&mut self, side: &Side, outside: &Outside, links: &[String], families: Families) {
        let sysctl = |key: String, value: &str| Thing::Sysctl { side: side.clone(), key, value: value.to_owned() };
        for (ipv6, wanted, key) in [
            (false, families.ipv4, "net/ipv4/conf/LINK/forwarding"),
            (true, families.ipv6, "net/ipv6/conf/LINK/force_forwarding"),
        ] {
            if !wanted {
                continue;
            }
            let uplinks = &outside.uplinks[usize::from(ipv6)];
            if (ipv6 && !outside.force_forwarding) || uplinks.is_empty() {
                if ipv6 {
                    let listening = outside.listening.iter();
                    self.things.extend(listening.map(|link| sysctl(accept_ra(link), ROUTER_LISTENS)));
                }
                self.things.push(Thing::Forwarding { side: side.clone(), ipv6 });
            } else {
                let all = links.iter().chain(uplinks);
                self.things.extend(all.map(|link| sysctl(key.replace("LINK", link), "1")));
            }
        }
    }

    fn chosen<'l>(&'l self, veth: &'l Veth) -> impl Iterator<Item = Ends> + 'l {
        self.facts.chosen.iter().filter(|(link, _)| veth.auto && *link == veth.name).map(|(_, ends)| *ends)
    }

    fn host_name(&self, veth: &Veth) -> String {
        veth.host_name.clone().unwrap_or_else(|| host_name(self.name, &veth.name))
    }

    /// All links inside.
    fn names(&self) -> Vec<String> {
        let veths = self.description.veths.iter().map(|link| &link.name);
        let macvlans = self.description.macvlans.iter().map(|link| &link.name);
        let ipvlans = self.description.ipvlans.iter().map(|link| &link.name);
        let moved = self.description.general.interfaces.iter();
        veths.chain(macvlans).chain(ipvlans).chain(moved).cloned().collect()
    }
}

/// What the other end of a pair is called. systemd-networkd takes what begins with `ve-` for the link of a container
/// that is to have addresses, a DHCP server and NAT: `uc-NAME` for eth0 of a short NAME, else something that
/// begins like that, and that no other has.
fn host_name(name: &str, link: &str) -> String {
    const LONGEST: usize = 15;
    let plain = format!("uc-{name}");
    let allowed = name.bytes().all(|byte| byte != b':');
    if link == "eth0" && plain.len() <= LONGEST && allowed {
        return plain;
    }
    let start: String = name.chars().filter(char::is_ascii_alphanumeric).take(4).collect();
    // 7 of 36 characters: a billion namespaces later two may meet.
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut rest = hash(&format!("{name}/{link}"));
    let mut end = String::new();
    for _ in 0..7 {
        end.push(char::from(DIGITS[(rest % 36) as usize]));
        rest /= 36;
    }
    format!("uc-{start}-{end}")
}

fn chosen(given: Option<MacAddress>, name: &str, link: &str) -> Mac {
    given.map_or_else(|| mac(name, link), |mac| mac.0)
}

/// A hardware address of the range that everybody may use, always the same for a link: by it we
/// know what is ours.
fn mac(name: &str, link: &str) -> Mac {
    let [a, b, c, d, e, f, ..] = hash(&format!("{name}/{link}")).to_be_bytes();
    [a & 0xfc | 0x02, b, c, d, e, f]
}

fn has_ipv6(addresses: &[IpNet]) -> bool {
    addresses.iter().any(|net| net.addr().is_ipv6())
}

fn everywhere(gateway: IpAddr) -> IpNet {
    match gateway {
        IpAddr::V4(_) => IpNet::V4(ipnet::Ipv4Net::default()),
        IpAddr::V6(_) => IpNet::V6(ipnet::Ipv6Net::default()),
    }
}

#[cfg(test)]
#[path = "tests/desired.rs"]
mod tests;
