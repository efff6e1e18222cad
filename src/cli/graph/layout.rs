//! Where everything stands in a picture: units on the left, namespaces in the middle, the host's
//! network on the right. What hangs together stands side by side, one such group below the other;
//! units that share nothing stand in a grid below all.
//!
//! Text is measured by counting: its font is one in which all characters are equally wide.

use std::collections::HashMap;

use super::group::{Group, Groups, label, visible};
use crate::cell::Kind;
use crate::inspect::network::Interface;
use crate::inspect::topology::{Namespace, Network, Topology, Unit};

pub const MARGIN: f64 = 32.0;
/// Of titles of cards and nodes, and of small text.
pub const FONT: f64 = 12.5;
pub const SMALL: f64 = 10.5;
/// How wide a character is, of the height of its font.
const CHARACTER: f64 = 0.605;
const HEADER: f64 = 84.0;
const CARD: f64 = 248.0;
const NODE: f64 = 272.0;
/// Between the columns, where the lines run.
const GAP: f64 = 104.0;
const PAD: f64 = 12.0;
const TITLE: f64 = 30.0;
const ROW: f64 = 21.0;
const BADGE: f64 = 18.0;
/// Between what stands above one another, and between groups.
const BETWEEN: f64 = 12.0;
const GROUPS: f64 = 30.0;

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Rect {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

impl Rect {
    pub fn right(&self) -> f64 {
        self.x + self.width
    }

    pub fn bottom(&self) -> f64 {
        self.y + self.height
    }
}

/// A unit.
#[derive(Debug)]
pub struct Card {
    pub at: Rect,
    pub title: String,
    pub hint: String,
    pub badges: Vec<Badge>,
}

/// A namespace that a unit has for itself.
#[derive(Debug)]
pub struct Badge {
    pub at: Rect,
    pub kind: Kind,
    pub text: String,
}

/// A namespace that is drawn.
#[derive(Debug)]
pub struct Node {
    pub at: Rect,
    pub kind: Kind,
    pub title: String,
    /// Beside the title.
    pub note: String,
    pub hint: String,
    pub ports: Vec<Port>,
}

/// An interface.
#[derive(Debug)]
pub struct Port {
    /// The middle of its line.
    pub y: f64,
    pub x: f64,
    pub text: String,
    pub detail: String,
    pub up: bool,
    pub bridge: bool,
    /// Is it the port of a bridge above?
    pub indent: bool,
}

/// A line between two points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    pub from: (f64, f64),
    pub to: (f64, f64),
    /// None is a wire between interfaces.
    pub kind: Option<Kind>,
    /// Is the one end made upon the other?
    pub dashed: bool,
}

#[derive(Debug, Default)]
pub struct Picture {
    pub width: f64,
    pub height: f64,
    pub title: String,
    pub subtitle: String,
    /// The types that there are.
    pub legend: Vec<Kind>,
    pub cards: Vec<Card>,
    pub nodes: Vec<Node>,
    pub lines: Vec<Line>,
    /// The line of text above the grid.
    pub grid_title: Option<(f64, String)>,
}

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

/// The host's network on the right, each port beside what it leads to as far as there is room.
fn lay_host(groups: &Groups, bottom: f64, picture: &mut Picture, ports: &mut Ports) -> f64 {
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

/// How wide text gets.
pub fn text_width(text: &str, font: f64) -> f64 {
    text.chars().count() as f64 * font * CHARACTER
}

/// The text, or as much of it as there is room for; what tells names apart is often at the end.
fn fit(text: &str, font: f64, width: f64) -> String {
    let room = (width / (font * CHARACTER)).floor().max(2.0) as usize;
    let count = text.chars().count();
    if count <= room {
        return text.to_owned();
    }
    let tail = (room - 1) / 3;
    let head = room - 1 - tail;
    text.chars().take(head).chain(['…']).chain(text.chars().skip(count - tail)).collect()
}

/// A card at the origin.
fn card(unit: &Unit, groups: &Groups) -> Card {
    let (mut x, mut y) = (PAD, TITLE);
    let mut badges = Vec::new();
    for (kind, text) in groups.own(unit) {
        let text = fit(&text, SMALL, CARD - 2.0 * PAD - 14.0);
        let width = text_width(&text, SMALL) + 14.0;
        if x > PAD && x + width > CARD - PAD {
            (x, y) = (PAD, y + BADGE + 5.0);
        }
        badges.push(Badge { at: Rect { x, y, width, height: BADGE }, kind, text });
        x += width + 5.0;
    }
    let bottom = if badges.is_empty() { TITLE + 2.0 } else { y + BADGE + PAD - 2.0 };
    let processes = if unit.processes == 1 { "1 process".to_owned() } else { format!("{} processes", unit.processes) };
    Card {
        at: Rect { x: 0.0, y: 0.0, width: CARD, height: bottom },
        title: fit(&unit.name, FONT, CARD - 2.0 * PAD),
        hint: format!("{}: {processes}", unit.name),
        badges,
    }
}

fn move_card(card: &mut Card, x: f64, y: f64) {
    (card.at.x, card.at.y) = (x, y);
    for badge in &mut card.badges {
        badge.at.x += x;
        badge.at.y += y;
    }
}

/// A node at the origin.
fn node(namespace: &Namespace, groups: &Groups) -> Node {
    let interfaces: Vec<&Interface> = namespace.network.iter().flat_map(visible).collect();
    let mut ports: Vec<Port> = interfaces.iter().map(|interface| port(interface)).collect();
    for (n, (port, interface)) in ports.iter_mut().zip(&interfaces).enumerate() {
        (port.x, port.y) = (PAD, TITLE + 4.0 + ROW * (n as f64 + 0.5));
        port.indent = interface.master.is_some();
    }
    let body = if ports.is_empty() { 0.0 } else { 4.0 + ROW * ports.len() as f64 + 6.0 };
    let note = match groups.topology.units_in(namespace.inode) {
        0 => "nobody in it".to_owned(),
        1 => String::new(),
        units => format!("{units} units"),
    };
    let room = NODE - 2.0 * PAD - text_width(&note, SMALL) - 8.0;
    Node {
        at: Rect { x: 0.0, y: 0.0, width: NODE, height: TITLE + body },
        kind: namespace.kind,
        title: fit(&label(namespace), FONT, room),
        note,
        hint: format!("{}:[{}]", namespace.kind.proc_name(), namespace.inode),
        ports,
    }
}

fn move_node(node: &mut Node, x: f64, y: f64) {
    (node.at.x, node.at.y) = (x, y);
    for port in &mut node.ports {
        port.x += x;
        port.y += y;
    }
}

fn port(interface: &Interface) -> Port {
    // An address that every interface gives itself says nothing to people.
    let addresses: Vec<&String> = interface.addresses.iter().filter(|address| !address.starts_with("fe80:")).collect();
    let detail = match addresses.as_slice() {
        [] => String::new(),
        [one] => (*one).clone(),
        [one, more @ ..] => format!("{one} +{}", more.len()),
    };
    let text = fit(&interface.name, FONT, 16.0 * FONT * CHARACTER);
    let room = NODE - 2.0 * PAD - 34.0 - text_width(&text, FONT);
    Port {
        x: 0.0,
        y: 0.0,
        detail: fit(&detail, SMALL, room),
        text,
        up: interface.up,
        bridge: interface.kind.as_deref() == Some("bridge"),
        indent: false,
    }
}
