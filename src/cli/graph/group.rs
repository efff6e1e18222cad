//! What is drawn as a node, what is only named, and what belongs together.

use super::natural::natural;
use crate::cell::Kind;
use crate::inspect::network::{Interface, Peer};
use crate::inspect::topology::{Namespace, Network, Topology, Unit};

/// What the three formats draw.
#[derive(Debug)]
pub struct Groups<'t> {
    pub topology: &'t Topology,
    /// Namespaces that are drawn: shared ones, and networks with something in them.
    pub drawn: Vec<&'t Namespace>,
    /// Units and drawn namespaces that hang together other than over the host.
    pub groups: Vec<Group<'t>>,
}

/// Units and namespaces that hang together.
#[derive(Debug, Default)]
pub struct Group<'t> {
    pub units: Vec<&'t Unit>,
    pub namespaces: Vec<&'t Namespace>,
}

impl<'t> Groups<'t> {
    pub fn of(topology: &'t Topology) -> Groups<'t> {
        let drawn: Vec<&Namespace> = topology.namespaces.iter().filter(|one| is_drawn(one, topology)).collect();
        let mut groups: Vec<Group> =
            topology.units.iter().map(|unit| Group { units: vec![unit], namespaces: Vec::new() }).collect();
        for &namespace in &drawn {
            let peers: Vec<u64> = peers(namespace).collect();
            let touches = |group: &Group| {
                group.units.iter().any(|unit| unit.namespaces.contains(&namespace.inode))
                    || group.namespaces.iter().any(|other| peers.contains(&other.inode))
            };
            let (touched, mut others): (Vec<Group>, Vec<Group>) = groups.into_iter().partition(touches);
            let mut one = Group::default();
            for group in touched {
                one.units.extend(group.units);
                one.namespaces.extend(group.namespaces);
            }
            one.namespaces.push(namespace);
            others.push(one);
            groups = others;
        }
        for group in &mut groups {
            group.namespaces.sort_by(|one, other| by_namespace(one).cmp(&by_namespace(other)));
            // Units stand where their first namespace does.
            let place = |unit: &Unit| group.namespaces.iter().position(|one| unit.namespaces.contains(&one.inode));
            let by_unit = |unit: &&'t Unit| (place(unit).unwrap_or(usize::MAX), natural(&unit.name));
            group.units.sort_by(|one, other| by_unit(one).cmp(&by_unit(other)));
        }
        // Networks first, and pictures don't depend on inode numbers.
        groups.sort_by(|one, other| by_group(one).cmp(&by_group(other)));
        Groups { topology, drawn, groups }
    }

    pub fn is_drawn(&self, inode: u64) -> bool {
        self.drawn.iter().any(|namespace| namespace.inode == inode)
    }

    /// The namespaces that a unit has for itself, in words; what it has of one type only once.
    pub fn own(&self, unit: &Unit) -> Vec<(Kind, String)> {
        let all = self.topology.namespaces.iter().filter(|one| unit.namespaces.contains(&one.inode));
        let mut own: Vec<(Kind, String)> =
            all.filter(|one| !self.is_drawn(one.inode)).map(|one| (one.kind, label(one))).collect();
        let place = |kind: Kind| Kind::FOR_PEOPLE.iter().position(|&other| other == kind);
        own.sort_by_key(|(kind, label)| (place(*kind), label.clone()));
        own.dedup();
        own
    }

    /// Pairs of interfaces that are drawn, each once: namespace and number of the one and the other.
    pub fn wires(&self) -> Vec<Wire> {
        let networks = self.drawn.iter().filter_map(|one| one.network.as_ref()).chain([&self.topology.host_network]);
        let mut wires: Vec<Wire> = Vec::new();
        for network in networks {
            for interface in &network.interfaces {
                let Some(Peer { index, namespace: Some(place) }) = interface.peer else { continue };
                if place == network.inode && index == interface.index {
                    continue;
                }
                let known = self.is_drawn(place) || place == self.topology.host_network.inode;
                let wire = Wire {
                    one: (network.inode, interface.index),
                    other: (place, index),
                    pair: interface.kind.as_deref() == Some("veth"),
                };
                if known && !wires.iter().any(|other| (other.one, other.other) == (wire.other, wire.one)) {
                    wires.push(wire);
                }
            }
        }
        wires
    }

    /// Is there anything of the host's network to draw?
    pub fn shows_host(&self) -> bool {
        visible(&self.topology.host_network).next().is_some()
    }
}

fn by_namespace(one: &Namespace) -> impl Ord {
    (one.kind != Kind::Network, one.kind, one.name.as_deref().map(natural), one.inode)
}

fn by_group<'t>(group: &Group<'t>) -> impl Ord + use<'t> {
    let name = group.units.first().map(|unit| natural(&unit.name));
    let network = group.namespaces.first().and_then(|one| one.name.as_deref()).map(natural);
    (group.namespaces.first().is_none_or(|one| one.kind != Kind::Network), name.is_none(), name, network)
}

/// Between two interfaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wire {
    pub one: (u64, u32),
    pub other: (u64, u32),
    /// Two ends of a pair; else the one is made upon the other.
    pub pair: bool,
}

/// The interfaces that are drawn: not lo, and every bridge before its ports.
pub fn visible(network: &Network) -> impl Iterator<Item = &Interface> {
    let ports_of = |master: Option<u32>| {
        let of_master = network.interfaces.iter().filter(move |one| !one.is_loopback() && one.master == master);
        of_master.collect::<Vec<_>>()
    };
    let known = |index: u32| network.interfaces.iter().any(|one| one.index == index);
    let tops = network
        .interfaces
        .iter()
        .filter(move |one| !one.is_loopback() && one.master.is_none_or(|master| !known(master)));
    tops.flat_map(move |top| [top].into_iter().chain(ports_of(Some(top.index))))
}

/// `net blue`, `uts web`.
pub fn label(namespace: &Namespace) -> String {
    match &namespace.name {
        Some(name) => format!("{} {name}", namespace.kind.proc_name()),
        None => namespace.kind.proc_name().to_owned(),
    }
}

fn is_drawn(namespace: &Namespace, topology: &Topology) -> bool {
    let units = topology.units_in(namespace.inode);
    let named = namespace.kind == Kind::Network && namespace.name.is_some();
    units > 1 || named || namespace.network.as_ref().is_some_and(|network| visible(network).next().is_some())
}

fn peers(namespace: &Namespace) -> impl Iterator<Item = u64> {
    let interfaces = namespace.network.iter().flat_map(|network| &network.interfaces);
    interfaces.filter_map(|interface| interface.peer.as_ref()?.namespace).filter(|place| *place != namespace.inode)
}
