//! What a cell can't be, whatever runs it: directives that contradict each other.

use super::finding::Finding;
use super::{Cell, Kind, PrivateUsers, Propagation, ProtectControlGroups, ProtectHostname, Types};

impl Cell {
    /// Every contradiction within the cell.
    pub fn contradictions(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        self.two_sources(&mut found);
        self.two_neighbours(&mut found);
        self.two_hostnames(&mut found);
        self.id_maps(&mut found);
        self.mounts_in_a_joined_namespace(&mut found);
        self.mounts_by_hand(&mut found);
        found
    }

    /// The names of the directives that shape the namespace of this kind, `A=, B=`.
    pub fn directives_of(&self, kind: Kind) -> String {
        let mut names: Vec<String> = self
            .assigned
            .iter()
            .filter(|assigned| assigned.directive.shapes(kind, self))
            .map(|assigned| format!("{}=", assigned.directive.name))
            .collect();
        names.dedup();
        names.join(", ")
    }

    fn error(&self, directive: &str, message: String, remedy: &str) -> Finding {
        Finding::error(self.location(directive), message, remedy)
    }

    /// A namespace is either made or joined, and joined from one place.
    fn two_sources(&self, found: &mut Vec<Finding>) {
        for kind in Kind::ALL {
            let path = self.paths.iter().any(|(other, _)| *other == kind);
            let of_named = kind == Kind::Network || (kind == Kind::User && self.held);
            let named = of_named && self.network_namespace.is_some();
            let of_unit =
                self.namespaces_of.as_ref().is_some_and(|of| matches!(of.types, Types::These(_)) && of.means(kind));
            let sources = [self.makes(kind), path, named, of_unit].into_iter().filter(|source| *source).count();
            if sources > 1 {
                let last = self.assigned.iter().rev().find(|assigned| assigned.directive.kind == Some(kind));
                let of_unit = if of_unit { ", NamespacesOf=" } else { "" };
                found.push(Finding::error(
                    last.and_then(|assigned| assigned.at.clone()),
                    format!("{}{of_unit} ask for the {kind} namespace in more than one way", self.directives_of(kind)),
                    "keep the one that is meant",
                ));
            }
        }
    }

    /// The user namespace of one is no way into those of the other.
    fn two_neighbours(&self, found: &mut Vec<Finding>) {
        if self.held && self.network_namespace.is_some() && self.namespaces_of.is_some() {
            found.push(self.error(
                "NamespacesOf",
                "NamespacesOf= and NetworkNamespace= ask for the namespaces of two units, and a user's service gets \
                 into those of one alone"
                    .to_owned(),
                "keep one of the two",
            ));
        }
    }

    fn two_hostnames(&self, found: &mut Vec<Finding>) {
        let named = match &self.protect_hostname {
            ProtectHostname::Yes(name) | ProtectHostname::Private(name) => name.as_deref(),
            ProtectHostname::No => None,
        };
        if let (Some(one), Some(other)) = (named, self.hostname.as_deref())
            && one != other
        {
            found.push(self.error(
                "ProtectHostname",
                format!("ProtectHostname= names the host {one}, Hostname= names it {other}"),
                "keep one of the names",
            ));
        }
    }

    fn id_maps(&self, found: &mut Vec<Finding>) {
        let (uids, gids) = (!self.uid_map.is_empty(), !self.gid_map.is_empty());
        if uids != gids {
            let (given, missing) = if uids { ("UIDMap", "GIDMap") } else { ("GIDMap", "UIDMap") };
            found.push(self.error(
                given,
                format!("{given}= stands without {missing}=, so no id of the other sort would be mapped"),
                &format!("add {missing}="),
            ));
        }
        if (uids || gids) && self.private_users != PrivateUsers::No {
            found.push(self.error(
                "PrivateUsers",
                "PrivateUsers= and UIDMap= or GIDMap= both say what the user namespace maps".to_owned(),
                "keep one of the two",
            ));
        }
    }

    /// Mounting in a namespace that is shared with others would change it for them, too.
    fn mounts_in_a_joined_namespace(&self, found: &mut Vec<Finding>) {
        if !self.joins(Kind::Mount) {
            return;
        }
        let joining = self.directives_of(Kind::Mount);
        let mounting = [
            ("PrivatePIDs", self.private_pids, "/proc"),
            ("Init", self.init && !self.private_pids, "/proc"),
            ("PrivateIPC", self.private_ipc, "/dev/mqueue"),
            ("ProtectControlGroups", self.protect_control_groups != ProtectControlGroups::No, "/sys/fs/cgroup"),
        ];
        for (directive, _, path) in mounting.into_iter().filter(|(_, set, _)| *set) {
            found.push(self.error(
                directive,
                format!("{directive}= mounts {path}, and {joining} joins mounts that are shared with others"),
                "drop one of the two",
            ));
        }
    }

    /// What only options can say.
    fn mounts_by_hand(&self, found: &mut Vec<Finding>) {
        let joined = self.paths.iter().any(|(kind, _)| *kind == Kind::Mount);
        if joined && self.has_mounts() && !self.makes(Kind::Mount) {
            found.push(Finding::error(
                None,
                "MountNamespacePath= joins mounts that are shared with others, and there is more to mount",
                "drop one of the two",
            ));
        }
        if self.has_mounts() && self.propagation == Propagation::Unchanged {
            found.push(Finding::error(
                None,
                "--mount-propagation=unchanged would let the host see what is mounted for the command",
                "use slave, shared or private",
            ));
        }
    }
}
