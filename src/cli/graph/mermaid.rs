//! The language of Mermaid, which Markdown viewers draw.

use std::collections::HashMap;
use std::fmt::Write;

use super::group::{Groups, label, visible};
use crate::inspect::topology::{Network, Topology};

pub fn render(topology: &Topology) -> String {
    let groups = Groups::of(topology);
    let mut out = String::from("flowchart LR\n");
    let ids: HashMap<&str, String> =
        topology.units.iter().enumerate().map(|(n, unit)| (unit.name.as_str(), format!("u{n}"))).collect();
    for unit in &topology.units {
        let own: Vec<String> = groups.own(unit).into_iter().map(|(_, label)| label).collect();
        let lines = [unit.name.clone(), own.join(", ")];
        let text: Vec<String> = lines.iter().filter(|line| !line.is_empty()).map(|line| escape(line)).collect();
        let _ = writeln!(out, "  {}([\"{}\"])", ids[unit.name.as_str()], text.join("<br/>"));
    }
    for namespace in &groups.drawn {
        match &namespace.network {
            Some(network) => cluster(&mut out, &label(namespace), network),
            None => {
                let _ = writeln!(out, "  ns{}{{{{\"{}\"}}}}", namespace.inode, escape(&label(namespace)));
            }
        }
    }
    if groups.shows_host() {
        cluster(&mut out, &format!("network of {}", topology.host), &topology.host_network);
    }
    for unit in &topology.units {
        for inode in unit.namespaces.iter().filter(|inode| groups.is_drawn(**inode)) {
            let _ = writeln!(out, "  {} --- ns{inode}", ids[unit.name.as_str()]);
        }
    }
    for wire in groups.wires() {
        let line = if wire.pair { "===" } else { "-.-" };
        let _ = writeln!(out, "  {} {line} {}", port(wire.one), port(wire.other));
    }
    out
}

fn cluster(out: &mut String, label: &str, network: &Network) {
    let _ = writeln!(out, "  subgraph ns{}[\"{}\"]", network.inode, escape(label));
    let mut any = false;
    for interface in visible(network) {
        any = true;
        let lines = [interface.name.clone()].into_iter().chain(interface.addresses.iter().cloned());
        let text = lines.map(|line| escape(&line)).collect::<Vec<_>>().join("<br/>");
        let id = port((network.inode, interface.index));
        let _ = match interface.kind.as_deref() {
            Some("bridge") => writeln!(out, "    {id}{{{{\"{text}\"}}}}"),
            _ => writeln!(out, "    {id}[\"{text}\"]"),
        };
    }
    if !any {
        // A subgraph without a node is none.
        let _ = writeln!(out, "    if{}_lo[\"lo\"]", network.inode);
    }
    out.push_str("  end\n");
    for interface in visible(network) {
        if let Some(master) = interface.master {
            let (port, bridge) = (port((network.inode, interface.index)), port((network.inode, master)));
            let _ = writeln!(out, "  {port} --- {bridge}");
        }
    }
}

fn port((inode, index): (u64, u32)) -> String {
    format!("if{inode}_{index}")
}

/// In quotes all is text but quotes, and what looks like an entity or a tag.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '"' => out.push_str("#quot;"),
            '#' => out.push_str("#35;"),
            '&' => out.push_str("#amp;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            char => out.push(char),
        }
    }
    out
}
