//! `unitcell netns hold`: what unitcell-netns@.service of a user's manager runs, in namespaces of its own.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;

use super::failed;
use super::lifecycle::{tell_manager, tell_status, valid};
use crate::cli::Error;
use crate::generator::facts::installed;
use crate::netns::{self, Places};
use crate::notify::NotifyState;
use crate::sys;

/// Sets the network namespace up that this process is in, and becomes what holds it, unless a process
/// does that already.
pub fn hold(places: &Places, name: String, holder: Option<u32>) -> Result<(), Error> {
    let name = valid(name)?;
    netns::hold(places, &name, holder, &mut tell_status).map_err(failed(&name))?;
    if holder.is_some() {
        return Ok(());
    }
    let message = format!("Network namespace {name} is up, as long as this process is");
    tell_manager(&[NotifyState::Ready, NotifyState::Status(&message)]);
    Err(become_pause(&name)?)
}

/// It needs no privilege, and keeps nothing in use. What is returned is why it could not be.
fn become_pause(name: &str) -> Result<Error, Error> {
    sys::capability::drop_ambient()?;
    env::set_current_dir("/")?;
    let program = installed("unitcell-pause");
    let source = Command::new(&program).arg(name).env_clear().exec();
    Ok(Error::Execute { program, source })
}
