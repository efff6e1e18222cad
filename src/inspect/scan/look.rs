//! What is read of each process: the links to its namespaces, and those of what it has open.

use std::ffi::CStr;
use std::fmt::Write;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{CWD, Mode, OFlags, RawDir, openat, readlinkat_raw};

use crate::cell::{Kind, Kinds};
use crate::inspect::pins::parse_link;

/// What one thread saw.
#[derive(Debug, Default)]
pub struct Seen {
    /// Processes, and the inode number of each namespace, 0 where it was not asked for.
    pub processes: Vec<(u32, [u64; 8])>,
    /// Namespaces that are open: process and descriptor.
    pub descriptors: Vec<(Kind, u64, u32, u32)>,
    /// Sockets: their inode number, process and descriptor.
    pub sockets: Vec<(u64, u32, u32)>,
}

/// Looks at all processes.
pub fn look_at_all(kinds: Kinds) -> io::Result<Vec<Seen>> {
    let proc = openat(CWD, "/proc", OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let pids = numbers(proc.as_fd())?;
    Ok(in_parallel(&pids, |some| look(proc.as_fd(), some, kinds)))
}

/// Several threads share the work, where it is worth it.
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
