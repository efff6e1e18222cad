//! Where everything stands in a picture: units on the left, namespaces in the middle, the host's
//! network on the right. What hangs together stands side by side, one such group below the other;
//! units that share nothing stand in a grid below all.

mod host;
pub mod shape;

use std::collections::HashMap;

pub use shape::{Card, FONT, Line, Node, Picture, Port, SMALL, text_width};

use super::group::{Group, Groups, visible};
use crate::cell::Kind;
use crate::inspect::topology::{Network, Topology};
use host::lay_host;
use shape::{CARD, TITLE, card, move_card, move_node, node};

pub const MARGIN: f64 = 32.0;
const HEADER: f64 = 84.0;
/// Between the columns, where the lines run.
const GAP: f64 = 104.0;
/// Between what stands above one another, and between groups.
const BETWEEN: f64 = 12.0;
const GROUPS: f64 = 30.0;

/// Lays a topology out.
pub fn lay_out(topology: &Topology) -> Picture {
    let groups = Groups::of(topology);
    let mut picture = Picture { title: title(topology), subtitle: subtitle(topology), ..Picture::default() };
    picture.legend =
        Kind::FOR_PEOPLE.into_iter().filter(|kind| topology.namespaces.iter().any(|one| one.kind == *kind)).collect();
    let (lonely, together): (Vec<&Group>, Vec<&Group>) =
        groups.groups.iter().partition(|group| group.namespaces.is_empty());

    let mut ports = HashMap::new();
    let mut y = HEADER + MARGIN;
    for group in &together {
        y = lay_group(group, &groups, y, &mut picture, &mut ports) + GROUPS;
    }
    if groups.shows_host() {
        y = y.max(lay_host(&groups, y - GROUPS, &mut picture, &mut ports) + GROUPS);
    }
    for wire in groups.wires() {
        let (Some(&one), Some(&other)) = (ports.get(&wire.one), ports.get(&wire.other)) else { continue };
        picture.lines.push(wire_line(one, other, groups.topology.host_network.inode, !wire.pair));
    }
    let middle = picture.nodes.iter().map(|node| node.at.right()).fold(0.0, f64::max);
    let columns = grid_columns(lonely.len(), middle);
    if !lonely.is_empty() {
        let words = if together.is_empty() { "" } else { "nothing shared" };
        if !words.is_empty() {
            picture.grid_title = Some((y + 4.0, words.to_owned()));
            y += 18.0;
        }
        y = lay_grid(&lonely, &groups, y, columns, &mut picture) + GROUPS;
    }
    let rights =
        picture.cards.iter().map(|card| card.at.right()).chain(picture.nodes.iter().map(|node| node.at.right()));
    picture.width = rights.fold(560.0, f64::max) + MARGIN;
    picture.height = y - GROUPS + MARGIN;
    picture
}

fn title(topology: &Topology) -> String {
    match topology.host.as_str() {
        "" => "Namespaces".to_owned(),
        host => format!("Namespaces on {host}"),
    }
}

fn subtitle(topology: &Topology) -> String {
    let count = |n: usize, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
    format!(
        "{} in {} that {} not the host's",
        count(topology.units.len(), "unit", "units"),
        count(topology.namespaces.len(), "namespace", "namespaces"),
        if topology.namespaces.len() == 1 { "is" } else { "are" }
    )
}

/// An interface's place: its namespace, and where its line is at the left and at the right.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    namespace: u64,
    y: f64,
    left: f64,
    right: f64,
}

type Ports = HashMap<(u64, u32), Anchor>;

/// Units on the left, their namespaces beside them, both centered; the bottom of it.
fn lay_group(group: &Group, groups: &Groups, top: f64, picture: &mut Picture, ports: &mut Ports) -> f64 {
    let mut cards: Vec<Card> = group.units.iter().map(|unit| card(unit, groups)).collect();
    let mut nodes: Vec<(u64, Node)> = group.namespaces.iter().map(|one| (one.inode, node(one, groups))).collect();
    let total = |heights: &[f64]| heights.iter().sum::<f64>() + BETWEEN * heights.len().saturating_sub(1) as f64;
    let left = total(&cards.iter().map(|card| card.at.height).collect::<Vec<_>>());
    let right = total(&nodes.iter().map(|(_, node)| node.at.height).collect::<Vec<_>>());
    let height = left.max(right);

    let mut y = top + (height - left) / 2.0;
    for card in &mut cards {
        move_card(card, MARGIN, y);
        y = card.at.bottom() + BETWEEN;
    }
    let mut y = top + (height - right) / 2.0;
    for (_, node) in &mut nodes {
        move_node(node, MARGIN + CARD + GAP, y);
        y = node.at.bottom() + BETWEEN;
    }
    for (unit, card) in group.units.iter().zip(&cards) {
        let own: Vec<&(u64, Node)> = nodes.iter().filter(|(inode, _)| unit.namespaces.contains(inode)).collect();
        for (n, (_, node)) in own.iter().enumerate() {
            // Several lines leave a card one below the other, not from one point.
            let step = card.at.height / (own.len() + 1) as f64;
            let from = (card.at.right(), card.at.y + step * (n + 1) as f64);
            // Straight where that leads to the node.
            let y = from.1.clamp(node.at.y + TITLE / 2.0, node.at.bottom() - TITLE / 2.0);
            picture.lines.push(Line { from, to: (node.at.x, y), kind: Some(node.kind), dashed: false });
        }
    }
    for (namespace, (_, node)) in group.namespaces.iter().zip(&nodes) {
        anchor(namespace.inode, namespace.network.as_ref(), node, ports);
    }
    picture.cards.extend(cards);
    picture.nodes.extend(nodes.into_iter().map(|(_, node)| node));
    top + height
}

fn anchor(namespace: u64, network: Option<&Network>, node: &Node, ports: &mut Ports) {
    let interfaces = network.into_iter().flat_map(visible);
    for (interface, port) in interfaces.zip(&node.ports) {
        let anchor = Anchor { namespace, y: port.y, left: node.at.x, right: node.at.right() };
        ports.insert((namespace, interface.index), anchor);
    }
}

/// From the right of a namespace to the left of the host; between two namespaces both ends are right.
fn wire_line(one: Anchor, other: Anchor, host: u64, dashed: bool) -> Line {
    let (one, other) = if one.namespace == host { (other, one) } else { (one, other) };
    let to = if other.namespace == host && one.namespace != host { other.left } else { other.right };
    Line { from: (one.right, one.y), to: (to, other.y), kind: None, dashed }
}

/// How many cards stand side by side.
fn grid_columns(cards: usize, width: f64) -> usize {
    let fit = ((width - MARGIN + BETWEEN) / (CARD + BETWEEN)).floor().max(0.0) as usize;
    let square = ((cards as f64 / 3.0).sqrt().ceil() as usize + 1).min(5);
    fit.max(square).min(cards.max(1)).max(1)
}

fn lay_grid(lonely: &[&Group], groups: &Groups, top: f64, columns: usize, picture: &mut Picture) -> f64 {
    let mut y = top;
    for row in lonely.chunks(columns) {
        let mut cards: Vec<Card> = row.iter().flat_map(|group| &group.units).map(|unit| card(unit, groups)).collect();
        let height = cards.iter().map(|card| card.at.height).fold(0.0, f64::max);
        for (n, card) in cards.iter_mut().enumerate() {
            move_card(card, MARGIN + n as f64 * (CARD + BETWEEN), y);
            card.at.height = height;
        }
        picture.cards.extend(cards);
        y += height + BETWEEN;
    }
    y - BETWEEN
}
