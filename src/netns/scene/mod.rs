//! Where things are made and taken back: the namespace, the host's, and other named ones.

mod look;
mod make;
pub mod moved;
mod pair;
mod undo;

use std::collections::HashMap;

use super::place::Place;
use super::thing::{Side, Thing};
use super::{Error, Places};
use crate::netlink::link::Link;
use crate::netlink::{route, sysctl};

/// All namespaces that one name has to do with.
#[derive(Debug)]
pub struct Scene<'s> {
    places: &'s Places,
    name: &'s str,
    /// None once it is gone.
    inside: Option<Place>,
    host: Place,
    others: HashMap<String, Place>,
    /// The numbers of links that were looked up. What is taken back may be one of them.
    numbers: HashMap<(Side, String), u32>,
}

impl<'s> Scene<'s> {
    /// Opens the host's namespace, and the one that is pinned under the name if it is `there`.
    pub fn open(places: &'s Places, name: &'s str, there: bool) -> Result<Scene<'s>, Error> {
        let pin = places.pin(name);
        let inside = there.then(|| Place::pinned(&pin).map_err(Error::system("enter", &pin))).transpose()?;
        let host = Place::own().map_err(Error::system("enter", "/proc/self/ns/net".as_ref()))?;
        Ok(Scene { places, name, inside, host, others: HashMap::new(), numbers: HashMap::new() })
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

    /// Sends what is still to be sent.
    pub fn send(&mut self) -> Result<(), Error> {
        let mut places = self.inside.iter_mut().chain([&mut self.host]).chain(self.others.values_mut());
        Ok(places.try_for_each(Place::send)?)
    }

    /// Closes what is open inside.
    pub fn leave(&mut self) {
        self.inside = None;
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

    /// The number of a link.
    fn number(&mut self, side: &Side, name: &str) -> Result<u32, Error> {
        let key = (side.clone(), name.to_owned());
        if let Some(number) = self.numbers.get(&key) {
            return Ok(*number);
        }
        let number = self.need_link(side, name)?.index;
        self.numbers.insert(key, number);
        Ok(number)
    }

    fn route(&mut self, thing: &Thing) -> Result<route::Route, Error> {
        let Thing::Route { destination, gateway, link, metric, source } = thing else {
            unreachable!("called for routes alone")
        };
        let link = link.as_ref().map(|name| self.number(&Side::Inside, name)).transpose()?;
        Ok(route::Route { gateway: *gateway, link, source: *source, metric: *metric, ..route::Route::to(*destination) })
    }
}

/// The nftables table of a namespace.
pub fn table(name: &str) -> String {
    format!("unitcell-{name}")
}

fn forwarding(link: &str, ipv6: bool) -> String {
    sysctl::forwarding(ipv6, link)
}

fn detection(link: &str) -> String {
    format!("net/ipv6/conf/{link}/accept_dad")
}
