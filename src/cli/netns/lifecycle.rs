//! `unitcell netns up` and `down`: the lifecycle, as unitcell-netns@.service runs it.

use std::collections::HashSet;
use std::env;

use serde::Serialize;

use super::{all, failed};
use crate::cell::value::parse_netns_name;
use crate::cli::Error;
use crate::cli::journal::{self, Entry};
use crate::cli::output::Output;
use crate::netns::{self, Down, Places, Up};
use crate::notify::{Notifier, NotifyState};

#[derive(Debug, Serialize)]
struct Change {
    name: String,
    path: String,
    state: &'static str,
    #[serde(skip)]
    entry: Option<Entry>,
    #[serde(skip)]
    message: String,
}

pub fn up(places: &Places, names: Vec<String>, output: &Output) -> Result<(), Error> {
    let names = each_once(names)?;
    let together = names.join(", ");
    tell_manager(&[NotifyState::Status(&format!("Making network namespace {together}"))]);
    let outcomes = netns::up(places, &names, &mut tell_status).map_err(failed(&together))?;
    let changes = names.iter().zip(outcomes).map(|(name, outcome)| {
        let change = came_up(places, name, outcome.map_err(failed(name))?);
        tell_manager(&[NotifyState::Ready, NotifyState::Status(&change.message)]);
        Ok(change)
    });
    report(changes, output)
}

pub fn reload(places: &Places, name: String, output: &Output) -> Result<(), Error> {
    let name = valid(name)?;
    netns::reload(places, &name, &mut tell_status).map_err(failed(&name))?;
    let message = format!("Network namespace {name} is as {name}.netns describes it");
    let path = places.pin(&name).display().to_string();
    tell_status(&message);
    report([Ok(Change { name, path, state: "reloaded", entry: None, message })], output)
}

pub fn down(places: &Places, names: Vec<String>, output: &Output) -> Result<(), Error> {
    let names = each_once(names)?;
    let outcomes = netns::down(places, &names).map_err(failed(&names.join(", ")))?;
    let changes = names.iter().zip(outcomes).map(|(name, outcome)| {
        let change = went_down(places, name, outcome.map_err(failed(name))?);
        tell_status(&change.message);
        Ok(change)
    });
    report(changes, output)
}

/// The names, all of them valid, or nothing is done.
pub fn each_once(names: Vec<String>) -> Result<Vec<String>, Error> {
    let mut seen = HashSet::new();
    names.into_iter().filter(|name| seen.insert(name.clone())).map(valid).collect()
}

/// In a unit file a name may hold specifiers; here systemd has expanded them already.
pub fn valid(name: String) -> Result<String, Error> {
    let refused = |reason: String| Error::NetnsName { name: name.clone(), reason };
    if name.contains('%') {
        return Err(refused("has a specifier, which only a unit file may".to_owned()));
    }
    parse_netns_name(&name).map_err(|error| refused(format!("is no name: it {error}")))
}

fn came_up(places: &Places, name: &str, outcome: Up) -> Change {
    let path = places.pin(name).display().to_string();
    let (state, entry, message) = match outcome {
        Up::Made => ("made", Some(Entry::Up), format!("Network namespace {name} is up, at {path}")),
        Up::Kept => ("kept", None, format!("Network namespace {name} is up already, at {path}")),
        Up::Adopted => (
            "adopted",
            Some(Entry::Adopted),
            format!("Network namespace {name} was there before, at {path}: it is used, and will not be removed"),
        ),
    };
    Change { name: name.to_owned(), path, state, entry, message }
}

fn went_down(places: &Places, name: &str, outcome: Down) -> Change {
    let path = places.pin(name).display().to_string();
    let (state, entry, message) = match outcome {
        Down::Removed => ("removed", Some(Entry::Down), format!("Network namespace {name} is removed")),
        Down::Absent => ("absent", None, format!("Network namespace {name} is not there")),
        Down::Left => ("left", None, format!("Network namespace {name} was made by somebody else: {path} stays")),
    };
    Change { name: name.to_owned(), path, state, entry, message }
}

/// Tells what has come of each name: in one document, or in lines, where the journal does not get an entry with
/// all that belongs to it.
fn report(outcomes: impl IntoIterator<Item = Result<Change, Error>>, output: &Output) -> Result<(), Error> {
    let mut changes = Vec::new();
    let done = all(outcomes.into_iter().map(|outcome| outcome.map(|change| changes.push(change))));
    let logged = |change: &&Change| {
        let Some(entry) = change.entry.filter(|_| journal::connected()) else { return false };
        journal::netns(entry, &change.name, &change.message).is_ok()
    };
    let (_, unlogged): (Vec<&Change>, Vec<&Change>) = changes.iter().partition(logged);
    let lines = |_: &Vec<Change>| unlogged.iter().map(|change| format!("{}\n", change.message)).collect();
    all([done, output.print(&changes, lines).map_err(Error::from)])
}

pub fn tell_status(status: &str) {
    tell_manager(&[NotifyState::Status(status)]);
}

/// Tells the manager, where one listens; a status that gets lost is no reason to fail.
pub fn tell_manager(fields: &[NotifyState<'_>]) {
    if let Some(address) = env::var_os("NOTIFY_SOCKET") {
        let _ = Notifier::connect(&address).and_then(|notifier| notifier.send(fields));
    }
}
