//! What several namespaces need, such as a bridge: `/run/unitcell/netns/.shared/KEY` tells who does,
//! and the last one takes it back. Only what one of them made has such a file.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::change::Made;
use super::ledger::{line, read_value, remove_file, write_whole};
use super::{Error, Places};

/// A shared thing that was made.
#[derive(Debug, Serialize, Deserialize)]
pub struct Shared {
    #[serde(skip)]
    path: PathBuf,
    made: Option<Made>,
    users: Vec<String>,
}

impl Shared {
    /// What is known of the thing with this key.
    pub fn open(places: &Places, key: &str) -> Result<Shared, Error> {
        let path = places.shared().join(key);
        let known: Option<Shared> = read_value(&path)?;
        let mut shared = known.unwrap_or(Shared { path: PathBuf::new(), made: None, users: Vec::new() });
        shared.path = path;
        Ok(shared)
    }

    /// Did one of us make it?
    pub fn is_ours(&self) -> bool {
        self.made.is_some()
    }

    /// Another one needs it; the first one is about to make it.
    pub fn join(&mut self, user: &str, made: &Made) -> Result<(), Error> {
        if self.users.iter().any(|other| other == user) {
            return Ok(());
        }
        self.made.get_or_insert_with(|| made.clone());
        self.users.push(user.to_owned());
        write_whole(&self.path, &line(self))
    }

    /// Is this the last one that needs it? Then it tells what is to be taken back, before
    /// [`Shared::leave`].
    pub fn last(&self, user: &str) -> Option<&Made> {
        self.made.as_ref().filter(|_| self.users == [user])
    }

    /// One needs it no more.
    pub fn leave(&mut self, user: &str) -> Result<(), Error> {
        self.users.retain(|other| other != user);
        if self.users.is_empty() { remove_file(&self.path) } else { write_whole(&self.path, &line(self)) }
    }
}
