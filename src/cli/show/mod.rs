//! `unitcell show`: the namespaces of a service, what it sees beside what the host sees.

mod namespace;
mod words;

use std::process::ExitCode;

use serde::Serialize;

use super::Error;
use super::diff::name_of_netns;
use super::output::Output;
use super::style;
use super::table::Table;
use super::target::Target;
use super::whom::Whom;
use crate::cell::Kind;
use crate::inspect::network::{Interface, interfaces};
use crate::inspect::{Offsets, Process, Scan, View, Visible};
use crate::sys::id_map::IdRange;
use crate::unit::Scope;
use words::{ids, list, shift, span};

/// Show the namespaces of a service: what it sees, beside what the host sees
#[derive(Debug, clap::Args)]
// It is of this machine alone; whoever asks for another one is told what to do.
#[command(
    mut_arg("user", |arg| arg.help("Look at user units")),
    mut_arg("system", |arg| arg.help("Look at system units, which is the default")),
    mut_arg("host", |arg| arg.hide(true)),
    mut_arg("machine", |arg| arg.hide(true))
)]
pub struct Show {
    /// A unit that is running, a process id, the name of a network namespace or the file of any
    #[arg(value_name = "UNIT|PID|NETNS|FILE")]
    target: String,
    #[command(flatten)]
    whom: Whom,
}

#[derive(Debug, Serialize)]
struct Shown {
    unit: Option<String>,
    pid: u32,
    command: Option<String>,
    namespaces: Vec<Namespace>,
    /// Of a network namespace of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    interfaces: Option<Vec<Interface>>,
    service: Visible,
    host: Visible,
}

#[derive(Debug, Serialize)]
struct Namespace {
    #[serde(rename = "type")]
    name: &'static str,
    inode: Option<u64>,
    host_inode: Option<u64>,
    /// Is it another one than the host's? Nobody knows where one of the two can't be read.
    own: Option<bool>,
    /// Its name in /run/netns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pinned_as: Option<String>,
    /// The other units in it, where it is not the host's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    shared_with: Vec<String>,
    #[serde(skip)]
    kind: Kind,
}

impl Show {
    pub fn run(self, output: &Output) -> Result<ExitCode, Error> {
        self.whom.must_be_here("show")?;
        let scan = Scan::new(Kind::ALL.into_iter().collect()).map_err(Error::Proc)?;
        match Target::of(&self.target, self.whom.scope() == Scope::User)? {
            Target::Process { unit, process } => {
                let service = View::of(&process);
                if service.command.is_none() && !process.exists() {
                    return Err(Error::NoSuchProcess(process.pid));
                }
                let mut shown = compare(unit, service, View::of(&Process::new(1)));
                shown.look_around(&scan);
                output.print(&shown, |shown| render(shown, output))?;
            }
            Target::Namespace { inode, .. } => {
                let found = scan.namespace(inode).ok_or(Error::NoSuchNamespace(inode))?;
                let shown = namespace::look(found, &scan);
                output.print(&shown, |shown| namespace::render(shown, output))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Shown {
    /// Who else is in the service's own namespaces, and what the network has.
    fn look_around(&mut self, scan: &Scan) {
        for namespace in self.namespaces.iter_mut().filter(|namespace| namespace.own == Some(true)) {
            let Some(found) = namespace.inode.and_then(|inode| scan.namespace(inode)) else { continue };
            namespace.shared_with =
                namespace::units_of(found).into_iter().filter(|unit| Some(unit) != self.unit.as_ref()).collect();
            if namespace.kind == Kind::Network {
                self.interfaces = interfaces(found, scan).ok();
            }
        }
    }
}

fn compare(unit: Option<String>, service: View, host: View) -> Shown {
    let namespaces = Kind::FOR_PEOPLE.map(|kind| {
        let (inode, host_inode) = (service.namespace(kind), host.namespace(kind));
        let own = inode.zip(host_inode).map(|(one, other)| one != other);
        let pinned_as = inode.filter(|_| kind == Kind::Network).and_then(name_of_netns);
        Namespace { name: kind.proc_name(), inode, host_inode, own, pinned_as, shared_with: Vec::new(), kind }
    });
    let mut host_sees = host.sees;
    // Of the service, and not of PID 1: by what the host knows the same process.
    host_sees.pid = Some(service.pid);
    host_sees.uid = service.uid;
    host_sees.control_group = Process::new(service.pid).control_group().ok().flatten();
    Shown {
        unit,
        pid: service.pid,
        command: service.command,
        namespaces: namespaces.into(),
        interfaces: None,
        service: service.sees,
        host: host_sees,
    }
}

fn render(shown: &Shown, output: &Output) -> String {
    let palette = output.palette;
    let command = shown.command.as_deref().map(|name| format!(" ({name})")).unwrap_or_default();
    let title = match &shown.unit {
        Some(unit) => format!("{}: process {}{command}", palette.paint(style::HEADING, unit), shown.pid),
        None => format!("process {}{command}", shown.pid),
    };
    let mut sides = Sides::new(if shown.unit.is_some() { "THE SERVICE SEES" } else { "THE PROCESS SEES" });
    for namespace in &shown.namespaces {
        sides.namespace(namespace);
        details(&mut sides, namespace, shown);
        if !namespace.shared_with.is_empty() {
            sides.detail("shared with", Some(namespace.shared_with.join(", ")), Some("-".to_owned()));
        }
    }
    let note = match sides.unknown {
        true => format!("\n{UNKNOWN}: not to be read without privilege; root sees it all\n"),
        false => String::new(),
    };
    format!("{title}\n\n{}{note}", output.table(sides.table))
}

/// What stands for a value that could not be read.
const UNKNOWN: &str = "?";

/// A table of what the service sees, on the left, and the host, on the right.
struct Sides {
    table: Table,
    unknown: bool,
}

impl Sides {
    fn new(left: &str) -> Sides {
        Sides { table: Table::with_heading(&["NAMESPACE", "", left, "THE HOST SEES"]).prose(), unknown: false }
    }

    fn namespace(&mut self, namespace: &Namespace) {
        let whose = match namespace.own {
            Some(true) => (style::OWN, "own"),
            Some(false) => (style::DIM, "the host's"),
            None => (style::DIM, UNKNOWN),
        };
        let id = |inode: Option<u64>| inode.map(|inode| format!("{}:[{inode}]", namespace.name));
        let first = [(style::HEADING, namespace.kind.to_string()), (whose.0, whose.1.to_owned())];
        self.add(first, id(namespace.inode), id(namespace.host_inode));
    }

    fn detail(&mut self, label: &str, service: Option<String>, host: Option<String>) {
        let first = [(style::PLAIN, String::new()), (style::PLAIN, label.to_owned())];
        self.add(first, service, host);
    }

    /// What is the service's alone stands out, what it shares with the host does not.
    fn add(
        &mut self,
        first: [(clap::builder::styling::Style, String); 2],
        service: Option<String>,
        host: Option<String>,
    ) {
        let style = if service.is_some() && service != host { style::OWN } else { style::DIM };
        self.unknown |= service.is_none() || host.is_none();
        let text = |value: Option<String>| value.unwrap_or_else(|| UNKNOWN.to_owned());
        let mut row = Vec::from(first);
        row.extend([(style, text(service)), (style::DIM, text(host))]);
        self.table.row(row);
    }
}

fn details(sides: &mut Sides, namespace: &Namespace, shown: &Shown) {
    let (service, host) = (&shown.service, &shown.host);
    match namespace.kind {
        Kind::Uts => {
            sides.detail("host name", service.hostname.clone(), host.hostname.clone());
            sides.detail("NIS domain", service.domainname.clone(), host.domainname.clone());
        }
        Kind::Network => {
            if let Some(name) = &namespace.pinned_as {
                sides.detail("named", Some(name.clone()), Some("-".to_owned()));
            }
            let list = |names: &Option<Vec<String>>| names.as_ref().map(|names| list(names));
            sides.detail("interfaces", list(&service.interfaces), list(&host.interfaces));
            for interface in shown.interfaces.iter().flatten().filter(|one| !one.addresses.is_empty()) {
                sides.detail(&interface.name, Some(interface.addresses.join(", ")), Some("-".to_owned()));
            }
        }
        Kind::Pid => {
            let number = |pid: Option<u32>| pid.map(|pid| format!("PID {pid}"));
            sides.detail("itself as", number(service.pid), number(host.pid));
            let count = |count: Option<usize>| count.map(|count| count.to_string());
            sides.detail("processes", count(service.processes), count(host.processes));
        }
        Kind::Time => {
            sides.detail("uptime", service.uptime.map(span), host.uptime.map(span));
            if namespace.own == Some(true) {
                let shift = |offsets: Option<Offsets>| offsets.map(shift);
                sides.detail("clocks shifted", shift(service.clock_offsets), shift(host.clock_offsets));
            }
        }
        Kind::User => {
            let uid = |uid: Option<u32>| uid.map(|uid| format!("uid {uid}"));
            sides.detail("runs as", uid(service.uid), uid(host.uid));
            map(sides, "user ids", service.uid_map.as_deref());
            map(sides, "group ids", service.gid_map.as_deref());
        }
        Kind::Cgroup => sides.detail("control group", service.control_group.clone(), host.control_group.clone()),
        Kind::Mount => {
            let count = |count: Option<usize>| count.map(|count| count.to_string());
            sides.detail("mounts", count(service.mounts), count(host.mounts));
        }
        Kind::Ipc => {}
    }
}

/// One line an extent, inside on the left and outside on the right.
fn map(sides: &mut Sides, label: &str, extents: Option<&[IdRange]>) {
    let Some(extents) = extents else { return sides.detail(label, None, None) };
    if extents.is_empty() {
        sides.detail(label, Some("none".to_owned()), Some("-".to_owned()));
    }
    for (n, extent) in extents.iter().enumerate() {
        let label = if n == 0 { label } else { "" };
        sides.detail(label, Some(ids(extent.inside, extent.count)), Some(ids(extent.outside, extent.count)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_sides_stand_beside_each_other() {
        let view = |inode, hostname: &str| View {
            pid: 813,
            command: Some("sleep".to_owned()),
            uid: Some(0),
            namespaces: vec![("uts", inode), ("ipc", 9)],
            sees: Visible {
                hostname: Some(hostname.to_owned()),
                domainname: Some("(none)".to_owned()),
                ..Visible::default()
            },
        };
        let shown = compare(Some("web.service".to_owned()), view(2, "web"), view(1, "host"));
        let text = render(&shown, &Output::plain(None));
        assert!(text.starts_with("web.service: process 813 (sleep)\n\nNAMESPACE"), "{text}");
        let rows: Vec<String> =
            text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        for row in ["UTS own uts:[2] uts:[1]", "host name web host", "IPC the host's ipc:[9] ipc:[9]"] {
            assert!(rows.iter().any(|line| line == row), "{row}:\n{text}");
        }
        assert!(text.contains("?: not to be read"), "{text}");
    }
}
