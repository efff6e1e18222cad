//! The plan: who makes which namespace, and what that takes.
//!
//! A pure function of the unit, its cell and the manager. The generator writes it down, `verify`
//! shows its findings and `explain` its decisions, so the three can't disagree.

mod native;
mod service;
mod wrapper;

use std::path::Path;
use std::sync::Arc;

use super::finding::Finding;
use super::makers::Decision;
use super::manager::Manager;
use super::steps::Step;
use crate::unit::words::{escape_specifiers, quote};
use crate::unit::{self, Unit, UnitName, UnitType};

/// What a unit's cell comes to under a manager.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// A decision for each directive.
    pub decisions: Vec<Decision>,
    /// All that is wrong; an error among them refuses the start.
    pub findings: Vec<Finding>,
    /// The wrapper's steps before the main command.
    pub steps: Vec<Step>,
    /// The files that ask for the cell.
    pub sources: Vec<Arc<Path>>,
    /// What the drop-in says in `[Unit]`.
    pub unit_lines: Vec<(&'static str, String)>,
    /// What it says in `[Service]`.
    pub service_lines: Vec<(&'static str, String)>,
}

impl Plan {
    /// Must the service not start?
    pub fn is_refused(&self) -> bool {
        self.findings.iter().any(Finding::is_error)
    }

    /// The plan of a unit that can't be read: nobody knows what it asks for.
    pub fn unreadable(name: &UnitName, error: &unit::Error, manager: &Manager) -> Plan {
        let finding = Finding::error(Some(error.at.clone()), error.kind.to_string(), error.kind.remedy());
        Plan::refusing(name, &manager.wrapper, vec![finding])
    }

    /// A plan that only refuses, for these reasons.
    pub fn refusing(name: &UnitName, wrapper: &str, findings: Vec<Finding>) -> Plan {
        let sources = findings.iter().filter_map(|finding| Some(Arc::clone(&finding.at.as_ref()?.file))).take(1);
        let mut plan = Plan { sources: sources.collect(), findings, ..Plan::default() };
        plan.refuse(name, wrapper);
        plan
    }

    /// Makes the drop-in one that lets the start fail with the findings, and runs nothing.
    fn refuse(&mut self, name: &UnitName, wrapper: &str) {
        if name.type_() != UnitType::Service {
            // There may be no command to replace, but an assertion stops any unit.
            self.unit_lines = vec![("AssertPathExists", "!/".to_owned())];
            return;
        }
        let errors = self.findings.iter().filter(|finding| finding.is_error());
        let reasons: Vec<String> = errors.map(Finding::to_string).collect();
        let reason = escape_specifiers(&format!("--refuse={}", reasons.join(" | ")));
        // All that every version knows: a warning about an unknown key would only confuse.
        let keys = super::command::KEYS.into_iter().filter(|key| *key != "ExecReloadPost");
        self.unit_lines.clear();
        self.service_lines = keys.map(|key| (key, String::new())).collect();
        self.service_lines.extend([
            // `+` does not take them away: in another root the wrapper, or the directory, is not there.
            ("RootDirectory", String::new()),
            ("RootImage", String::new()),
            ("WorkingDirectory", String::new()),
            // Whatever the unit counts as success or starts again for, this is neither.
            ("SuccessExitStatus", String::new()),
            ("Restart", "no".to_owned()),
            ("RestartForceExitStatus", String::new()),
            // A oneshot fails its start when its command fails, whatever the unit's own type is.
            ("Type", "oneshot".to_owned()),
            // `:` leaves the reason's dollar signs alone, `+` takes away whatever might stop the wrapper.
            ("ExecStart", format!(":+{wrapper} {}", quote(reason))),
        ]);
    }

    /// Does the unit have no cell at all?
    pub fn is_empty(&self) -> bool {
        !self.is_refused() && self.unit_lines.is_empty() && self.service_lines.is_empty()
    }
}

/// Makes the plan of a unit, of whatever type.
pub fn plan(unit: &Unit, manager: &Manager) -> Plan {
    if unit.masked {
        return Plan::default();
    }
    if unit.name.type_() == UnitType::Service {
        return service::plan(unit, manager);
    }
    let Some(line) = unit.section(super::SECTION).next() else { return Plan::default() };
    let message = format!("[{}] is for services, not for {}", super::SECTION, unit.name);
    let finding = Finding::error(Some(line.at.clone()), message, "remove the section");
    Plan::refusing(&unit.name, &manager.wrapper, vec![finding])
}

#[cfg(test)]
#[path = "../tests/plan.rs"]
mod tests;
