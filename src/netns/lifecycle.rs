//! Making a named network namespace be there.

use super::addresses::Addresses;
use super::at_once::at_once;
use super::carry::Carrier;
use super::decide::{self, Pin, UpAction};
use super::description::Description;
use super::desired::desired;
use super::directory::{lock, prepare_pins};
use super::down::down_one;
use super::ledger::Ledger;
use super::record::Record;
use super::scene::Scene;
use super::settle::settle;
use super::thing::Thing;
use super::{Error, Identity, Places, dns, facts, pin};
use crate::sys;

/// How a namespace came up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Up {
    /// It was made.
    Made,
    /// An earlier `up` had made it.
    Kept,
    /// Somebody else had made it; it is used, and `down` will leave it.
    Adopted,
}

/// Makes the named network namespaces be there, each given once, with lo up and all that its
/// description asks for, and waits until that can be used; `told` hears what goes on. Each has an
/// outcome of its own, unless nothing could be begun.
pub fn up(places: &Places, names: &[String], told: &mut dyn FnMut(&str)) -> Result<Vec<Result<Up, Error>>, Error> {
    let mut rising: Vec<Rising<'_>> = names.iter().map(|name| Rising::of(name)).collect();
    {
        // No two of us at once: between the look and the last step nothing of ours changes.
        let _lock = lock(&places.records)?;
        prepare_pins(&places.pins)?;
        at_once(&mut rising, |one| one.go(|one| one.make(places)));
        // What comes into one, others may need as well, or have.
        for one in &mut rising {
            one.go(|one| one.fill(places));
        }
    }
    for one in &mut rising {
        one.go(|one| ready(places, one.name, &one.things, told));
    }
    Ok(rising.into_iter().map(|one| one.end(places)).collect())
}

/// A name on its way up.
struct Rising<'n> {
    name: &'n str,
    /// Without a file it is a plain namespace.
    description: Description,
    made: Option<(Up, Identity)>,
    things: Vec<Thing>,
    /// Up to what stopped it.
    outcome: Result<(), Error>,
}

impl<'n> Rising<'n> {
    fn of(name: &'n str) -> Rising<'n> {
        Rising { name, description: Description::default(), made: None, things: Vec::new(), outcome: Ok(()) }
    }

    /// The next step, if nothing has stopped it.
    fn go(&mut self, step: impl FnOnce(&mut Self) -> Result<(), Error>) {
        if self.outcome.is_ok() {
            self.outcome = step(self);
        }
    }

    /// The namespace itself. A name without a file may have had one before, and a service in it must not
    /// ask the host's resolver.
    fn make(&mut self, places: &Places) -> Result<(), Error> {
        self.description = described(places, self.name)?;
        self.made = Some(make_namespace(places, self.name)?);
        dns::write(places, self.name, &self.description.general)
    }

    fn fill(&mut self, places: &Places) -> Result<(), Error> {
        if let Some((_, identity)) = self.made {
            self.things = fill(places, self.name, &self.description, identity)?;
        }
        Ok(())
    }

    fn end(self, places: &Places) -> Result<Up, Error> {
        let up = self.made.map(|(up, _)| up);
        let Err(error) = self.outcome else { return Ok(up.unwrap_or(Up::Kept)) };
        // Half a namespace is of no use; one that was up before may be in use.
        if matches!(up, None | Some(Up::Kept)) {
            return Err(error);
        }
        let mut errors = vec![error];
        errors.extend(down_one(places, self.name).err());
        Err(Error::of_all(errors).unwrap_err())
    }
}

/// Makes a network namespace that is up be as its description says now. What it says still, stays
/// untouched, and so do its connections.
pub fn reload(places: &Places, name: &str, told: &mut dyn FnMut(&str)) -> Result<(), Error> {
    let description = described(places, name)?;
    let things = {
        let _lock = lock(&places.records)?;
        let Pin::Namespace(identity) = pin::look(&places.pin(name))? else {
            return Err(Error::NoNamespace(name.to_owned()));
        };
        dns::write(places, name, &description.general)?;
        fill(places, name, &description, identity)?
    };
    ready(places, name, &things, told)
}

/// Sets the network namespace up that `holder` holds, and this process is in; without one, this process makes it and
/// is to hold it. They have a user namespace for themselves, which owns it: had it been made before that, by who has the
/// privilege, nobody in there could set it up. What it was filled with before changes as [`reload`] has it.
pub fn hold(places: &Places, name: &str, holder: Option<u32>, told: &mut dyn FnMut(&str)) -> Result<(), Error> {
    if sys::namespace::is_initial_user()? {
        return Err(Error::OfHost);
    }
    if holder.is_none() {
        pin::make_own(&places.pin(name))?;
    }
    let description = described(places, name)?;
    let things = {
        let _lock = lock(&places.records)?;
        let identity = pin::link(&places.pin(name), holder.unwrap_or_else(std::process::id))?;
        Record::of(places, name).write(identity)?;
        dns::write(places, name, &description.general)?;
        fill(places, name, &description, identity)?
    };
    ready(places, name, &things, told)
}

/// What there is to say about a name; without a file it is a plain namespace.
fn described(places: &Places, name: &str) -> Result<Description, Error> {
    let (description, findings) = places.descriptions.read(name);
    let errors: Vec<_> = findings.into_iter().filter(|finding| finding.is_error()).collect();
    if errors.is_empty() { Ok(description.unwrap_or_default()) } else { Err(Error::Described(errors)) }
}

fn make_namespace(places: &Places, name: &str) -> Result<(Up, Identity), Error> {
    let (path, record) = (places.pin(name), Record::of(places, name));
    let found = pin::look(&path)?;
    match (decide::up(record.read()?, found), found) {
        (UpAction::Keep, Pin::Namespace(identity)) => Ok((Up::Kept, identity)),
        (UpAction::Adopt, Pin::Namespace(identity)) => {
            record.forget()?;
            pin::loopback_up(&path)?;
            Ok((Up::Adopted, identity))
        }
        (UpAction::Make, _) => {
            let made = pin::make(&path, |identity| record.write(identity));
            if made.is_err() {
                // The reason counts, not what comes of it.
                let _ = record.forget();
            }
            Ok((Up::Made, made?))
        }
        _ => Err(Error::Occupied(path)),
    }
}

/// Makes in the namespace, and around it, what the description asks for; the lock is held. Returns all that is
/// to be waited for.
fn fill(places: &Places, name: &str, description: &Description, identity: Identity) -> Result<Vec<Thing>, Error> {
    let nothing_before = || -> Result<bool, Error> {
        Ok(Ledger::open(places, name)?.made().is_empty() && Addresses::open(places, name)?.chosen().is_empty())
    };
    if description.files.is_empty() && nothing_before()? {
        return Ok(Vec::new());
    }
    let mut carrier = Carrier::open(places, name, identity)?;
    let facts = facts::gather(places, name, description, &mut carrier.scene)?;
    let mut things = desired(name, description, &facts);
    carrier.make(&things)?;
    things.retain(|thing| carrier.is_awaited(thing));
    Ok(things)
}

/// Waits, without the lock.
fn ready(places: &Places, name: &str, things: &[Thing], told: &mut dyn FnMut(&str)) -> Result<(), Error> {
    if things.is_empty() {
        return Ok(());
    }
    settle(&mut Scene::open(places, name, true)?, things, told)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_description_that_is_wrong_makes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let places = Places::below(directory.path());
        fs::create_dir_all(directory.path().join("etc/unitcell")).unwrap();
        for (text, expected) in [("[Veth]\nAdress=auto\n", "did you mean Address=?"), ("", "is masked")] {
            fs::write(directory.path().join("etc/unitcell/blue.netns"), text).unwrap();
            let mut outcomes = up(&places, &["blue".to_owned()], &mut |_| {}).unwrap();
            let error = outcomes.remove(0).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert!(!places.pin("blue").exists());
        }
    }
}
