//! The plan of a service.

use std::sync::Arc;

use super::Plan;
use crate::cell::adopt;
use crate::cell::command::{Wrapping, wrap};
use crate::cell::conflict::conflicts;
use crate::cell::finding::Finding;
use crate::cell::identity::Identity;
use crate::cell::makers::{Makers, decisions};
use crate::cell::relocate::{Lines, relocate};
use crate::cell::service::{allows_family, is_true};
use crate::cell::started::{Started, reloads_in_the_past};
use crate::cell::steps::{Circumstances, steps};
use crate::cell::system_calls::denied_to_wrapper;
use crate::cell::{Assigned, Cell, Kind, Maker, Manager, SECTION, other_root};
use crate::unit::{Scope, Unit};

/// Makes the plan of a service.
pub(super) fn plan(unit: &Unit, manager: &Manager) -> Plan {
    let (mut cell, findings) = Cell::of_unit(unit);
    cell.held = manager.scope == Scope::User;
    let mut plan = Plan { findings, ..Plan::default() };
    for line in unit.section(SECTION) {
        if !plan.sources.contains(&line.at.file) {
            plan.sources.push(Arc::clone(&line.at.file));
        }
    }
    // A value that is wrong is missing, too: what would contradict itself only for that is no news.
    if !plan.is_refused() {
        plan.findings.extend(cell.contradictions());
    }
    let protect_hostname = adopt::protect_hostname(unit, &mut cell);
    let mut adopted = adopt::control_groups(unit, manager.version, &mut cell);
    let payload = payload(unit, manager);
    let beside = unit.last("Service", "PAMName").is_some() || reloads_in_the_past(unit, &cell);
    let mut makers = Makers::choose(&cell, manager, payload.is_ok(), beside);
    // In a user manager it comes first, whoever makes it.
    if makers.any_by_wrapper() && manager.scope == Scope::System {
        adopted.extend(adopt::user_namespace(unit, manager.version, &mut cell));
        makers = Makers::choose(&cell, manager, payload.is_ok(), beside);
    }
    if makers.of(Kind::Uts) == Some(Maker::Wrapper) {
        adopted.extend(protect_hostname);
    }
    plan.decisions = decisions(&cell, &makers, manager);
    if !plan.is_refused() && !cell.is_empty() {
        Planner { unit, cell: &cell, manager, makers, adopted }.fill(&mut plan, &payload);
    }
    if let (Err(obstacles), true, false) = (&payload, makers.leave_foreign_sys(), plan.is_refused()) {
        plan.findings.push(foreign_sys(&cell, manager, obstacles));
    }
    if plan.is_refused() {
        plan.refuse(&unit.name, &manager.wrapper);
    }
    plan
}

/// Who the payload is. Where the unit does not tell, nor what keeps it from what, the wrapper can't set
/// anything up for it.
fn payload(unit: &Unit, manager: &Manager) -> Result<Identity, Vec<Finding>> {
    if unit.fragment.is_none() {
        return Err(vec![Finding::error(None, unknown_commands(unit), "")]);
    }
    let (identity, mut findings) = Identity::of_unit(unit, manager);
    findings.extend(denied_to_wrapper(unit, manager.version, true).err());
    if findings.is_empty() { Ok(identity) } else { Err(findings) }
}

/// What systemd itself leaves undone is a warning where the wrapper can't do it.
fn foreign_sys(cell: &Cell, manager: &Manager, obstacles: &[Finding]) -> Finding {
    let asks = |one: &&Assigned| one.directive.kind == Some(Kind::Network);
    let why: Vec<&str> = obstacles.iter().map(|finding| finding.message.as_str()).collect();
    Finding::warning(
        cell.assigned.iter().find(asks).and_then(|one| one.at.clone()),
        format!(
            "/sys stays that of the host's network namespace, as systemd {} leaves it, and the wrapper can't mount another: {}",
            manager.version,
            why.join("; ")
        ),
        "",
    )
}

/// The words for a unit whose fragment is not in sight.
fn unknown_commands(unit: &Unit) -> String {
    let name = &unit.name;
    format!("the commands of {name} are not known: its unit file is not there, or another generator makes it")
}

pub(super) struct Planner<'p> {
    pub(super) unit: &'p Unit,
    pub(super) cell: &'p Cell,
    pub(super) manager: &'p Manager,
    pub(super) makers: Makers,
    /// What switches off the unit's own settings that the wrapper does the work of.
    pub(super) adopted: Lines,
}

impl Planner<'_> {
    fn fill(&self, plan: &mut Plan, payload: &Result<Identity, Vec<Finding>>) {
        let sets_up = self.makers.any_by_wrapper();
        self.native_lines(plan);

        if self.unit.fragment.is_none() {
            self.without_commands(plan, sets_up || self.cell.is_watched());
            return;
        }
        let verify = self.verify(&mut plan.findings);
        let hand_over = self.makers.of(Kind::Pid) == Some(Maker::Wrapper);
        let started = Started::of(self.unit, self.cell, hand_over, self.may_notify());
        let circumstances = Circumstances {
            verify,
            hand_over,
            ready: started.ready,
            relay: started.relay,
            own_files: other_root::setting(self.unit).is_some(),
            privileged: self.manager.scope == Scope::System,
            ..Circumstances::default()
        };
        let mut identity = match payload {
            Ok(identity) if sets_up => identity.clone(),
            Err(obstacles) if sets_up => {
                plan.findings.extend(obstacles.iter().cloned());
                return;
            }
            // systemd itself sees to it.
            _ => Identity::default(),
        };
        let by_wrapper = self.cell_of_wrapper();
        plan.steps = steps(&by_wrapper, &identity, &circumstances);
        if sets_up {
            match relocate(self.unit, self.manager, &plan.steps, &mut identity) {
                Ok(lines) => plan.service_lines.extend(lines),
                Err(finding) => plan.findings.push(finding),
            }
            plan.steps = steps(&by_wrapper, &identity, &circumstances);
        }
        plan.findings.extend(conflicts(self.unit, self.cell, self.manager, &self.makers, &plan.steps));
        plan.service_lines.extend(started.lines);
        let mut wrapper = self.manager.wrapper.clone();
        if circumstances.own_files {
            plan.service_lines.extend(other_root::lines(&wrapper, &by_wrapper, &identity));
            wrapper = other_root::wrapper(&wrapper);
        }
        if !self.unit.list("Service", "NoExecPaths").is_empty() {
            plan.service_lines.push(("ExecPaths", wrapper.clone()));
        }
        if hand_over && self.manager.version >= 257 && is_true(self.unit, "PrivatePIDs") {
            // Within another one the wrapper could not tell the manager which process is which.
            plan.service_lines.push(("PrivatePIDs", "no".to_owned()));
        }
        if sets_up {
            // The wrapper needs what these take away, and takes it away itself when it is done.
            if identity.bounding.is_some() {
                plan.service_lines.push(("CapabilityBoundingSet", "~".to_owned()));
            }
            if identity.drop_ambient {
                plan.service_lines.push(("AmbientCapabilities", "~".to_owned()));
            } else if self.manager.scope == Scope::User && !identity.ambient.is_empty() {
                // There are none to raise outside of the user namespace.
                plan.service_lines.push(("AmbientCapabilities", String::new()));
            }
            if identity.secure_bits.is_some() {
                plan.service_lines.push(("SecureBits", String::new()));
            }
        }

        let control = self.options(&circumstances, false, started.hide_notify_socket, &plan.sources);
        let main = self.options(&circumstances, true, started.hide_notify_socket, &plan.sources);
        let wrapping = Wrapping {
            wrapper,
            main,
            control,
            identity: identity.options(),
            identity_of_root: match sets_up {
                true => identity.of_root(self.unit, self.manager).options(),
                // systemd itself sees to it.
                false => Vec::new(),
            },
            stays_root: sets_up && !identity.drop_ambient,
        };
        match wrap(self.unit, &wrapping) {
            Ok(lines) => plan.service_lines.extend(lines),
            Err(findings) => plan.findings.extend(findings),
        }
    }

    /// May the wrapper send messages to the manager, under the filters that bind it like the service?
    fn may_notify(&self) -> bool {
        let denied = || denied_to_wrapper(self.unit, self.manager.version, false);
        let may_send = self.makers.any_by_wrapper() || denied().is_ok_and(|denied| denied.is_empty());
        may_send && allows_family(self.unit, "AF_UNIX")
    }

    /// A unit whose fragment is not in sight, most likely since another generator makes it: what
    /// is native still reaches it, by a manager that can't fail open.
    fn without_commands(&self, plan: &mut Plan, needs_wrapper: bool) {
        let at = self.cell.assigned.first().and_then(|assigned| assigned.at.clone());
        let unknown = unknown_commands(self.unit);
        if needs_wrapper {
            let by_wrapper = |maker| maker == Some(Maker::Wrapper);
            let wrapped: Vec<&str> =
                plan.decisions.iter().filter(|one| by_wrapper(one.maker)).map(|one| one.directive).collect();
            plan.findings.push(Finding::error(
                at,
                format!("{}=: {unknown}", wrapped.join("=, ")),
                format!("use only what systemd {} has itself", self.manager.version),
            ));
        } else if self.manager.privileged {
            plan.findings.push(Finding::warning(
                at,
                format!("{unknown}; the wrapper does not verify what systemd makes"),
                "",
            ));
        } else {
            plan.findings.push(Finding::error(
                at,
                format!("{unknown}; and this manager may go on without the namespaces that it is told to make"),
                "remove the cell",
            ));
        }
    }
}
