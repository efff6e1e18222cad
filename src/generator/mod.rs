//! From units with a cell to drop-ins: files in, files out.
//!
//! Obeys systemd.generator(7): no process, no IPC, nothing written but below the directory that
//! systemd gave, and quiet when all is well.
#![forbid(unsafe_code)]

pub mod dropin;
pub mod facts;
pub mod log;
mod netns;

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::cell::{Finding, Manager, Plan, SECTION, plan};
use crate::unit::{Env, Scope, SearchPath, UnitName, UnitSet, UnitType};
use dropin::DropIn;
use log::{Log, Priority};

/// What a generator run works on.
#[derive(Debug)]
pub struct Run {
    /// Whose units.
    pub scope: Scope,
    /// The root directory that everything is read from, `/` but for tests and image builds.
    pub root: PathBuf,
    /// The variables that the search path depends on.
    pub env: Env,
    /// Where drop-ins go: the first of the directories that systemd gave.
    pub output: PathBuf,
    /// Where the wrapper is installed.
    pub wrapper: String,
}

/// Writes a drop-in for every unit with a cell, and what `.netns` files ask of units. The result
/// says whether anything went wrong that no drop-in could tell.
pub fn generate(run: &Run, log: &Log) -> bool {
    let cells = cells(run, log);
    netns::generate(run, log) && cells
}

/// Writes a drop-in for every unit with a cell. What goes wrong with one unit refuses that unit alone.
fn cells(run: &Run, log: &Log) -> bool {
    let search_path = SearchPath::new(run.scope, &run.root, &run.env);
    // Every type: a cell is for services, and in any other unit it is refused, not passed over.
    let set = UnitSet::scan(&search_path, &UnitType::ALL, SECTION.as_bytes());
    let mut all_written = true;
    for problem in set.problems() {
        log.tell(Priority::Warning, &format!("{}: {}", problem.at, problem.kind));
    }
    let names = set.names_with_needle();
    if names.is_empty() {
        return all_written;
    }

    // Closed first: should what follows crash over one unit, none of the others runs unisolated.
    let unfinished = Finding::error(None, "unitcell-generator did not finish", "see its messages in the journal");
    let unfinished = |name: &UnitName| Plan::refusing(name, &run.wrapper, vec![unfinished.clone()]);
    let mut closed = Vec::new();
    for (name, dropin) in places(&set, &names, &run.output) {
        match dropin.write(&dropin::render(&unfinished(&name))) {
            Ok(()) => closed.push((name, dropin)),
            Err(error) => {
                all_written = false;
                log.tell(Priority::Error, &format!("{name}: {}: {error}", dropin.path().display()));
            }
        }
    }

    let manager = facts::manager(run, log);
    let mut templates = HashSet::new();
    for (name, dropin) in closed {
        let plan = planned(&set, &name, &manager, log);
        let outcome = match plan.is_empty() {
            false => {
                templates.extend(name.is_template().then(|| name.clone()));
                dropin.write(&dropin::render(&plan))
            }
            true if set.templates_of(&name).iter().any(|template| templates.contains(template)) => {
                dropin.write(dropin::INSTEAD_OF_TEMPLATE)
            }
            true => dropin.remove(),
        };
        if let Err(error) = outcome {
            all_written = false;
            log.tell(Priority::Error, &format!("{name}: {}: {error}", dropin.path().display()));
        }
    }
    all_written
}

/// Where the drop-in of each unit below `output` goes that has one of its own, templates first.
///
/// systemd gives an instance its template's drop-ins, too, but of two files with the same name the
/// instance's own alone. So the two have the same name, and never both apply.
pub fn places(set: &UnitSet, names: &[UnitName], output: &Path) -> Vec<(UnitName, DropIn)> {
    let all: HashSet<&UnitName> = names.iter().collect();
    let family = |name: &UnitName| {
        let template = set.templates_of(name).into_iter().find(|template| all.contains(template));
        template.unwrap_or_else(|| name.clone())
    };
    let families: Vec<UnitName> = names.iter().map(family).collect();
    let mut others: HashMap<&UnitName, Vec<&OsStr>> = HashMap::new();
    for (name, family) in names.iter().zip(&families) {
        others.entry(family).or_default().extend(set.dropin_names(name));
    }
    let place = |(name, family): (&UnitName, &UnitName)| (name.clone(), DropIn::new(output, name, &others[family]));
    let mut places: Vec<(UnitName, DropIn)> = names.iter().zip(&families).map(place).collect();
    places.sort_by_key(|(name, _)| !name.is_template());
    places
}

/// The plan of a unit, and a message for each of its findings.
fn planned(set: &UnitSet, name: &UnitName, manager: &Manager, log: &Log) -> Plan {
    let plan = match set.load(name) {
        Ok(unit) => plan(&unit, manager),
        Err(error) => Plan::unreadable(name, &error, manager),
    };
    for finding in &plan.findings {
        log.finding(name, finding);
    }
    plan
}
