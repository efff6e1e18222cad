//! Making a named network namespace not be there any more.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::addresses::Addresses;
use super::at_once::at_once;
use super::carry::take_down;
use super::decide::{self, DownAction, Pin};
use super::directory::lock;
use super::ledger::{remove_file, temporaries};
use super::record::Record;
use super::{Error, Identity, Places, dns, pin};

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

/// Removes what [`up`](super::up) made under each of the names, each given once. Goes on after an error;
/// each has an outcome of its own, unless nothing could be begun.
pub fn down(places: &Places, names: &[String]) -> Result<Vec<Result<Down, Error>>, Error> {
    let _lock = lock(&places.records)?;
    // What several need, or have to do with one another, one of them takes back at a time.
    let turn = Mutex::new(());
    let mut all: Vec<_> = names.iter().map(|name| (name, None)).collect();
    at_once(&mut all, |(name, outcome)| *outcome = Some(down_in_turn(places, name, &turn)));
    Ok(all.into_iter().filter_map(|(_, outcome)| outcome).collect())
}

/// The same for one.
pub fn down_one(places: &Places, name: &str) -> Result<Down, Error> {
    let _lock = lock(&places.records)?;
    down_in_turn(places, name, &Mutex::new(()))
}

fn down_in_turn(places: &Places, name: &str, turn: &Mutex<()>) -> Result<Down, Error> {
    // It guards no data.
    let turn = || turn.lock().unwrap_or_else(PoisonError::into_inner);
    let (path, record) = (places.pin(name), Record::of(places, name));
    let found = pin::look(&path)?;
    let pinned = match found {
        Pin::Namespace(identity) => Some(identity),
        _ => None,
    };
    let made = record.read()?;
    let parting = {
        let _turn = turn();
        take_down(places, name, pinned, pinned.is_some() && made == pinned)?
    };
    let removed = if parting.may_go { unpin(&path, found, made) } else { Ok(false) };
    let mut errors = {
        let _turn = turn();
        let mut errors = parting.end();
        errors.extend(Addresses::open(places, name).and_then(Addresses::release).err());
        errors.extend(temporaries(places, name).iter().filter_map(|path| remove_file(path).err()));
        errors
    };
    errors.extend(dns::remove(places, name).err());
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

    use super::*;

    #[test]
    fn down_clears_what_a_crash_left_and_only_that() {
        let directory = tempfile::tempdir().unwrap();
        let places = Places::below(directory.path());
        assert_eq!(down_one(&places, "blue").unwrap(), Down::Absent);

        // After the record, and after the file.
        let record = Record::of(&places, "blue");
        record.write(Identity { inode: 1, cookie: None }).unwrap();
        assert_eq!(down_one(&places, "blue").unwrap(), Down::Absent);
        assert_eq!(record.read().unwrap(), None);
        record.write(Identity { inode: 1, cookie: None }).unwrap();
        fs::write(places.pin("blue"), "").unwrap();
        assert_eq!(down_one(&places, "blue").unwrap(), Down::Removed);
        assert!(!places.pin("blue").exists());

        // Not ours.
        fs::write(places.pin("blue"), "").unwrap();
        assert_eq!(down_one(&places, "blue").unwrap(), Down::Left);
        assert!(places.pin("blue").exists());
    }
}
