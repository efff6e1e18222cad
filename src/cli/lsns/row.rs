//! The rows, and what stands in their columns.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::os::fd::AsFd;

use nix::unistd::{Uid, User};

use super::column::Column;
use crate::cell::Kind;
use crate::inspect::control_group::{self, UnitsOf};
use crate::inspect::scan::Namespace;
use crate::inspect::view::hostname_of;
use crate::inspect::{Process, Scan};
use crate::netlink::{Socket, nsid};

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    None,
    Number(u64),
    Text(String),
    /// Each on a line of its own.
    Lines(Vec<String>),
}

/// A namespace, or a process in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The namespace.
    pub inode: u64,
    /// The process that stands for it, or that the row is of.
    pub pid: Option<u32>,
}

/// What the rows are read from.
pub struct Table<'s> {
    pub scan: &'s Scan,
    /// The parent of each namespace, where that was asked for.
    pub parents: HashMap<u64, u64>,
    /// The owner, likewise.
    pub owners: HashMap<u64, u64>,
    init_root: OnceCell<String>,
    users: RefCell<HashMap<u32, String>>,
    netlink: OnceCell<Option<RefCell<Socket>>>,
}

impl<'s> Table<'s> {
    pub fn new(scan: &'s Scan, parents: HashMap<u64, u64>, owners: HashMap<u64, u64>) -> Table<'s> {
        Table { scan, parents, owners, init_root: OnceCell::new(), users: RefCell::default(), netlink: OnceCell::new() }
    }

    /// What stands in a column of a row.
    pub fn value(&self, row: Row, column: Column) -> Value {
        let Some(namespace) = self.scan.namespace(row.inode) else { return Value::None };
        let process = row.pid.map(Process::new);
        let process = process.as_ref();
        match column {
            Column::Ns => Value::Number(row.inode),
            Column::Type => Value::Text(namespace.kind.proc_name().to_owned()),
            Column::Nprocs => Value::Number(namespace.processes.len() as u64),
            Column::Pid => number(row.pid),
            Column::Ppid => number(process.and_then(Process::parent)),
            Column::Path => {
                let path = process.map(|process| process.namespace_path(namespace.kind));
                text(path.map(|path| path.display().to_string()))
            }
            Column::Command => text(process.and_then(command)),
            // Nobody is in it: it is root's, as its file is.
            Column::Uid => number(process.map_or(Some(0), Process::uid)),
            Column::User => text(process.map_or(Some(0), Process::uid).map(|uid| self.user(uid))),
            Column::Netnsid => text(self.nsid(namespace)),
            Column::Nsfs => match namespace.pins.as_slice() {
                [] => Value::None,
                pins => Value::Lines(pins.iter().map(|pin| pin.display().to_string()).collect()),
            },
            Column::Pns => Value::Number(self.parents.get(&row.inode).copied().unwrap_or(0)),
            Column::Ons => Value::Number(self.owners.get(&row.inode).copied().unwrap_or(0)),
            Column::Unit => text(process.and_then(|process| self.unit(process))),
            Column::Netns => text(self.in_namespace(namespace, row.pid, Kind::Network).and_then(Namespace::netns_name)),
            Column::Hostname => text(self.in_namespace(namespace, row.pid, Kind::Uts).and_then(hostname_of)),
        }
    }

    /// The namespace of this type that the row is about: its own, or the one of its process.
    fn in_namespace<'n>(&'n self, namespace: &'n Namespace, pid: Option<u32>, kind: Kind) -> Option<&'n Namespace> {
        if namespace.kind == kind { Some(namespace) } else { self.scan.of_process(pid?, kind) }
    }

    /// The number of a network namespace as the one that we are in counts.
    fn nsid(&self, namespace: &Namespace) -> Option<String> {
        if namespace.kind != Kind::Network {
            return None;
        }
        let mut socket = self.netlink.get_or_init(|| Socket::route().ok().map(RefCell::new)).as_ref()?.borrow_mut();
        let number = nsid::of(&mut socket, namespace.open()?.as_fd()).ok()?;
        Some(number.map_or_else(|| "unassigned".to_owned(), |number| number.to_string()))
    }

    fn unit(&self, process: &Process) -> Option<String> {
        let root = self.init_root.get_or_init(|| {
            let init = Process::new(1).control_group().ok().flatten();
            init.as_deref().map_or("", control_group::root_of).to_owned()
        });
        UnitsOf::path(&process.control_group().ok()??, root).innermost()
    }

    fn user(&self, uid: u32) -> String {
        let look_up = || match User::from_uid(Uid::from_raw(uid)) {
            Ok(Some(user)) => user.name,
            _ => uid.to_string(),
        };
        self.users.borrow_mut().entry(uid).or_insert_with(look_up).clone()
    }
}

fn number(value: Option<u32>) -> Value {
    value.map_or(Value::None, |value| Value::Number(value.into()))
}

fn text(value: Option<String>) -> Value {
    value.map_or(Value::None, Value::Text)
}

/// The command line, or of a process without one its name.
fn command(process: &Process) -> Option<String> {
    let bytes = process.read_bytes("cmdline").ok()?;
    let words = bytes.strip_suffix(&[0]).unwrap_or(&bytes);
    let line: Vec<u8> = words.iter().map(|&byte| if byte == 0 { b' ' } else { byte }).collect();
    if line.trim_ascii().is_empty() {
        process.read("comm").ok().map(|name| name.trim_end().to_owned())
    } else {
        Some(String::from_utf8_lossy(&line).into_owned())
    }
}
