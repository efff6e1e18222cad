//! Which ids of a user namespace stand for which outside.

use std::fs;
use std::io;
use std::path::Path;

use nix::unistd::{Uid, User};

use super::Error;

/// So many ids in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first one inside.
    pub inside: u32,
    /// What it stands for outside.
    pub outside: u32,
    /// How many.
    pub count: u32,
}

/// Ranges that one option asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ranges {
    /// As they were given. Where one has to make room for a single id, it loses its last one.
    Given(Range),
    /// All of these ids outside, from 0 on or after what is mapped there.
    Auto {
        /// The first one outside.
        outside: u32,
        /// How many.
        count: u32,
    },
}

/// The map of one of the two kinds of ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdMap {
    /// What the caller's own id is inside.
    pub single: Option<u32>,
    /// Everything else.
    pub ranges: Vec<Ranges>,
}

impl Range {
    /// `INSIDE:OUTSIDE:COUNT`, or, as before util-linux 2.39, `OUTSIDE,INSIDE,COUNT`.
    pub fn parse(text: &str) -> Option<Range> {
        let numbers = |separator| {
            let numbers: Result<Vec<u32>, _> = text.split(separator).map(str::parse).collect();
            <[u32; 3]>::try_from(numbers.ok()?).ok()
        };
        match (numbers(':'), numbers(',')) {
            (Some([inside, outside, count]), _) | (_, Some([outside, inside, count])) => {
                Some(Range { inside, outside, count })
            }
            _ => None,
        }
    }

    /// Every id that the process's own user namespace has, as itself; `file` is one of its maps.
    pub fn all_of(file: &str) -> io::Result<Vec<Range>> {
        let text = fs::read_to_string(file)?;
        let range = |line: &str| {
            let mut numbers = line.split_ascii_whitespace().map(|number| number.parse().ok());
            let (inside, count) = (numbers.next()??, numbers.nth(1)??);
            Some(Range { inside, outside: inside, count })
        };
        Ok(text.lines().filter_map(range).collect())
    }
}

impl Ranges {
    fn range(self) -> Range {
        match self {
            Ranges::Given(range) => range,
            Ranges::Auto { outside, count } => Range { inside: 0, outside, count },
        }
    }

    /// Its ranges around a single id that is mapped already. No id may be mapped twice, so on either
    /// side that one is passed over.
    fn around(self, single: Range) -> Vec<Range> {
        let Range { mut inside, mut outside, count } = self.range();
        let within = |id: u32, first: u32| (first..first.saturating_add(count)).contains(&id);
        let in_the_way = match self {
            Ranges::Given(_) => within(single.inside, inside) || within(single.outside, outside),
            Ranges::Auto { .. } => within(single.outside, outside),
        };
        let mut left = count.saturating_sub(in_the_way.into());
        let mut ranges = Vec::new();
        while left > 0 {
            inside = if inside == single.inside { inside.saturating_add(1) } else { inside };
            outside = if outside == single.outside { outside.saturating_add(1) } else { outside };
            let until = |id: u32, single: u32| if single > id { single - id } else { u32::MAX };
            let count = left.min(until(inside, single.inside)).min(until(outside, single.outside));
            ranges.push(Range { inside, outside, count });
            (inside, outside) = (inside.saturating_add(count), outside.saturating_add(count));
            left -= count;
        }
        ranges
    }
}

impl IdMap {
    /// All ranges, in the order in which they were given; `own` is the caller's id outside.
    pub fn resolve(&self, own: u32) -> Vec<Range> {
        match self.single {
            None => self.ranges.iter().map(|ranges| ranges.range()).collect(),
            Some(inside) => {
                let single = Range { inside, outside: own, count: 1 };
                let others = self.ranges.iter().flat_map(|ranges| ranges.around(single));
                std::iter::once(single).chain(others).collect()
            }
        }
    }
}

/// The first ids in this file that are the user's own to map, subuid(5): the first one and how many.
pub fn own_subids(file: &Path, user: u32) -> Result<(u32, u32), Error> {
    let name = User::from_uid(Uid::from_raw(user)).ok().flatten().map(|user| user.name);
    let name =
        name.ok_or_else(|| Error::Request(format!("user {user} has no name, and so no entry in {}", file.display())))?;
    let text = fs::read_to_string(file).map_err(Error::of_file("read", file))?;
    first_subids(&text, &name, user)
        .ok_or_else(|| Error::Request(format!("{} has no ids for user {name}; usermod(8) adds some", file.display())))
}

fn first_subids(text: &str, name: &str, user: u32) -> Option<(u32, u32)> {
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let owner = fields.next()?;
        let (first, count) = (fields.next()?.parse().ok()?, fields.next()?.trim().parse().ok()?);
        (owner == name || owner.parse() == Ok(user)).then_some((first, count))
    })
}

/// The files in `/proc` of one kind of ids, and the program that may write them for everybody.
#[derive(Debug, Clone, Copy)]
pub struct Files {
    file: &'static str,
    helper: &'static str,
}

/// Of user ids, newuidmap(1).
pub const USERS: Files = Files { file: "uid_map", helper: "newuidmap" };
/// Of group ids, newgidmap(1).
pub const GROUPS: Files = Files { file: "gid_map", helper: "newgidmap" };

impl Files {
    /// Writes the map of another process from outside of its user namespace. `own` is the caller's id.
    pub fn write_of(self, child: i32, ranges: &[Range], own: u32) -> io::Result<()> {
        let only_self = matches!(ranges, [Range { outside, count: 1, .. }] if *outside == own);
        if ranges.is_empty() {
            Ok(())
        } else if only_self || Uid::effective().is_root() {
            fs::write(format!("/proc/{child}/{}", self.file), text(ranges))
        } else {
            self.ask_helper(child, ranges)
        }
    }

    /// Writes the map of the process's own user namespace: a single id, its own.
    pub fn write_own(self, range: Range) -> Result<(), Error> {
        let file = format!("/proc/self/{}", self.file);
        fs::write(&file, text(&[range])).map_err(Error::of_file("write", Path::new(&file)))
    }

    fn ask_helper(self, child: i32, ranges: &[Range]) -> io::Result<()> {
        let numbers = ranges.iter().flat_map(|range| [range.inside, range.outside, range.count]);
        let status = std::process::Command::new(self.helper)
            .arg(child.to_string())
            .args(numbers.map(|number| number.to_string()))
            .status()
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", self.helper)))?;
        match status.success() {
            true => Ok(()),
            false => Err(io::Error::other(format!("{} refused: {status}", self.helper))),
        }
    }
}

/// Denies or allows setgroups(2) in the user namespace of a process, `self` or a number.
pub fn control_setgroups(process: &str, deny: bool) -> io::Result<()> {
    fs::write(format!("/proc/{process}/setgroups"), if deny { "deny" } else { "allow" })
}

fn text(ranges: &[Range]) -> String {
    ranges.iter().map(|range| format!("{} {} {}\n", range.inside, range.outside, range.count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(single: Option<u32>, ranges: &[Ranges], own: u32) -> String {
        text(&IdMap { single, ranges: ranges.to_owned() }.resolve(own)).replace('\n', ";")
    }

    #[test]
    fn a_single_id_comes_first_and_is_mapped_once() {
        let given = Ranges::Given(Range { inside: 0, outside: 100_000, count: 10 });
        assert_eq!(resolved(None, &[given], 1000), "0 100000 10;");
        assert_eq!(resolved(Some(0), &[given], 1000), "0 1000 1;1 100000 9;");
        assert_eq!(resolved(Some(5), &[given], 1000), "5 1000 1;0 100000 5;6 100005 4;");
        assert_eq!(resolved(Some(5), &[given], 100_002), "5 100002 1;0 100000 2;2 100003 3;6 100006 4;");
        assert_eq!(resolved(Some(10), &[given], 1000), "10 1000 1;0 100000 10;");
    }

    #[test]
    fn an_automatic_range_loses_none() {
        let auto = Ranges::Auto { outside: 100_000, count: 10 };
        assert_eq!(resolved(None, &[auto], 1000), "0 100000 10;");
        assert_eq!(resolved(Some(0), &[auto], 1000), "0 1000 1;1 100000 10;");
        assert_eq!(resolved(Some(3), &[auto], 1000), "3 1000 1;0 100000 3;4 100003 7;");
        assert_eq!(resolved(Some(0), &[auto], 100_009), "0 100009 1;1 100000 9;");
    }

    #[test]
    fn ranges_at_the_end_of_all_ids_do_not_overflow() {
        let last = Ranges::Given(Range { inside: u32::MAX - 2, outside: u32::MAX - 2, count: 2 });
        assert_eq!(resolved(Some(u32::MAX - 2), &[last], 7), "4294967293 7 1;4294967294 4294967293 1;");
        assert_eq!(Range::parse("1:2:3"), Range::parse("2,1,3"));
        assert_eq!(Range::parse("1:2"), None);
        assert_eq!(Range::parse("-1:2:3"), None);
    }

    #[test]
    fn subids_are_those_of_the_name_or_the_number() {
        let text = "other:1:1\nweb:100000:65536\n1001:300000:5\nweb:9:9\n";
        assert_eq!(first_subids(text, "web", 1000), Some((100_000, 65_536)));
        assert_eq!(first_subids(text, "x", 1001), Some((300_000, 5)));
        assert_eq!(first_subids(text, "x", 1002), None);
    }
}
