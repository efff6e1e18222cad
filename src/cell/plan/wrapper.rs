//! What of a service's cell the wrapper is told, by its options.

use std::path::Path;
use std::sync::Arc;

use super::service::Planner;
use crate::cell::finding::Finding;
use crate::cell::service::CREDENTIALS;
use crate::cell::steps::{Circumstances, Step};
use crate::cell::{Assigned, Cell, Isolation, Kind, Kinds, Maker, Mount, ProtectControlGroups, other_root};
use crate::notify::Access;
use crate::unit::Scope;
use crate::unit::words::escape_specifiers;

/// In words of systemd.unit(5), which knows it for each unit.
const CREDENTIALS_DIRECTORY: &str = "%d";

impl Planner<'_> {
    /// The part of the cell that the wrapper makes.
    pub(super) fn cell_of_wrapper(&self) -> Cell {
        let mut cell = Cell::default();
        for assigned in self.assigned_to_wrapper() {
            // It was assigned before, in this order, without an error.
            let _ = cell.assign(assigned.directive, &assigned.text, assigned.at.clone());
        }
        if self.makers.mount_sys() {
            cell.mounts.push(Mount::Sysfs("/sys".to_owned()));
        }
        if self.maps_credentials() {
            cell.mounts.push(Mount::Credentials(CREDENTIALS_DIRECTORY.to_owned()));
        }
        cell.mounts.extend(self.resolver().map(Mount::Resolver));
        cell.held = self.cell.held;
        cell.isolation = self.cell.isolation;
        cell
    }

    /// Would the service not be allowed to read its credentials? systemd gives them to whom it is outside.
    fn maps_credentials(&self) -> bool {
        self.manager.scope == Scope::System
            && self.makers.of(Kind::User) == Some(Maker::Wrapper)
            && self.cell.ids_are_inside()
            && !self.cell.joins(Kind::Mount)
            && CREDENTIALS.iter().any(|key| !self.unit.list("Service", key).is_empty())
    }

    /// The named network namespace by whose files names are to be looked up, where no system's manager
    /// mounts them.
    fn resolver(&self) -> Option<String> {
        self.cell.network_namespace.clone().filter(|_| self.cell.held && !self.cell.joins(Kind::Mount))
    }

    fn assigned_to_wrapper(&self) -> impl Iterator<Item = &Assigned> {
        let version = self.manager.version;
        self.cell.assigned.iter().filter(move |assigned| match assigned.directive.kind {
            Some(kind) => self.makers.of(kind) == Some(Maker::Wrapper),
            None => !assigned.directive.native.had_by(version, self.cell),
        })
    }

    pub(super) fn options(
        &self,
        circumstances: &Circumstances,
        main: bool,
        hide: bool,
        sources: &[Arc<Path>],
    ) -> Vec<String> {
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
        if self.makers.mount_sys() {
            options.push("--sysfs=/sys".to_owned());
        }
        if self.maps_credentials() {
            options.push(format!("--credentials={CREDENTIALS_DIRECTORY}"));
        }
        options.extend(self.resolver().map(|name| format!("--resolver={name}")));
        if self.cell.held && self.cell.network_namespace.is_some() {
            options.push("--held".to_owned());
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
    pub(super) fn verify(&self, findings: &mut Vec<Finding>) -> Vec<Step> {
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
}
