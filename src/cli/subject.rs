//! What `verify` and `explain` are about: a unit, judged as the generator would judge it.

use std::collections::HashMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::iter;
use std::path::{Path, PathBuf};

use super::Error;
use super::output::to_stderr;
use super::style;
use super::terminal::Terminal;
use super::whom::Whom;
use crate::cell::{Kind, Manager, Plan, SECTION, plan};
use crate::generator::dropin::{self, DropIn};
use crate::generator::{self, Run, facts};
use crate::inspect::Process;
use crate::netns::description::Descriptions;
use crate::unit::{self, Env, Scope, SearchPath, Unit, UnitName, UnitSet, UnitType};

/// Whose units, and what runs them.
#[derive(Debug, clap::Args)]
// It is of this machine alone; whoever asks for another one is told what to do.
#[command(
    mut_arg("user", |arg| arg.help("Look at user units")),
    mut_arg("system", |arg| arg.help("Look at system units, which is the default")),
    mut_arg("host", |arg| arg.hide(true)),
    mut_arg("machine", |arg| arg.hide(true))
)]
pub struct Options {
    #[command(flatten)]
    whom: Whom,
    /// Look at another root directory, such as an image; also $UNITCELL_ROOT
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Judge for this version of systemd, not for the one that runs
    #[arg(long, value_name = "N")]
    systemd_version: Option<u32>,
}

impl Options {
    /// Files are read here alone; those of another root are, too.
    pub fn must_be_here(&self, verb: &'static str) -> Result<(), Error> {
        self.whom.must_be_here(verb)
    }

    pub fn root(&self) -> PathBuf {
        let variable = || env::var_os("UNITCELL_ROOT").map(PathBuf::from);
        self.root.clone().or_else(variable).unwrap_or_else(|| PathBuf::from("/"))
    }
}

impl Options {
    /// Is it this machine that is looked at, and the systemd that runs here? Only root can tell what
    /// the system's generator sees.
    pub fn is_live(&self) -> bool {
        (self.whom.scope() == Scope::User || nix::unistd::geteuid().is_root())
            && self.root() == Path::new("/")
            && self.systemd_version.is_none()
            && libsystemd::daemon::booted()
    }
}

/// A unit, and what comes of its cell.
#[derive(Debug)]
pub struct Subject {
    pub name: UnitName,
    /// The unit, if it could be read.
    pub unit: Option<Unit>,
    pub plan: Plan,
    /// The drop-in that the generator writes: its path and its text.
    pub dropin: Option<(PathBuf, String)>,
}

impl Subject {
    /// Has it a section for us at all?
    pub fn has_cell(&self) -> bool {
        self.unit.as_ref().is_none_or(|unit| unit.section(SECTION).next().is_some())
    }
}

/// All units, and the manager that they are judged for.
#[derive(Debug)]
pub struct Judge {
    pub manager: Manager,
    run: Run,
    set: UnitSet,
    /// Where the generator's drop-ins are.
    places: HashMap<UnitName, PathBuf>,
}

impl Judge {
    pub fn new(options: &Options) -> Result<Judge, Error> {
        let scope = options.whom.scope();
        let root = options.root();
        // What is not there has nothing wrong with it, which is not what was asked.
        root.read_dir().map_err(|source| Error::Root { path: root.clone(), source })?;
        let run = Run {
            scope,
            root,
            env: Env::from_vars(env::vars_os()),
            output: output(scope),
            wrapper: facts::installed_wrapper(),
        };
        let version = options.systemd_version.or_else(|| facts::version(&run)).unwrap_or_else(|| {
            let terminal = Terminal::stderr();
            let unknown = terminal.message(None, (style::WARNING, "warning"), &facts::unknown_version());
            to_stderr(&(unknown + &terminal.help("--systemd-version= names another one")));
            facts::OLDEST
        });
        let mut manager = facts::manager_of(&run, version);
        assume_what_is_hidden(&mut manager, &run);
        let search_path = SearchPath::new(scope, &run.root, &run.env);
        let set = UnitSet::scan(&search_path, &UnitType::ALL, SECTION.as_bytes());
        let places = generator::places(&set, &set.names_with_needle(), &run.output);
        let places = places.into_iter().map(|(name, dropin)| (name, dropin.path())).collect();
        Ok(Judge { manager, run, set, places })
    }

    /// What describes network namespaces for them.
    pub fn descriptions(&self) -> Descriptions {
        Descriptions::new(self.run.scope, &self.run.root, &self.run.env)
    }

    /// Every unit with a cell.
    pub fn everything(&self) -> Vec<Subject> {
        self.set.names_with_needle().iter().map(|name| self.unit(name)).filter(Subject::has_cell).collect()
    }

    /// What an argument means: a path has a slash, and a name that the search path does not know
    /// may still be a file beside us.
    pub fn argument(&self, text: &str) -> Result<Subject, Error> {
        let file = Path::new(text);
        if text.contains('/') {
            return Ok(self.file(file));
        }
        let name = unit_name(text)?;
        if self.set.contains(&name) || !self.set.dropin_names(&name).is_empty() {
            Ok(self.unit(&name))
        } else if file.is_file() {
            Ok(self.file(file))
        } else {
            Err(Error::NoSuchUnit(name.to_string()))
        }
    }

    fn unit(&self, name: &UnitName) -> Subject {
        let place = self.place(name).unwrap_or_else(|| self.place_of_file(name, &self.set.dropin_names(name)));
        self.judge(name.clone(), self.set.load(name), place)
    }

    /// Of a unit in the search path. An instance may only have that of its template.
    fn place(&self, name: &UnitName) -> Option<PathBuf> {
        let templates = self.set.templates_of(name);
        iter::once(name).chain(&templates).find_map(|name| self.places.get(name)).cloned()
    }

    /// Of a unit that would be added to the search path.
    fn place_of_file(&self, name: &UnitName, dropins: &[&OsStr]) -> PathBuf {
        DropIn::new(&self.run.output, name, dropins).path()
    }

    fn file(&self, file: &Path) -> Subject {
        let unit = Unit::from_file(file).and_then(|unit| match unit.fragment {
            // Alone a drop-in has no commands, and most of a cell is about those.
            None => self.with_its_unit(unit, file),
            Some(_) => Ok(unit),
        });
        let name = match &unit {
            Ok(unit) => unit.name.clone(),
            Err(_) => name_of_file(file),
        };
        let dropins = unit.as_ref().map(|unit| unit.dropins.clone()).unwrap_or_default();
        let names: Vec<&OsStr> = dropins.iter().filter_map(|path| path.file_name()).collect();
        let place = self.place_of_file(&name, &names);
        self.judge(name, unit, place)
    }

    /// A drop-in together with the unit that it is for, as far as that is in the search path.
    fn with_its_unit(&self, alone: Unit, file: &Path) -> Result<Unit, unit::Error> {
        let whole = self.set.load(&alone.name)?;
        let Some(fragment) = &whole.fragment else { return Ok(alone) };
        let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        let within = |path: &Path| self.run.root.join(path.strip_prefix("/").unwrap_or(path));
        if whole.dropins.iter().any(|path| within(path) == absolute) {
            return Ok(whole);
        }
        let mut dropins: Vec<PathBuf> = whole.dropins.iter().map(|path| within(path)).collect();
        dropins.retain(|path| path.file_name() != file.file_name());
        dropins.push(file.to_owned());
        dropins.sort_by(|a, b| a.file_name().cmp(&b.file_name()));
        let dropins: Vec<&Path> = dropins.iter().map(PathBuf::as_path).collect();
        Unit::from_files(whole.name.clone(), Some(&within(fragment)), &dropins)
    }

    fn judge(&self, name: UnitName, unit: Result<Unit, unit::Error>, place: PathBuf) -> Subject {
        let plan = match &unit {
            Ok(unit) => plan(unit, &self.manager),
            Err(error) => Plan::unreadable(&name, error, &self.manager),
        };
        let dropin = (!plan.is_empty()).then(|| (place, dropin::render(&plan)));
        Subject { name, unit: unit.ok(), plan, dropin }
    }
}

/// The unit that a text names; like systemctl, without a suffix it is a service.
pub fn unit_name(text: &str) -> Result<UnitName, Error> {
    let complete = UnitName::new(text);
    complete
        .or_else(|error| UnitName::new(&format!("{text}.service")).map_err(|_| error))
        .map_err(|source| Error::NotAUnit { text: text.to_owned(), source })
}

/// The unit that a file would be, whatever is the matter with it.
fn name_of_file(file: &Path) -> UnitName {
    let own = file.file_name().and_then(OsStr::to_str).and_then(|name| UnitName::new(name).ok());
    own.unwrap_or_else(|| UnitName::new("unknown.service").expect("a valid name"))
}

/// The directory that systemd hands to a generator.
fn output(scope: Scope) -> PathBuf {
    match scope {
        Scope::System => "/run/systemd/generator".into(),
        Scope::User => {
            let runtime = env::var_os("XDG_RUNTIME_DIR").unwrap_or_else(|| OsString::from("/run/user/UID"));
            PathBuf::from(runtime).join("systemd/generator")
        }
    }
}

/// The generator may look at PID 1; who verifies a file, or an image, often may not. What a manager
/// usually is stands in for that: in the namespaces of the machine, and the system's privileged.
fn assume_what_is_hidden(manager: &mut Manager, run: &Run) {
    let own = Process::current();
    for kind in Kind::ALL {
        if manager.namespace(kind).is_none()
            && let Ok(inode) = own.namespace(kind)
        {
            manager.namespaces.push((kind, inode));
        }
    }
    if run.scope == Scope::System && !run.root.join("proc/1/status").exists() {
        manager.privileged = true;
    }
}
