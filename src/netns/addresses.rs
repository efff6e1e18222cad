//! Which networks `Address=auto` chose: `/run/unitcell/netns/NAME/addresses` for one name, and
//! `/run/unitcell/netns/.leases/NETWORK`, so that no two names have the same.

use std::path::PathBuf;

use ipnet::IpNet;

use super::ledger::{line, read_value, remove_file, write_whole};
use super::pool::{self, Ends};
use super::{Error, Places};

/// What was chosen for one name.
#[derive(Debug)]
pub struct Addresses<'p> {
    places: &'p Places,
    name: &'p str,
    chosen: Vec<(String, Ends)>,
}

impl<'p> Addresses<'p> {
    /// Reads what there is.
    pub fn open(places: &'p Places, name: &'p str) -> Result<Addresses<'p>, Error> {
        let chosen = read_value(&path(places, name))?.unwrap_or_default();
        Ok(Addresses { places, name, chosen })
    }

    /// All that was chosen.
    pub fn chosen(&self) -> &[(String, Ends)] {
        &self.chosen
    }

    /// Chooses a network of each family for these links, and lets go of those of other links. A link
    /// keeps what it has as long as it is of the pools; `used` are networks that somebody else uses.
    pub fn choose(&mut self, links: &[&str], families: &[bool], pools: &[IpNet], used: &[IpNet]) -> Result<(), Error> {
        let mut keep = Vec::new();
        for link in links {
            for &ipv4 in families {
                let pools = pool::pools(pools, ipv4);
                let known = |(other, ends): &&(String, Ends)| {
                    other == link && pools.iter().any(|pool| pool.contains(&ends.network()))
                };
                keep.push((
                    link.to_string(),
                    match self.chosen.iter().find(known) {
                        Some((_, ends)) => *ends,
                        None => self.lease(link, &pools, used)?,
                    },
                ));
            }
        }
        let old = std::mem::replace(&mut self.chosen, keep);
        if old != self.chosen {
            write_whole(&path(self.places, self.name), &line(&self.chosen))?;
        }
        for (_, ends) in old.iter().filter(|known| !self.chosen.contains(known)) {
            remove_file(&self.places.lease(ends.network()))?;
        }
        Ok(())
    }

    /// Takes one that nobody has. One that we took before a crash is ours.
    fn lease(&self, link: &str, pools: &[IpNet], used: &[IpNet]) -> Result<Ends, Error> {
        let owner = format!("{}/{link}", self.name);
        let mut failed = None;
        let ends = pool::choose(pools, &owner, |net| match read_value::<String>(&self.places.lease(net)) {
            Ok(Some(other)) => other != owner,
            Ok(None) => used.iter().any(|used| pool::overlap(used, &net)),
            Err(error) => {
                failed = Some(error);
                true
            }
        });
        let ends = ends.ok_or_else(|| failed.unwrap_or_else(|| Error::PoolUsedUp(pools.to_vec())))?;
        write_whole(&self.places.lease(ends.network()), &line(&owner))?;
        Ok(ends)
    }

    /// Lets go of all.
    pub fn release(self) -> Result<(), Error> {
        for (_, ends) in &self.chosen {
            remove_file(&self.places.lease(ends.network()))?;
        }
        remove_file(&path(self.places, self.name))
    }
}

fn path(places: &Places, name: &str) -> PathBuf {
    places.record(name).join("addresses")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_names_have_the_same_and_each_keeps_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let places = Places::below(directory.path());
        let pools = ["10.0.0.0/27".parse().unwrap()];
        let choose = |name: &str, used: &[IpNet]| {
            let mut addresses = Addresses::open(&places, name).unwrap();
            addresses.choose(&["eth0"], &[true], &pools, used).map(|()| addresses.chosen()[0].1)
        };
        let first = choose("n0", &[]).unwrap();
        let used = ["10.0.0.0/29".parse().unwrap()];
        let mut all = vec![first];
        for number in 1.. {
            match choose(&format!("n{number}"), &used) {
                Ok(ends) => all.push(ends),
                Err(Error::PoolUsedUp(_)) => break,
                Err(error) => panic!("{error}"),
            }
        }
        all.sort_by_key(|ends| ends.network());
        all.dedup();
        assert!((6..=7).contains(&all.len()), "eight networks, two of them used: {all:?}");
        assert_eq!(choose("n0", &used).unwrap(), first);
        Addresses::open(&places, "n0").unwrap().release().unwrap();
        assert!(!places.lease(first.network()).exists());
        assert_eq!(choose("n0", &[]).unwrap(), first, "the name tells which");
    }
}
