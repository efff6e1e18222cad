//! What the generator has no reason to say: the unit starts as it is, but perhaps not as was meant.

mod first_process;
mod generated;
mod resolver;
mod section;

use std::path::Path;

use super::Severity;
use crate::cell::{Cell, DIRECTIVES, Maker, Manager, SECTION};
use crate::cli::subject::Subject;
use crate::netns::description::Descriptions;
use crate::unit::{Location, Unit};

/// One thing to say.
#[derive(Debug, PartialEq, Eq)]
pub struct Advice {
    pub severity: Severity,
    pub at: Option<Location>,
    pub message: String,
    pub remedy: String,
}

impl Advice {
    fn error(at: Option<Location>, message: impl Into<String>, remedy: impl Into<String>) -> Advice {
        Advice { severity: Severity::Error, at, message: message.into(), remedy: remedy.into() }
    }

    fn warning(at: Option<Location>, message: impl Into<String>, remedy: impl Into<String>) -> Advice {
        Advice { severity: Severity::Warning, at, message: message.into(), remedy: remedy.into() }
    }

    fn hint(at: Option<Location>, message: impl Into<String>, remedy: impl Into<String>) -> Advice {
        Advice { severity: Severity::Hint, at, message: message.into(), remedy: remedy.into() }
    }
}

/// Where the units are judged.
#[derive(Debug)]
pub struct Surroundings<'s> {
    pub manager: &'s Manager,
    pub root: &'s Path,
    pub descriptions: &'s Descriptions,
    /// Is it this machine, under the manager that runs?
    pub live: bool,
}

/// All there is to say about a unit.
pub fn advice(subject: &Subject, unit: &Unit, surroundings: &Surroundings) -> Vec<Advice> {
    let mut all = Vec::new();
    if unit.masked {
        all.push(Advice::warning(None, "the unit is masked: it never starts", ""));
        return all;
    }
    all.extend(section::nearly_ours(unit));
    all.extend(section::misplaced(unit, surroundings.manager));
    if !subject.has_cell() {
        all.push(Advice::warning(None, format!("the unit has no [{SECTION}] section: it starts without a cell"), ""));
        return all;
    }
    all.extend(generated::undone(subject, unit, surroundings.root));
    if subject.plan.is_refused() {
        return all;
    }
    let (cell, _) = Cell::of_unit(unit);
    all.extend(native_alone(subject, surroundings.manager));
    all.extend(first_process::signals(unit, &cell));
    all.extend(first_process::numbers_inside(unit, &cell));
    all.extend(resolver::name_servers(&cell, surroundings));
    if surroundings.live {
        all.extend(generated::in_force(subject, surroundings.manager.scope));
    }
    all.extend(generated::assertion(subject, unit));
    all
}

/// Where systemd has all of it, the section adds but the proof.
fn native_alone(subject: &Subject, manager: &Manager) -> Option<Advice> {
    let decisions = &subject.plan.decisions;
    let native = |name: &str| DIRECTIVES.iter().any(|directive| directive.name == name && directive.kind.is_some());
    let made: Vec<_> = decisions.iter().filter(|decision| native(decision.directive)).collect();
    let all =
        !made.is_empty() && made.len() == decisions.len() && made.iter().all(|one| one.maker == Some(Maker::Native));
    // A name is ours alone, whoever joins the namespace.
    let ours = made.iter().any(|decision| decision.directive == "NetworkNamespace");
    (all && !ours).then(|| {
        let names: Vec<String> = made.iter().map(|decision| format!("{}=", decision.directive)).collect();
        Advice::hint(
            made[0].at.clone(),
            format!("systemd {} has {} itself: this section adds the proof that it was done", manager.version, names.join(", ")),
            "keep it where a namespace that can't be had must stop the start, or where older systemd runs the unit, too",
        )
    })
}

#[cfg(test)]
mod tests;
