//! `unitcell netns up`, `reload` and `down` of a user: a process is to hold the namespace, and so the user's
//! manager is asked for the unit that it belongs to.

use serde::Serialize;

use super::all;
use super::lifecycle::each_once;
use crate::bus::{Systemd, block_on};
use crate::cell::netns_owner;
use crate::cli::Error;
use crate::cli::output::Output;
use crate::unit::Scope;

#[derive(Debug, Serialize)]
struct Change {
    name: String,
    unit: String,
    state: &'static str,
}

pub fn up(names: Vec<String>, output: &Output) -> Result<(), Error> {
    for_each(names, output, async |systemd, unit| systemd.start_wholly(unit).await.map(|()| "up"))
}

pub fn reload(name: String, output: &Output) -> Result<(), Error> {
    for_each(vec![name], output, async |systemd, unit| systemd.reload_wholly(unit).await.map(|()| "reloaded"))
}

pub fn down(names: Vec<String>, output: &Output) -> Result<(), Error> {
    for_each(names, output, async |systemd, unit| {
        Ok(if systemd.stop_wholly(unit).await? { "removed" } else { "absent" })
    })
}

fn for_each(
    names: Vec<String>,
    output: &Output,
    act: impl AsyncFn(&Systemd, &str) -> Result<&'static str, crate::bus::Error>,
) -> Result<(), Error> {
    all(each_once(names)?.into_iter().map(|name| {
        let unit = netns_owner(&name);
        let state = block_on(async { act(&Systemd::connect(&Scope::User.into()).await?, &unit).await })?;
        Ok(output.print(&Change { name, unit, state }, text)?)
    }))
}

fn text(change: &Change) -> String {
    let Change { name, unit, state } = change;
    match *state {
        "absent" => format!("Network namespace {name} is not there"),
        "removed" => format!("Network namespace {name} is removed"),
        "reloaded" => format!("Network namespace {name} is as {name}.netns describes it"),
        _ => format!("Network namespace {name} is up, held by {unit}"),
    }
}
