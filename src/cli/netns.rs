//! `unitcell netns`: named network namespaces.

use std::env;
use std::process::ExitCode;

use serde::Serialize;

use super::Error;
use super::journal::{self, Entry};
use super::output::Output;
use super::style;
use super::table::Table;
use crate::cell::value::parse_netns_name;
use crate::netns::{self, Down, Named, Places, Up};
use crate::notify::{Notifier, NotifyState};

/// Make, remove and list named network namespaces, which `ip netns` sees, too
#[derive(Debug, clap::Subcommand)]
pub enum Netns {
    /// Make the network namespace be there, lo up, with what NAME.netns describes; wait until it is ready
    ///
    /// One that somebody else made is used as it is, and gets what is described as well.
    Up {
        /// Its name, as in /run/netns
        name: String,
    },
    /// Change a network namespace that is up to what NAME.netns describes now; what stays is not touched
    Reload {
        /// Its name, as in /run/netns
        name: String,
    },
    /// Remove what `up` made, and nothing else
    Down {
        /// Its name, as in /run/netns
        name: String,
    },
    /// List the network namespaces that have a name
    List,
}

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

#[derive(Debug, Serialize)]
struct Row {
    name: String,
    inode: Option<u64>,
    made_by_unitcell: bool,
}

impl Netns {
    pub fn run(self, output: &Output) -> Result<ExitCode, Error> {
        let places = Places::system();
        match self {
            Netns::Up { name } => {
                let name = valid(name)?;
                tell_manager(&[NotifyState::Status(&format!("Making network namespace {name}"))]);
                let outcome = netns::up(&places, &name, &mut tell_status).map_err(failed(&name))?;
                let change = came_up(&places, &name, outcome);
                tell_manager(&[NotifyState::Ready, NotifyState::Status(&change.message)]);
                report(&change, output)?;
            }
            Netns::Reload { name } => {
                let name = valid(name)?;
                netns::reload(&places, &name, &mut tell_status).map_err(failed(&name))?;
                let message = format!("Network namespace {name} is as {name}.netns describes it");
                let path = places.pin(&name).display().to_string();
                tell_manager(&[NotifyState::Status(&message)]);
                report(&Change { name, path, state: "reloaded", entry: None, message }, output)?;
            }
            Netns::Down { name } => {
                let name = valid(name)?;
                let outcome = netns::down(&places, &name).map_err(failed(&name))?;
                let change = went_down(&places, &name, outcome);
                tell_manager(&[NotifyState::Status(&change.message)]);
                report(&change, output)?;
            }
            Netns::List => {
                let rows: Vec<Row> =
                    netns::list(&places).map_err(Error::NetnsList)?.into_iter().map(Row::from).collect();
                output.print(&rows, |rows| table(rows).render(output.palette))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn failed(name: &str) -> impl FnOnce(netns::Error) -> Error {
    move |source| Error::Netns { name: name.to_owned(), source }
}

/// In a unit file a name may hold specifiers; here systemd has expanded them already.
fn valid(name: String) -> Result<String, Error> {
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

/// One line, either for the journal with all that belongs to it, or for who called.
fn report(change: &Change, output: &Output) -> Result<(), Error> {
    if let Some(entry) = change.entry
        && journal::connected()
        && journal::netns(entry, &change.name, &change.message).is_ok()
    {
        return Ok(());
    }
    Ok(output.print(change, |change| change.message.clone())?)
}

fn tell_status(status: &str) {
    tell_manager(&[NotifyState::Status(status)]);
}

/// Tells the manager, where one listens; a status that gets lost is no reason to fail.
fn tell_manager(fields: &[NotifyState<'_>]) {
    if let Some(address) = env::var_os("NOTIFY_SOCKET") {
        let _ = Notifier::connect(&address).and_then(|notifier| notifier.send(fields));
    }
}

impl From<Named> for Row {
    fn from(named: Named) -> Row {
        Row { name: named.name, inode: named.inode, made_by_unitcell: named.ours }
    }
}

fn table(rows: &[Row]) -> Table {
    if rows.is_empty() {
        return Table::default();
    }
    let mut table = Table::with_heading(&["NAME", "NAMESPACE", "MADE BY"]);
    for row in rows {
        let namespace = match row.inode {
            Some(inode) => (style::PLAIN, format!("net:[{inode}]")),
            None => (style::WARNING, "none: the file is no pin".to_owned()),
        };
        let by = if row.made_by_unitcell { (style::OWN, "unitcell") } else { (style::DIM, "another program") };
        table.row(vec![(style::HEADING, row.name.clone()), namespace, (by.0, by.1.to_owned())]);
    }
    table
}
