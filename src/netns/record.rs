//! The record of what `up` made: `/run/unitcell/netns/NAME/made`, gone with the boot as the
//! namespace itself is.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::ledger::{remove_file, write_whole};
use super::{Error, Identity, Places};

/// The record of one name.
pub struct Record {
    directory: PathBuf,
}

impl Record {
    pub fn of(places: &Places, name: &str) -> Record {
        Record { directory: places.record(name) }
    }

    fn path(&self) -> PathBuf {
        self.directory.join("made")
    }

    /// What it says. One that can't be understood says nothing: then nothing is removed.
    pub fn read(&self) -> Result<Option<Identity>, Error> {
        match fs::read_to_string(self.path()) {
            Ok(text) => Ok(parse(&text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::system("read", &self.path())(error)),
        }
    }

    /// Writes it, whole or not at all.
    pub fn write(&self, identity: Identity) -> Result<(), Error> {
        write_whole(&self.path(), &render(identity))
    }

    /// Removes it, and its directory if nothing else is in there.
    pub fn forget(&self) -> Result<(), Error> {
        remove_file(&self.path())?;
        self.tidy()
    }

    /// Removes its directory if nothing is in there.
    pub fn tidy(&self) -> Result<(), Error> {
        match fs::remove_dir(&self.directory) {
            Err(error) if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty) => {
                Err(Error::system("remove", &self.directory)(error))
            }
            _ => Ok(()),
        }
    }
}

fn render(identity: Identity) -> String {
    let cookie = identity.cookie.map(|cookie| format!("cookie={cookie}\n")).unwrap_or_default();
    format!(
        "# The network namespace that `unitcell netns up` made, and `down` removes.\ninode={}\n{cookie}",
        identity.inode
    )
}

fn parse(text: &str) -> Option<Identity> {
    let field = |key: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
        value.parse::<u64>().ok()
    };
    Some(Identity { inode: field("inode")?, cookie: field("cookie") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written_until_it_is_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let places = Places::below(directory.path());
        let record = Record::of(&places, "blue");
        assert_eq!(record.read().unwrap(), None);
        for cookie in [Some(3), None] {
            let identity = Identity { inode: 4_026_532_310, cookie };
            record.write(identity).unwrap();
            assert_eq!(record.read().unwrap(), Some(identity));
        }
        record.forget().unwrap();
        assert_eq!(record.read().unwrap(), None);
        assert!(!places.record("blue").exists());
        record.forget().expect("forgetting twice is no error");
    }

    #[test]
    fn what_others_keep_beside_the_record_stays() {
        let directory = tempfile::tempdir().unwrap();
        let places = Places::below(directory.path());
        let record = Record::of(&places, "blue");
        record.write(Identity { inode: 1, cookie: None }).unwrap();
        fs::write(places.record("blue").join("resolv.conf"), "").unwrap();
        record.forget().unwrap();
        assert!(places.record("blue").join("resolv.conf").exists());
    }

    #[test]
    fn a_damaged_record_claims_nothing() {
        assert_eq!(parse(""), None);
        assert_eq!(parse("inode=x\n"), None);
        assert_eq!(parse("inode=12\ncoo"), Some(Identity { inode: 12, cookie: None }));
    }
}
