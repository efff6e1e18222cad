//! The eight types of Linux namespaces.

use std::fmt;

/// A type of namespace, as namespaces(7) lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Mount points, mount_namespaces(7).
    Mount,
    /// Host name and NIS domain name, uts_namespaces(7).
    Uts,
    /// System V IPC and POSIX message queues, ipc_namespaces(7).
    Ipc,
    /// Network devices, addresses, ports, network_namespaces(7).
    Network,
    /// Process ids, pid_namespaces(7).
    Pid,
    /// User and group ids, capabilities, user_namespaces(7).
    User,
    /// The root of the control group tree, cgroup_namespaces(7).
    Cgroup,
    /// The monotonic and the boot-time clock, time_namespaces(7).
    Time,
}

impl Kind {
    /// All eight, in the order in which the wrapper joins them: the mount namespace last but
    /// the user namespace, which takes the privilege away that the others need.
    pub const ALL: [Kind; 8] =
        [Kind::Cgroup, Kind::Ipc, Kind::Uts, Kind::Network, Kind::Pid, Kind::Time, Kind::Mount, Kind::User];

    /// All eight, in the order of how much people care.
    pub const FOR_PEOPLE: [Kind; 8] =
        [Kind::Uts, Kind::Network, Kind::Pid, Kind::Time, Kind::User, Kind::Cgroup, Kind::Ipc, Kind::Mount];

    /// The name of its link in `/proc/PID/ns`, proc_pid_ns(5).
    pub const fn proc_name(self) -> &'static str {
        match self {
            Kind::Mount => "mnt",
            Kind::Uts => "uts",
            Kind::Ipc => "ipc",
            Kind::Network => "net",
            Kind::Pid => "pid",
            Kind::User => "user",
            Kind::Cgroup => "cgroup",
            Kind::Time => "time",
        }
    }

    /// Its bit in the flags of clone(2), unshare(2) and setns(2).
    pub const fn clone_flag(self) -> u32 {
        match self {
            Kind::Mount => 0x0002_0000,
            Kind::Cgroup => 0x0200_0000,
            Kind::Uts => 0x0400_0000,
            Kind::Ipc => 0x0800_0000,
            Kind::User => 0x1000_0000,
            Kind::Pid => 0x2000_0000,
            Kind::Network => 0x4000_0000,
            Kind::Time => 0x0000_0080,
        }
    }

    /// The kind that `/proc/PID/ns` calls `name`.
    pub fn from_proc_name(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.proc_name() == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Mount => "mount",
            Kind::Uts => "UTS",
            Kind::Ipc => "IPC",
            Kind::Network => "network",
            Kind::Pid => "PID",
            Kind::User => "user",
            Kind::Cgroup => "cgroup",
            Kind::Time => "time",
        })
    }
}

/// A set of [`Kind`]s, kept as the flags that unshare(2) takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(u32);

impl Kinds {
    /// The empty set.
    pub const NONE: Kinds = Kinds(0);

    /// Adds `kind`.
    pub fn insert(&mut self, kind: Kind) {
        self.0 |= kind.clone_flag();
    }

    /// Takes `kind` away.
    pub fn remove(&mut self, kind: Kind) {
        self.0 &= !kind.clone_flag();
    }

    /// Is `kind` a member?
    pub fn contains(self, kind: Kind) -> bool {
        self.0 & kind.clone_flag() != 0
    }

    /// Its members and those of `other`.
    pub fn with(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }

    /// Its members that are not in `other`.
    pub fn without(self, other: Kinds) -> Kinds {
        Kinds(self.0 & !other.0)
    }

    /// Has it no member?
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its members, in the order of [`Kind::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(move |&kind| self.contains(kind))
    }

    /// The flags for unshare(2).
    pub fn clone_flags(self) -> u32 {
        self.0
    }
}

impl FromIterator<Kind> for Kinds {
    fn from_iter<I: IntoIterator<Item = Kind>>(kinds: I) -> Kinds {
        let mut set = Kinds::NONE;
        kinds.into_iter().for_each(|kind| set.insert(kind));
        set
    }
}

impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, kind) in self.iter().enumerate() {
            if n > 0 {
                f.write_str(", ")?;
            }
            f.write_str(kind.proc_name())?;
        }
        Ok(())
    }
}
