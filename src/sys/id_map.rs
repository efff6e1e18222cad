//! The maps of a user namespace and who may write them, user_namespaces(7).

use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::process::{Command, Stdio};

use nix::unistd::{getegid, geteuid};

use super::capability::{self, CAP_SETGID, CAP_SETUID};

/// One extent of `/proc/PID/uid_map` or `gid_map`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "tool", derive(serde::Serialize))]
pub struct IdRange {
    /// The first id inside.
    pub inside: u32,
    /// The id outside that it stands for.
    pub outside: u32,
    /// How many ids in a row.
    pub count: u32,
}

impl IdRange {
    /// Do the two map an id in common, on either side?
    pub fn overlaps(&self, other: &IdRange) -> bool {
        let meets = |a: u32, b: u32| {
            u64::from(a) < u64::from(b) + u64::from(other.count) && u64::from(b) < u64::from(a) + u64::from(self.count)
        };
        meets(self.inside, other.inside) || meets(self.outside, other.outside)
    }

    /// The id inside that the outer `id` is.
    pub fn inside_of(&self, id: u32) -> Option<u32> {
        let offset = id.checked_sub(self.outside).filter(|offset| *offset < self.count)?;
        self.inside.checked_add(offset)
    }
}

impl fmt::Display for IdRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.inside, self.outside, self.count)
    }
}

/// Reads the text of a map.
pub fn parse(text: &str) -> Option<Vec<IdRange>> {
    let range = |line: &str| {
        let mut numbers = line.split_ascii_whitespace().map(|number| number.parse().ok());
        Some(IdRange { inside: numbers.next()??, outside: numbers.next()??, count: numbers.next()?? })
    };
    text.lines().map(range).collect()
}

fn render(map: &[IdRange]) -> String {
    map.iter().map(|range| format!("{} {} {}\n", range.inside, range.outside, range.count)).collect()
}

/// The maps of a user namespace.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Maps {
    /// Its uid_map; an empty one is left to others.
    pub uids: Vec<IdRange>,
    /// Its gid_map, likewise.
    pub gids: Vec<IdRange>,
    /// Is setgroups(2) to be denied in it? Where nothing is said it is where the kernel wants it so.
    pub deny_setgroups: Option<bool>,
}

impl Maps {
    /// Writes them for the user namespace of a child, from outside.
    pub fn write_for(&self, child: i32) -> io::Result<()> {
        let process = child.to_string();
        if self.deny_setgroups.unwrap_or(Writer::of(&self.gids, GROUPS)? == Writer::Itself) {
            control_setgroups(&process, true)?;
        }
        for (map, ids) in [(&self.uids, USERS), (&self.gids, GROUPS)] {
            match Writer::of(map, ids)? {
                _ if map.is_empty() => {}
                Writer::Helper => ids.ask_helper(&process, map)?,
                Writer::Privileged | Writer::Itself => ids.write(&process, map)?,
            }
        }
        Ok(())
    }
}

/// Denies or allows setgroups(2) in the user namespace of a process, `self` or a number.
pub fn control_setgroups(process: &str, deny: bool) -> io::Result<()> {
    fs::write(format!("/proc/{process}/setgroups"), if deny { "deny" } else { "allow" })
}

/// One of the two kinds of ids that there are maps of.
#[derive(Debug, Clone, Copy)]
pub struct Ids {
    file: &'static str,
    /// At its place and not in PATH, which may be the payload's: so the same one writes every map.
    helper: &'static str,
    /// Who has it writes any map.
    capability: u32,
    own: fn() -> u32,
}

/// User ids, newuidmap(1).
pub const USERS: Ids =
    Ids { file: "uid_map", helper: "/usr/bin/newuidmap", capability: CAP_SETUID, own: || geteuid().as_raw() };
/// Group ids, newgidmap(1).
pub const GROUPS: Ids =
    Ids { file: "gid_map", helper: "/usr/bin/newgidmap", capability: CAP_SETGID, own: || getegid().as_raw() };

impl Ids {
    /// Writes the map of a process's user namespace, `self` or a number. The kernel takes one write only.
    pub fn write(self, process: &str, map: &[IdRange]) -> io::Result<()> {
        fs::write(format!("/proc/{process}/{}", self.file), render(map))
    }

    fn ask_helper(self, process: &str, map: &[IdRange]) -> io::Result<()> {
        let program = self.helper;
        let numbers = map.iter().flat_map(|range| [range.inside, range.outside, range.count]);
        let mut helper = Command::new(program)
            .arg(process)
            .args(numbers.map(|number| number.to_string()))
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => io::Error::new(
                    io::ErrorKind::NotFound,
                    format!("mapping more than one id needs privilege or {program}, of the package uidmap"),
                ),
                kind => io::Error::new(kind, format!("{program}: {error}")),
            })?;
        let mut said = Vec::new();
        if let Some(mut stderr) = helper.stderr.take() {
            stderr.read_to_end(&mut said)?;
        }
        let end = helper.wait()?;
        if end.success() {
            return Ok(());
        }
        Err(io::Error::other(match String::from_utf8_lossy(&said).trim() {
            "" => format!("{program} has failed ({end})"),
            said => format!("{program} has refused: {said}"),
        }))
    }
}

/// Who may write a map.
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
    fn of(map: &[IdRange], ids: Ids) -> io::Result<Writer> {
        if capability::has_effective(ids.capability)? {
            return Ok(Writer::Privileged);
        }
        let itself = matches!(map, [range] if range.outside == (ids.own)() && range.count == 1);
        Ok(if itself { Writer::Itself } else { Writer::Helper })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_translates_ids_inwards() {
        let map = parse("         0     100000      65536\n     70000          5          1\n").unwrap();
        assert_eq!(map[0], IdRange { inside: 0, outside: 100_000, count: 65_536 });
        assert_eq!(map[0].inside_of(100_033), Some(33));
        assert_eq!(map[0].inside_of(165_536), None);
        assert_eq!(map[1].inside_of(5), Some(70_000));
        assert_eq!(parse("0 1\n"), None);
        assert_eq!(parse(""), Some(Vec::new()));
        assert_eq!(parse(&render(&map)), Some(map));
    }
}
