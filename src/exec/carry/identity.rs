//! The steps that say who the payload is, and which ids mean what to it.

use std::io;

use super::Wrapper;
use super::credentials::Owner;
use crate::cell::Kind;
use crate::cell::steps::IdMaps;
use crate::exec::subordinate;
use crate::sys::id_map::{IdRange, Maps};
use crate::sys::{capability, identity};

impl Wrapper<'_> {
    pub(super) fn maps(&self, maps: &IdMaps) -> io::Result<Maps> {
        Ok(match maps {
            IdMaps::Ranges { uids, gids, deny_setgroups } => {
                Maps { uids: uids.clone(), gids: gids.clone(), deny_setgroups: deny_setgroups.then_some(true) }
            }
            IdMaps::Subordinate(owner) => {
                let (uids, gids) = subordinate::maps(owner, self.request.own_files.as_deref())?;
                Maps { uids, gids, deny_setgroups: None }
            }
            IdMaps::SelfOnly if self.privileged => Maps {
                // In a PAM session it is the user already.
                uids: to_themselves([0, self.ids.uid.unwrap_or_else(|| nix::unistd::geteuid().as_raw())]),
                gids: to_themselves([0, self.ids.gid.unwrap_or_else(|| nix::unistd::getegid().as_raw())]),
                deny_setgroups: Some(true),
            },
            IdMaps::SelfOnly => {
                let (uid, gid) = (nix::unistd::geteuid().as_raw(), nix::unistd::getegid().as_raw());
                Maps { uids: to_themselves([uid]), gids: to_themselves([gid]), deny_setgroups: Some(true) }
            }
        })
    }

    /// Where ids mean the inside of a user namespace and none is given, root of it is meant. But who has no
    /// privilege stays who it is, where it is anyone in there.
    pub(super) fn ids_inside(&self) -> bool {
        self.held.contains(Kind::User) && self.request.cell.ids_are_inside() && !self.stays
    }

    /// The payload, as this process has to call it when it mounts something for it: from without
    /// the user namespace if it has the privilege, else from within.
    pub(super) fn owner(&self) -> Owner {
        let (uid, gid) = (self.ids.uid.unwrap_or(0), self.ids.gid.unwrap_or(0));
        match self.maps.as_ref().filter(|_| self.privileged) {
            Some(maps) => Owner { uid: outside(&maps.uids, uid), gid: outside(&maps.gids, gid) },
            None => Owner { uid, gid },
        }
    }

    /// Whoever makes a user namespace has all capabilities in it, from outside as well, user_namespaces(7); the user
    /// of a PAM session is to have none.
    pub(super) fn belong_to_root(&self) -> io::Result<()> {
        match self.request.identity.drop_ambient {
            true => identity::set_user(0),
            false => Ok(()),
        }
    }

    pub(super) fn set_groups(&self) -> io::Result<()> {
        let inside = self.ids_inside();
        let gid = self.ids.gid.or(inside.then_some(0));
        // A namespace may deny setgroups(2), which hurts only who has groups to give up.
        let leftover = inside && !nix::unistd::getgroups()?.is_empty();
        let groups = self.ids.groups.as_deref().or(leftover.then_some(&[]));
        identity::set_groups(gid, groups)
    }

    /// Without it the process would have an id that the user namespace does not map, and could
    /// make no file in what is mounted there.
    pub(super) fn become_root(&self) -> io::Result<()> {
        if !self.ids_inside() {
            return Ok(());
        }
        identity::set_groups(Some(0), None)?;
        identity::set_user(0)
    }

    pub(super) fn set_user(&self) -> io::Result<()> {
        let Some(uid) = self.ids.uid.or(self.ids_inside().then_some(0)) else { return Ok(()) };
        let identity = &self.request.identity;
        let keep = !identity.ambient.is_empty() || identity.secure_bits.is_some() || self.request.keep_capabilities;
        // A filter that comes later takes one of them.
        if (keep || !identity.denied_calls.is_empty()) && uid != 0 {
            capability::keep_through_setuid()?;
        }
        identity::set_user(uid)?;
        if keep { capability::regain_effective() } else { Ok(()) }
    }
}

/// The id outside. One that is not mapped stays, and nobody can become it.
fn outside(map: &[IdRange], id: u32) -> u32 {
    let in_range = |range: &IdRange| Some(id.checked_sub(range.inside)?).filter(|offset| *offset < range.count);
    map.iter().find_map(|range| in_range(range).map(|offset| range.outside + offset)).unwrap_or(id)
}

/// Extents that map these ids to themselves, each once.
fn to_themselves<const N: usize>(mut ids: [u32; N]) -> Vec<IdRange> {
    ids.sort_unstable();
    let mut ranges: Vec<IdRange> = ids.map(|id| IdRange { inside: id, outside: id, count: 1 }).to_vec();
    ranges.dedup();
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_outside_is_found() {
        let map = [IdRange { inside: 0, outside: 100_000, count: 10 }, IdRange { inside: 20, outside: 7, count: 1 }];
        assert_eq!([0, 9, 10, 20].map(|id| outside(&map, id)), [100_000, 100_009, 10, 7]);
    }
}
