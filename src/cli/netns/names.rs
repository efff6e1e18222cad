//! `unitcell netns attach`, `delete`, `list` and `monitor`.

use serde::Serialize;

use super::{all, failed, valid_for_ip};
use crate::bus::{self, Systemd, block_on};
use crate::cell::netns_owner;
use crate::cli::Error;
use crate::cli::output::Output;
use crate::cli::style;
use crate::cli::table::Table;
use crate::netlink::{Socket, nsid};
use crate::netns::monitor::{self, Change};
use crate::netns::{self, Named, Places, plain, sketch};
use crate::sys::namespace::Namespace;
use crate::unit::Scope;

pub fn attach(places: &Places, name: &str, pid: u32) -> Result<(), Error> {
    plain::attach(places, valid_for_ip(name)?, pid).map_err(failed(name))
}

pub fn delete(places: &Places, name: &str) -> Result<(), Error> {
    let name = valid_for_ip(name)?;
    if stop_owner(places, name)? && !places.pin(name).exists() {
        return sketch::remove(places, name).map(drop).map_err(failed(name));
    }
    plain::delete(places, name).map_err(failed(name))
}

/// Stops the unit that owns what has the name, so that it is not active without it, and what is bound
/// to it stops as well; false if there is none, or no systemd.
fn stop_owner(places: &Places, name: &str) -> Result<bool, Error> {
    if !places.record(name).exists() {
        return Ok(false);
    }
    let owner = netns_owner(name);
    let stopped = block_on(async { Systemd::connect(&Scope::System.into()).await?.stop_wholly(&owner).await });
    match stopped {
        Err(bus::Error::NotBooted | bus::Error::Connect { .. }) => Ok(false),
        stopped => Ok(stopped?),
    }
}

/// All of them. Goes on after an error, and tells them all.
pub fn delete_all(places: &Places) -> Result<(), Error> {
    let names = netns::list(places).map_err(Error::NetnsList)?;
    all(names.iter().map(|named| delete(places, &named.name)))
}

/// The namespace of a name, opened.
pub fn open(places: &Places, name: &str) -> Result<Namespace, Error> {
    let path = places.pin(valid_for_ip(name)?);
    Namespace::open(&path).map_err(|source| failed(name)(netns::Error::System { action: "open", path, source }))
}

/// A name, and its number, as `ip` tells them.
#[derive(Debug, Serialize)]
pub struct Row {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<i32>,
}

/// All names, and the number that this network namespace has for each.
pub fn numbered(places: &Places) -> Result<Vec<Row>, Error> {
    let names = netns::list(places).map_err(Error::NetnsList)?;
    // Where netlink is out of reach, the names are still worth something.
    let mut socket = Socket::route().ok();
    let mut number = |name: &str| {
        let namespace = Namespace::open(places.pin(name)).ok()?;
        nsid::of(socket.as_mut()?, std::os::fd::AsFd::as_fd(&namespace)).ok()?
    };
    Ok(names.into_iter().map(|Named { name, .. }| Row { id: number(&name), name }).collect())
}

pub fn list(places: &Places, output: &Output) -> Result<(), Error> {
    let line = |row: &Row| match row.id {
        Some(id) => format!("{} (id: {id})\n", row.name),
        None => format!("{}\n", row.name),
    };
    Ok(output.print(&numbered(places)?, |rows| rows.iter().map(line).collect())?)
}

/// What has happened to a name.
#[derive(Debug, Serialize)]
struct Event<'n> {
    event: &'static str,
    name: &'n str,
}

/// Tells of what happens until it can't; why, is returned.
pub fn monitor(places: &Places, output: &Output) -> Result<Error, Error> {
    let stopped = monitor::monitor(places, |change, name| {
        let event = match change {
            Change::Added => "add",
            Change::Deleted => "delete",
        };
        output.line(&Event { event, name }, |told| format!("{} {}", told.event, told.name))
    });
    stopped.map(Error::Output).map_err(Error::NetnsList)
}

#[derive(Debug, Serialize)]
struct LongRow {
    name: String,
    inode: Option<u64>,
    made_by_unitcell: bool,
}

pub fn list_long(places: &Places, output: &Output) -> Result<(), Error> {
    let rows: Vec<LongRow> = netns::list(places).map_err(Error::NetnsList)?.into_iter().map(LongRow::from).collect();
    Ok(output.print(&rows, |rows| output.table(table(rows)))?)
}

impl From<Named> for LongRow {
    fn from(named: Named) -> LongRow {
        LongRow { name: named.name, inode: named.inode, made_by_unitcell: named.ours }
    }
}

fn table(rows: &[LongRow]) -> Table {
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
