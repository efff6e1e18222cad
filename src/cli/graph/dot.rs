//! The language of graphviz.

use std::fmt::Write;

use super::group::{Groups, label, visible};
use crate::inspect::topology::{Network, Topology};

pub fn render(topology: &Topology) -> String {
    let groups = Groups::of(topology);
    let mut out = String::from(
        "digraph unitcell {\n  rankdir=LR;\n  node [shape=box, style=rounded, fontname=\"sans-serif\", fontsize=11];\n  \
         edge [arrowhead=none, color=gray50];\n",
    );
    for unit in &topology.units {
        let own: Vec<String> = groups.own(unit).into_iter().map(|(_, label)| label).collect();
        let text = match own.is_empty() {
            true => quote(&unit.name),
            false => quote_lines([unit.name.clone(), own.join(", ")]),
        };
        let _ = writeln!(out, "  {} [label={text}, style=\"rounded,bold\"];", unit_id(&unit.name));
    }
    for namespace in &groups.drawn {
        let id = format!("ns{}", namespace.inode);
        match &namespace.network {
            Some(network) => network_cluster(&mut out, &id, &label(namespace), network),
            None => {
                let _ = writeln!(out, "  {id} [label={}, shape=ellipse];", quote(&label(namespace)));
            }
        }
    }
    if groups.shows_host() {
        let name = format!("network of {}", topology.host);
        network_cluster(&mut out, &format!("ns{}", topology.host_network.inode), &name, &topology.host_network);
    }
    for unit in &topology.units {
        for inode in unit.namespaces.iter().filter(|inode| groups.is_drawn(**inode)) {
            let _ = writeln!(out, "  {} -> ns{inode};", unit_id(&unit.name));
        }
    }
    for wire in groups.wires() {
        let style = if wire.pair { "style=bold, color=black" } else { "style=dashed" };
        let _ = writeln!(out, "  {} -> {} [{style}];", port(wire.one), port(wire.other));
    }
    out.push_str("}\n");
    out
}

fn network_cluster(out: &mut String, id: &str, label: &str, network: &Network) {
    let _ = writeln!(out, "  subgraph cluster_{id} {{\n    label={}; style=rounded; color=gray60;", quote(label));
    // What the edges of units lead to.
    let _ = writeln!(out, "    {id} [shape=point, width=0.06];");
    for interface in visible(network) {
        let shape = if interface.kind.as_deref() == Some("bridge") { ", shape=hexagon" } else { "" };
        let text = quote_lines([interface.name.clone()].into_iter().chain(interface.addresses.iter().cloned()));
        let _ = writeln!(out, "    {} [label={text}{shape}];", port((network.inode, interface.index)));
    }
    out.push_str("  }\n");
    for interface in visible(network) {
        if let Some(master) = interface.master {
            let ends = (port((network.inode, interface.index)), port((network.inode, master)));
            let _ = writeln!(out, "  {} -> {};", ends.0, ends.1);
        }
    }
}

fn port((inode, index): (u64, u32)) -> String {
    format!("if{inode}_{index}")
}

fn unit_id(name: &str) -> String {
    quote(&format!("unit {name}"))
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

fn quote(text: &str) -> String {
    quote_lines([text.to_owned()])
}

fn quote_lines(lines: impl IntoIterator<Item = String>) -> String {
    let lines: Vec<String> = lines.into_iter().map(|line| escape(&line)).collect();
    format!("\"{}\"", lines.join("\\n"))
}
