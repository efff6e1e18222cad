//! All namespaces of the machine: those of processes, those that are pinned, and those that only an
//! open file or a socket keeps.
//!
//! A machine has thousands of processes, so only the links are read of each, and several threads
//! share the work.

mod look;

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use self::look::look_at_all;
use super::pins::Pin;
use super::process::Process;
use crate::cell::{Kind, Kinds, netns_owned_by};
use crate::sys::nsfs::{self, Relation};

/// A namespace.
#[derive(Debug)]
pub struct Namespace {
    /// Its inode number.
    pub inode: u64,
    /// Its type.
    pub kind: Kind,
    /// The processes in it, lowest number first.
    pub processes: Vec<u32>,
    /// Where its file is mounted.
    pub pins: Vec<PathBuf>,
    /// What keeps it if neither a process nor a pin does.
    kept_by: Option<Keeper>,
}

/// What keeps a namespace that has no process.
#[derive(Debug)]
enum Keeper {
    /// A descriptor of a process.
    Descriptor(u32, u32),
    /// We have it open ourselves.
    Us(OwnedFd),
}

/// What was found.
#[derive(Debug, Default)]
pub struct Scan {
    /// In the order of their inode numbers.
    pub namespaces: Vec<Namespace>,
    by_process: HashMap<u32, [u64; 8]>,
}

impl Scan {
    /// Looks for the namespaces of these types.
    pub fn new(kinds: Kinds) -> io::Result<Scan> {
        let mut seen = look_at_all(kinds)?;
        let mut found = Finder::default();
        for (pid, inodes) in seen.iter().flat_map(|seen| &seen.processes) {
            found.processes.insert(*pid, *inodes);
            for (kind, inode) in Kind::ALL.into_iter().zip(inodes).filter(|(_, inode)| **inode != 0) {
                found.get(kind, *inode).processes.push(*pid);
            }
        }
        for pin in Pin::parse(&fs::read("/proc/self/mountinfo")?) {
            if kinds.contains(pin.kind) {
                let pins = &mut found.get(pin.kind, pin.inode).pins;
                if !pins.contains(&pin.path) {
                    pins.push(pin.path);
                }
            }
        }
        for (kind, inode, pid, fd) in seen.iter().flat_map(|seen| &seen.descriptors) {
            found.get(*kind, *inode).kept_by.get_or_insert(Keeper::Descriptor(*pid, *fd));
        }
        found.sockets(seen.iter_mut().flat_map(|seen| seen.sockets.drain(..)));
        Ok(found.finish())
    }

    /// The namespaces of a process; none where its type was not asked for, or it may not be looked at.
    pub fn of_process(&self, pid: u32, kind: Kind) -> Option<&Namespace> {
        let position = Kind::ALL.iter().position(|&other| other == kind)?;
        self.namespace(*self.by_process.get(&pid)?.get(position)?)
    }

    /// The namespace of this inode number.
    pub fn namespace(&self, inode: u64) -> Option<&Namespace> {
        let position = self.namespaces.binary_search_by_key(&inode, |namespace| namespace.inode).ok()?;
        self.namespaces.get(position)
    }

    /// The related namespace of each. With `add`, those that were found nowhere before join the others.
    pub fn relate(&mut self, relation: Relation, add: bool) -> HashMap<u64, u64> {
        let mut relations = HashMap::new();
        let mut todo: Vec<u64> = self.namespaces.iter().map(|namespace| namespace.inode).collect();
        while let Some(inode) = todo.pop() {
            let Some(namespace) = self.namespace(inode) else { continue };
            let Some(fd) = namespace.open().and_then(|fd| nsfs::related(fd, relation).ok()?) else { continue };
            let kind = match relation {
                Relation::Owner => Kind::User,
                Relation::Parent => namespace.kind,
            };
            let Some(other) = inode_of(&fd) else { continue };
            relations.insert(inode, other);
            if add && let Err(place) = self.namespaces.binary_search_by_key(&other, |namespace| namespace.inode) {
                let kept_by = Some(Keeper::Us(fd));
                let added = Namespace { inode: other, kind, processes: Vec::new(), pins: Vec::new(), kept_by };
                self.namespaces.insert(place, added);
                todo.push(other);
            }
        }
        relations
    }
}

impl Namespace {
    /// Opens its file, by whatever leads there.
    pub fn open(&self) -> Option<OwnedFd> {
        let name = self.kind.proc_name();
        let paths = self.processes.iter().map(|pid| PathBuf::from(format!("/proc/{pid}/ns/{name}")));
        let by_path = |path: PathBuf| {
            let fd = OwnedFd::from(File::open(path).ok()?);
            // The process or the mount may be another one by now.
            (inode_of(&fd) == Some(self.inode)).then_some(fd)
        };
        paths.chain(self.pins.iter().cloned()).find_map(by_path).or_else(|| match &self.kept_by {
            Some(Keeper::Us(fd)) => fd.try_clone().ok(),
            Some(Keeper::Descriptor(pid, fd)) => by_path(format!("/proc/{pid}/fd/{fd}").into()),
            None => None,
        })
    }

    /// The name that `ip netns` has for it, or the one by which a process of a user's manager holds it.
    pub fn netns_name(&self) -> Option<String> {
        let name = |path: &PathBuf| {
            let pin = Pin { kind: self.kind, inode: self.inode, path: path.clone() };
            pin.netns_name().map(str::to_owned)
        };
        self.pins.iter().find_map(name).or_else(|| {
            let is_held = self.kind == Kind::Network && self.processes.first() != Some(&1);
            let held_by = |&pid: &u32| netns_owned_by(&Process::new(pid).unit()?).map(str::to_owned);
            self.processes.iter().filter(|_| is_held).find_map(held_by)
        })
    }
}

fn inode_of(fd: &OwnedFd) -> Option<u64> {
    Some(File::from(fd.try_clone().ok()?).metadata().ok()?.ino())
}

/// Namespaces as they are found.
#[derive(Default)]
struct Finder {
    namespaces: HashMap<u64, Namespace>,
    processes: HashMap<u32, [u64; 8]>,
}

impl Finder {
    fn get(&mut self, kind: Kind, inode: u64) -> &mut Namespace {
        self.namespaces.entry(inode).or_insert_with(|| Namespace {
            inode,
            kind,
            processes: Vec::new(),
            pins: Vec::new(),
            kept_by: None,
        })
    }

    /// The network namespaces of sockets that have neither process nor pin. A socket can't be asked
    /// by its name: we take it over for a moment, each but once.
    fn sockets(&mut self, sockets: impl Iterator<Item = (u64, u32, u32)>) {
        let mut asked = HashSet::new();
        let mut process: Option<(u32, OwnedFd)> = None;
        for (inode, pid, fd) in sockets {
            if !asked.insert(inode) {
                continue;
            }
            if process.as_ref().is_none_or(|(open, _)| *open != pid) {
                let pidfd = Pid::from_raw(pid.cast_signed()).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
                process = pidfd.map(|pidfd| (pid, pidfd));
            }
            let Some((_, pidfd)) = &process else { continue };
            let socket = pidfd_getfd(pidfd, fd.cast_signed(), PidfdGetfdFlags::empty());
            let Ok(namespace) = socket.map_err(io::Error::from).and_then(nsfs::of_socket) else { continue };
            if let Some(inode) = inode_of(&namespace) {
                self.get(Kind::Network, inode).kept_by.get_or_insert(Keeper::Us(namespace));
            }
        }
    }

    fn finish(self) -> Scan {
        let mut namespaces: Vec<Namespace> = self.namespaces.into_values().collect();
        namespaces.sort_unstable_by_key(|namespace| namespace.inode);
        Scan { namespaces, by_process: self.processes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_found_in_its_namespaces() {
        let scan = Scan::new(Kind::ALL.into_iter().collect()).unwrap();
        let own = std::process::id();
        for kind in [Kind::Mount, Kind::Network, Kind::User] {
            let inode = crate::sys::namespace::own_inode(kind.proc_name()).unwrap();
            let namespace = scan.namespace(inode).expect("our own");
            assert_eq!(namespace.kind, kind);
            assert!(namespace.processes.contains(&own) && namespace.processes.is_sorted());
            assert_eq!(scan.of_process(own, kind).unwrap().inode, inode);
            assert_eq!(inode_of(&namespace.open().unwrap()), Some(inode));
        }
        assert!(scan.namespaces.is_sorted_by_key(|namespace| namespace.inode));
    }

    #[test]
    fn only_the_types_that_were_asked_for_are_found() {
        let scan = Scan::new(Kinds::from_iter([Kind::Uts])).unwrap();
        assert!(scan.namespaces.iter().all(|namespace| namespace.kind == Kind::Uts));
        assert!(scan.of_process(std::process::id(), Kind::Network).is_none());
    }

    #[test]
    fn a_namespace_that_only_a_descriptor_keeps_has_an_owner() {
        let mut scan = Scan::new(Kinds::from_iter([Kind::Uts])).unwrap();
        let owners = scan.relate(Relation::Owner, true);
        let own = crate::sys::namespace::own_inode("uts").unwrap();
        if let Some(owner) = owners.get(&own) {
            assert!(scan.namespace(*owner).is_some_and(|owner| owner.kind == Kind::User));
        }
    }
}
