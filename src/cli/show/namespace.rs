//! A single namespace: who is in it, and what is.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde::Serialize;

use crate::cell::Kind;
use crate::cli::output::Output;
use crate::cli::style;
use crate::cli::table::Table;
use crate::inspect::network::{Interface, interfaces};
use crate::inspect::scan::Namespace;
use crate::inspect::view::hostname_of;
use crate::inspect::{Process, Scan};

#[derive(Debug, Serialize)]
pub struct Shown {
    #[serde(rename = "type")]
    name: &'static str,
    inode: u64,
    pins: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hostname: Option<String>,
    units: Vec<String>,
    processes: Vec<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interfaces: Option<Vec<Interface>>,
    #[serde(skip)]
    kind: Kind,
}

pub fn look(namespace: &Namespace, scan: &Scan) -> Shown {
    Shown {
        name: namespace.kind.proc_name(),
        inode: namespace.inode,
        pins: namespace.pins.iter().map(|pin| pin.display().to_string()).collect(),
        hostname: (namespace.kind == Kind::Uts).then(|| hostname_of(namespace)).flatten(),
        units: units_of(namespace),
        processes: namespace.processes.clone(),
        interfaces: (namespace.kind == Kind::Network).then(|| interfaces(namespace, scan).ok()).flatten(),
        kind: namespace.kind,
    }
}

/// The units that have processes in it.
pub fn units_of(namespace: &Namespace) -> Vec<String> {
    let units: BTreeSet<String> = namespace.processes.iter().filter_map(|&pid| Process::new(pid).unit()).collect();
    units.into_iter().collect()
}

pub fn render(shown: &Shown, output: &Output) -> String {
    let title = format!("{}:[{}]", shown.name, shown.inode);
    let mut text = format!("{} namespace {}\n\n", shown.kind, output.palette.paint(style::HEADING, &title));
    let mut facts = Table::default().prose();
    let mut fact = |label: &str, values: Vec<String>| {
        for (n, value) in values.into_iter().enumerate() {
            let label = if n == 0 { label } else { "" };
            facts.row(vec![(style::HEADING, label.to_owned()), (style::PLAIN, value)]);
        }
    };
    let none = |list: &[String]| if list.is_empty() { vec!["none".to_owned()] } else { list.to_vec() };
    fact("mounted at", none(&shown.pins));
    fact("host name", shown.hostname.iter().cloned().collect());
    fact("processes", vec![shown.processes.len().to_string()]);
    fact("units", none(&shown.units));
    text.push_str(&output.table(facts));
    if let Some(interfaces) = &shown.interfaces {
        let mut table = Table::with_heading(&["INTERFACE", "KIND", "STATE", "ADDRESSES"]).prose();
        for interface in interfaces {
            let state = if interface.up { (style::OWN, "up") } else { (style::DIM, "down") };
            table.row(vec![
                (style::PLAIN, interface.name.clone()),
                (style::PLAIN, interface.kind.clone().unwrap_or_else(|| "-".to_owned())),
                (state.0, state.1.to_owned()),
                (style::PLAIN, interface.addresses.join(", ")),
            ]);
        }
        let _ = write!(text, "\n{}", output.table(table));
    }
    text
}
