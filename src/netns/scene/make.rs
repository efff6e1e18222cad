//! Making things. Changes to links, addresses and routes wait for each other, and go out many at once:
//! whoever looks at a namespace has them sent first.

use std::os::fd::AsFd;

use super::{Scene, detection, forwarding, table};
use crate::netlink::address::{self, Detection};
use crate::netlink::link::{self, Change, End, Kind, Mac, Which};
use crate::netlink::route;
use crate::netns::Error;
use crate::netns::description::{IpvlanMode, MacvlanMode};
use crate::netns::desired::accept_ra;
use crate::netns::place::THERE;
use crate::netns::thing::{Side, Thing};

impl Scene<'_> {
    /// Makes it, by the next [`Scene::send`] at the latest; what is there already is as it should be.
    /// `before` is as [`Scene::before`] told.
    pub fn make(&mut self, thing: &Thing, before: Option<&str>) -> Result<(), Error> {
        match thing {
            Thing::Sysctl { side, key, value } => self.need(side)?.set_sysctl(key, value)?,
            Thing::Forwarding { side, ipv6 } => self.need(side)?.set_sysctl(&forwarding("all", *ipv6), "1")?,
            Thing::Bridge { side, name, mac } => {
                let place = self.need(side)?;
                if place.link(name)?.is_none() {
                    let end = End { name, mac: Some(*mac), ..End::default() };
                    place.ask(link::add(&end, Kind::Bridge, None))?;
                    // Its ports are cells, whose word for a router is worth nothing either.
                    self.switch_off(side, &accept_ra(name))?;
                }
                self.change(side, name, &Change { up: Some(true), ..Change::default() })?;
            }
            Thing::Veth { .. } => self.make_pair(thing)?,
            Thing::Macvlan { name, parent, mode, mac } => {
                self.upon(name, parent, Kind::Macvlan(macvlan(*mode)), Some(*mac))?;
            }
            Thing::Ipvlan { name, parent, mode } => self.upon(name, parent, Kind::Ipvlan(ipvlan(*mode)), None)?,
            Thing::Moved { name } => self.move_in(name, before)?,
            Thing::Mtu { side, link, bytes } => {
                self.change(side, link, &Change { mtu: Some(*bytes), ..Change::default() })?;
            }
            Thing::Port { side, link, bridge } => {
                let master = Some(self.number(side, bridge)?);
                self.change(side, link, &Change { master, ..Change::default() })?;
            }
            Thing::NoDetection { side, link } => self.switch_off(side, &detection(link))?,
            Thing::NoRouters { side, link } => self.switch_off(side, &accept_ra(link))?,
            Thing::Address { side, link, address, detect, .. } => {
                let number = self.number(side, link)?;
                let detection = if *detect { Detection::Usual } else { Detection::Never };
                self.need(side)?.later(address::add(number, *address, detection), THERE);
            }
            Thing::Up { side, link } => {
                self.change(side, link, &Change { up: Some(true), ..Change::default() })?;
            }
            Thing::Route { .. } => {
                let route = self.route(thing)?;
                self.need(&Side::Inside)?.later(route::add(&route), THERE);
            }
            Thing::Nat { side, sources } => {
                let table = table(self.name);
                self.need(side)?.nat()?.masquerade(&table, sources)?;
            }
        }
        Ok(())
    }

    /// Where IPv6 is switched off, there is no such setting.
    fn switch_off(&mut self, side: &Side, key: &str) -> Result<(), Error> {
        let place = self.need(side)?;
        if place.sysctl(key)?.is_some() {
            place.set_sysctl(key, "0")?;
        }
        Ok(())
    }

    fn change(&mut self, side: &Side, link: &str, change: &Change<'static>) -> Result<(), Error> {
        let number = self.number(side, link)?;
        self.need(side)?.later(link::set(Which::Index(number), change), &[]);
        Ok(())
    }

    /// A link inside upon one of the host's, born where it is to be.
    fn upon(&mut self, name: &str, parent: &str, kind: Kind<'_>, mac: Option<Mac>) -> Result<(), Error> {
        if self.find_link(&Side::Inside, name)?.is_some() {
            return Ok(());
        }
        let parent = self.number(&Side::Host, parent)?;
        let inside = self.inside.as_ref().ok_or_else(|| Error::NoNamespace(self.name.to_owned()))?;
        let end = End { name, namespace: Some(inside.namespace().as_fd()), mac, ..End::default() };
        Ok(self.host.ask(link::add(&end, kind, Some(parent)))?)
    }
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
