//! Pairs of links, one end inside: told from others by hardware addresses that nobody else has.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use super::Scene;
use super::look::taken;
use crate::netlink::link::{self, End, Kind, Link, Mac, Which};
use crate::netns::Error;
use crate::netns::thing::{Side, Thing};

impl Scene<'_> {
    /// The kernel takes its time to remove a namespace, and what is left of a pair is still there
    /// meanwhile.
    pub(super) fn refuse_all_but_remains(&mut self, side: &Side, name: &str, mac: &Mac) -> Result<(), Error> {
        match self.find_link(side, name)? {
            Some(link) if is_veth(&link, mac) => {
                Ok(self.need(side)?.ask_away(link::delete(Which::Index(link.index)))?)
            }
            Some(_) => Err(taken(side, name)),
            None => Ok(()),
        }
    }

    pub(super) fn make_pair(&mut self, pair: &Thing) -> Result<(), Error> {
        let Thing::Veth { name, mac, side, host_name, host_mac } = pair else { return Ok(()) };
        let inside = self.inside.as_ref().ok_or_else(|| Error::NoNamespace(self.name.to_owned()))?;
        let inside = inside.namespace().as_fd().try_clone_to_owned()?;
        let peer = End { name, namespace: Some(inside.as_fd()), mac: Some(*mac), ..End::default() };
        let end = End { name: host_name, mac: Some(*host_mac), ..End::default() };
        match self.need(side)?.ask(link::add(&end, Kind::Veth(&peer), None)) {
            // Made before a crash.
            Err(error) if error.errno() == Some(libc::EEXIST) => {
                let ours = self.find_link(&Side::Inside, name)?.is_some_and(|link| is_veth(&link, mac));
                if ours { Ok(()) } else { Err(error.into()) }
            }
            other => Ok(other?),
        }
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
}

pub(super) fn is_veth(link: &Link, mac: &Mac) -> bool {
    link.kind.as_deref() == Some("veth") && link.mac == Some(*mac)
}
