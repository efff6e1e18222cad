//! What was made for a name, written down before it is made: `/run/unitcell/netns/NAME/ledger`, a
//! line for each thing, gone with the boot as the things themselves are.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::change::Made;
use super::thing::Thing;
use super::{Error, Identity, Places};

/// The ledger of one name.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    about: Option<Identity>,
    made: Vec<Made>,
    /// Where a line can be added: not to a file that is not there, and not after what a crash cut short.
    end: Option<File>,
}

impl Ledger {
    /// Reads what there is.
    pub fn open(places: &Places, name: &str) -> Result<Ledger, Error> {
        let path = places.record(name).join("ledger");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(Error::system("read", &path)(error)),
        };
        let mut lines = text.lines();
        let about = lines.next().and_then(|line| serde_json::from_str(line).ok());
        // The last line may be cut short: what it was about to tell was not made.
        let made = lines.map_while(|line| serde_json::from_str(line).ok()).collect();
        let mut ledger = Ledger { path, about, made, end: None };
        if text.ends_with('\n') && !ledger.made.is_empty() {
            ledger.end = Some(ledger.append()?);
        }
        Ok(ledger)
    }

    /// Which namespace it is about: of one that is gone, it says nothing of what is in the one that
    /// has the name now.
    pub fn about(&self) -> Option<Identity> {
        self.about
    }

    /// All things, in the order in which they were made.
    pub fn made(&self) -> &[Made] {
        &self.made
    }

    /// Begins anew, with nothing but the namespace that it will be about: until there is something to
    /// tell, there is no file.
    pub fn begin(&mut self, identity: Identity) -> Result<(), Error> {
        self.about = Some(identity);
        self.made.clear();
        self.remove()
    }

    /// Writes a thing down.
    pub fn add(&mut self, made: Made) -> Result<(), Error> {
        let line = line(&made);
        self.made.push(made);
        match &mut self.end {
            Some(end) => end.write_all(line.as_bytes()).map_err(Error::system("write", &self.path)),
            None => self.write(),
        }
    }

    /// Strikes a thing out.
    pub fn strike(&mut self, thing: &Thing) -> Result<(), Error> {
        self.made.retain(|made| made.thing != *thing);
        self.write()
    }

    /// Keeps these things alone.
    pub fn keep(&mut self, made: Vec<Made>) -> Result<(), Error> {
        self.made = made;
        self.write()
    }

    /// Removes it.
    pub fn remove(&mut self) -> Result<(), Error> {
        self.end = None;
        remove_file(&self.path)
    }

    fn write(&mut self) -> Result<(), Error> {
        if self.made.is_empty() {
            return self.remove();
        }
        let text: String = std::iter::once(line(&self.about)).chain(self.made.iter().map(line)).collect();
        write_whole(&self.path, &text)?;
        self.end = Some(self.append()?);
        Ok(())
    }

    fn append(&self) -> Result<File, Error> {
        OpenOptions::new().append(true).open(&self.path).map_err(Error::system("write", &self.path))
    }
}

/// A value as one line.
pub fn line(value: &impl Serialize) -> String {
    let mut line = serde_json::to_string(value).expect("plain data");
    line.push('\n');
    line
}

/// What a crash may have left of [`write_whole`] where one name is worked upon.
pub fn temporaries(places: &Places, name: &str) -> [PathBuf; 3] {
    [places.record(name), places.shared(), places.leases()].map(|directory| directory.join(TEMPORARY))
}

/// What is written first. Whoever writes holds the lock, or is the only one who writes for the name.
const TEMPORARY: &str = ".tmp";

/// Writes a file, whole or not at all.
pub fn write_whole(path: &Path, text: &str) -> Result<(), Error> {
    let directory = path.parent().unwrap_or(path);
    fs::create_dir_all(directory).map_err(Error::system("make", directory))?;
    let temporary = directory.join(TEMPORARY);
    fs::write(&temporary, text).map_err(Error::system("write", &temporary))?;
    fs::rename(&temporary, path).map_err(Error::system("write", path))
}

/// Removes a file that may be missing.
pub fn remove_file(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::system("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Reads a file of one value; a damaged one says nothing.
pub fn read_value<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(serde_json::from_str(&text).ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::system("read", path)(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::thing::Side;
    use super::*;

    #[test]
    fn what_a_crash_cut_short_is_not_gone_on_with() {
        let directory = tempfile::tempdir().unwrap();
        let places = Places::below(directory.path());
        let made = |link: &str| Made { thing: Thing::Up { side: Side::Host, link: link.to_owned() }, before: None };
        let identity = Identity { inode: 7, cookie: Some(70) };
        let mut ledger = Ledger::open(&places, "blue").unwrap();
        ledger.begin(identity).unwrap();
        ledger.add(made("a")).unwrap();
        ledger.add(made("b")).unwrap();
        let (path, whole) = (ledger.path.clone(), fs::read_to_string(&ledger.path).unwrap());
        let first = whole.len() - line(&made("b")).len();
        // The line may be there but for its end.
        for end in first..whole.len() {
            fs::write(&path, &whole[..end]).unwrap();
            let mut ledger = Ledger::open(&places, "blue").unwrap();
            let known = ledger.made().to_vec();
            ledger.add(made("c")).unwrap();
            ledger.add(made("d")).unwrap();
            let read = Ledger::open(&places, "blue").unwrap();
            assert_eq!(read.made(), [known, vec![made("c"), made("d")]].concat(), "{:?} was there", &whole[..end]);
            assert_eq!(read.about(), Some(identity));
        }
    }
}
