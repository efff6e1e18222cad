//! Waiting until what was made can be used.

use std::time::{Duration, Instant};

use super::Error;
use super::scene::Scene;
use super::thing::{Side, Thing};
use crate::netlink::settle::Settled;

/// As long as systemd waits for a service by default.
const PATIENCE: Duration = Duration::from_secs(90);

/// Waits until the links that were made carry packets, and none of their addresses is tentative;
/// `told` hears what is awaited.
pub fn settle(scene: &mut Scene<'_>, things: &[Thing], told: &mut dyn FnMut(&str)) -> Result<(), Error> {
    let deadline = Instant::now() + PATIENCE;
    for (side, links) in awaited(things) {
        let Some(place) = scene.place(&side) else { continue };
        let mut numbers = Vec::new();
        for link in links {
            numbers.extend(place.link(link)?.map(|link| link.index));
        }
        let mut watch = place.watch()?;
        let settled = watch.settle(&numbers, deadline, |awaited| {
            let awaited: Vec<String> = awaited.iter().map(ToString::to_string).collect();
            told(&format!("Waiting for {}", awaited.join(", ")));
        })?;
        match settled {
            Settled::Ready => {}
            Settled::Duplicate(addresses) => return Err(Error::Duplicate(addresses)),
            Settled::Late(awaited) => {
                return Err(Error::Late(awaited.iter().map(ToString::to_string).collect()));
            }
        }
    }
    Ok(())
}

/// The links on each side that matter: all that were made or moved inside, and outside those with an address
/// that others on the link are asked about.
fn awaited(things: &[Thing]) -> Vec<(Side, Vec<&str>)> {
    let mut sides: Vec<(Side, Vec<&str>)> = Vec::new();
    for thing in things {
        let (side, link) = match thing {
            Thing::Veth { name, .. }
            | Thing::Macvlan { name, .. }
            | Thing::Ipvlan { name, .. }
            | Thing::Moved { name } => (&Side::Inside, name),
            Thing::Address { side, link, detect: true, address, .. } if address.addr().is_ipv6() => (side, link),
            _ => continue,
        };
        let index = sides.iter().position(|(other, _)| other == side).unwrap_or_else(|| {
            sides.push((side.clone(), Vec::new()));
            sides.len() - 1
        });
        if !sides[index].1.contains(&link.as_str()) {
            sides[index].1.push(link);
        }
    }
    sides
}
