//! Where things are made and taken back: the namespace, the host's, and other named ones.

use std::collections::HashMap;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::change::Made;
use super::description::{IpvlanMode, MacvlanMode};
use super::place::Place;
use super::thing::{Side, Thing};
use super::{Error, Places};
use crate::netlink::address::{self, Address, Detection};
use crate::netlink::link::{self, Change, End, Kind, Link, Mac, Which};
use crate::netlink::route;

/// All namespaces that one name has to do with.
#[derive(Debug)]
pub struct Scene<'s> {
    places: &'s Places,
    name: &'s str,
    /// None once it is gone.
    inside: Option<Place>,
    host: Place,
    others: HashMap<String, Place>,
}

/// What a link had that is moved.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Before {
    up: bool,
    addresses: Vec<IpNet>,
}

impl<'s> Scene<'s> {
    /// Opens the host's namespace, and the one that is pinned under the name if it is `there`.
    pub fn open(places: &'s Places, name: &'s str, there: bool) -> Result<Scene<'s>, Error> {
        let pin = places.pin(name);
        let inside = there.then(|| Place::pinned(&pin).map_err(Error::system("enter", &pin))).transpose()?;
        let host = Place::own().map_err(Error::system("enter", "/proc/self/ns/net".as_ref()))?;
        Ok(Scene { places, name, inside, host, others: HashMap::new() })
    }

    /// One of the namespaces; none if it is gone.
    pub fn place(&mut self, side: &Side) -> Option<&mut Place> {
        match side {
            Side::Inside => self.inside.as_mut(),
            Side::Host => Some(&mut self.host),
            Side::Named(name) => {
                if !self.others.contains_key(name) {
                    let place = Place::pinned(&self.places.pin(name)).ok()?;
                    self.others.insert(name.clone(), place);
                }
                self.others.get_mut(name)
            }
        }
    }

    /// The same, where it is needed.
    pub fn need(&mut self, side: &Side) -> Result<&mut Place, Error> {
        let missing = match side {
            Side::Named(name) => name.clone(),
            _ => self.name.to_owned(),
        };
        self.place(side).ok_or(Error::NoNamespace(missing))
    }

    fn need_link(&mut self, side: &Side, name: &str) -> Result<Link, Error> {
        let missing = || Error::NoLink { name: name.to_owned(), side: side.clone() };
        self.need(side)?.link(name)?.ok_or_else(missing)
    }

    fn find_link(&mut self, side: &Side, name: &str) -> Result<Option<Link>, Error> {
        match self.place(side) {
            Some(place) => Ok(place.link(name)?),
            None => Ok(None),
        }
    }

    /// Is it so already, by somebody else's doing? What only we may have under its name is refused
    /// when somebody else has it.
    pub fn is_there(&mut self, thing: &Thing) -> Result<bool, Error> {
        Ok(match thing {
            Thing::Sysctl { side, key, value } => self.need(side)?.sysctl(key)?.as_ref() == Some(value),
            Thing::Forwarding { side, ipv6 } => {
                self.need(side)?.sysctl(&forwarding("all", *ipv6))?.as_deref() == Some("1")
            }
            Thing::Bridge { side, name, .. } => match self.find_link(side, name)? {
                Some(link) if link.kind.as_deref() == Some("bridge") => true,
                Some(_) => return Err(Error::LinkTaken { name: name.clone(), side: side.clone() }),
                None => false,
            },
            Thing::Veth { name, side, host_name, host_mac, .. } => {
                self.refuse_taken(&Side::Inside, name)?;
                self.clear_remains(side, host_name, host_mac)?;
                self.refuse_taken(side, host_name)?;
                false
            }
            Thing::Macvlan { name, .. } | Thing::Ipvlan { name, .. } => {
                self.refuse_taken(&Side::Inside, name)?;
                false
            }
            Thing::Moved { name } => {
                let inside = self.find_link(&Side::Inside, name)?;
                if inside.is_none() {
                    self.need_link(&Side::Host, name)?;
                }
                inside.is_some()
            }
            Thing::Mtu { side, link, bytes } => self.need_link(side, link)?.mtu == *bytes,
            Thing::Port { side, link, bridge } => {
                let bridge = self.need_link(side, bridge)?.index;
                self.need_link(side, link)?.master == Some(bridge)
            }
            Thing::NoDetection { side, link } => match self.need(side)?.sysctl(&detection(link))? {
                Some(value) => value == "0",
                // IPv6 is switched off here.
                None => true,
            },
            Thing::Address { side, link, address, .. } => {
                let link = self.need_link(side, link)?.index;
                self.need(side)?.addresses(link)?.iter().any(|found| found.net == *address)
            }
            Thing::Up { side, link } => self.need_link(side, link)?.is_up(),
            Thing::Route { .. } => {
                let wanted = self.route(thing)?;
                self.need(&Side::Inside)?.routes()?.iter().any(|found| is_same(found, &wanted))
            }
            // The name says whose it is.
            Thing::Nat { .. } => false,
        })
    }

    fn refuse_taken(&mut self, side: &Side, name: &str) -> Result<(), Error> {
        match self.find_link(side, name)? {
            Some(_) => Err(Error::LinkTaken { name: name.to_owned(), side: side.clone() }),
            None => Ok(()),
        }
    }

    /// The kernel takes its time to remove a namespace, and what is left of a pair is still there
    /// meanwhile. It is told by a hardware address that nobody else has.
    fn clear_remains(&mut self, side: &Side, name: &str, mac: &Mac) -> Result<(), Error> {
        if let Some(link) = self.find_link(side, name)?.filter(|link| is_veth(link, mac)) {
            self.need(side)?.ask_away(link::delete(Which::Index(link.index)))?;
        }
        Ok(())
    }

    /// How it is now, where taking it back needs that.
    pub fn before(&mut self, thing: &Thing) -> Result<Option<String>, Error> {
        Ok(match thing {
            Thing::Sysctl { side, key, .. } => self.need(side)?.sysctl(key)?,
            Thing::Forwarding { side, ipv6 } => {
                let place = self.need(side)?;
                let mut forwarding_already = Vec::new();
                for link in place.links()? {
                    if place.sysctl(&forwarding(&link.name, *ipv6))?.as_deref() == Some("1") {
                        forwarding_already.push(link.name);
                    }
                }
                Some(forwarding_already.join(" "))
            }
            Thing::Mtu { side, link, .. } => Some(self.need_link(side, link)?.mtu.to_string()),
            Thing::Moved { name } => {
                let link = self.need_link(&Side::Host, name)?;
                let found = self.host.addresses(link.index)?;
                let addresses = found.iter().filter(|address| is_lasting(address)).map(|address| address.net).collect();
                serde_json::to_string(&Before { up: link.is_up(), addresses }).ok()
            }
            _ => None,
        })
    }

    /// Makes it; what is there already is as it should be. `before` is as [`Scene::before`] told.
    pub fn make(&mut self, thing: &Thing, before: Option<&str>) -> Result<(), Error> {
        match thing {
            Thing::Sysctl { side, key, value } => self.need(side)?.set_sysctl(key, value)?,
            Thing::Forwarding { side, ipv6 } => self.need(side)?.set_sysctl(&forwarding("all", *ipv6), "1")?,
            Thing::Bridge { side, name, mac } => {
                let place = self.need(side)?;
                if place.link(name)?.is_none() {
                    let end = End { name, mac: Some(*mac), ..End::default() };
                    place.ask(link::add(&end, Kind::Bridge, None))?;
                }
                place.ask(link::set(Which::Name(name), &Change { up: Some(true), ..Change::default() }))?;
            }
            Thing::Veth { name, mac, side, host_name, host_mac } => {
                if self.find_link(&Side::Inside, name)?.is_some_and(|link| is_veth(&link, mac)) {
                    return Ok(());
                }
                let inside = self.inside.as_ref().ok_or_else(|| Error::NoNamespace(self.name.to_owned()))?;
                let inside = inside.namespace().as_fd().try_clone_to_owned()?;
                let peer = End { name, namespace: Some(inside.as_fd()), mac: Some(*mac), ..End::default() };
                let end = End { name: host_name, mac: Some(*host_mac), ..End::default() };
                self.need(side)?.ask(link::add(&end, Kind::Veth(&peer), None))?;
            }
            Thing::Macvlan { name, parent, mode, mac } => {
                self.upon(name, parent, Kind::Macvlan(macvlan(*mode)), Some(*mac))?;
            }
            Thing::Ipvlan { name, parent, mode } => self.upon(name, parent, Kind::Ipvlan(ipvlan(*mode)), None)?,
            Thing::Moved { name } => self.move_in(name, before)?,
            Thing::Mtu { side, link, bytes } => {
                let index = self.need_link(side, link)?.index;
                self.need(side)?.set(index, &Change { mtu: Some(*bytes), ..Change::default() })?;
            }
            Thing::Port { side, link, bridge } => {
                let bridge = self.need_link(side, bridge)?.index;
                let index = self.need_link(side, link)?.index;
                self.need(side)?.set(index, &Change { master: Some(bridge), ..Change::default() })?;
            }
            Thing::NoDetection { side, link } => self.need(side)?.set_sysctl(&detection(link), "0")?,
            Thing::Address { side, link, address, detect, .. } => {
                let index = self.need_link(side, link)?.index;
                let detection = if *detect { Detection::Usual } else { Detection::Never };
                self.need(side)?.ask_again(address::add(index, *address, detection))?;
            }
            Thing::Up { side, link } => {
                let index = self.need_link(side, link)?.index;
                self.need(side)?.set(index, &Change { up: Some(true), ..Change::default() })?;
            }
            Thing::Route { .. } => {
                let route = self.route(thing)?;
                self.need(&Side::Inside)?.ask_again(route::add(&route))?;
            }
            Thing::Nat { side, sources } => {
                let table = table(self.name);
                self.need(side)?.nat()?.masquerade(&table, sources)?;
            }
        }
        Ok(())
    }

    /// A link inside upon one of the host's, born where it is to be.
    fn upon(&mut self, name: &str, parent: &str, kind: Kind<'_>, mac: Option<Mac>) -> Result<(), Error> {
        if self.find_link(&Side::Inside, name)?.is_some() {
            return Ok(());
        }
        let parent = self.need_link(&Side::Host, parent)?.index;
        let inside = self.inside.as_ref().ok_or_else(|| Error::NoNamespace(self.name.to_owned()))?;
        let end = End { name, namespace: Some(inside.namespace().as_fd()), mac, ..End::default() };
        Ok(self.host.ask(link::add(&end, kind, Some(parent)))?)
    }

    fn move_in(&mut self, name: &str, before: Option<&str>) -> Result<(), Error> {
        let before = read_before(before);
        if self.find_link(&Side::Inside, name)?.is_none() {
            let index = self.need_link(&Side::Host, name)?.index;
            let inside = self.inside.as_ref().ok_or_else(|| Error::NoNamespace(self.name.to_owned()))?;
            let change = Change { namespace: Some(inside.namespace().as_fd()), ..Change::default() };
            self.host.set(index, &change)?;
        }
        let index = self.need_link(&Side::Inside, name)?.index;
        self.need(&Side::Inside)?.add_addresses(index, &before.addresses)?;
        Ok(())
    }

    /// Also after a crash half way: then it is on the host already, but not all as it was.
    fn move_back(&mut self, name: &str, before: Option<&str>) -> Result<(), Error> {
        let before = read_before(before);
        if let Some(link) = self.find_link(&Side::Inside, name)? {
            let host = self.host.namespace().as_fd().try_clone_to_owned()?;
            let change = Change { namespace: Some(host.as_fd()), ..Change::default() };
            self.need(&Side::Inside)?.set(link.index, &change)?;
        }
        let Some(link) = self.host.link(name)? else { return Ok(()) };
        self.host.add_addresses(link.index, &before.addresses)?;
        if before.up && !link.is_up() {
            self.host.set(link.index, &Change { up: Some(true), ..Change::default() })?;
        }
        Ok(())
    }

    fn route(&mut self, thing: &Thing) -> Result<route::Route, Error> {
        let Thing::Route { destination, gateway, link, metric, source } = thing else {
            unreachable!("called for routes alone")
        };
        let index = match link {
            Some(name) => Some(self.need_link(&Side::Inside, name)?.index),
            None => None,
        };
        Ok(route::Route {
            gateway: *gateway,
            link: index,
            source: *source,
            metric: *metric,
            ..route::Route::to(*destination)
        })
    }

    /// Takes it back, as far as it is still there and ours.
    pub fn undo(&mut self, made: &Made) -> Result<(), Error> {
        let before = made.before.as_deref();
        match &made.thing {
            Thing::Sysctl { side, key, value } => {
                // What somebody has changed since is theirs.
                if let (Some(place), Some(before)) = (self.place(side), before)
                    && place.sysctl(key)?.as_ref() == Some(value)
                {
                    place.set_sysctl(key, before)?;
                }
            }
            Thing::Forwarding { side, ipv6 } => {
                if let Some(place) = self.place(side) {
                    place.set_sysctl(&forwarding("all", *ipv6), "0")?;
                    for link in before.unwrap_or_default().split_whitespace() {
                        let key = forwarding(link, *ipv6);
                        if place.sysctl(&key)?.is_some() {
                            place.set_sysctl(&key, "1")?;
                        }
                    }
                }
            }
            Thing::Bridge { side, name, mac } => {
                self.delete(side, name, |link| link.kind.as_deref() == Some("bridge") && link.mac == Some(*mac))?;
            }
            Thing::Veth { name, mac, side, host_name, host_mac } => {
                self.delete(&Side::Inside, name, |link| is_veth(link, mac))?;
                self.delete(side, host_name, |link| is_veth(link, host_mac))?;
            }
            Thing::Macvlan { name, mac, .. } => {
                self.delete(&Side::Inside, name, |link| {
                    link.kind.as_deref() == Some("macvlan") && link.mac == Some(*mac)
                })?;
            }
            Thing::Ipvlan { name, .. } => {
                self.delete(&Side::Inside, name, |link| link.kind.as_deref() == Some("ipvlan"))?;
            }
            Thing::Moved { name } => self.move_back(name, before)?,
            Thing::Mtu { side, link, bytes } => {
                let before = before.and_then(|before| before.parse().ok());
                if let Some(link) = self.find_link(side, link)?.filter(|link| link.mtu == *bytes) {
                    self.need(side)?.set(link.index, &Change { mtu: before, ..Change::default() })?;
                }
            }
            Thing::Port { side, link, bridge } => {
                let bridge = self.find_link(side, bridge)?.map(|bridge| bridge.index);
                if let Some(link) =
                    self.find_link(side, link)?.filter(|link| link.master.is_some() && link.master == bridge)
                {
                    self.need(side)?.set(link.index, &Change { master: Some(0), ..Change::default() })?;
                }
            }
            Thing::Address { side, link, address, .. } => {
                if let Some(link) = self.find_link(side, link)? {
                    self.need(side)?.ask_away(address::delete(link.index, *address))?;
                }
            }
            Thing::Route { link, .. } => {
                let there = match link {
                    Some(link) => self.find_link(&Side::Inside, link)?.is_some(),
                    None => self.inside.is_some(),
                };
                if there {
                    let route = self.route(&made.thing)?;
                    self.need(&Side::Inside)?.ask_away(route::delete(&route))?;
                }
            }
            Thing::Nat { side, .. } => {
                let table = table(self.name);
                if let Some(place) = self.place(side) {
                    place.nat()?.remove(&table)?;
                }
            }
            // They are of no use, and no harm, to a link that stays.
            Thing::NoDetection { .. } | Thing::Up { .. } => {}
        }
        Ok(())
    }

    /// Closes what is open inside.
    pub fn leave(&mut self) {
        self.inside = None;
    }

    /// Waits until the outer end of a pair has followed the inner one, for a while.
    pub fn await_gone(&mut self, pair: &Thing) -> Result<(), Error> {
        // The kernel needs a millisecond, and on a machine that is busy some more.
        const PATIENCE: Duration = Duration::from_millis(200);
        let Thing::Veth { side, host_name, host_mac, .. } = pair else { return Ok(()) };
        let Some(link) = self.find_link(side, host_name)?.filter(|link| is_veth(link, host_mac)) else { return Ok(()) };
        let mut watch = self.need(side)?.watch()?;
        watch.gone(link.index, Instant::now() + PATIENCE)?;
        Ok(())
    }

    fn delete(&mut self, side: &Side, name: &str, is_ours: impl Fn(&Link) -> bool) -> Result<(), Error> {
        if let Some(link) = self.find_link(side, name)?.filter(is_ours) {
            self.need(side)?.ask_away(link::delete(Which::Index(link.index)))?;
        }
        Ok(())
    }
}

/// The nftables table of a namespace.
pub fn table(name: &str) -> String {
    format!("unitcell-{name}")
}

fn is_veth(link: &Link, mac: &Mac) -> bool {
    link.kind.as_deref() == Some("veth") && link.mac == Some(*mac)
}

/// Does it not come and go by itself, as what the kernel or a router gives?
fn is_lasting(address: &Address) -> bool {
    const PERMANENT: u32 = 0x80;
    let link_local = matches!(address.net.addr(), std::net::IpAddr::V6(ip) if ip.is_unicast_link_local());
    address.flags & PERMANENT != 0 && !link_local
}

fn is_same(found: &route::Route, wanted: &route::Route) -> bool {
    found.destination.trunc() == wanted.destination.trunc()
        && found.gateway == wanted.gateway
        && (wanted.link.is_none() || found.link == wanted.link)
        && (wanted.metric.is_none() || found.metric == wanted.metric)
        && (wanted.source.is_none() || found.source == wanted.source)
}

fn read_before(before: Option<&str>) -> Before {
    before.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

fn forwarding(link: &str, ipv6: bool) -> String {
    crate::netlink::sysctl::forwarding(ipv6, link)
}

fn detection(link: &str) -> String {
    format!("net/ipv6/conf/{link}/accept_dad")
}

fn macvlan(mode: MacvlanMode) -> link::MacvlanMode {
    match mode {
        MacvlanMode::Bridge => link::MacvlanMode::Bridge,
        MacvlanMode::Private => link::MacvlanMode::Private,
        MacvlanMode::Vepa => link::MacvlanMode::Vepa,
        MacvlanMode::Passthru => link::MacvlanMode::Passthru,
    }
}

fn ipvlan(mode: IpvlanMode) -> link::IpvlanMode {
    match mode {
        IpvlanMode::L2 => link::IpvlanMode::L2,
        IpvlanMode::L3 => link::IpvlanMode::L3,
        IpvlanMode::L3s => link::IpvlanMode::L3s,
    }
}
