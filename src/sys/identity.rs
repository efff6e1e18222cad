//! User and group ids of the process.

use std::io;

use nix::unistd::{Gid, Uid, setgroups, setresgid, setresuid};

/// Sets the supplementary groups, then all three group ids; what is none stays.
pub fn set_groups(gid: Option<u32>, supplementary: Option<&[u32]>) -> io::Result<()> {
    if let Some(groups) = supplementary {
        let groups: Vec<Gid> = groups.iter().copied().map(Gid::from_raw).collect();
        setgroups(&groups)?;
    }
    match gid.map(Gid::from_raw) {
        Some(gid) => Ok(setresgid(gid, gid, gid)?),
        None => Ok(()),
    }
}

/// Sets all three user ids.
pub fn set_user(uid: u32) -> io::Result<()> {
    let uid = Uid::from_raw(uid);
    Ok(setresuid(uid, uid, uid)?)
}
