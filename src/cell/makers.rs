//! Who makes which namespace, and why.

use super::manager::Manager;
use super::{Cell, Kind, ProtectControlGroups};
use crate::unit::{Location, Scope};

/// Who makes or joins a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    /// systemd, by a setting that it has.
    Native,
    /// The wrapper.
    Wrapper,
}

/// What becomes of one directive.
#[derive(Debug, Clone)]
pub struct Decision {
    /// Its name.
    pub directive: &'static str,
    /// Its value as written.
    pub text: String,
    /// Where it stands.
    pub at: Option<Location>,
    /// Who does it; none for what concerns the cell as a whole.
    pub maker: Option<Maker>,
    /// Why, in a few words.
    pub why: String,
}

/// Who makes each namespace of a cell.
#[derive(Debug, Clone, Copy)]
pub struct Makers {
    of: [(Kind, Option<Maker>); 8],
    /// Until 254, systemd leaves the /sys of the host mounted for a service in another network namespace,
    /// and one of root could change the host's interfaces there: who sees to it, where somebody has to.
    sys: Option<Maker>,
}

impl Makers {
    /// A namespace has one maker: systemd where its setting does all that the cell's directives
    /// say of that namespace, else the wrapper. The user namespace comes last and takes the
    /// privilege away; so the wrapper makes it whenever it makes anything else. In a user manager it comes first
    /// and gives the privilege; so whoever makes it makes all the others.
    ///
    /// What systemd may leave undone is the wrapper's only where it `can_set_up` anything in the unit. Where a
    /// process has to stay `beside` the service, the wrapper makes the PID namespace.
    pub fn choose(cell: &Cell, manager: &Manager, can_set_up: bool, beside: bool) -> Makers {
        let mut makers = Makers { of: Kind::ALL.map(|kind| (kind, None)), sys: None };
        for (kind, maker) in &mut makers.of {
            let touched = cell.source(*kind).is_some()
                || (*kind == Kind::Cgroup && cell.protect_control_groups != ProtectControlGroups::No);
            let of_kind = || cell.assigned.iter().filter(|assigned| assigned.directive.shapes(*kind, cell));
            // Another unit is to be found before systemd takes its process out of sight.
            let native = cell.neighbour().is_none()
                && of_kind().all(|assigned| assigned.directive.native.had_by(manager.version, cell));
            *maker = touched.then_some(if native { Maker::Native } else { Maker::Wrapper });
        }
        // systemd's own makes the wrapper the first process in it, with nobody outside left who could
        // put anyone beside it.
        if makers.of(Kind::Pid) == Some(Maker::Native) && (cell.is_watched() || beside) {
            makers.set(Kind::Pid, Maker::Wrapper);
        }
        // Who has no privilege can do no harm there, and could not mount another /sys; and a mount namespace
        // that is joined is others', too: what they have at /sys stays.
        let is_foreign = makers.of(Kind::Network) == Some(Maker::Native)
            && manager.version < 254
            && manager.scope == Scope::System
            && !cell.joins(Kind::Mount);
        makers.sys = is_foreign.then_some(if can_set_up { Maker::Wrapper } else { Maker::Native });
        if makers.of(Kind::User) == Some(Maker::Native) && makers.any_by_wrapper() {
            makers.set(Kind::User, Maker::Wrapper);
        }
        // Who has no privilege gets it from the user namespace, for what belongs to that alone: systemd would
        // make the others before it and in vain, or in one of its own that the payload has no say in.
        if makers.of(Kind::User) == Some(Maker::Wrapper) && manager.scope == Scope::User {
            makers.of.iter_mut().filter_map(|(_, maker)| maker.as_mut()).for_each(|maker| *maker = Maker::Wrapper);
        }
        makers
    }

    /// The maker of the namespace of this kind; none where it is the manager's own.
    pub fn of(&self, kind: Kind) -> Option<Maker> {
        self.of.iter().find(|(other, _)| *other == kind)?.1
    }

    fn set(&mut self, kind: Kind, maker: Maker) {
        self.of.iter_mut().filter(|(other, _)| *other == kind).for_each(|(_, slot)| *slot = Some(maker));
    }

    /// Does the wrapper mount the /sys of the network namespace that systemd makes?
    pub fn mount_sys(&self) -> bool {
        self.sys == Some(Maker::Wrapper)
    }

    /// Does nobody mount it?
    pub fn leave_foreign_sys(&self) -> bool {
        self.sys == Some(Maker::Native)
    }

    /// Is there any work for the wrapper?
    pub fn any_by_wrapper(&self) -> bool {
        self.mount_sys() || self.of.iter().any(|(_, maker)| *maker == Some(Maker::Wrapper))
    }
}

/// What becomes of each directive of the cell, and why.
pub fn decisions(cell: &Cell, makers: &Makers, manager: &Manager) -> Vec<Decision> {
    cell.assigned
        .iter()
        .map(|assigned| {
            let directive = assigned.directive;
            let version = manager.version;
            let native = directive.native.had_by(version, cell);
            let maker = match directive.kind {
                Some(kind) => makers.of(kind),
                None => (!native).then_some(Maker::Wrapper),
            };
            let why = match (maker, native) {
                (None, _) if directive.kind.is_some() => "asks for nothing".to_owned(),
                (None, _) => "holds for the whole cell".to_owned(),
                (Some(Maker::Native), _) if makers.mount_sys() && directive.kind == Some(Kind::Network) => {
                    format!("systemd {version} has it; its /sys the wrapper mounts")
                }
                (Some(Maker::Native), _) => format!("systemd {version} has it"),
                (Some(Maker::Wrapper), false) => format!("systemd {version} has it not"),
                (Some(Maker::Wrapper), true) if cell.held && directive.name == "NetworkNamespace" => {
                    "a process holds it in a user namespace, which a user's manager does not get into".to_owned()
                }
                (Some(Maker::Wrapper), true) if cell.held && cell.network_namespace.is_some() => {
                    "systemd has it, but outside of the user namespace that NetworkNamespace= joins".to_owned()
                }
                (Some(Maker::Wrapper), true) if cell.namespaces_of.is_some() => {
                    "systemd has it, but would keep the wrapper from finding the unit of NamespacesOf=".to_owned()
                }
                (Some(Maker::Wrapper), true) if directive.kind == Some(Kind::User) => {
                    "systemd has it, but would take the wrapper's privilege away before its work is done".to_owned()
                }
                (Some(Maker::Wrapper), true)
                    if manager.scope == Scope::User && makers.of(Kind::User) == Some(Maker::Wrapper) =>
                {
                    "systemd has it, but would make it outside of the user namespace that the wrapper makes".to_owned()
                }
                (Some(Maker::Wrapper), true) if directive.kind == Some(Kind::Pid) && cell.is_watched() => {
                    "systemd has it, but leaves the watcher no way into the namespace".to_owned()
                }
                (Some(Maker::Wrapper), true)
                    if directive.kind == Some(Kind::Pid)
                        && directive.name == "PrivatePIDs"
                        && !cell.init
                        && cell.neighbour().is_none() =>
                {
                    "systemd has it, but leaves no process beside the service, which PAMName= or reloads take"
                        .to_owned()
                }
                (Some(Maker::Wrapper), true) => {
                    "systemd has it, but not what else the cell asks of that namespace".to_owned()
                }
            };
            Decision { directive: directive.name, text: assigned.text.clone(), at: assigned.at.clone(), maker, why }
        })
        .collect()
}
