//! What a picture is made of. Each is made at the origin, as large as what it tells, and moved then.
//!
//! Text is measured by counting: its font is one in which all characters are equally wide.

use super::super::group::{Groups, label, visible};
use crate::cell::Kind;
use crate::inspect::network::Interface;
use crate::inspect::topology::{Namespace, Unit};

/// Of titles of cards and nodes, and of small text.
pub const FONT: f64 = 12.5;
pub const SMALL: f64 = 10.5;
/// How wide a character is, of the height of its font.
const CHARACTER: f64 = 0.605;
pub(super) const CARD: f64 = 248.0;
pub(super) const NODE: f64 = 272.0;
pub(super) const PAD: f64 = 12.0;
pub(super) const TITLE: f64 = 30.0;
pub(super) const ROW: f64 = 21.0;
const BADGE: f64 = 18.0;

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
pub(super) fn card(unit: &Unit, groups: &Groups) -> Card {
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

pub(super) fn move_card(card: &mut Card, x: f64, y: f64) {
    (card.at.x, card.at.y) = (x, y);
    for badge in &mut card.badges {
        badge.at.x += x;
        badge.at.y += y;
    }
}

/// A node at the origin.
pub(super) fn node(namespace: &Namespace, groups: &Groups) -> Node {
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

pub(super) fn move_node(node: &mut Node, x: f64, y: f64) {
    (node.at.x, node.at.y) = (x, y);
    for port in &mut node.ports {
        port.x += x;
        port.y += y;
    }
}

pub(super) fn port(interface: &Interface) -> Port {
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
