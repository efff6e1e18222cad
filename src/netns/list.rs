//! Which named network namespaces there are.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::record::Record;
use super::{Error, Places, pin};
use crate::unit::Scope;

/// A name in `/run/netns`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub name: String,
    /// The inode number of the namespace; none where a file has the name that is no pin.
    pub inode: Option<u64>,
    /// Did `unitcell netns up` make it?
    pub ours: bool,
}

/// Where the files of the namespaces are that a user's process holds under a name.
pub fn held(places: &Places, name: &str) -> Result<PathBuf, Error> {
    let missing = || Error::NoNamespace(name.to_owned());
    if !list(places)?.iter().any(|named| named.name == name) {
        return Err(missing());
    }
    let pin = fs::read_link(places.pin(name)).map_err(Error::system("look at", &places.pin(name)))?;
    pin.parent().map(Path::to_owned).ok_or_else(missing)
}

/// All names, sorted. What is not ours among a user's is what an ended process has held.
pub fn list(places: &Places) -> Result<Vec<Named>, Error> {
    let failed = |error| Error::system("read", &places.pins)(error);
    let entries = match fs::read_dir(&places.pins) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut all = Vec::new();
    for entry in entries {
        let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
        let inode = pin::inode(&places.pin(&name))?;
        // An unprivileged reader can't ask for more than the inode number.
        let ours = inode.is_some() && inode == Record::of(places, &name).read()?.map(|made| made.inode);
        if places.scope == Scope::User && !ours {
            continue;
        }
        all.push(Named { name, inode, ours });
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}
