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
        let mut chosen = Vec::new();
        for link in links {
            for &ipv4 in families {
                let pools = pool::pools(pools, ipv4);
                let known = self
                    .chosen
                    .iter()
                    .find(|(other, ends)| other == link && pools.iter().any(|pool| pool.contains(&ends.network())));
                let ends = match known {
                    Some((_, ends)) if self.owner(ends.network())?.is_none_or(|owner| owner == self.name) => *ends,
                    _ => self.find(link, &pools, used)?,
                };
                chosen.push(((*link).to_owned(), ends));
            }
        }
        let old = std::mem::replace(&mut self.chosen, chosen);
        // Known to be ours before it is: what a crash leaves of it is found by the name.
        if old != self.chosen {
            write_whole(&path(self.places, self.name), &line(&self.chosen))?;
        }
        for (_, ends) in &self.chosen {
            if self.owner(ends.network())?.is_none() {
                write_whole(&self.places.lease(ends.network()), &line(&self.name))?;
            }
        }
        old.iter().filter(|known| !self.chosen.contains(known)).try_for_each(|(_, ends)| self.let_go(ends.network()))
    }

    /// Whose a network is.
    fn owner(&self, network: IpNet) -> Result<Option<String>, Error> {
        read_value(&self.places.lease(network))
    }

    /// One that nobody has.
    fn find(&self, link: &str, pools: &[IpNet], used: &[IpNet]) -> Result<Ends, Error> {
        let mut failed = None;
        let ends = pool::choose(pools, &format!("{}/{link}", self.name), |net| match self.owner(net) {
            Ok(owner) => owner.is_some() || used.iter().any(|used| pool::overlap(used, &net)),
            Err(error) => {
                failed = Some(error);
                true
            }
        });
        ends.ok_or_else(|| failed.unwrap_or_else(|| Error::PoolUsedUp(pools.to_vec())))
    }

    fn let_go(&self, network: IpNet) -> Result<(), Error> {
        match self.owner(network)? {
            Some(owner) if owner == self.name => remove_file(&self.places.lease(network)),
            _ => Ok(()),
        }
    }

    /// Lets go of all.
    pub fn release(self) -> Result<(), Error> {
        self.chosen.iter().try_for_each(|(_, ends)| self.let_go(ends.network()))?;
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
