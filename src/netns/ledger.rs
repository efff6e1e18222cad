//! What was made for a name, written down before it is made: `/run/unitcell/netns/NAME/ledger`, a
//! line for each thing, gone with the boot as the things themselves are.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::change::Made;
use super::thing::Thing;
use super::{Error, Identity, Places};

/// The ledger of one name.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    made: Vec<Made>,
}

impl Ledger {
    /// Reads what there is, and which namespace it is about: of one that is gone, it says nothing of
    /// what is in the one that has the name now.
    pub fn open(places: &Places, name: &str) -> Result<(Option<Identity>, Ledger), Error> {
        let path = places.record(name).join("ledger");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(Error::system("read", &path)(error)),
        };
        let mut lines = text.lines();
        let identity = lines.next().and_then(|line| serde_json::from_str(line).ok());
        // The last line may be cut short: what it was about to tell was not made.
        let made = lines.map_while(|line| serde_json::from_str(line).ok()).collect();
        Ok((identity, Ledger { path, made }))
    }

    /// All things, in the order in which they were made.
    pub fn made(&self) -> &[Made] {
        &self.made
    }

    /// Begins anew, with nothing but the namespace that it will be about.
    pub fn begin(&mut self, identity: Identity) -> Result<(), Error> {
        self.made.clear();
        self.write(&identity)
    }

    /// Writes a thing down.
    pub fn add(&mut self, made: Made) -> Result<(), Error> {
        let line = line(&made);
        let appended =
            OpenOptions::new().append(true).open(&self.path).and_then(|mut file| file.write_all(line.as_bytes()));
        appended.map_err(Error::system("write", &self.path))?;
        self.made.push(made);
        Ok(())
    }

    /// Strikes a thing out.
    pub fn strike(&mut self, thing: &Thing, identity: Identity) -> Result<(), Error> {
        self.made.retain(|made| made.thing != *thing);
        self.write(&identity)
    }

    /// Keeps these things alone.
    pub fn keep(&mut self, made: Vec<Made>, identity: Identity) -> Result<(), Error> {
        self.made = made;
        self.write(&identity)
    }

    /// Removes it.
    pub fn remove(&self) -> Result<(), Error> {
        remove_file(&self.path)
    }

    fn write(&self, identity: &Identity) -> Result<(), Error> {
        let text: String = std::iter::once(line(identity)).chain(self.made.iter().map(line)).collect();
        write_whole(&self.path, &text)
    }
}

/// A value as one line.
pub fn line(value: &impl Serialize) -> String {
    let mut line = serde_json::to_string(value).expect("plain data");
    line.push('\n');
    line
}

/// What is written first, in the directory of all records: the lock is held, so one is enough, and
/// what a crash leaves of it is found again.
pub fn temporary(records: &std::path::Path) -> PathBuf {
    records.join(".tmp")
}

/// Writes a file, whole or not at all.
pub fn write_whole(path: &std::path::Path, text: &str) -> Result<(), Error> {
    let directory = path.parent().unwrap_or(path);
    fs::create_dir_all(directory).map_err(Error::system("make", directory))?;
    let temporary = temporary(directory.parent().unwrap_or(directory));
    fs::write(&temporary, text).map_err(Error::system("write", &temporary))?;
    fs::rename(&temporary, path).map_err(Error::system("write", path))
}

/// Removes a file that may be missing.
pub fn remove_file(path: &std::path::Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::system("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Reads a file of one value; a damaged one says nothing.
pub fn read_value<T: DeserializeOwned>(path: &std::path::Path) -> Result<Option<T>, Error> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(serde_json::from_str(&text).ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::system("read", path)(error)),
    }
}
