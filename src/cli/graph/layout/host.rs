//! The network of the host, which stands on the right of all.

use std::collections::HashMap;

use super::super::group::{Groups, visible};
use super::shape::{CARD, NODE, Node, PAD, Picture, ROW, Rect, TITLE, port};
use super::{Anchor, GAP, HEADER, MARGIN, Ports};
use crate::cell::Kind;
use crate::inspect::network::Interface;

/// The host's network on the right, each port beside what it leads to as far as there is room.
pub(super) fn lay_host(groups: &Groups, bottom: f64, picture: &mut Picture, ports: &mut Ports) -> f64 {
    let network = &groups.topology.host_network;
    let mut wanted: HashMap<u32, f64> = HashMap::new();
    for wire in groups.wires() {
        for (own, other) in [(wire.one, wire.other), (wire.other, wire.one)] {
            if own.0 == network.inode
                && let Some(anchor) = ports.get(&other)
            {
                let y = wanted.entry(own.1).or_insert(anchor.y);
                *y = y.min(anchor.y);
            }
        }
    }
    // A bridge and its ports stay together, and stand where its ports want to.
    let mut sets: Vec<Vec<&Interface>> = Vec::new();
    for interface in visible(network) {
        match sets.last_mut() {
            Some(set) if interface.master.is_some_and(|master| set[0].index == master) => set.push(interface),
            _ => sets.push(vec![interface]),
        }
    }
    for set in &mut sets {
        let (_, ports) = set.split_at_mut(1);
        ports.sort_by(|a, b| f64::total_cmp(&wanted_of(&wanted, a), &wanted_of(&wanted, b)));
    }
    let place = |set: &Vec<&Interface>| set.iter().map(|one| wanted_of(&wanted, one)).fold(f64::INFINITY, f64::min);
    sets.sort_by(|a, b| place(a).total_cmp(&place(b)));

    let first = HEADER + MARGIN;
    let x = MARGIN + CARD + GAP + if groups.drawn.is_empty() { 0.0 } else { NODE + GAP };
    let mut y = first + TITLE;
    let mut drawn = Vec::new();
    for set in &sets {
        for (n, interface) in set.iter().enumerate() {
            // A bridge stands right above its first port.
            let target = match set.get(1) {
                Some(port) if n == 0 => wanted_of(&wanted, port) - ROW,
                _ => wanted_of(&wanted, interface),
            };
            if target.is_finite() {
                y = y.max(target - ROW / 2.0);
            }
            let mut port = port(interface);
            (port.x, port.y, port.indent) = (x + PAD, y + ROW / 2.0, n > 0);
            let anchor = Anchor { namespace: network.inode, y: port.y, left: x, right: x + NODE };
            ports.insert((network.inode, interface.index), anchor);
            drawn.push(port);
            y += ROW;
        }
        y += 4.0;
    }
    let at = Rect { x, y: first, width: NODE, height: (y + 4.0).max(bottom.min(y + 4.0)) - first };
    let hint = format!("net:[{}], the network namespace of the host", network.inode);
    let end = at.bottom();
    picture.nodes.push(Node {
        at,
        kind: Kind::Network,
        title: "network of the host".to_owned(),
        note: String::new(),
        hint,
        ports: drawn,
    });
    end
}

fn wanted_of(wanted: &HashMap<u32, f64>, interface: &Interface) -> f64 {
    wanted.get(&interface.index).copied().unwrap_or(f64::INFINITY)
}
