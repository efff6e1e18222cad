//! `unitcell diff`: which namespaces two of them share.

use std::process::ExitCode;

use serde::Serialize;

use super::Error;
use super::output::Output;
use super::style;
use super::table::Table;
use super::target::Target;
use crate::cell::Kind;
use crate::netns::{self, Places};

/// Show which namespaces two units or processes share
///
/// A file of a namespace, or the name of a network namespace, stands for that one namespace.
#[derive(Debug, clap::Args)]
pub struct Diff {
    /// A unit that is running, a process id, the name of a network namespace or the file of any
    #[arg(value_name = "UNIT|PID|NETNS|FILE")]
    one: String,
    /// What it is compared with
    #[arg(value_name = "UNIT|PID|NETNS|FILE")]
    other: String,
    /// Ask the user's manager for units
    #[arg(long)]
    user: bool,
}

#[derive(Debug, Serialize)]
struct Difference {
    one: String,
    other: String,
    namespaces: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    #[serde(rename = "type")]
    name: &'static str,
    one: Option<u64>,
    other: Option<u64>,
    /// Nobody knows where one of the two can't be read.
    shared: Option<bool>,
    /// What the shared one is called in /run/netns.
    #[serde(skip_serializing_if = "Option::is_none")]
    netns: Option<String>,
    #[serde(skip)]
    kind: Kind,
}

impl Diff {
    pub fn run(self, output: &Output) -> Result<ExitCode, Error> {
        let (one, other) = (Target::of(&self.one, self.user)?, Target::of(&self.other, self.user)?);
        let difference = compare(&one, &other);
        output.print(&difference, |difference| output.table(table(difference)))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn compare(one: &Target, other: &Target) -> Difference {
    let has = |target: &Target, kind| match target {
        Target::Process { .. } => true,
        Target::Namespace { kind: own, .. } => *own == kind,
    };
    let row = |kind: Kind| {
        let (left, right) = (one.namespace(kind), other.namespace(kind));
        let shared = left.zip(right).map(|(left, right)| left == right);
        let netns = left.filter(|_| kind == Kind::Network && shared == Some(true)).and_then(name_of_netns);
        Row { name: kind.proc_name(), one: left, other: right, shared, netns, kind }
    };
    // Of a single namespace only its type is compared.
    let kinds = Kind::FOR_PEOPLE.into_iter().filter(|&kind| has(one, kind) && has(other, kind));
    Difference { one: one.name(), other: other.name(), namespaces: kinds.map(row).collect() }
}

/// The name of a network namespace in /run/netns, or among those of the user who asks.
pub fn name_of_netns(inode: u64) -> Option<String> {
    let places = [Some(Places::system()), Places::of_caller().ok()];
    let all = places.into_iter().flatten().filter_map(|places| netns::list(&places).ok()).flatten();
    all.into_iter().find(|named| named.inode == Some(inode)).map(|named| named.name)
}

fn table(difference: &Difference) -> Table {
    let mut table = Table::with_heading(&["NAMESPACE", "SHARED", &difference.one, &difference.other]);
    for row in &difference.namespaces {
        let shared = match (row.shared, &row.netns) {
            (Some(true), Some(name)) => (style::OWN, format!("yes, {name}")),
            (Some(true), None) => (style::OWN, "yes".to_owned()),
            (Some(false), _) => (style::PLAIN, "no".to_owned()),
            (None, _) => (style::WARNING, "?".to_owned()),
        };
        let id = |inode: Option<u64>| inode.map_or_else(|| "?".to_owned(), |inode| format!("{}:[{inode}]", row.name));
        let dim = if row.shared == Some(true) { style::DIM } else { style::PLAIN };
        table.row(vec![(style::HEADING, row.kind.to_string()), shared, (dim, id(row.one)), (dim, id(row.other))]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::style::Palette;
    use super::*;

    #[test]
    fn a_process_shares_everything_with_itself() {
        let own = || Target::of(&std::process::id().to_string(), false).unwrap();
        let difference = compare(&own(), &own());
        assert_eq!(difference.namespaces.len(), 8);
        assert!(difference.namespaces.iter().all(|row| row.shared == Some(true)));
    }

    #[test]
    fn a_file_is_compared_by_its_own_type() {
        let (process, file) = (std::process::id().to_string(), "/proc/self/ns/uts");
        let difference = compare(&Target::of(&process, false).unwrap(), &Target::of(file, false).unwrap());
        assert_eq!(difference.namespaces.len(), 1);
        let text = table(&difference).render(Palette::off());
        assert!(text.contains("UTS        yes"), "{text}");
        let other = Target::of("/proc/self/ns/net", false).unwrap();
        assert!(compare(&other, &Target::of(file, false).unwrap()).namespaces.is_empty());
        assert!(Target::of("/proc/self/status", false).unwrap_err().to_string().contains("no file of a namespace"));
    }
}
