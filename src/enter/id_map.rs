//! Which ids of a user namespace stand for which outside.

use std::fs;
use std::io;
use std::path::Path;

use nix::unistd::{Uid, User};

use super::Error;
use crate::cell::value::parse_id_range;
use crate::sys::id_map::{self, IdRange};
use crate::sys::subid;

/// Ranges that one option asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ranges {
    /// As they were given. Where one has to make room for a single id, it loses its last one.
    Given(IdRange),
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

/// `INSIDE:OUTSIDE:COUNT`, or, as before util-linux 2.39, `OUTSIDE,INSIDE,COUNT`.
pub fn parse_range(text: &str) -> Option<IdRange> {
    match text.split(',').collect::<Vec<_>>()[..] {
        [outside, inside, count] => parse_id_range(&format!("{inside}:{outside}:{count}")).ok(),
        _ => parse_id_range(text).ok(),
    }
}

/// Every id that the process's own user namespace has, as itself; `file` is one of its maps.
pub fn all_of(file: &str) -> io::Result<Vec<IdRange>> {
    let map = id_map::parse(&fs::read_to_string(file)?).unwrap_or_default();
    Ok(map.into_iter().map(|range| IdRange { outside: range.inside, ..range }).collect())
}

impl Ranges {
    fn range(self) -> IdRange {
        match self {
            Ranges::Given(range) => range,
            Ranges::Auto { outside, count } => IdRange { inside: 0, outside, count },
        }
    }

    /// Its ranges around a single id that is mapped already. No id may be mapped twice, so on either
    /// side that one is passed over.
    fn around(self, single: IdRange) -> Vec<IdRange> {
        let IdRange { mut inside, mut outside, count } = self.range();
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
            ranges.push(IdRange { inside, outside, count });
            (inside, outside) = (inside.saturating_add(count), outside.saturating_add(count));
            left -= count;
        }
        ranges
    }
}

impl IdMap {
    /// All ranges, in the order in which they were given; `own` is the caller's id outside.
    pub fn resolve(&self, own: u32) -> Vec<IdRange> {
        match self.single {
            None => self.ranges.iter().map(|ranges| ranges.range()).collect(),
            Some(inside) => {
                let single = IdRange { inside, outside: own, count: 1 };
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
    let first = subid::of(&text, &[name.clone(), user.to_string()]).next();
    first
        .map(|ids| (ids.first, ids.count))
        .ok_or_else(|| Error::Request(format!("{} has no ids for user {name}; usermod(8) adds some", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(single: Option<u32>, ranges: &[Ranges], own: u32) -> String {
        let map = IdMap { single, ranges: ranges.to_owned() }.resolve(own);
        map.iter().map(|range| format!("{range} ")).collect()
    }

    #[test]
    fn a_single_id_comes_first_and_is_mapped_once() {
        let given = Ranges::Given(IdRange { inside: 0, outside: 100_000, count: 10 });
        assert_eq!(resolved(None, &[given], 1000), "0:100000:10 ");
        assert_eq!(resolved(Some(0), &[given], 1000), "0:1000:1 1:100000:9 ");
        assert_eq!(resolved(Some(5), &[given], 1000), "5:1000:1 0:100000:5 6:100005:4 ");
        assert_eq!(resolved(Some(5), &[given], 100_002), "5:100002:1 0:100000:2 2:100003:3 6:100006:4 ");
        assert_eq!(resolved(Some(10), &[given], 1000), "10:1000:1 0:100000:10 ");
    }

    #[test]
    fn an_automatic_range_loses_none() {
        let auto = Ranges::Auto { outside: 100_000, count: 10 };
        assert_eq!(resolved(None, &[auto], 1000), "0:100000:10 ");
        assert_eq!(resolved(Some(0), &[auto], 1000), "0:1000:1 1:100000:10 ");
        assert_eq!(resolved(Some(3), &[auto], 1000), "3:1000:1 0:100000:3 4:100003:7 ");
        assert_eq!(resolved(Some(0), &[auto], 100_009), "0:100009:1 1:100000:9 ");
    }

    #[test]
    fn ranges_at_the_end_of_all_ids_do_not_overflow() {
        let last = Ranges::Given(IdRange { inside: u32::MAX - 2, outside: u32::MAX - 2, count: 2 });
        assert_eq!(resolved(Some(u32::MAX - 2), &[last], 7), "4294967293:7:1 4294967294:4294967293:1 ");
        assert_eq!(parse_range("1:2:3"), parse_range("2,1,3"));
        assert_eq!(parse_range("1:2"), None);
        assert_eq!(parse_range("-1:2:3"), None);
    }
}
