//! A unit as systemd sees it: its fragment with all drop-ins merged.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use super::read::{Found, Reader};
use super::{Assignment, Error, ErrorKind, Location, UnitName, Warning, syntax};

/// A unit, merged from its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Its main name; for an alias, the name of the unit that it stands for.
    pub name: UnitName,
    /// Its other names, sorted.
    pub aliases: Vec<UnitName>,
    /// The main file, if there is one in sight.
    pub fragment: Option<Arc<Path>>,
    /// Whether the fragment is empty or a link to `/dev/null`.
    pub masked: bool,
    /// The drop-ins in the order in which they apply, without masked ones.
    pub dropins: Vec<Arc<Path>>,
    /// Everything that the files assign, in the order in which it applies.
    pub assignments: Vec<Assignment>,
    /// Lines that are ignored.
    pub warnings: Vec<Warning>,
}

impl Unit {
    /// A unit without any file yet.
    pub(super) fn bare(name: UnitName) -> Self {
        Self {
            name,
            aliases: Vec::new(),
            fragment: None,
            masked: false,
            dropins: Vec::new(),
            assignments: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// A unit that is in no file, of assignments with their sections. As its fragment counts the
    /// file that systemd writes for a transient unit.
    pub fn transient<'a, V: AsRef<str>>(name: UnitName, lines: impl Iterator<Item = (&'a str, &'a str, V)>) -> Self {
        let file = Arc::from(Path::new("/run/systemd/transient").join(name.as_str()));
        let at = Location::start(&file);
        let line = |(section, key, value): (&str, &str, V)| {
            Assignment::new(section, key, value.as_ref(), at.clone(), at.clone())
        };
        Self { fragment: Some(Arc::clone(&file)), assignments: lines.map(line).collect(), ..Self::bare(name) }
    }

    /// A unit from files of the caller's choice, drop-ins in the order in which they apply.
    pub fn from_files(name: UnitName, fragment: Option<&Path>, dropins: &[&Path]) -> Result<Self, Error> {
        let mut reader = Reader::new();
        let mut unit = Self::bare(name);
        if let Some(path) = fragment {
            let path = Arc::from(path);
            match read(&mut reader, &path)? {
                Found::Masked => unit.mask(&path),
                Found::Text(text) => unit.add_fragment(&path, text)?,
            }
        }
        for path in dropins {
            let path = Arc::from(*path);
            if let Found::Text(text) = read(&mut reader, &path)? {
                unit.add_dropin(&path, text)?;
            }
        }
        Ok(unit)
    }

    /// A unit from the text that a file will have.
    pub fn from_text(name: UnitName, path: &Path, text: &[u8]) -> Result<Self, Error> {
        let mut unit = Self::bare(name);
        unit.add_fragment(&Arc::from(path), text)?;
        Ok(unit)
    }

    /// A unit from one file, wherever that is, with the drop-ins in the `.d` directory beside
    /// it. A file in such a directory is taken by itself, as a drop-in of that unit.
    pub fn from_file(file: &Path) -> Result<Self, Error> {
        let not_a_unit = || {
            let kind = ErrorKind::NotAUnit(file.to_owned());
            Error::new(Location::start(&Arc::from(file)), kind)
        };
        let name_of = |name: &OsStr| name.to_str().and_then(|n| UnitName::new(n).ok());
        if let Some(name) = file.file_name().and_then(name_of) {
            let dropins = list_dropins(file)?;
            let dropins: Vec<&Path> = dropins.iter().map(|p| &**p).collect();
            return Self::from_files(name, Some(file), &dropins);
        }
        let stem = file.parent().and_then(Path::file_name).map(OsStr::as_bytes);
        let stem = stem.and_then(|d| d.strip_suffix(b".d")).map(OsStr::from_bytes);
        match stem.and_then(name_of) {
            Some(name) if file.extension() == Some(OsStr::new("conf")) => Self::from_files(name, None, &[file]),
            _ => Err(not_a_unit()),
        }
    }

    pub(super) fn mask(&mut self, path: &Arc<Path>) {
        self.fragment = Some(Arc::clone(path));
        self.masked = true;
    }

    pub(super) fn add_fragment(&mut self, path: &Arc<Path>, text: &[u8]) -> Result<(), Error> {
        self.fragment = Some(Arc::clone(path));
        self.add(path, text)
    }

    pub(super) fn add_dropin(&mut self, path: &Arc<Path>, text: &[u8]) -> Result<(), Error> {
        self.dropins.push(Arc::clone(path));
        self.add(path, text)
    }

    fn add(&mut self, path: &Arc<Path>, text: &[u8]) -> Result<(), Error> {
        let parsed = syntax::parse(path, text)?;
        self.assignments.extend(parsed.assignments);
        self.warnings.extend(parsed.warnings);
        Ok(())
    }

    /// All assignments in a section, from all files.
    pub fn section<'a>(&'a self, section: &'a str) -> impl Iterator<Item = &'a Assignment> {
        self.assignments.iter().filter(move |a| a.section == section)
    }

    /// The assignment that counts for a single-valued key; none where the last one is empty.
    pub fn last(&self, section: &str, key: &str) -> Option<&Assignment> {
        let mut all = self.assignments.iter().rev();
        let last = all.find(|a| a.section == section && a.key == key);
        last.filter(|a| !a.value.is_empty())
    }

    /// The assignments that count for a list; an empty one drops those before it.
    pub fn list(&self, section: &str, key: &str) -> Vec<&Assignment> {
        let mut list = Vec::new();
        let all = self.assignments.iter();
        for assignment in all.filter(|a| a.section == section && a.key == key) {
            if assignment.value.is_empty() {
                list.clear();
            } else {
                list.push(assignment);
            }
        }
        list
    }
}

fn read<'r>(reader: &'r mut Reader, path: &Arc<Path>) -> Result<Found<'r>, Error> {
    reader.read(path).map_err(|kind| Error::new(Location::start(path), kind))
}

/// The drop-ins in the directory beside a unit file, sorted by name.
fn list_dropins(file: &Path) -> Result<Vec<Arc<Path>>, Error> {
    let mut dir = file.as_os_str().to_owned();
    dir.push(".d");
    let fail = |error: std::io::Error| {
        let at = Location::start(&Arc::from(Path::new(&dir)));
        Error::new(at, ErrorKind::from_io(error))
    };
    let entries = match std::fs::read_dir(&dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(fail(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(fail)?.file_name();
        if is_dropin_name(name.as_bytes()) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names.iter().map(|name| Arc::from(Path::new(&dir).join(name))).collect())
}

/// Whether a file of this name in a `.d` directory is read; hidden ones are not.
pub(super) fn is_dropin_name(name: &[u8]) -> bool {
    name.ends_with(b".conf") && !name.starts_with(b".")
}

#[cfg(test)]
#[path = "tests/merged.rs"]
mod tests;
