//! The plan: who makes which namespace, and what that takes.
//!
//! A pure function of the unit, its cell and the manager. The generator writes it down, `verify`
//! shows its findings and `explain` its decisions, so the three can't disagree.

use std::path::Path;
use std::sync::Arc;

use super::command::{Wrapping, wrap};
use super::conflict::conflicts;
use super::finding::Finding;
use super::identity::Identity;
use super::makers::{Decision, Maker, Makers, decisions};
use super::manager::Manager;
use super::native::native_line;
use super::other_root;
use super::relocate::{adopt_protect_hostname, relocate};
use super::service::{allows_family, is_true};
use super::started::Started;
use super::steps::{Circumstances, Step, steps};
use super::system_calls::denied_to_wrapper;
use super::{Cell, Isolation, Kind, Kinds, Mount, ProtectControlGroups, Source, resolver};
use crate::notify::Access;
use crate::unit::words::{escape_specifiers, quote};
use crate::unit::{self, Scope, Unit, UnitName, UnitType};

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
        let finding = Finding::error(Some(error.at.clone()), error.kind.to_string(), "mend the file");
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
        return plan_service(unit, manager);
    }
    let Some(line) = unit.section(super::SECTION).next() else { return Plan::default() };
    let message = format!("[{}] is for services, not for {}", super::SECTION, unit.name);
    let finding = Finding::error(Some(line.at.clone()), message, "remove the section");
    Plan::refusing(&unit.name, &manager.wrapper, vec![finding])
}

fn plan_service(unit: &Unit, manager: &Manager) -> Plan {
    let (mut cell, findings) = Cell::of_unit(unit);
    let mut plan = Plan { findings, ..Plan::default() };
    for line in unit.section(super::SECTION) {
        if !plan.sources.contains(&line.at.file) {
            plan.sources.push(Arc::clone(&line.at.file));
        }
    }
    // A value that is wrong is missing, too: what would contradict itself only for that is no news.
    if !plan.is_refused() {
        plan.findings.extend(cell.contradictions());
    }
    let adopted = adopt_protect_hostname(unit, &mut cell);
    let makers = Makers::choose(&cell, manager);
    plan.decisions = decisions(&cell, &makers, manager);
    if !plan.is_refused() && !cell.is_empty() {
        let adopted = adopted && makers.of(Kind::Uts) == Some(Maker::Wrapper);
        let before = makers.mount_sys().then(|| plan.clone());
        Planner { unit, cell: &cell, manager, makers, adopted }.fill(&mut plan);
        if let (true, Some(mut without)) = (plan.is_refused(), before) {
            let makers = makers.without_sys();
            without.decisions = decisions(&cell, &makers, manager);
            Planner { unit, cell: &cell, manager, makers, adopted }.fill(&mut without);
            if !without.is_refused() {
                without.findings.push(foreign_sys(&cell, manager, &plan.findings));
            }
            plan = without;
        }
    }
    if plan.is_refused() {
        plan.refuse(&unit.name, &manager.wrapper);
    }
    plan
}

/// What systemd itself leaves undone is a warning where the wrapper can't do it.
fn foreign_sys(cell: &Cell, manager: &Manager, refused: &[Finding]) -> Finding {
    let why = refused.iter().find(|finding| finding.is_error()).map(|finding| finding.message.as_str());
    Finding::warning(
        cell.assigned.iter().find(|one| one.directive.kind == Some(Kind::Network)).and_then(|one| one.at.clone()),
        format!(
            "/sys stays that of the host's network namespace, as systemd {} leaves it, and the wrapper can't mount another: {}",
            manager.version,
            why.unwrap_or_default()
        ),
        "",
    )
}

struct Planner<'p> {
    unit: &'p Unit,
    cell: &'p Cell,
    manager: &'p Manager,
    makers: Makers,
    /// Does the wrapper do the work of the unit's own ProtectHostname=, too?
    adopted: bool,
}

impl Planner<'_> {
    fn fill(&self, plan: &mut Plan) {
        let sets_up = self.makers.any_by_wrapper();
        let (mut identity, findings) = match sets_up {
            true => Identity::of_unit(self.unit, self.manager),
            false => (Identity::default(), Vec::new()),
        };
        plan.findings.extend(findings);
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
        let by_wrapper = self.cell_of_wrapper();
        plan.steps = steps(&by_wrapper, &identity, &circumstances);
        if sets_up {
            match relocate(self.unit, self.manager, &plan.steps, &mut identity) {
                Ok(lines) => plan.service_lines.extend(lines),
                Err(finding) => plan.findings.push(finding),
            }
            plan.steps = steps(&by_wrapper, &identity, &circumstances);
        }
        plan.findings.extend(conflicts(
            self.unit,
            self.cell,
            self.manager,
            |kind| match kind {
                Kind::Network if self.makers.mount_sys() => Some(Maker::Wrapper),
                kind => self.makers.of(kind),
            },
            &plan.steps,
        ));
        plan.service_lines.extend(started.lines);
        let mut wrapper = self.manager.wrapper.clone();
        if circumstances.own_files {
            plan.service_lines.extend(other_root::lines(&wrapper, identity.names_anyone()));
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
        let unknown = format!(
            "the commands of {} are not known: its unit file is not there, or another generator makes it",
            self.unit.name
        );
        if needs_wrapper {
            let wrapped: Vec<&str> = plan
                .decisions
                .iter()
                .filter(|decision| {
                    let sys =
                        self.makers.mount_sys() && self.cell.directives_of(Kind::Network).contains(decision.directive);
                    decision.maker == Some(Maker::Wrapper) || sys
                })
                .map(|decision| decision.directive)
                .collect();
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

    /// The part of the cell that the wrapper makes.
    fn cell_of_wrapper(&self) -> Cell {
        let mut cell = Cell::default();
        for assigned in self.assigned_to_wrapper() {
            // It was assigned before, in this order, without an error.
            let _ = cell.assign(assigned.directive, &assigned.text, assigned.at.clone());
        }
        if self.adopted {
            cell.protect_hostname = self.cell.protect_hostname.clone();
        }
        if self.makers.mount_sys() {
            cell.mounts.push(Mount::Sysfs("/sys".to_owned()));
        }
        cell.isolation = self.cell.isolation;
        cell
    }

    fn assigned_to_wrapper(&self) -> impl Iterator<Item = &super::Assigned> {
        let version = self.manager.version;
        self.cell.assigned.iter().filter(move |assigned| match assigned.directive.kind {
            Some(kind) => self.makers.of(kind) == Some(Maker::Wrapper),
            None => !assigned.directive.native.had_by(version, self.cell),
        })
    }

    fn options(&self, circumstances: &Circumstances, main: bool, hide: bool, sources: &[Arc<Path>]) -> Vec<String> {
        let mut options = Vec::new();
        for assigned in self.assigned_to_wrapper() {
            // A PID namespace is for the main process alone, as systemd's own is: ExecReload= and
            // ExecStop= find that process by its number outside. And it alone is watched.
            let text = match assigned.directive.kind {
                _ if main => Some(assigned.text.clone()),
                None if assigned.directive.name == "NamespacesOf" => {
                    let of = self.cell.namespaces_of.as_ref();
                    of.and_then(|of| of.without(Kind::Pid)).map(|of| of.to_string())
                }
                Some(Kind::Pid) | None => None,
                Some(_) => Some(assigned.text.clone()),
            };
            options.extend(text.map(|text| format!("--{}={text}", assigned.directive.flag)));
        }
        if self.adopted {
            options.push("--protect-hostname=yes".to_owned());
        }
        if self.makers.mount_sys() {
            options.push("--sysfs=/sys".to_owned());
        }
        if self.cell.isolation == Isolation::Try {
            options.push("--isolation=try".to_owned());
        }
        options.extend(circumstances.verify.iter().filter_map(|step| match step {
            Step::Verify { kind: Kind::Pid, .. } if !main => None,
            Step::Verify { kind, manager, directives } => {
                Some(format!("--verify={}:{manager}:{directives}", kind.proc_name()))
            }
            _ => None,
        }));
        let mut switch = |set: bool, name: &str| {
            if set {
                options.push(name.to_owned());
            }
        };
        switch(main && circumstances.hand_over, "--hand-over");
        switch(main && circumstances.ready, "--ready");
        switch(main && circumstances.relay == Some(Access::Main), "--relay=main");
        switch(main && circumstances.relay == Some(Access::All), "--relay=all");
        switch(hide, "--hide-notify-socket");
        if circumstances.own_files {
            options.push(format!("--own-files={}", other_root::OWN_FILES));
        }
        options.extend(sources.iter().map(|file| escape_specifiers(&format!("--source={}", file.display()))));
        options
    }

    /// The manager's namespaces that systemd must have left for the service, each by its number:
    /// where it lacks a privilege it goes on without, and only the service itself can tell.
    fn verify(&self, findings: &mut Vec<Finding>) -> Vec<Step> {
        // ProtectControlGroups=yes is a mount, in a mount namespace.
        let read_only = self.cell.protect_control_groups == ProtectControlGroups::Yes;
        let proof = |kind| match kind {
            Kind::Cgroup if read_only => Kind::Mount,
            kind => kind,
        };
        let native: Kinds =
            Kind::ALL.into_iter().filter(|&kind| self.makers.of(kind) == Some(Maker::Native)).map(proof).collect();
        let unknown: Kinds = native.iter().filter(|&kind| self.manager.namespace(kind).is_none()).collect();
        if !unknown.is_empty() {
            findings.push(Finding::error(
                self.cell.assigned.first().and_then(|assigned| assigned.at.clone()),
                format!("the manager's own namespaces can't be read ({unknown}), so nothing could prove that the service left them"),
                "see that /proc is mounted where generators run",
            ));
        }
        let step = |kind| {
            let manager = self.manager.namespace(kind)?;
            let is_native = |asked: &Kind| self.makers.of(*asked) == Some(Maker::Native);
            let asked = Kind::ALL.into_iter().filter(is_native).filter(|&asked| proof(asked) == kind);
            let directives: Vec<String> =
                asked.map(|asked| self.cell.directives_of(asked)).filter(|names| !names.is_empty()).collect();
            Some(Step::Verify { kind, manager, directives: directives.join(", ") })
        };
        native.iter().filter_map(step).collect()
    }

    fn native_lines(&self, plan: &mut Plan) {
        for kind in Kind::ALL {
            if self.makers.of(kind) == Some(Maker::Native)
                && let Some(line) = native_line(self.cell, kind)
            {
                plan.service_lines.push(line);
            }
        }
        if self.adopted {
            plan.service_lines.push(("ProtectHostname", "no".to_owned()));
        }
        if let Some(of) = &self.cell.namespaces_of {
            if of.unit == self.unit.name.as_str() {
                plan.findings.push(Finding::error(
                    self.cell.location("NamespacesOf"),
                    format!("NamespacesOf={} names the unit itself", of.unit),
                    "name another unit",
                ));
            }
            if self.manager.scope == Scope::User {
                plan.findings.push(Finding::error(
                    self.cell.location("NamespacesOf"),
                    "NamespacesOf= is not supported yet in user units",
                    "remove it",
                ));
            }
            // A service must not live on in what a unit has left, nor beside its next run.
            plan.unit_lines.extend([("BindsTo", of.unit.clone()), ("After", of.unit.clone())]);
        }
        let Some(name) = &self.cell.network_namespace else { return };
        if self.manager.scope == Scope::User {
            plan.findings.push(Finding::error(
                self.cell.location("NetworkNamespace"),
                "NetworkNamespace= is not supported yet in user units",
                "use PrivateNetwork= with PrivateUsers=",
            ));
        }
        let owner = format!("unitcell-netns@{name}.service");
        plan.unit_lines.extend([("BindsTo", owner.clone()), ("After", owner)]);
        plan.service_lines.extend(resolver::lines(name));
        if self.cell.source(Kind::Mount).is_some_and(|source| matches!(source, Source::Path(_))) {
            plan.findings.push(Finding::warning(
                self.cell.location("MountNamespacePath"),
                "MountNamespacePath= brings its own resolv.conf, hosts and nsswitch.conf, not those of NetworkNamespace=",
                "see that they name servers that the network namespace can reach",
            ));
        }
    }
}

#[cfg(test)]
#[path = "tests/plan.rs"]
mod tests;
