//! Who the command is, once its namespaces are there.

use super::Error;
use crate::sys::{capability, identity};

/// Gives up all supplementary groups, if that is not done yet, and takes this group id.
pub fn set_group(gid: u32, gave_up_groups: bool) -> Result<(), Error> {
    let groups = (!gave_up_groups).then_some(&[][..]);
    identity::set_groups(Some(gid), groups).map_err(Error::system(format!("become group {gid}")))
}

/// Takes this user id.
pub fn set_user(uid: u32) -> Result<(), Error> {
    identity::set_user(uid).map_err(Error::system(format!("become user {uid}")))
}

/// Makes all capabilities that the process has last through the next exec.
pub fn keep_capabilities() -> Result<(), Error> {
    capability::raise_all_ambient().map_err(Error::system("keep the capabilities"))
}
