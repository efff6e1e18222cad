//! `unitcell netns pids` and `identify`: which processes are in which network namespace.

use std::io;

use super::failed;
use super::names::open;
use crate::cell::Kind;
use crate::cli::Error;
use crate::cli::output::Output;
use crate::inspect::Process;
use crate::netns::{self, Places};

pub fn pids(places: &Places, name: &str, output: &Output) -> Result<(), Error> {
    let namespace = open(places, name)?;
    let told = |source: io::Error| {
        failed(name)(netns::Error::System { action: "look for processes in", path: places.pin(name), source })
    };
    let inode = namespace.inode().map_err(told)?;
    let mut pids: Vec<u32> = Process::all()
        .map_err(told)?
        .into_iter()
        .filter(|process| process.namespace(Kind::Network).is_ok_and(|own| own == inode))
        .map(|process| process.pid)
        .collect();
    pids.sort_unstable();
    Ok(output.print(&pids, |pids| pids.iter().map(|pid| format!("{pid}\n")).collect())?)
}

/// The name of the network namespace that a process is in, or an empty line.
pub fn identify(places: &Places, pid: Option<u32>, output: &Output) -> Result<(), Error> {
    let process = pid.map_or_else(Process::current, Process::new);
    let inode = process.namespace(Kind::Network).map_err(|source| Error::Process { pid: process.pid, source })?;
    let names = netns::list(places).map_err(Error::NetnsList)?;
    let name = names.into_iter().find(|named| named.inode == Some(inode)).map(|named| named.name);
    Ok(output.print(&name, |name| format!("{}\n", name.as_deref().unwrap_or_default()))?)
}
