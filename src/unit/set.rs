//! All units of a search path, listed and read once.
//!
//! A scan keeps the text of a file only where it will be wanted again: of drop-ins, which are
//! few and small, and of fragments that have the needle or that a drop-in with the needle
//! concerns. Everything else is read again if somebody loads it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::path::real_path;
use super::read::{Found, Reader};
use super::{Error, ErrorKind, Location, NameKind, SearchPath, Unit, UnitName};

/// As many aliases of aliases as systemd follows.
const FOLLOW_MAX: usize = 8;

/// The units of a search path.
#[derive(Debug)]
pub struct UnitSet {
    pub(super) search_path: SearchPath,
    pub(super) entries: Vec<Entry>,
    pub(super) by_name: HashMap<Arc<str>, usize>,
    /// Other names by main name.
    aliases: HashMap<UnitName, Vec<UnitName>>,
    /// Drop-in directories by what stands before `.d`, in the order of the search path.
    pub(super) dropins: HashMap<Box<str>, Vec<DropinDir>>,
    /// Stems with a drop-in that has the needle.
    pub(super) needle_stems: HashSet<Box<str>>,
    pub(super) problems: Vec<Error>,
}

/// A name in the search path, in the first directory that has it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: Arc<str>,
    pub(super) dir: usize,
    pub(super) target: Target,
}

#[derive(Debug)]
pub(super) enum Target {
    /// A file, or a link to one that is not in the search path; `regular` if the listing of
    /// the directory says so.
    File { regular: bool, content: Content },
    /// A link to the unit of another name.
    Alias(Box<str>),
}

/// What a scan knows of a file.
#[derive(Debug)]
pub(super) enum Content {
    /// It has no needle, and its text was not kept.
    Plain,
    /// Its text, and whether the needle is in it.
    Kept { text: Box<[u8]>, needle: bool },
    /// Empty, or a device.
    Masked,
    /// Nothing there that could be read, and systemd could not read it either.
    Absent,
    /// It can't be told whether the needle is in it.
    Unreadable,
}

impl Content {
    pub(super) fn may_have_needle(&self) -> bool {
        matches!(self, Self::Kept { needle: true, .. } | Self::Unreadable)
    }
}

#[derive(Debug)]
pub(super) struct DropinDir {
    pub(super) dir: usize,
    pub(super) path: PathBuf,
    pub(super) files: Vec<DropinFile>,
}

#[derive(Debug)]
pub(super) struct DropinFile {
    pub(super) name: OsString,
    pub(super) content: Content,
}

impl UnitSet {
    /// A set without any unit yet, for a scan to fill.
    pub(super) fn empty(search_path: &SearchPath) -> Self {
        Self {
            search_path: search_path.clone(),
            entries: Vec::new(),
            by_name: HashMap::new(),
            aliases: HashMap::new(),
            dropins: HashMap::new(),
            needle_stems: HashSet::new(),
            problems: Vec::new(),
        }
    }

    /// What could not be read and concerns no single unit.
    pub fn problems(&self) -> &[Error] {
        &self.problems
    }

    /// Every name in the search path, aliases and templates too, in no particular order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|e| &*e.name)
    }

    /// Whether there is a file or link of this name, or one of its template.
    pub fn contains(&self, name: &UnitName) -> bool {
        let has = |name: &str| self.by_name.contains_key(name);
        has(name.as_str()) || name.template().is_some_and(|t| has(t.as_str()))
    }

    /// The main names of all units that have the needle in one of their files, sorted.
    ///
    /// Templates count, and instances where something sets them apart from their template:
    /// a file, or a drop-in directory of their own. So do units of which only drop-ins are in
    /// sight, and those with a file that can't be read, as nobody knows what it says. A
    /// drop-in for a prefix (`foo-.service.d`) or a type (`service.d`) counts for all names
    /// in the search path that it applies to. As the needle may stand in a comment, or in a
    /// drop-in that another one overrides, a name here is only a candidate.
    pub fn names_with_needle(&self) -> Vec<UnitName> {
        let mut found = BTreeSet::new();
        for entry in &self.entries {
            if let Target::File { content, .. } = &entry.target
                && content.may_have_needle()
            {
                found.extend(self.main_name(&entry.name));
            }
        }
        for stem in &self.needle_stems {
            if !is_shared_stem(stem) || self.by_name.contains_key(&**stem) {
                found.extend(self.main_name(stem));
            }
        }
        let shared = self.needle_stems.iter().any(|s| is_shared_stem(s));
        let stems = self.dropins.keys().filter(|s| !is_shared_stem(s)).map(|s| &**s);
        for name in self.names().chain(stems) {
            if !shared && !name.contains('@') {
                continue;
            }
            let Ok(unit) = UnitName::new(name) else {
                continue;
            };
            let by_template = |unit: &UnitName| {
                let own = self.is_own_instance(unit);
                own && self.main_name_of_template(unit).is_some_and(|t| found.contains(&t))
            };
            if self.concerns(&self.needle_stems, &unit) || by_template(&unit) {
                found.extend(self.main_name(name));
            }
        }
        found.into_iter().collect()
    }

    /// The unit of this name, merged from its files in systemd's order.
    ///
    /// All drop-ins of all names of the unit apply, sorted by file name alone; of several with
    /// the same file name only that of the first directory counts.
    pub fn load(&self, name: &UnitName) -> Result<Unit, Error> {
        let fragment = self.fragment(name)?;
        let mut unit = self.named(name, fragment);

        let mut reader = Reader::new();
        if let Some(entry) = fragment
            && let Target::File { content, .. } = &entry.target
        {
            let path: Arc<Path> = self.search_path.dirs()[entry.dir].join(&*entry.name).into();
            match self.text(&mut reader, &path, content)? {
                Found::Masked => unit.mask(&path),
                Found::Text(text) => unit.add_fragment(&path, text)?,
            }
        }
        for (dir, file) in self.dropins_of(&unit) {
            let path: Arc<Path> = dir.path.join(&file.name).into();
            if matches!(file.content, Content::Absent) {
                continue;
            }
            if let Found::Text(text) = self.text(&mut reader, &path, &file.content)? {
                unit.add_dropin(&path, text)?;
            }
        }
        Ok(unit)
    }

    /// The file names of a unit's drop-ins, whatever is the matter with its fragment.
    pub fn dropin_names(&self, name: &UnitName) -> Vec<&OsStr> {
        let fragment = self.fragment(name).ok().flatten();
        let unit = self.named(name, fragment);
        let files = self.dropins_of(&unit).into_iter();
        files.map(|(_, file)| file.name.as_os_str()).collect()
    }

    /// The templates whose drop-ins apply to an instance, by any of its names; also where it has
    /// a fragment of its own, or that of another template.
    pub fn templates_of(&self, name: &UnitName) -> Vec<UnitName> {
        if name.kind() != NameKind::Instance {
            return Vec::new();
        }
        let fragment = self.fragment(name).ok().flatten();
        let unit = self.named(name, fragment);
        let mut templates: Vec<UnitName> = Vec::new();
        for name in std::iter::once(&unit.name).chain(&unit.aliases) {
            templates.extend(name.template().filter(|template| !templates.contains(template)));
        }
        templates
    }

    /// The text of a file, kept or read again.
    fn text<'r>(&self, reader: &'r mut Reader, path: &Arc<Path>, content: &'r Content) -> Result<Found<'r>, Error> {
        match content {
            Content::Kept { text, .. } => return Ok(Found::Text(text)),
            Content::Masked => return Ok(Found::Masked),
            Content::Plain | Content::Absent | Content::Unreadable => {}
        }
        let real = real_path(self.search_path.root(), path).map_err(ErrorKind::from_io);
        let found = real.and_then(|real| reader.read(&real));
        found.map_err(|kind| Error::new(Location::start(path), kind))
    }

    /// The drop-ins of a unit in the order in which they apply.
    fn dropins_of(&self, unit: &Unit) -> Vec<(&DropinDir, &DropinFile)> {
        let mut dirs: Vec<&DropinDir> = Vec::new();
        for name in std::iter::once(&unit.name).chain(&unit.aliases) {
            let stems = name.dropin_stems();
            // The type's directories come after those of all names.
            let own = &stems[..stems.len().saturating_sub(1)];
            let of_name = own.iter().filter_map(|s| self.dropins.get(&**s)).flatten();
            let mut of_name: Vec<&DropinDir> = of_name.collect();
            of_name.sort_by_key(|d| d.dir);
            dirs.extend(of_name);
        }
        dirs.extend(self.dropins.get(unit.name.type_().as_str()).into_iter().flatten());

        let mut seen: HashSet<&OsStr> = HashSet::new();
        let files = dirs.into_iter().flat_map(|d| d.files.iter().map(move |f| (d, f)));
        let mut files: Vec<_> = files.filter(|(_, f)| seen.insert(&f.name)).collect();
        files.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
        files
    }

    /// The entry that has the fragment of `name`, by way of aliases and the template.
    fn fragment(&self, name: &UnitName) -> Result<Option<&Entry>, Error> {
        let own = self.follow(name.as_str())?;
        match (own, name.template()) {
            (None, Some(template)) => self.follow(template.as_str()),
            (own, _) => Ok(own),
        }
    }

    /// The file at the end of a chain of aliases; none when the chain leads nowhere.
    fn follow(&self, name: &str) -> Result<Option<&Entry>, Error> {
        let Some(first) = self.entry(name) else {
            return Ok(None);
        };
        let mut entry = first;
        for _ in 0..FOLLOW_MAX {
            let Target::Alias(target) = &entry.target else {
                return Ok(Some(entry));
            };
            let template = || UnitName::new(target).ok()?.template();
            let next = self.entry(target);
            match next.or_else(|| self.entry(template()?.as_str())) {
                Some(next) => entry = next,
                None => return Ok(None),
            }
        }
        let path = self.search_path.dirs()[first.dir].join(&*first.name);
        Err(Error::new(Location::start(&path.into()), ErrorKind::SymlinkLoop))
    }

    fn entry(&self, name: &str) -> Option<&Entry> {
        self.by_name.get(name).map(|i| &self.entries[*i])
    }

    /// The main name of the unit known as `name`, whatever is the matter with its files.
    fn main_name(&self, name: &str) -> Option<UnitName> {
        let name = UnitName::new(name).ok()?;
        let fragment = self.fragment(&name).ok().flatten();
        Some(self.main_name_for(&name, fragment))
    }

    fn main_name_of_template(&self, name: &UnitName) -> Option<UnitName> {
        self.main_name(name.template()?.as_str())
    }

    /// A unit goes by the name of its fragment, with the instance put in.
    fn main_name_for(&self, name: &UnitName, fragment: Option<&Entry>) -> UnitName {
        let of_fragment = fragment.and_then(|entry| UnitName::new(&entry.name).ok());
        let Some(of_fragment) = of_fragment else {
            return name.clone();
        };
        match name.instance() {
            Some(instance) if of_fragment.is_template() => {
                of_fragment.with_instance(instance).unwrap_or_else(|_| name.clone())
            }
            _ => of_fragment,
        }
    }

    /// A unit with its names, and nothing else yet.
    fn named(&self, name: &UnitName, fragment: Option<&Entry>) -> Unit {
        let mut unit = Unit::bare(self.main_name_for(name, fragment));
        unit.aliases = self.other_names(name, &unit.name, fragment);
        unit
    }

    /// All names but the main one.
    fn other_names(&self, name: &UnitName, main: &UnitName, fragment: Option<&Entry>) -> Vec<UnitName> {
        let of = |name: &UnitName| self.aliases.get(name).into_iter().flatten().cloned();
        let mut names: BTreeSet<UnitName> = of(name).chain(of(main)).collect();
        names.insert(name.clone());
        if let (Some(instance), Some(template)) = (main.instance(), main.template()) {
            let of_template = of(&template).filter(UnitName::is_template);
            names.extend(of_template.filter_map(|t| t.with_instance(instance).ok()).filter(|n| {
                // The same instance of the other name may have a file of its own.
                let own = self.follow(n.as_str()).ok().flatten();
                own.is_none() || own.map(|e| &e.name) == fragment.map(|e| &e.name)
            }));
        }
        names.remove(main);
        names.into_iter().collect()
    }

    /// Turns the links around: from a unit to those that point to it.
    pub(super) fn find_aliases(&mut self) {
        let mut aliases: HashMap<UnitName, Vec<UnitName>> = HashMap::new();
        for entry in &self.entries {
            if !matches!(entry.target, Target::Alias(_)) {
                continue;
            }
            let Ok(Some(fragment)) = self.follow(&entry.name) else {
                continue;
            };
            let masked = matches!(fragment.target, Target::File { content: Content::Masked, .. });
            if let (false, Ok(name)) = (masked, UnitName::new(&entry.name)) {
                let main = self.main_name_for(&name, Some(fragment));
                aliases.entry(main).or_default().push(name);
            }
        }
        self.aliases = aliases;
    }

    /// Whether one of these stems is one of the unit's.
    fn concerns(&self, stems: &HashSet<Box<str>>, unit: &UnitName) -> bool {
        unit.dropin_stems().iter().any(|s| stems.contains(&**s))
    }

    /// Whether an instance has a file or a drop-in that its template has not, or is another unit.
    fn is_own_instance(&self, name: &UnitName) -> bool {
        if name.kind() != NameKind::Instance {
            return false;
        }
        let sets_apart = |e: &Entry| match &e.target {
            Target::File { .. } => true,
            Target::Alias(target) => name.template().is_none_or(|template| template.as_str() != &**target),
        };
        self.entry(name.as_str()).is_some_and(sets_apart) || self.dropins.contains_key(name.as_str())
    }
}

/// Whether drop-ins under this stem are for more than one name: a type, or a prefix with its
/// dash at the end.
pub(super) fn is_shared_stem(stem: &str) -> bool {
    UnitName::new(stem).map_or(true, |name| name.prefix().ends_with('-'))
}

#[cfg(test)]
#[path = "tests/set.rs"]
mod tests;
