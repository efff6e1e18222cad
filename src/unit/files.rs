//! Files that are no units but are found like them: one main file in the first of some directories
//! that has it, and drop-ins from all of them.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::merged::is_dropin_name;
use super::path::{real_path, within};
use super::read::{Found, Reader};
use super::{Error, ErrorKind, Location, Parsed, syntax};

/// The directories, the first one winning.
#[derive(Debug, Clone)]
pub struct Directories {
    root: PathBuf,
    directories: Vec<PathBuf>,
}

/// A file that was found, and what it says.
#[derive(Debug)]
pub struct ReadFile {
    /// Where it is, as seen from inside the root.
    pub path: Arc<Path>,
    /// What it says; none for an empty file or a link to `/dev/null`, which masks.
    pub parsed: Option<Parsed>,
}

impl Directories {
    /// Directories as seen from inside `root`.
    pub fn new(root: &Path, directories: impl IntoIterator<Item = impl Into<PathBuf>>) -> Directories {
        Directories { root: root.to_owned(), directories: directories.into_iter().map(Into::into).collect() }
    }

    /// Where a path that is seen from inside the root really is.
    pub fn within(&self, path: &Path) -> PathBuf {
        within(&self.root, path)
    }

    /// The names of all files that end in `suffix`, without it, or of which there are only drop-ins.
    pub fn names(&self, suffix: &str) -> Result<Vec<String>, Error> {
        let mut names = Vec::new();
        for directory in &self.directories {
            for name in self.list(directory)? {
                let name = name.as_bytes();
                let stem = name.strip_suffix(b".d").unwrap_or(name).strip_suffix(suffix.as_bytes());
                names.extend(stem.and_then(|stem| Some(std::str::from_utf8(stem).ok()?.to_owned())));
            }
        }
        names.retain(|name| !name.is_empty() && !name.starts_with('.'));
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// The main file, if there is one.
    pub fn main(&self, name: &str) -> Result<Option<ReadFile>, Error> {
        let mut paths = self.directories.iter().map(|directory| directory.join(name));
        // A link that leads nowhere is there, too.
        let path = paths.find(|path| within(&self.root, path).symlink_metadata().is_ok());
        path.map(|path| self.read(path)).transpose()
    }

    /// The drop-ins in the order in which they apply, without masked ones: those below each of
    /// `stems` (`NAME.d` for a main file NAME), sorted by file name alone. Of several with the same
    /// name that of the last stem counts, and there that of the first directory.
    pub fn dropins(&self, stems: &[String]) -> Result<Vec<ReadFile>, Error> {
        let mut found: BTreeMap<OsString, PathBuf> = BTreeMap::new();
        for stem in stems.iter().rev() {
            for directory in &self.directories {
                let directory = directory.join(stem);
                for name in self.list(&directory)? {
                    if is_dropin_name(name.as_bytes()) {
                        found.entry(name).or_insert_with_key(|name| directory.join(name));
                    }
                }
            }
        }
        let read: Result<Vec<ReadFile>, Error> = found.into_values().map(|path| self.read(path)).collect();
        Ok(read?.into_iter().filter(|file| file.parsed.is_some()).collect())
    }

    fn read(&self, path: PathBuf) -> Result<ReadFile, Error> {
        let real = real_path(&self.root, &path).map_err(|error| failed(&path, error))?;
        read(&real, &Arc::from(path))
    }

    fn list(&self, directory: &Path) -> Result<Vec<OsString>, Error> {
        let fail = |error| failed(directory, error);
        let real = real_path(&self.root, directory).map_err(fail)?;
        let entries = match fs::read_dir(&real) {
            Ok(entries) => entries,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(Vec::new());
            }
            Err(error) => return Err(fail(error)),
        };
        entries.map(|entry| Ok(entry.map_err(fail)?.file_name())).collect()
    }
}

/// Reads one file, wherever it is; `path` is what it is called.
pub fn read(real: &Path, path: &Arc<Path>) -> Result<ReadFile, Error> {
    let mut reader = Reader::new();
    let parsed = match reader.read(real).map_err(|kind| Error::new(Location::start(path), kind))? {
        Found::Masked => None,
        Found::Text(text) => Some(syntax::parse(path, text)?),
    };
    Ok(ReadFile { path: Arc::clone(path), parsed })
}

/// What a file is called without its suffix.
pub fn stem<'p>(path: &'p Path, suffix: &str) -> Option<&'p str> {
    path.file_name().and_then(OsStr::to_str)?.strip_suffix(suffix)
}

fn failed(path: &Path, error: io::Error) -> Error {
    Error::new(Location::start(&Arc::from(path)), ErrorKind::from_io(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_directory_wins_and_drop_ins_add_up() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("usr/lib/x/blue.netns", "[A]\nfrom=vendor\n");
        write("etc/x/blue.netns", "[A]\nfrom=admin\n");
        write("usr/lib/x/red.netns", "");
        write("usr/lib/x/blue.netns.d/10-a.conf", "[A]\na=vendor\n");
        write("etc/x/blue.netns.d/10-a.conf", "[A]\na=admin\n");
        write("run/x/blue.netns.d/20-b.conf", "[A]\nb=1\n");
        write("run/x/blue.netns.d/README", "[A]\nc=1\n");
        write("etc/x/netns.d/10-a.conf", "[A]\na=shared\n");
        write("etc/x/netns.d/15-s.conf", "[A]\ns=shared\n");
        write("etc/x/only.netns.d/1.conf", "[A]\n");
        let directories = Directories::new(root.path(), ["/etc/x", "/run/x", "/usr/lib/x"]);
        assert_eq!(directories.names(".netns").unwrap(), ["blue", "only", "red"]);
        let main = directories.main("blue.netns").unwrap().unwrap();
        assert_eq!(&*main.path, Path::new("/etc/x/blue.netns"));
        assert_eq!(main.parsed.unwrap().assignments[0].value, "admin");
        assert!(directories.main("red.netns").unwrap().unwrap().parsed.is_none(), "an empty file masks");
        assert!(directories.main("green.netns").unwrap().is_none());
        let dropins = directories.dropins(&["netns.d".to_owned(), "blue.netns.d".to_owned()]).unwrap();
        let values: Vec<_> = dropins.iter().map(|file| &*file.parsed.as_ref().unwrap().assignments[0].value).collect();
        assert_eq!(values, ["admin", "shared", "1"]);
    }
}
