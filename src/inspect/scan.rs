//! All namespaces of the machine: those of processes, those that are pinned, and those that only an
//! open file or a socket keeps.
//!
//! A machine has thousands of processes, so only the links are read of each, and several threads
//! share the work.

use std::collections::{HashMap, HashSet};
use std::ffi::CStr;
use std::fmt::Write;
use std::fs::{self, File};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use rustix::fs::{CWD, Mode, OFlags, RawDir, openat, readlinkat_raw};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use super::pins::{Pin, parse_link};
use crate::cell::{Kind, Kinds};
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
        let proc = openat(CWD, "/proc", OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let pids = numbers(proc.as_fd())?;
        let mut seen = in_parallel(&pids, |some| look(proc.as_fd(), some, kinds));
        let mut found = Finder::default();
        for (pid, inodes) in seen.iter().flat_map(|seen| &seen.processes) {
            found.processes.insert(*pid, *inodes);
            for (kind, inode) in Kind::ALL.into_iter().zip(inodes).filter(|(_, inode)| **inode != 0) {
                found.get(kind, *inode).processes.push(*pid);
            }
        }
        for pin in Pin::parse(&fs::read_to_string("/proc/self/mountinfo")?) {
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

    /// The name that `ip netns` has for it.
    pub fn netns_name(&self) -> Option<String> {
        let name = |path: &PathBuf| {
            let pin = Pin { kind: self.kind, inode: self.inode, path: path.clone() };
            pin.netns_name().map(str::to_owned)
        };
        self.pins.iter().find_map(name)
    }
}

fn inode_of(fd: &OwnedFd) -> Option<u64> {
    Some(File::from(fd.try_clone().ok()?).metadata().ok()?.ino())
}

/// What one thread saw.
#[derive(Default)]
struct Seen {
    processes: Vec<(u32, [u64; 8])>,
    /// Namespaces that are open: process and descriptor.
    descriptors: Vec<(Kind, u64, u32, u32)>,
    /// Sockets: their inode number, process and descriptor.
    sockets: Vec<(u64, u32, u32)>,
}

fn in_parallel<T: Send>(pids: &[u32], work: impl Fn(&[u32]) -> T + Sync) -> Vec<T> {
    const WORTH_A_THREAD: usize = 256;
    let threads =
        std::thread::available_parallelism().map_or(1, usize::from).min(pids.len() / WORTH_A_THREAD + 1).min(8);
    let chunk = pids.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let spawned: Vec<_> = pids.chunks(chunk).map(|some| scope.spawn(|| work(some))).collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, T>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        spawned.into_iter().map(join).collect()
    })
}

fn look(proc: BorrowedFd<'_>, pids: &[u32], kinds: Kinds) -> Seen {
    let mut seen = Seen::default();
    let mut entries = Vec::with_capacity(8192);
    for &pid in pids {
        let mut inodes = [0; 8];
        for (kind, inode) in Kind::ALL.into_iter().zip(&mut inodes).filter(|(kind, _)| kinds.contains(*kind)) {
            let path = Path::new(pid, "ns/", kind.proc_name());
            *inode = link(proc, path.as_c_str()).map_or(0, |(_, inode)| inode);
        }
        if inodes.iter().any(|inode| *inode != 0) {
            seen.processes.push((pid, inodes));
            descriptors(proc, pid, kinds, &mut entries, &mut seen);
        }
    }
    seen
}

/// Which namespaces and sockets a process has open. Who may not look sees nothing.
fn descriptors(proc: BorrowedFd<'_>, pid: u32, kinds: Kinds, entries: &mut Vec<u8>, seen: &mut Seen) {
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
    let Ok(directory) = openat(proc, Path::new(pid, "fd", "").as_c_str(), flags, Mode::empty()) else { return };
    let mut entries = RawDir::new(&directory, entries.spare_capacity_mut());
    while let Some(Ok(entry)) = entries.next() {
        let Some(fd) = parse_number(entry.file_name()) else { continue };
        let mut buffer = [MaybeUninit::uninit(); 64];
        let Ok((target, _)) = readlinkat_raw(&directory, entry.file_name(), &mut buffer) else { continue };
        // Nearly all of them are files: don't look closer at those.
        if target.first() == Some(&b'/') {
            continue;
        }
        let Ok(target) = std::str::from_utf8(target) else { continue };
        if let Some((kind, inode)) = parse_link(target) {
            if kinds.contains(kind) {
                seen.descriptors.push((kind, inode, pid, fd));
            }
        } else if kinds.contains(Kind::Network)
            && let Some(inode) = target.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']')?.parse().ok())
        {
            seen.sockets.push((inode, pid, fd));
        }
    }
}

fn link(directory: BorrowedFd<'_>, path: &CStr) -> Option<(Kind, u64)> {
    let mut buffer = [MaybeUninit::uninit(); 64];
    let (target, _) = readlinkat_raw(directory, path, &mut buffer).ok()?;
    parse_link(std::str::from_utf8(target).ok()?)
}

/// The numbers among the names of a directory, ascending.
fn numbers(directory: BorrowedFd<'_>) -> io::Result<Vec<u32>> {
    let mut buffer = Vec::with_capacity(32 << 10);
    let mut entries = RawDir::new(directory, buffer.spare_capacity_mut());
    let mut numbers = Vec::new();
    while let Some(entry) = entries.next() {
        numbers.extend(parse_number(entry?.file_name()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn parse_number(name: &CStr) -> Option<u32> {
    let digits = name.to_str().ok()?;
    digits.starts_with(|first: char| first.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// A path below /proc, made without the heap.
struct Path {
    bytes: [u8; 40],
    length: usize,
}

impl Path {
    fn new(pid: u32, directory: &str, name: &str) -> Path {
        let mut path = Path { bytes: [0; 40], length: 0 };
        // Ten digits, and names that we know: it fits.
        let _ = write!(path, "{pid}/{directory}{name}\0");
        path
    }

    fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or_default()
    }
}

impl Write for Path {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.length + text.len();
        self.bytes.get_mut(self.length..end).ok_or(std::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
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
