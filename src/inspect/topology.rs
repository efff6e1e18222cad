//! Which units have namespaces of their own, which they share, and how their networks hang together.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use serde::Serialize;

use super::control_group::{self, UnitsOf};
use super::network::{Interface, interfaces};
use super::view::hostname_of;
use super::{Process, Scan};
use crate::cell::Kind;

/// Everything that a picture shows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Topology {
    /// The name of the machine.
    pub host: String,
    /// What is in namespaces that are not the host's.
    pub units: Vec<Unit>,
    /// Those namespaces.
    pub namespaces: Vec<Namespace>,
    /// The network namespace of the host.
    pub host_network: Network,
}

/// A unit, or a process that belongs to none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Unit {
    /// Its name.
    pub name: String,
    /// How many processes of it are in namespaces that are not the host's.
    pub processes: usize,
    /// The inode numbers of these namespaces.
    pub namespaces: Vec<u64>,
}

/// A namespace that is not the host's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Namespace {
    /// Its inode number.
    pub inode: u64,
    /// Its type.
    #[serde(rename = "type", serialize_with = "proc_name")]
    pub kind: Kind,
    /// What people call it: the name in /run/netns, the host name.
    pub name: Option<String>,
    /// What is in it, if it is a network namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
}

/// What is in a network namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Network {
    /// The inode number of the namespace.
    pub inode: u64,
    /// Its interfaces.
    pub interfaces: Vec<Interface>,
}

fn proc_name<S: serde::Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.proc_name())
}

impl Topology {
    /// Looks at the whole machine.
    pub fn of_machine() -> io::Result<Topology> {
        let scan = Scan::new(Kind::ALL.into_iter().collect())?;
        let host = Host::of(&scan);
        let units = units(&scan, &host);
        let of_units: BTreeSet<u64> = units.iter().flat_map(|unit| unit.namespaces.iter().copied()).collect();
        let network = |inode: u64| {
            let found = scan.namespace(inode).map(|namespace| interfaces(namespace, &scan));
            Network { inode, interfaces: found.and_then(Result::ok).unwrap_or_default() }
        };
        // What nobody is in, and what processes of the host have open, matters where it has a name.
        let matters = |namespace: &&super::scan::Namespace| {
            !host.has(namespace.inode)
                && (of_units.contains(&namespace.inode)
                    || (namespace.kind == Kind::Network && !namespace.pins.is_empty()))
        };
        let namespace = |namespace: &super::scan::Namespace| Namespace {
            inode: namespace.inode,
            kind: namespace.kind,
            name: match namespace.kind {
                Kind::Network => namespace.netns_name(),
                Kind::Uts => hostname_of(namespace),
                _ => None,
            },
            network: (namespace.kind == Kind::Network).then(|| network(namespace.inode)),
        };
        let namespaces = scan.namespaces.iter().filter(matters).map(namespace).collect();
        let host_uts = host.inodes.get(&Kind::Uts.proc_name()).and_then(|inode| scan.namespace(*inode));
        let host_network = host.inodes.get(&Kind::Network.proc_name()).map(|inode| network(*inode)).unwrap_or_default();
        let host = host_uts.and_then(hostname_of).unwrap_or_default();
        Ok(Topology { host, units, namespaces, host_network })
    }

    /// The part that these units have to do with: them, their namespaces, and who else is in those.
    pub fn around(mut self, names: &[String]) -> Topology {
        if names.is_empty() {
            return self;
        }
        let of_named = |unit: &&Unit| names.contains(&unit.name);
        let near: BTreeSet<u64> =
            self.units.iter().filter(of_named).flat_map(|unit| unit.namespaces.iter().copied()).collect();
        self.units.retain(|unit| names.contains(&unit.name) || unit.namespaces.iter().any(|one| near.contains(one)));
        let kept: BTreeSet<u64> =
            self.units.iter().flat_map(|unit| unit.namespaces.iter().copied()).chain(near).collect();
        // The other end of a pair belongs to the picture, too.
        let peers: BTreeSet<u64> = self
            .namespaces
            .iter()
            .filter(|namespace| kept.contains(&namespace.inode))
            .filter_map(|namespace| namespace.network.as_ref())
            .flat_map(|network| network.interfaces.iter().filter_map(|interface| interface.peer.as_ref()?.namespace))
            .collect();
        self.namespaces.retain(|namespace| kept.contains(&namespace.inode) || peers.contains(&namespace.inode));
        let shown: BTreeSet<u64> = self.namespaces.iter().map(|namespace| namespace.inode).collect();
        // Of the host's ports only those that lead to what is shown.
        let own = self.host_network.inode;
        self.host_network.interfaces.retain(|interface| match interface.peer.as_ref().map(|peer| peer.namespace) {
            Some(Some(place)) => place == own || shown.contains(&place),
            Some(None) => false,
            None => true,
        });
        self
    }

    /// How many units are in a namespace.
    pub fn units_in(&self, inode: u64) -> usize {
        self.units.iter().filter(|unit| unit.namespaces.contains(&inode)).count()
    }
}

/// The namespaces of PID 1, or of ourselves where it can't be looked at.
struct Host {
    inodes: BTreeMap<&'static str, u64>,
    control_groups: String,
}

impl Host {
    fn of(scan: &Scan) -> Host {
        let own = std::process::id();
        let inode = |kind: Kind| {
            let found = scan.of_process(1, kind).or_else(|| scan.of_process(own, kind));
            Some((kind.proc_name(), found?.inode))
        };
        let init = Process::new(1).control_group().ok().flatten();
        Host {
            inodes: Kind::ALL.into_iter().filter_map(inode).collect(),
            control_groups: init.as_deref().map_or("", control_group::root_of).to_owned(),
        }
    }

    fn has(&self, inode: u64) -> bool {
        self.inodes.values().any(|own| *own == inode)
    }
}

/// The units with processes in namespaces that are not the host's.
fn units(scan: &Scan, host: &Host) -> Vec<Unit> {
    let mut processes: BTreeMap<u32, BTreeSet<u64>> = BTreeMap::new();
    for namespace in scan.namespaces.iter().filter(|namespace| !host.has(namespace.inode)) {
        for pid in &namespace.processes {
            processes.entry(*pid).or_default().insert(namespace.inode);
        }
    }
    let mut units: BTreeMap<String, (usize, BTreeSet<u64>)> = BTreeMap::new();
    for (pid, inodes) in processes {
        let process = Process::new(pid);
        let unit = process.control_group().ok().flatten();
        let unit = unit.and_then(|path| UnitsOf::path(&path, &host.control_groups).innermost());
        // Helpers of the kernel have a mount namespace of their own, which is nothing to see.
        let name = match unit {
            Some(unit) => unit,
            None if process.read_bytes("cmdline").is_ok_and(|line| !line.is_empty()) => {
                format!("{} ({pid})", process.read("comm").unwrap_or_default().trim_end())
            }
            None => continue,
        };
        let unit = units.entry(name).or_default();
        unit.0 += 1;
        unit.1.extend(inodes);
    }
    let unit = |(name, (processes, namespaces)): (String, (usize, BTreeSet<u64>))| Unit {
        name,
        processes,
        namespaces: namespaces.into_iter().collect(),
    };
    units.into_iter().map(unit).collect()
}
