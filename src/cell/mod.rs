//! The vocabulary: what a cell is, what each systemd can do of it, and the plan.
//!
//! Everything here is pure: text and facts in, values out.
#![forbid(unsafe_code)]

pub mod capability;
pub mod condition;
pub mod directive;
pub mod identity;
pub mod kind;
pub mod makers;
pub mod manager;
pub mod mounts;
pub mod native;
pub mod plan;
pub mod steps;
pub mod system_calls;
pub mod value;

mod adopt;
#[cfg(test)]
pub mod arbitrary;
mod assign;
mod command;
mod conflict;
mod dynamic_user;
pub mod other_root;
mod refuse;
mod relocate;
pub mod resolver;
mod run_directory;
mod service;
mod started;
mod watched;

pub use crate::unit::finding::{self, Finding};
pub use crate::unit::value::ValueError;
pub use assign::SECTION;
pub use condition::Condition;
pub use directive::{DIRECTIVES, Directive};
pub use kind::{Kind, Kinds};
pub use makers::{Decision, Maker};
pub use manager::Manager;
pub use mounts::{Mount, Overlay, Propagation, Root};
pub use plan::{Plan, plan};
pub use service::{netns_owned_by, netns_owner};
pub use value::{Isolation, NamespacesOf, PrivateUsers, ProtectControlGroups, ProtectHostname, Types};

use crate::sys::id_map::IdRange;
use crate::unit::Location;

/// What a service asked for, each value as its directive set it.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    /// What a namespace that can't be had means.
    pub isolation: Isolation,
    /// A network namespace with lo alone.
    pub private_network: bool,
    /// The named network namespace to join.
    pub network_namespace: Option<String>,
    /// Is that one of a user's manager, which a process holds in a user namespace of its own?
    pub held: bool,
    /// The namespaces to join by path, one a kind at most.
    pub paths: Vec<(Kind, String)>,
    /// Another unit whose namespaces to join: those that no other directive says.
    pub namespaces_of: Option<NamespacesOf>,
    /// A new IPC namespace.
    pub private_ipc: bool,
    /// A new mount namespace.
    pub private_mounts: bool,
    /// A new PID namespace.
    pub private_pids: bool,
    /// A process of its own as the first one of a new PID namespace.
    pub init: bool,
    /// A new user namespace that maps ids to themselves.
    pub private_users: PrivateUsers,
    /// The uid_map of a new user namespace.
    pub uid_map: Vec<IdRange>,
    /// The gid_map of a new user namespace.
    pub gid_map: Vec<IdRange>,
    /// The host name in a new UTS namespace.
    pub hostname: Option<String>,
    /// Who may change the names of the UTS namespace.
    pub protect_hostname: ProtectHostname,
    /// The NIS domain name in a new UTS namespace.
    pub domainname: Option<String>,
    /// What the service sees of the cgroup tree.
    pub protect_control_groups: ProtectControlGroups,
    /// The shift of CLOCK_MONOTONIC in a new time namespace, nanoseconds.
    pub time_offset_monotonic: Option<i64>,
    /// The shift of CLOCK_BOOTTIME in a new time namespace, nanoseconds.
    pub time_offset_boottime: Option<i64>,
    /// A throw-away overlay over the root.
    pub root_overlay: bool,
    /// The directory that becomes the root; by hand only.
    pub root_directory: Option<String>,
    /// What is mounted, in this order; but for overlays by hand only.
    pub mounts: Vec<Mount>,
    /// How the mounts of the cell and of others get to each other; by hand only.
    pub propagation: Propagation,
    /// What must hold for the service to count as started.
    pub ready_when: Vec<Condition>,
    /// What must hold for its watchdog to be fed.
    pub health_probe: Vec<Condition>,
    /// Which directives were set, by what text and where, in the order they stand.
    pub assigned: Vec<Assigned>,
}

/// A directive that is in force.
#[derive(Debug, Clone)]
pub struct Assigned {
    /// Its row.
    pub directive: &'static Directive,
    /// Its value as written.
    pub text: String,
    /// Where it stands, when it came from a file.
    pub at: Option<Location>,
}

/// Where one of the cell's namespaces comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// It is made for the service.
    New,
    /// It is joined; the path of its file.
    Path(String),
    /// It is joined, where the unit of `NamespacesOf=` has one of its own.
    OfUnit,
}

impl Cell {
    /// Where the cell's namespace of this kind comes from; none is the manager's own.
    pub fn source(&self, kind: Kind) -> Option<Source> {
        if let Some((_, path)) = self.paths.iter().find(|(other, _)| *other == kind) {
            return Some(Source::Path(path.clone()));
        }
        match (kind, &self.network_namespace) {
            (Kind::Network | Kind::User, Some(_)) if self.held => return Some(Source::OfUnit),
            (Kind::Network, Some(name)) => return Some(Source::Path(format!("/run/netns/{name}"))),
            _ => {}
        }
        if self.makes(kind) {
            return Some(Source::New);
        }
        self.namespaces_of.as_ref().filter(|of| of.means(kind)).map(|_| Source::OfUnit)
    }

    /// The unit whose namespaces are joined, and which of them: that of `NamespacesOf=`, or the one that
    /// holds what `NetworkNamespace=` names. The user namespace that this belongs to lets in.
    pub fn neighbour(&self) -> Option<NamespacesOf> {
        let holder = self.network_namespace.as_ref().filter(|_| self.held).map(|name| NamespacesOf {
            unit: netns_owner(name),
            types: Types::These(Kinds::from_iter([Kind::Network, Kind::User])),
        });
        holder.or_else(|| self.namespaces_of.clone())
    }

    /// Is the namespace of this kind one that others have, too?
    pub fn joins(&self, kind: Kind) -> bool {
        matches!(self.source(kind), Some(Source::Path(_) | Source::OfUnit))
    }

    /// Does a directive ask for a new namespace of this kind?
    pub fn makes(&self, kind: Kind) -> bool {
        match kind {
            Kind::Mount => {
                let is_overlay = |mount: &Mount| matches!(mount, Mount::Overlay(_));
                self.private_mounts || self.root_overlay || self.mounts.iter().any(is_overlay)
            }
            Kind::Uts => {
                self.hostname.is_some() || self.domainname.is_some() || self.protect_hostname != ProtectHostname::No
            }
            Kind::Ipc => self.private_ipc,
            Kind::Network => self.private_network,
            Kind::Pid => self.private_pids || self.init,
            Kind::User => {
                self.private_users != PrivateUsers::No || !self.uid_map.is_empty() || !self.gid_map.is_empty()
            }
            Kind::Cgroup => {
                matches!(self.protect_control_groups, ProtectControlGroups::Private | ProtectControlGroups::Strict)
            }
            Kind::Time => self.time_offset_monotonic.is_some() || self.time_offset_boottime.is_some(),
        }
    }

    /// The host name to set, by whichever directive it came.
    pub fn wanted_hostname(&self) -> Option<&str> {
        match &self.protect_hostname {
            ProtectHostname::Yes(Some(name)) | ProtectHostname::Private(Some(name)) => Some(name),
            _ => self.hostname.as_deref(),
        }
    }

    /// May the service change its host name and domain name?
    pub fn hostname_is_locked(&self) -> bool {
        matches!(self.protect_hostname, ProtectHostname::Yes(_))
    }

    /// Does the cell change nothing at all?
    pub fn is_empty(&self) -> bool {
        Kind::ALL.iter().all(|&kind| self.source(kind).is_none())
            && self.protect_control_groups == ProtectControlGroups::No
            && !self.is_watched()
    }

    /// Do ids mean those inside of the cell's user namespace? Where all that are mapped are mapped to
    /// themselves, they mean the same on both sides.
    pub fn ids_are_inside(&self) -> bool {
        self.source(Kind::User).is_some()
            && matches!(self.private_users, PrivateUsers::No | PrivateUsers::Subordinate(_))
    }

    /// Has it mounts or roots of its own?
    pub fn has_mounts(&self) -> bool {
        !self.mounts.is_empty() || self.roots().next().is_some()
    }

    /// The roots to enter, one after the other.
    pub fn roots(&self) -> impl Iterator<Item = Root> {
        let directory = self.root_directory.iter().map(|path| Root::Directory(path.clone()));
        directory.chain(self.root_overlay.then_some(Root::Overlay))
    }

    /// Does anything watch over the service?
    pub fn is_watched(&self) -> bool {
        !self.ready_when.is_empty() || !self.health_probe.is_empty()
    }
}
