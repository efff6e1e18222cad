//! Taking things back.

use super::pair::is_veth;
use super::{Scene, forwarding, table};
use crate::netlink::link::{self, Change, Link, Which};
use crate::netlink::{address, route};
use crate::netns::Error;
use crate::netns::change::Made;
use crate::netns::thing::{Side, Thing};

impl Scene<'_> {
    /// Takes it back, as far as it is still there and ours.
    pub fn undo(&mut self, made: &Made) -> Result<(), Error> {
        self.numbers.clear();
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
            Thing::NoDetection { .. } | Thing::NoRouters { .. } | Thing::Up { .. } => {}
        }
        Ok(())
    }

    fn delete(&mut self, side: &Side, name: &str, is_ours: impl Fn(&Link) -> bool) -> Result<(), Error> {
        if let Some(link) = self.find_link(side, name)?.filter(is_ours) {
            self.need(side)?.ask_away(link::delete(Which::Index(link.index)))?;
        }
        Ok(())
    }
}
