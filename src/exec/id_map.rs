//! The maps of the cell's user namespace.

use std::fs;
use std::io;
use std::process::{Command, Stdio};

use nix::unistd::{getegid, geteuid};

use crate::cell::IdRange;
use crate::sys::capability::{self, CAP_SETGID, CAP_SETUID};
use crate::sys::namespace::Namespace;
use crate::sys::user_namespace;

/// The maps of a user namespace.
#[derive(Debug)]
pub struct Maps {
    /// Its uid_map.
    pub uids: Vec<IdRange>,
    /// Its gid_map.
    pub gids: Vec<IdRange>,
    /// Is setgroups(2) to be denied in it?
    pub deny_setgroups: bool,
}

/// Makes a user namespace with these maps and returns it, ready to be entered.
pub fn make(maps: &Maps) -> io::Result<Namespace> {
    user_namespace::make(|| Ok(()), |child| write(maps, child))
}

/// Who may write a map, user_namespaces(7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writer {
    /// Who has the capability over all ids that are mapped.
    Privileged,
    /// Who maps nothing but itself; groups only after setgroups(2) was denied.
    Itself,
    /// newuidmap(1) and newgidmap(1), whom /etc/subuid and /etc/subgid tell what is allowed.
    Helper,
}

impl Writer {
    fn of(map: &[IdRange], own: u32, capability: u32) -> io::Result<Writer> {
        if capability::has_effective(capability)? {
            return Ok(Writer::Privileged);
        }
        let itself = matches!(map, [range] if range.outside == own && range.count == 1);
        Ok(if itself { Writer::Itself } else { Writer::Helper })
    }
}

fn write(maps: &Maps, child: i32) -> io::Result<()> {
    let file = |name: &str| format!("/proc/{child}/{name}");
    let for_gids = Writer::of(&maps.gids, getegid().as_raw(), CAP_SETGID)?;
    if maps.deny_setgroups || for_gids == Writer::Itself {
        fs::write(file("setgroups"), "deny")?;
    }
    match Writer::of(&maps.uids, geteuid().as_raw(), CAP_SETUID)? {
        Writer::Helper => help("newuidmap", child, &maps.uids)?,
        // The kernel takes a map in one write only.
        Writer::Privileged | Writer::Itself => fs::write(file("uid_map"), text(&maps.uids))?,
    }
    match for_gids {
        Writer::Helper => help("newgidmap", child, &maps.gids)?,
        Writer::Privileged | Writer::Itself => fs::write(file("gid_map"), text(&maps.gids))?,
    }
    Ok(())
}

fn text(ranges: &[IdRange]) -> String {
    ranges.iter().map(|range| format!("{} {} {}\n", range.inside, range.outside, range.count)).collect()
}

/// Has `program` write the map.
fn help(program: &str, child: i32, map: &[IdRange]) -> io::Result<()> {
    let numbers = map.iter().flat_map(|range| [range.inside, range.outside, range.count]);
    let output = Command::new(format!("/usr/bin/{program}"))
        .arg(child.to_string())
        .args(numbers.map(|number| number.to_string()))
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => io::Error::new(
                io::ErrorKind::NotFound,
                format!("mapping more than one id needs privilege or /usr/bin/{program}, of the package uidmap"),
            ),
            kind => io::Error::new(kind, format!("/usr/bin/{program}: {error}")),
        })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{program} has refused: {}", said.trim())))
}
