//! Links of the host's that are moved in, and back, with the addresses that they have.

use std::net::IpAddr;
use std::os::fd::AsFd;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::Scene;
use super::look::taken;
use crate::netlink::address::Address;
use crate::netlink::link::Change;
use crate::netns::Error;
use crate::netns::place::Place;
use crate::netns::thing::Side;

/// What a link had.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Before {
    up: bool,
    carries: bool,
    addresses: Vec<IpNet>,
    bridge: Option<String>,
}

/// What a link of the host's has, as the ledger keeps it.
pub(super) fn before(host: &mut Place, name: &str) -> Result<Option<String>, Error> {
    let missing = || Error::NoLink { name: name.to_owned(), side: Side::Host };
    let link = host.link(name)?.ok_or_else(missing)?;
    let found = host.addresses(link.index)?;
    let addresses = found.iter().filter(|address| is_lasting(address)).map(|address| address.net).collect();
    let bridge = match link.master {
        Some(master) => host.links()?.into_iter().find(|other| other.index == master).map(|bridge| bridge.name),
        None => None,
    };
    Ok(serde_json::to_string(&Before { up: link.is_up(), carries: link.carries(), addresses, bridge }).ok())
}

/// Did it carry packets? One that nobody was at the other end of may have to wait for who is inside.
pub fn carried(before: Option<&str>) -> bool {
    read(before).carries
}

impl Scene<'_> {
    pub(super) fn move_in(&mut self, name: &str, before: Option<&str>) -> Result<(), Error> {
        let before = read(before);
        if self.find_link(&Side::Inside, name)?.is_none() {
            let index = self.need_link(&Side::Host, name)?.index;
            let inside = self.inside.as_ref().ok_or_else(|| Error::NoNamespace(self.name.to_owned()))?;
            let change = Change { namespace: Some(inside.namespace().as_fd()), ..Change::default() };
            self.host.set(index, &change)?;
            self.numbers.clear();
        }
        let number = self.number(&Side::Inside, name)?;
        self.need(&Side::Inside)?.add_addresses(number, &before.addresses);
        Ok(())
    }

    /// Also after a crash half way: then it is on the host already, but not all as it was.
    pub(super) fn move_back(&mut self, name: &str, before: Option<&str>) -> Result<(), Error> {
        let before = read(before);
        if let Some(link) = self.find_link(&Side::Inside, name)? {
            if self.host.link(name)?.is_some() {
                return Err(taken(&Side::Host, name));
            }
            let host = self.host.namespace().as_fd().try_clone_to_owned()?;
            let change = Change { namespace: Some(host.as_fd()), ..Change::default() };
            self.need(&Side::Inside)?.set(link.index, &change)?;
        }
        let Some(link) = self.host.link(name)? else { return Ok(()) };
        let bridge = match &before.bridge {
            Some(bridge) if link.master.is_none() => self.host.link(bridge)?,
            _ => None,
        };
        if let Some(bridge) = bridge {
            self.host.set(link.index, &Change { master: Some(bridge.index), ..Change::default() })?;
        }
        self.host.add_addresses(link.index, &before.addresses);
        if before.up && !link.is_up() {
            self.host.set(link.index, &Change { up: Some(true), ..Change::default() })?;
        }
        Ok(self.host.send()?)
    }
}

/// Does it not come and go by itself, as what the kernel or a router gives?
fn is_lasting(address: &Address) -> bool {
    const PERMANENT: u32 = 0x80;
    let link_local = matches!(address.net.addr(), IpAddr::V6(ip) if ip.is_unicast_link_local());
    address.flags & PERMANENT != 0 && !link_local
}

fn read(before: Option<&str>) -> Before {
    before.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}
