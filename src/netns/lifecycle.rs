//! Making a named network namespace be there, and not be there any more.

use std::path::Path;

use super::addresses::Addresses;
use super::at_once::at_once;
use super::carry::{Carrier, take_down};
use super::decide::{self, DownAction, Pin, UpAction};
use super::description::{self, Description};
use super::desired::desired;
use super::directory::{lock, prepare_pins};
use super::ledger::{remove_file, temporaries};
use super::record::Record;
use super::scene::Scene;
use super::settle::settle;
use super::thing::Thing;
use super::{Error, Identity, Places, dns, facts, pin};

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

/// How a namespace went down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Down {
    /// What `up` made is removed.
    Removed,
    /// There is none.
    Absent,
    /// Somebody else made it, and there it stays.
    Left,
}

/// Makes the named network namespaces be there, each given once, with lo up and all that its
/// description asks for, and waits until that can be used; `told` hears what goes on. Each has an
/// outcome of its own, unless nothing could be begun.
pub fn up(places: &Places, names: &[String], told: &mut dyn FnMut(&str)) -> Result<Vec<Result<Up, Error>>, Error> {
    let mut rising: Vec<Rising<'_>> = names.iter().map(|name| Rising::new(places, name)).collect();
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
    fn new(places: &Places, name: &'n str) -> Rising<'n> {
        let (description, outcome) = match described(places, name) {
            Ok(description) => (description, Ok(())),
            Err(error) => (Description::default(), Err(error)),
        };
        Rising { name, description, made: None, things: Vec::new(), outcome }
    }

    /// The next step, if nothing has stopped it.
    fn go(&mut self, step: impl FnOnce(&mut Self) -> Result<(), Error>) {
        if self.outcome.is_ok() {
            self.outcome = step(self);
        }
    }

    fn make(&mut self, places: &Places) -> Result<(), Error> {
        self.made = Some(make_namespace(places, self.name)?);
        Ok(())
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
        errors.extend(down(places, self.name).err());
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
        fill(places, name, &description, identity)?
    };
    ready(places, name, &things, told)
}

/// What there is to say about a name; without a file it is a plain namespace.
fn described(places: &Places, name: &str) -> Result<Description, Error> {
    let (description, findings) = description::read(&places.descriptions, name);
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

/// Makes in the namespace, and around it, what the description asks for; the lock is held. A name
/// without one may have had one before, and a service in it must not ask the host's resolver.
fn fill(places: &Places, name: &str, description: &Description, identity: Identity) -> Result<Vec<Thing>, Error> {
    dns::write(places, name, &description.general)?;
    let mut carrier = Carrier::open(places, name, identity)?;
    let facts = facts::gather(places, name, description, &mut carrier.scene)?;
    let things = desired(name, description, &facts);
    carrier.make(&things)?;
    Ok(things)
}

/// Waits, without the lock.
fn ready(places: &Places, name: &str, things: &[Thing], told: &mut dyn FnMut(&str)) -> Result<(), Error> {
    if things.is_empty() {
        return Ok(());
    }
    settle(&mut Scene::open(places, name, true)?, things, told)
}

/// Removes what [`up`] made under this name. Goes on after an error, and tells them all.
pub fn down(places: &Places, name: &str) -> Result<Down, Error> {
    let _lock = lock(&places.records)?;
    let (path, record) = (places.pin(name), Record::of(places, name));
    let found = pin::look(&path)?;
    let pinned = match found {
        Pin::Namespace(identity) => Some(identity),
        _ => None,
    };
    let made = record.read()?;
    let parting = take_down(places, name, pinned, pinned.is_some() && made == pinned)?;
    let removed = if parting.may_go { unpin(&path, found, made) } else { Ok(false) };
    let mut errors = parting.end();
    errors.extend(Addresses::open(places, name).and_then(Addresses::release).err());
    errors.extend(dns::remove(places, name).err());
    errors.extend(temporaries(places, name).iter().filter_map(|path| remove_file(path).err()));
    let removed = removed.unwrap_or_else(|error| {
        errors.push(error);
        false
    });
    // The record is what a second attempt goes by.
    Error::of_all(errors)?;
    record.forget()?;
    Ok(match (removed, found) {
        (true, _) => Down::Removed,
        (false, Pin::Missing) => Down::Absent,
        (false, _) => Down::Left,
    })
}

/// Takes away the pin that was made; `found` is what has its name now. Was there anything to take?
fn unpin(path: &Path, mut found: Pin, made: Option<Identity>) -> Result<bool, Error> {
    let mut removed = false;
    loop {
        let actions = decide::down(made, found);
        for action in actions {
            match action {
                DownAction::Unmount => pin::unmount(path)?,
                // Mounted twice, as when two made it at once: what shows now is judged anew.
                DownAction::Unlink if pin::look(path)? != Pin::Empty => break,
                DownAction::Unlink => pin::unlink(path)?,
                DownAction::Forget => return Ok(removed),
            }
            removed = true;
        }
        if actions.is_empty() {
            return Ok(removed);
        }
        found = pin::look(path)?;
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn places(directory: &Path) -> Places {
        let places = Places::below(directory);
        fs::create_dir_all(&places.pins).unwrap();
        places
    }

    #[test]
    fn down_clears_what_a_crash_left_and_only_that() {
        let directory = tempfile::tempdir().unwrap();
        let places = places(directory.path());
        assert_eq!(down(&places, "blue").unwrap(), Down::Absent);

        // After the record, and after the file.
        let record = Record::of(&places, "blue");
        record.write(Identity { inode: 1, cookie: None }).unwrap();
        assert_eq!(down(&places, "blue").unwrap(), Down::Absent);
        assert_eq!(record.read().unwrap(), None);
        record.write(Identity { inode: 1, cookie: None }).unwrap();
        fs::write(places.pin("blue"), "").unwrap();
        assert_eq!(down(&places, "blue").unwrap(), Down::Removed);
        assert!(!places.pin("blue").exists());

        // Not ours.
        fs::write(places.pin("blue"), "").unwrap();
        assert_eq!(down(&places, "blue").unwrap(), Down::Left);
        assert!(places.pin("blue").exists());
    }

    #[test]
    fn a_description_that_is_wrong_makes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let places = places(directory.path());
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
