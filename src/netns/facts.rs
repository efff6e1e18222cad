//! What the description of a namespace can't say, found out.

use std::io;
use std::path::Path;

use ipnet::IpNet;

use super::addresses::Addresses;
use super::description::Description;
use super::desired::{Facts, Outside, ROUTER_LISTENS, accept_ra, outer_side};
use super::place::Place;
use super::scene::Scene;
use super::shared::Shared;
use super::thing::{Side, Thing};
use super::{Error, Places};
use crate::netlink;

/// All that [`desired`](super::desired::desired) has to know. What has to be chosen is chosen now.
pub fn gather(places: &Places, name: &str, description: &Description, scene: &mut Scene<'_>) -> Result<Facts, Error> {
    let ipv6 = Path::new("/proc/sys/net/ipv6").exists();
    let mut addresses = Addresses::open(places, name)?;
    let auto: Vec<_> = description.veths.iter().filter(|veth| veth.auto).collect();
    let links: Vec<&str> = auto.iter().map(|veth| veth.name.as_str()).collect();
    let mut used = Vec::new();
    for side in sides(auto.iter().map(|veth| outer_side(veth))) {
        let place = scene.need(&side)?;
        used.extend(routed(place)?);
        used.extend(place.all_addresses()?.iter().map(|address| IpNet::from(address.net.addr())));
    }
    let families: &[bool] = if ipv6 { &[true, false] } else { &[true] };
    addresses.choose(&links, families, &description.general.pools, &used)?;

    let masquerade = description.general.masquerade;
    let mut outside = Vec::new();
    if masquerade.ipv4 || masquerade.ipv6 {
        for side in sides(description.veths.iter().map(outer_side)) {
            let ours = |thing: Thing| is_ours(places, &thing);
            let mut facts = look_outside(scene.need(&side)?, |key| {
                ours(Thing::Sysctl { side: side.clone(), key: key.to_owned(), value: ROUTER_LISTENS.to_owned() })
            })?;
            if side == Side::Host {
                facts.listening.retain(|link| !description.general.interfaces.contains(link));
            }
            // Where we forward between all links, each of them says so now, and none will later.
            for (uplinks, ipv6) in facts.uplinks.iter_mut().zip([false, true]) {
                if ours(Thing::Forwarding { side: side.clone(), ipv6 })? {
                    uplinks.clear();
                }
            }
            outside.push((side, facts));
        }
    }
    Ok(Facts { ipv6, chosen: addresses.chosen().to_vec(), outside })
}

/// Did we make it, for this name or another one?
fn is_ours(places: &Places, thing: &Thing) -> Result<bool, Error> {
    match thing.shared_as() {
        Some(key) => Ok(Shared::open(places, &key)?.is_ours()),
        None => Ok(false),
    }
}

fn sides(all: impl Iterator<Item = Side>) -> Vec<Side> {
    let mut sides: Vec<Side> = Vec::new();
    for side in all {
        if !sides.contains(&side) {
            sides.push(side);
        }
    }
    sides
}

/// The networks that a place has routes to, but for those to half the world.
fn routed(place: &mut Place) -> Result<Vec<IpNet>, netlink::Error> {
    const WIDE: u8 = 8;
    Ok(place.routes()?.iter().map(|route| route.destination).filter(|net| net.prefix_len() > WIDE).collect())
}

/// `is_ours` tells whether we have a link listen, by its setting, though packets are forwarded.
fn look_outside(place: &mut Place, is_ours: impl Fn(&str) -> Result<bool, Error>) -> Result<Outside, Error> {
    let links = place.links()?;
    let mut uplinks = [Vec::new(), Vec::new()];
    for route in place.routes()?.iter().filter(|route| route.destination.prefix_len() == 0) {
        let of_family = &mut uplinks[usize::from(route.destination.addr().is_ipv6())];
        let name = links.iter().find(|link| Some(link.index) == route.link).map(|link| link.name.clone());
        of_family.extend(name.filter(|name| !of_family.contains(name)));
    }
    let is = |key: &str, link: &str, value: &str| -> io::Result<bool> {
        Ok(place.sysctl(&format!("net/ipv6/conf/{link}/{key}"))?.as_deref() == Some(value))
    };
    let mut listening = Vec::new();
    let force_forwarding = place.sysctl("net/ipv6/conf/all/force_forwarding")?.is_some();
    if !force_forwarding || uplinks[1].is_empty() {
        // lo says so as well, and no router is there.
        for link in links.iter().filter(|link| !link.is_loopback()) {
            let listens = is("accept_ra", &link.name, "1")? && is("forwarding", &link.name, "0")?;
            if listens || is_ours(&accept_ra(&link.name))? {
                listening.push(link.name.clone());
            }
        }
    }
    Ok(Outside { uplinks, force_forwarding, listening })
}
