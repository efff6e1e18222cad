//! Listing and reading a search path, once.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memchr::memmem::Finder;
use rustix::fs::{CWD, FileType, Mode, OFlags, RawDir};
use rustix::io::Errno;

use super::merged::is_dropin_name;
use super::path::{chase, real_path};
use super::read::{Found, Known, Reader};
use super::set::{Content, DropinDir, DropinFile, Entry, Target, UnitSet, is_shared_stem};
use super::{Error, ErrorKind, Location, NameKind, SearchPath, UnitName, UnitType};

impl UnitSet {
    /// Lists the search path and reads all units of these types and their drop-ins, looking
    /// for `needle` in each.
    ///
    /// What is wrong with single files shows when their unit is loaded; directories that
    /// can't be read are in [`Self::problems`].
    pub fn scan(search_path: &SearchPath, types: &[UnitType], needle: &[u8]) -> Self {
        let mut scan = Scan {
            set: Self::empty(search_path),
            types,
            needle: Finder::new(needle),
            dirs: Vec::new(),
            parents: HashMap::new(),
            reader: Reader::new(),
        };
        scan.list_dirs();
        // Drop-ins first: they tell which fragments will be wanted.
        scan.read_dropins();
        scan.read_fragments();
        scan.set.find_aliases();
        scan.set
    }
}

/// A scan under way.
struct Scan<'s> {
    set: UnitSet,
    types: &'s [UnitType],
    needle: Finder<'s>,
    /// For each directory of the search path, if there is one.
    dirs: Vec<Option<OwnedFd>>,
    /// Directories that links point into, with the links in their own paths followed.
    parents: HashMap<PathBuf, PathBuf>,
    reader: Reader,
}

/// What a name in a directory of the search path is good for.
enum Use {
    Unit,
    DropinDir,
}

impl Scan<'_> {
    fn list_dirs(&mut self) {
        let search_path = self.set.search_path.clone();
        let mut seen = HashSet::new();
        for (i, path) in search_path.dirs().iter().enumerate() {
            let dir = real_path(search_path.root(), path).and_then(|real| Ok(open_dir(CWD, &real)?));
            let dir = match dir {
                Ok(dir) => Some(dir),
                Err(error) => {
                    self.problem(path, error);
                    None
                }
            };
            // /lib/systemd/system and /usr/lib/systemd/system are mostly one and the same.
            let new = dir.as_ref().and_then(|d| rustix::fs::fstat(d).ok());
            if let (Some(fd), true) = (&dir, new.is_none_or(|s| seen.insert((s.st_dev, s.st_ino)))) {
                self.list_dir(i, path, fd);
            }
            self.dirs.push(dir);
        }
    }

    fn list_dir(&mut self, i: usize, path: &Path, dir: &OwnedFd) {
        let mut links = Vec::new();
        let listed = for_each_entry(dir.as_fd(), |name, kind| match self.use_of(name) {
            Some(Use::DropinDir) => {
                let stem = &name[..name.len() - ".d".len()];
                let dirs = self.set.dropins.entry(stem.into()).or_default();
                dirs.push(DropinDir { dir: i, path: path.join(name), files: Vec::new() });
            }
            Some(Use::Unit) if !self.set.by_name.contains_key(name) => match kind {
                FileType::Symlink | FileType::Unknown => links.push(name.to_owned()),
                kind => {
                    let regular = kind == FileType::RegularFile;
                    self.add(name, i, Target::File { regular, content: Content::Plain });
                }
            },
            Some(Use::Unit) | None => {}
        });
        for name in links {
            if let Some(target) = self.link_target(path, dir, &name) {
                self.add(&name, i, target);
            }
        }
        if let Err(error) = listed {
            self.problem(path, error.into());
        }
    }

    fn add(&mut self, name: &str, dir: usize, target: Target) {
        let name: Arc<str> = name.into();
        self.set.by_name.insert(Arc::clone(&name), self.set.entries.len());
        self.set.entries.push(Entry { name, dir, target });
    }

    fn problem(&mut self, path: &Path, error: std::io::Error) {
        if error.kind() != std::io::ErrorKind::NotFound {
            let at = Location::start(&path.into());
            self.set.problems.push(Error::new(at, ErrorKind::from_io(error)));
        }
    }

    fn use_of(&self, name: &str) -> Option<Use> {
        let wanted = |t: Option<UnitType>| t.is_some_and(|t| self.types.contains(&t));
        if let Some(stem) = name.strip_suffix(".d") {
            let type_ = UnitName::type_of(stem).or_else(|| UnitType::from_suffix(stem));
            return wanted(type_).then_some(Use::DropinDir);
        }
        wanted(UnitName::type_of(name)).then_some(Use::Unit)
    }

    /// What a link in the search path makes of its name, if anything.
    fn link_target(&mut self, dir: &Path, fd: &OwnedFd, name: &str) -> Option<Target> {
        let target = match rustix::fs::readlinkat(fd, name, Vec::new()) {
            Ok(target) => PathBuf::from(OsString::from_vec(target.into_bytes())),
            // A file after all, on a file system that doesn't say so when listing.
            Err(Errno::INVAL) => {
                return Some(Target::File { regular: false, content: Content::Plain });
            }
            Err(_) => return None,
        };
        if target == Path::new("/dev/null") {
            return Some(Target::File { regular: false, content: Content::Masked });
        }
        let resolved = self.resolve(&dir.join(target));
        if self.set.search_path.strip(&resolved).is_none() {
            return Some(Target::File { regular: false, content: Content::Plain });
        }
        let target = resolved.file_name()?.to_str()?;
        is_valid_alias(name, target).then(|| Target::Alias(target.into()))
    }

    /// The path without links on the way; whether it is one itself does not matter.
    fn resolve(&mut self, path: &Path) -> PathBuf {
        let root = self.set.search_path.root();
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return path.to_owned();
        };
        if let Some(known) = self.parents.get(parent) {
            return known.join(name);
        }
        let resolved = chase(root, parent, true).unwrap_or_else(|_| parent.to_owned());
        let path = resolved.join(name);
        self.parents.insert(parent.to_owned(), resolved);
        path
    }

    fn read_dropins(&mut self) {
        let mut all = std::mem::take(&mut self.set.dropins);
        for (stem, dirs) in &mut all {
            let mut seen: HashSet<OsString> = HashSet::new();
            for dir in dirs.iter_mut() {
                if let Err(error) = self.read_dropin_dir(dir, &mut seen) {
                    self.problem(&dir.path, error);
                }
            }
            let mut files = dirs.iter().flat_map(|d| &d.files);
            // A single unreadable file must not make a candidate of every unit there is.
            let found = match is_shared_stem(stem) {
                true => files.any(|f| matches!(f.content, Content::Kept { needle: true, .. })),
                false => files.any(|f| f.content.may_have_needle()),
            };
            if found {
                self.set.needle_stems.insert(stem.clone());
            }
        }
        self.set.dropins = all;
    }

    fn read_dropin_dir(&mut self, dir: &mut DropinDir, seen: &mut HashSet<OsString>) -> Result<(), std::io::Error> {
        let root = self.set.search_path.root().to_owned();
        let fd = match (&self.dirs[dir.dir], dir.path.file_name()) {
            (Some(parent), Some(name)) if root == Path::new("/") => open_dir(parent.as_fd(), name),
            _ => open_dir(CWD, &real_path(&root, &dir.path)?),
        };
        let fd = match fd {
            Ok(fd) => fd,
            // A file called so, or a link to nowhere: no drop-ins.
            Err(Errno::NOTDIR | Errno::NOENT) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let mut names = Vec::new();
        for_each_raw_entry(fd.as_fd(), |name, kind| {
            if is_dropin_name(name) && seen.insert(OsStr::from_bytes(name).to_owned()) {
                names.push((OsStr::from_bytes(name).to_owned(), kind));
            }
        })?;
        for (name, kind) in names {
            let path = dir.path.join(&name);
            let content = self.read(&fd, &name, kind == FileType::RegularFile, &path, true);
            if let (Content::Unreadable, Some(stem)) = (&content, dir.path.file_stem())
                && is_shared_stem(&stem.to_string_lossy())
            {
                let error = std::io::Error::other("one of the drop-ins for many units");
                self.problem(&path, error);
            }
            dir.files.push(DropinFile { name, content });
        }
        Ok(())
    }

    fn read_fragments(&mut self) {
        let mut entries = std::mem::take(&mut self.set.entries);
        let dirs = std::mem::take(&mut self.dirs);
        let stems = std::mem::take(&mut self.set.needle_stems);
        let touched = Touched::new(&stems);
        for entry in &mut entries {
            let Target::File { regular, content } = &mut entry.target else {
                continue;
            };
            let Some(dir) = &dirs[entry.dir] else {
                continue;
            };
            if matches!(content, Content::Masked) {
                continue;
            }
            let keep = touched.concerns(&entry.name);
            let path = || self.set.search_path.dirs()[entry.dir].join(&*entry.name);
            let path = if *regular { PathBuf::new() } else { path() };
            *content = self.read(dir, OsStr::new(&*entry.name), *regular, &path, keep);
        }
        self.set.entries = entries;
        self.set.needle_stems = stems;
    }

    /// Reads a file that the listing of `dir` told of; `path` is for links below another root.
    fn read(&mut self, dir: &OwnedFd, name: &OsStr, regular: bool, path: &Path, keep: bool) -> Content {
        let root = self.set.search_path.root();
        let found = if regular || root == Path::new("/") {
            let known = if regular { Known::Regular } else { Known::Nothing };
            self.reader.read_at(dir.as_fd(), name, known)
        } else {
            match real_path(root, path) {
                Ok(real) => self.reader.read(&real),
                Err(error) => Err(ErrorKind::from_io(error)),
            }
        };
        match found {
            Ok(Found::Masked) => Content::Masked,
            Ok(Found::Text(text)) => {
                let needle = self.needle.find(text).is_some();
                match needle || keep {
                    true => Content::Kept { text: text.into(), needle },
                    false => Content::Plain,
                }
            }
            Err(ErrorKind::NotRegular | ErrorKind::SymlinkLoop) => Content::Absent,
            Err(ErrorKind::Io(e)) if e.kind() == std::io::ErrorKind::NotFound => Content::Absent,
            Err(_) => Content::Unreadable,
        }
    }
}

/// Which fragments drop-ins with the needle concern, asked cheaply for each of thousands.
struct Touched<'s> {
    stems: &'s HashSet<Box<str>>,
    templates: HashSet<String>,
    prefixes: bool,
}

impl<'s> Touched<'s> {
    fn new(stems: &'s HashSet<Box<str>>) -> Self {
        let names = stems.iter().filter_map(|s| UnitName::new(s).ok());
        let templates = names.filter_map(|n| Some(n.template()?.as_str().to_owned())).collect();
        Self { stems, templates, prefixes: stems.iter().any(|s| is_shared_stem(s)) }
    }

    fn concerns(&self, name: &str) -> bool {
        if self.stems.is_empty() {
            return false;
        }
        if self.stems.contains(name) || self.templates.contains(name) {
            return true;
        }
        let all_stems = || UnitName::new(name).map(|n| n.dropin_stems()).unwrap_or_default();
        (self.prefixes || name.contains('@')) && all_stems().iter().any(|s| self.stems.contains(&**s))
    }
}

/// Whether systemd lets a link called `name` stand for the unit `target`.
fn is_valid_alias(name: &str, target: &str) -> bool {
    let (Ok(name), Ok(target)) = (UnitName::new(name), UnitName::new(target)) else {
        return false;
    };
    let type_ = name.type_();
    let kinds = match (name.kind(), target.kind()) {
        (NameKind::Instance, NameKind::Template) => true,
        (NameKind::Instance, NameKind::Instance) => name.instance() == target.instance(),
        (a, b) => a == b,
    };
    // A link to the same name in another directory has no effect of its own.
    name != target
        && type_ == target.type_()
        && type_.may_alias()
        && (name.kind() == NameKind::Plain || type_.may_template())
        && kinds
}

fn open_dir<P: rustix::path::Arg>(at: BorrowedFd<'_>, path: P) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(at, path, flags, Mode::empty())
}

/// Calls `f` for each entry whose name is text; no other can be a unit's.
fn for_each_entry(dir: BorrowedFd<'_>, mut f: impl FnMut(&str, FileType)) -> Result<(), Errno> {
    for_each_raw_entry(dir, |name, kind| {
        if let Ok(name) = std::str::from_utf8(name) {
            f(name, kind);
        }
    })
}

fn for_each_raw_entry(dir: BorrowedFd<'_>, mut f: impl FnMut(&[u8], FileType)) -> Result<(), Errno> {
    let mut buffer = [const { MaybeUninit::uninit() }; 32 << 10];
    let mut entries = RawDir::new(dir, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        f(entry.file_name().to_bytes(), entry.file_type());
    }
    Ok(())
}
