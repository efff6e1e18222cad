//! What is there before anything is made.

use super::{Scene, detection, forwarding, moved};
use crate::netlink::route::Route;
use crate::netns::Error;
use crate::netns::desired::accept_ra;
use crate::netns::thing::{Side, Thing};

impl Scene<'_> {
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
                Some(_) => return Err(taken(side, name)),
                None => false,
            },
            Thing::Veth { name, side, host_name, host_mac, .. } => {
                self.refuse_taken(&Side::Inside, name)?;
                self.refuse_all_but_remains(side, host_name, host_mac)?;
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
                let bridge = self.number(side, bridge)?;
                self.need_link(side, link)?.master == Some(bridge)
            }
            Thing::NoDetection { side, link } => self.is_off(side, &detection(link))?,
            Thing::NoRouters { side, link } => self.is_off(side, &accept_ra(link))?,
            Thing::Address { side, link, address, .. } => {
                let link = self.number(side, link)?;
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

    /// Also where there is no such setting, for IPv6 is switched off.
    fn is_off(&mut self, side: &Side, key: &str) -> Result<bool, Error> {
        Ok(self.need(side)?.sysctl(key)?.is_none_or(|value| value == "0"))
    }

    fn refuse_taken(&mut self, side: &Side, name: &str) -> Result<(), Error> {
        match self.find_link(side, name)? {
            Some(_) => Err(taken(side, name)),
            None => Ok(()),
        }
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
            Thing::Moved { name } => moved::before(&mut self.host, name)?,
            _ => None,
        })
    }
}

/// An error: somebody else has the name of a link.
pub fn taken(side: &Side, name: &str) -> Error {
    Error::LinkTaken { name: name.to_owned(), side: side.clone() }
}

fn is_same(found: &Route, wanted: &Route) -> bool {
    found.destination.trunc() == wanted.destination.trunc()
        && found.gateway == wanted.gateway
        && (wanted.link.is_none() || found.link == wanted.link)
        && (wanted.metric.is_none() || found.metric == wanted.metric)
        && (wanted.source.is_none() || found.source == wanted.source)
}
