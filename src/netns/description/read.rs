//! From the files of one name to its description.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::key::{Key, Meaning, Section};
use super::value::expand;
use super::{Description, Ipvlan, Macvlan, Publish, Route, Veth, check};
use crate::unit::files::{Directories, ReadFile};
use crate::unit::similar::similar;
use crate::unit::value::ValueError;
use crate::unit::{Assignment, Env, Error, Finding, Header, Location, Parsed, Scope, WarningKind, user_directories};

/// Where the system's files are, the first directory winning.
const DIRECTORIES: [&str; 4] = ["/etc/unitcell", "/run/unitcell", "/usr/local/lib/unitcell", "/usr/lib/unitcell"];

/// The files that describe network namespaces, the system's or a user's.
#[derive(Debug, Clone)]
pub struct Descriptions {
    scope: Scope,
    directories: Directories,
}

impl Descriptions {
    /// Those below a root; a user's are where its environment says.
    pub fn new(scope: Scope, root: &Path, env: &Env) -> Descriptions {
        let directories = match scope {
            Scope::System => Directories::new(root, DIRECTORIES),
            Scope::User => Directories::new(root, user_directories(env, "unitcell")),
        };
        Descriptions { scope, directories }
    }

    /// The names of all that are described.
    pub fn names(&self) -> Result<Vec<String>, Error> {
        self.directories.names(".netns")
    }

    /// Reads what there is of a name: `NAME.netns`, and the drop-ins in `NAME.netns.d` and, for all
    /// names, in `netns.d`. None where it has neither a file nor a drop-in of its own.
    pub fn read(&self, name: &str) -> (Option<Description>, Vec<Finding>) {
        match find(&self.directories, name) {
            Ok(Some(files)) => {
                let (description, findings) = self.read_files(name, &files);
                (Some(description), findings)
            }
            Ok(None) => (None, Vec::new()),
            Err(finding) => (Some(Description::default()), vec![finding]),
        }
    }

    /// The main file of a name, if there is one.
    pub fn main(&self, name: &str) -> Option<PathBuf> {
        let found = self.directories.main(&format!("{name}.netns")).ok()??;
        Some(found.path.to_path_buf())
    }

    /// Reads these files as those of a name.
    pub fn read_files(&self, name: &str, files: &[ReadFile]) -> (Description, Vec<Finding>) {
        Reading::of(self.scope, name, files)
    }

    /// Where a path that is seen from inside the root really is.
    pub fn within(&self, path: &Path) -> PathBuf {
        self.directories.within(path)
    }
}

fn find(directories: &Directories, name: &str) -> Result<Option<Vec<ReadFile>>, Finding> {
    let unreadable = |error: Error| Finding::error(Some(error.at), error.kind.to_string(), error.kind.remedy());
    let own = format!("{name}.netns");
    let main = directories.main(&own).map_err(unreadable)?;
    if let Some(masked) = main.as_ref().filter(|file| file.parsed.is_none()) {
        let message = format!("the network namespace {name} is masked: the file is empty or a link to /dev/null");
        return Err(Finding::error(Some(Location::start(&masked.path)), message, "remove the file"));
    }
    let mut files: Vec<ReadFile> = main.into_iter().collect();
    let of_its_own = !directories.dropins(&[format!("{own}.d")]).map_err(unreadable)?.is_empty();
    if files.is_empty() && !of_its_own {
        return Ok(None);
    }
    files.extend(directories.dropins(&["netns.d".to_owned(), format!("{own}.d")]).map_err(unreadable)?);
    Ok(Some(files))
}

struct Reading<'r> {
    scope: Scope,
    name: &'r str,
    description: Description,
    findings: Vec<Finding>,
}

/// A section of one file: where it begins, and what is in it.
struct Part<'f> {
    header: &'f Header,
    lines: Vec<&'f Assignment>,
}

/// All keys of one section of a description, each with the row that sets it.
macro_rules! assign {
    ($reading:ident, $part:ident, $meaning:path, $target:expr) => {
        for line in &$part.lines {
            if let Some((key, value)) = $reading.known(line)
                && let $meaning(set) = key.meaning
                && let Err(error) = set($target, &value)
            {
                $reading.bad_value(line, &error);
            }
        }
    };
}

/// The same for a section that may stand several times, and is known by the name of its interface:
/// what an earlier file says of that, a later one changes.
macro_rules! assign_named {
    ($reading:ident, $part:ident, $meaning:path, $list:ident, $new:expr) => {{
        let mut fresh = $new;
        assign!($reading, $part, $meaning, &mut fresh);
        let file = &$part.header.at.file;
        let earlier = $reading.description.$list.iter().position(|it| it.name == fresh.name && it.at.file != *file);
        match earlier {
            Some(index) => {
                let mut merged = $reading.description.$list.remove(index);
                // What was wrong has been told already.
                let told = $reading.findings.len();
                assign!($reading, $part, $meaning, &mut merged);
                $reading.findings.truncate(told);
                $reading.description.$list.insert(index, merged);
            }
            None => $reading.description.$list.push(fresh),
        }
    }};
}

impl<'r> Reading<'r> {
    fn of(scope: Scope, name: &'r str, files: &[ReadFile]) -> (Description, Vec<Finding>) {
        let mut reading = Reading { scope, name, description: Description::default(), findings: Vec::new() };
        for file in files {
            reading.description.files.push(Arc::clone(&file.path));
            if let Some(parsed) = &file.parsed {
                reading.file(parsed);
            }
        }
        if !reading.findings.iter().any(Finding::is_error) {
            reading.findings.extend(check::check(name, &reading.description));
        }
        reading.findings.sort_by(|a, b| a.at.cmp(&b.at));
        (reading.description, reading.findings)
    }

    fn file(&mut self, parsed: &Parsed) {
        for warning in &parsed.warnings {
            let message = match warning.kind {
                WarningKind::OutsideSection => "the assignment stands before any section",
                _ => "the line is no assignment",
            };
            let remedy = "write KEY=VALUE below a section, or remove it";
            self.findings.push(Finding::error(Some(warning.at.clone()), message, remedy));
        }
        for part in parts(parsed) {
            self.part(&part);
        }
    }

    fn part(&mut self, part: &Part<'_>) {
        let at = || part.header.at.clone();
        let section = Section::by_name(&part.header.section);
        if self.scope == Scope::User && section.is_some_and(Section::is_of_host) {
            self.of_host(at(), &format!("[{}]", part.header.section));
            return;
        }
        match section {
            Some(Section::NetworkNamespace) => {
                self.description.general.at.get_or_insert_with(at);
                let mut general = std::mem::take(&mut self.description.general);
                assign!(self, part, Meaning::General, &mut general);
                self.description.general = general;
            }
            Some(Section::Veth) => assign_named!(self, part, Meaning::Veth, veths, Veth::new(at())),
            Some(Section::Macvlan) => assign_named!(self, part, Meaning::Macvlan, macvlans, Macvlan::new(at())),
            Some(Section::IPVlan) => assign_named!(self, part, Meaning::Ipvlan, ipvlans, Ipvlan::new(at())),
            Some(Section::Route) => {
                let mut route = Route::new(at());
                assign!(self, part, Meaning::Route, &mut route);
                self.description.routes.push(route);
            }
            Some(Section::Publish) => {
                let mut publish = Publish::new(at());
                assign!(self, part, Meaning::Publish, &mut publish);
                self.description.publish.push(publish);
            }
            // As systemd does, for programs other than us.
            None if part.header.section.starts_with("X-") => {}
            None => {
                let section = &part.header.section;
                let remedy =
                    did_you_mean(similar(section, Section::ALL.iter().map(|section| section.name())), |name| {
                        format!("[{name}]")
                    });
                self.findings.push(Finding::error(Some(at()), format!("there is no section [{section}]"), remedy));
            }
        }
    }

    /// The row of a line's key, and the line's value without specifiers.
    fn known(&mut self, line: &Assignment) -> Option<(&'static Key, String)> {
        let section = Section::by_name(&line.section)?;
        let Some(key) = Key::find(section, &line.key) else {
            let message = format!("{}= is no key of [{}]", line.key, line.section);
            let elsewhere = Section::ALL.into_iter().find(|section| Key::find(*section, &line.key).is_some());
            let remedy = match (similar(&line.key, Key::of(section).map(|key| key.name)), elsewhere) {
                (None, Some(other)) => format!("it is one of [{}]", other.name()),
                (name, _) => did_you_mean(name, |name| format!("{name}=")),
            };
            self.findings.push(Finding::error(Some(line.at.clone()), message, remedy));
            return None;
        };
        match expand(&line.value, self.name) {
            Ok(value) if self.scope == Scope::User && key.is_of_host() && !matches!(&*value, "" | "no") => {
                self.of_host(line.at.clone(), &format!("{}=", line.key));
                None
            }
            Ok(value) => Some((key, value)),
            Err(error) => {
                self.bad_value(line, &error);
                None
            }
        }
    }

    fn of_host(&mut self, at: Location, what: &str) {
        let message = format!("{what} reaches into another network, over which a user's manager has no privilege");
        let remedy = format!(
            "publish ports by [Publish], or let the system have it: /etc/unitcell/{}.netns, for its own services",
            self.name
        );
        self.findings.push(Finding::error(Some(at), message, remedy));
    }

    fn bad_value(&mut self, line: &Assignment, error: &ValueError) {
        let message = format!("{}={}: {error}", line.key, line.value);
        self.findings.push(Finding::error(Some(line.value_at.clone()), message, "correct the value"));
    }
}

fn did_you_mean(name: Option<&str>, render: impl Fn(&str) -> String) -> String {
    match name {
        Some(name) => format!("did you mean {}?", render(name)),
        None => "remove it, or see unitcell(1) for what there is".to_owned(),
    }
}

/// The sections of a file, each time that one begins.
fn parts(parsed: &Parsed) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = parsed.headers.iter().map(|header| Part { header, lines: Vec::new() }).collect();
    for line in &parsed.assignments {
        let after = parts.partition_point(|part| part.header.at < line.at);
        if let Some(part) = after.checked_sub(1).and_then(|index| parts.get_mut(index)) {
            part.lines.push(line);
        }
    }
    parts
}
