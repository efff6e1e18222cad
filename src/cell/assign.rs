//! Filling a cell: from the `[X-Unitcell]` section of a unit, or from options one by one.

use super::directive::Directive;
use super::finding::Finding;
use super::{Assigned, Cell, DIRECTIVES};
use crate::unit::similar::similar;
use crate::unit::{Location, Unit};

/// The section that holds a cell.
pub const SECTION: &str = "X-Unitcell";

impl Cell {
    /// The cell that a unit asks for, and all that is wrong with its section.
    pub fn of_unit(unit: &Unit) -> (Cell, Vec<Finding>) {
        let mut cell = Cell::default();
        let mut findings = Vec::new();
        for line in unit.section(SECTION) {
            match Directive::by_name(&line.key) {
                Some(directive) => {
                    let at = Some(line.value_at.clone());
                    if let Err(finding) = cell.assign(directive, &line.value, at) {
                        findings.push(finding);
                    }
                }
                None => findings.push(unknown_key(&line.key, line.at.clone())),
            }
        }
        // systemd would only log such a line; here it may have been meant to isolate.
        let ours = unit.warnings.iter().filter(|warning| warning.section.as_deref() == Some(SECTION));
        findings.extend(ours.map(|warning| {
            Finding::error(Some(warning.at.clone()), "the line is no assignment", "write DIRECTIVE=VALUE, or remove it")
        }));
        findings.sort_by(|a, b| a.at.cmp(&b.at));
        (cell, findings)
    }

    /// Sets one directive. A later value replaces an earlier one, or adds to it where the
    /// directive is repeatable; an empty one goes back to the default.
    pub fn assign(&mut self, directive: &'static Directive, text: &str, at: Option<Location>) -> Result<(), Finding> {
        (directive.set)(self, text).map_err(|error| {
            Finding::error(at.clone(), format!("{}={text}: {error}", directive.name), "correct the value")
        })?;
        if text.is_empty() || !directive.repeatable {
            self.assigned.retain(|assigned| !std::ptr::eq(assigned.directive, directive));
        }
        if !text.is_empty() {
            self.assigned.push(Assigned { directive, text: text.to_owned(), at });
        }
        Ok(())
    }

    /// Where the directive of this name was set last.
    pub fn location(&self, name: &str) -> Option<Location> {
        self.assigned.iter().rev().find(|assigned| assigned.directive.name == name)?.at.clone()
    }
}

fn unknown_key(key: &str, at: Location) -> Finding {
    let remedy = match similar(key, DIRECTIVES.iter().map(|directive| directive.name)) {
        Some(name) => format!("did you mean {name}=?"),
        None => "remove it, or see unitcell(1) for the directives there are".to_owned(),
    };
    Finding::error(Some(at), format!("{key}= is no directive of [{SECTION}]"), remedy)
}
