//! Making a named network namespace be there, and not be there any more.

use super::decide::{self, DownAction, Pin, UpAction};
use super::directory::{lock, prepare_pins};
use super::record::Record;
use super::{Error, Places, pin};

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

/// Makes the named network namespace be there, with lo up.
pub fn up(places: &Places, name: &str) -> Result<Up, Error> {
    if let Some(path) = places.description(name) {
        return Err(Error::Described(path));
    }
    // No two of us at once: between the look and the last step nothing of ours changes.
    let _lock = lock(&places.records)?;
    let (path, record) = (places.pin(name), Record::of(places, name));
    prepare_pins(&places.pins)?;
    match decide::up(record.read()?, pin::look(&path)?) {
        UpAction::Keep => Ok(Up::Kept),
        UpAction::Adopt => {
            record.forget()?;
            pin::loopback_up(&path)?;
            Ok(Up::Adopted)
        }
        UpAction::Make => {
            let made = pin::make(&path, |identity| record.write(identity));
            if let Err(error) = made {
                // The reason counts, not what comes of it.
                let _ = record.forget();
                return Err(error);
            }
            Ok(Up::Made)
        }
        UpAction::Refuse => Err(Error::Occupied(path)),
    }
}

/// Removes what [`up`] made under this name. Goes on after an error, and tells them all.
pub fn down(places: &Places, name: &str) -> Result<Down, Error> {
    let _lock = lock(&places.records)?;
    let (path, record) = (places.pin(name), Record::of(places, name));
    let mut errors = Vec::new();
    let mut removed = false;
    loop {
        let found = pin::look(&path)?;
        let actions = decide::down(record.read()?, found);
        for action in actions {
            let outcome = match action {
                DownAction::Unmount => pin::unmount(&path),
                // Mounted twice, as when two made it at once: what shows now is judged anew.
                DownAction::Unlink if pin::look(&path)? != Pin::Empty => break,
                DownAction::Unlink => pin::unlink(&path),
                // The record is what a second attempt goes by.
                DownAction::Forget if errors.is_empty() => record.forget(),
                DownAction::Forget => Ok(()),
            };
            removed |= *action != DownAction::Forget && outcome.is_ok();
            errors.extend(outcome.err());
        }
        if !errors.is_empty() {
            return Err(if errors.len() == 1 { errors.remove(0) } else { Error::Several(errors) });
        }
        if record.read()?.is_none() {
            return Ok(match (removed, found) {
                (true, _) => Down::Removed,
                (false, Pin::Missing) => Down::Absent,
                (false, _) => Down::Left,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::super::Identity;
    use super::*;

    fn places(directory: &Path) -> Places {
        let below = |name: &str| directory.join(name);
        fs::create_dir(below("netns")).unwrap();
        Places { pins: below("netns"), records: below("records"), descriptions: vec![below("etc")] }
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
    fn a_described_namespace_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let places = places(directory.path());
        fs::create_dir(directory.path().join("etc")).unwrap();
        fs::write(directory.path().join("etc/blue.netns"), "").unwrap();
        assert!(matches!(up(&places, "blue"), Err(Error::Described(_))));
        assert!(!places.pin("blue").exists());
    }
}
