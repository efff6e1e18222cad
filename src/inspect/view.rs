//! What a process sees from its namespaces, gathered without disturbing it.
//!
//! Some of it stands in its directory in `/proc`; the names of a UTS namespace and the path of a
//! control group show only to who enters the namespace, so a thread does.

use std::fs;
use std::io;

use serde::Serialize;

use super::clock::{Offsets, parse_uptime};
use super::process::Process;
use super::scan;
use crate::cell::Kind;
use crate::sys::id_map::{self, IdRange};
use crate::sys::namespace::{self as sys, Namespace};

/// A process, where it is and what it sees from there. What could not be read is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct View {
    /// Its number, as the reader counts.
    pub pid: u32,
    /// The name of what it executes.
    pub command: Option<String>,
    /// Its user, as the reader's user namespace counts.
    pub uid: Option<u32>,
    /// The inode numbers of its namespaces.
    pub namespaces: Vec<(&'static str, u64)>,
    /// What it sees.
    pub sees: Visible,
}

/// What a process sees.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Visible {
    /// The host name.
    pub hostname: Option<String>,
    /// The NIS domain name.
    pub domainname: Option<String>,
    /// The network interfaces.
    pub interfaces: Option<Vec<String>>,
    /// Its own number.
    pub pid: Option<u32>,
    /// How many processes it can see.
    pub processes: Option<usize>,
    /// How many mounts there are.
    pub mounts: Option<usize>,
    /// Its own user id.
    pub uid: Option<u32>,
    /// The user ids there are, and what they are outside.
    pub uid_map: Option<Vec<IdRange>>,
    /// The group ids.
    pub gid_map: Option<Vec<IdRange>>,
    /// Its control group.
    pub control_group: Option<String>,
    /// How its clocks are shifted.
    pub clock_offsets: Option<Offsets>,
    /// Seconds since the machine was started, by its clock.
    pub uptime: Option<i64>,
}

impl View {
    /// Looks at a process.
    pub fn of(process: &Process) -> View {
        let uid = process.status("Uid").ok().flatten().and_then(|ids| ids.split_whitespace().nth(1)?.parse().ok());
        let namespaces =
            Kind::ALL.into_iter().filter_map(|kind| Some((kind.proc_name(), process.namespace(kind).ok()?))).collect();
        View {
            pid: process.pid,
            command: process.read("comm").ok().map(|name| name.trim_end().to_owned()),
            uid,
            namespaces,
            sees: Visible::to(process, uid),
        }
    }

    /// The inode number of its namespace of this type.
    pub fn namespace(&self, kind: Kind) -> Option<u64> {
        self.namespaces.iter().find(|(name, _)| *name == kind.proc_name()).map(|(_, inode)| *inode)
    }
}

impl Visible {
    fn to(process: &Process, uid: Option<u32>) -> Visible {
        let map = |name| process.read(name).ok().and_then(|text| id_map::parse(&text));
        let uid_map = map("uid_map");
        let (hostname, domainname) = names(process).unzip();
        let clock_offsets = offsets(process);
        Visible {
            hostname,
            domainname,
            interfaces: process.read("net/dev").ok().map(|text| interfaces(&text)),
            pid: process.status("NSpid").ok().flatten().and_then(|pids| pids.split_whitespace().last()?.parse().ok()),
            processes: processes(process).ok(),
            mounts: process.read_bytes("mountinfo").ok().map(|text| memchr::memchr_iter(b'\n', &text).count()),
            uid: uid.and_then(|uid| uid_map.as_ref()?.iter().find_map(|range| range.inside_of(uid))),
            uid_map,
            gid_map: map("gid_map"),
            control_group: within(process, Kind::Cgroup, || process.control_group()).ok().flatten(),
            uptime: clock_offsets.and_then(uptime),
            clock_offsets,
        }
    }
}

/// Does `work` in the process's namespace of this type; without entering where the caller is there
/// already, which needs no privilege.
fn within<T>(process: &Process, kind: Kind, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    if process.namespace(kind)? == Process::current().namespace(kind)? {
        return work();
    }
    sys::within(&Namespace::open(process.namespace_path(kind))?, kind.clone_flag(), work)
}

/// The host name and the NIS domain name.
fn names(process: &Process) -> Option<(String, String)> {
    let read = |name: &str| {
        let text = fs::read_to_string(format!("/proc/sys/kernel/{name}"));
        text.map(|text| text.trim_end().to_owned())
    };
    within(process, Kind::Uts, || Ok((read("hostname")?, read("domainname")?))).ok()
}

/// The host name in a UTS namespace, to who may enter it.
pub fn hostname_of(namespace: &scan::Namespace) -> Option<String> {
    let names = sys::within(&namespace.open()?.into(), Kind::Uts.clone_flag(), || {
        fs::read_to_string("/proc/sys/kernel/hostname")
    });
    Some(names.ok()?.trim_end().to_owned())
}

/// What /proc shows are the offsets for the process's children: its own only where the two are in
/// the same time namespace.
fn offsets(process: &Process) -> Option<Offsets> {
    let readable = process.children_share_clocks();
    readable.then(|| Offsets::parse(&process.read("timens_offsets").ok()?)).flatten()
}

/// The uptime by clocks that are shifted so.
fn uptime(theirs: Offsets) -> Option<i64> {
    let ours = offsets(&Process::current())?;
    let by_our_clock = i128::try_from(parse_uptime(&fs::read_to_string("/proc/uptime").ok()?)?.as_nanos()).ok()?;
    i64::try_from((by_our_clock - ours.boottime + theirs.boottime).div_euclid(1_000_000_000)).ok()
}

/// How many processes are in the process's PID namespace. In the reader's own, that is all there are
/// in /proc; of another one those are left out that made themselves a further one within it.
///
/// Without the privilege to look at PID 1 most can't be looked at: no count is better than a wrong one.
fn processes(process: &Process) -> io::Result<usize> {
    let (namespace, all) = (process.namespace(Kind::Pid)?, Process::all()?);
    if namespace == Process::current().namespace(Kind::Pid)? {
        return Ok(all.len());
    }
    Process::new(1).namespace(Kind::Pid)?;
    Ok(all.iter().filter(|other| other.namespace(Kind::Pid).is_ok_and(|other| other == namespace)).count())
}

/// The names in /proc/PID/net/dev: two lines of headings, then `NAME: NUMBERS`.
fn interfaces(text: &str) -> Vec<String> {
    text.lines().skip(2).filter_map(|line| Some(line.split_once(':')?.0.trim().to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_are_the_first_column() {
        let text = "Inter-|   Receive  |  Transmit\n face |bytes  |bytes\n    lo:  10 1 0\nhost0: 0 0\n";
        assert_eq!(interfaces(text), ["lo", "host0"]);
        assert!(interfaces("").is_empty());
    }

    #[test]
    fn a_process_sees_itself() {
        let own = View::of(&Process::current());
        assert_eq!(own.pid, std::process::id());
        assert_eq!(own.namespace(Kind::Uts), Process::current().namespace(Kind::Uts).ok());
        assert!(own.sees.hostname.is_some() && own.sees.interfaces.is_some() && own.sees.uid_map.is_some());
        assert_ne!(own.sees.processes, Some(0));
    }
}
