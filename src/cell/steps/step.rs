//! One step: what it changes, what it needs, and how it fails.

use crate::cell::capability::CapabilitySet;
use crate::cell::system_calls::DeniedCalls;
use crate::cell::{Condition, Kind, Kinds, Mount, NamespacesOf, Propagation, Root};
use crate::sys::id_map::IdRange;

/// An exit status of systemd.exec(5), "Process Exit Codes": `systemctl status` shows its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are systemd.exec(5)'s")]
pub enum ExitStatus {
    InvalidArgument = 2,
    Config = 78,
    Chdir = 200,
    Exec = 203,
    SecureBits = 213,
    Group = 216,
    User = 217,
    Capabilities = 218,
    Network = 225,
    Namespace = 226,
    NoNewPrivileges = 227,
    Seccomp = 228,
}

/// How the ids of a new user namespace are mapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdMaps {
    /// Root and the service's own user and group map to themselves.
    SelfOnly,
    /// Root and all that follow map to this user's subordinate ids.
    Subordinate(String),
    /// These extents.
    Ranges {
        /// The uid_map.
        uids: Vec<IdRange>,
        /// The gid_map.
        gids: Vec<IdRange>,
        /// Is setgroups(2) denied in it?
        deny_setgroups: bool,
    },
}

/// What is watched of a service from beside it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WatchFor {
    /// What must hold for the service to be ready.
    pub ready_when: Vec<Condition>,
    /// What must hold for the watchdog to be fed.
    pub health_probe: Vec<Condition>,
}

/// One change of state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Compare the process's namespace with the manager's, and go no further when it is the same.
    Verify {
        /// The type of namespace.
        kind: Kind,
        /// The inode number of the manager's.
        manager: u64,
        /// The directives that asked for another one, `A=, B=`.
        directives: String,
    },
    /// Let nobody write to the wrapper's own file who finds it through the process.
    ProtectProgram,
    /// Look up the service's user and groups.
    LookUpUser,
    /// Unmount the wrapper's own files, which no longer need to be there.
    DetachOwnFiles,
    /// Open the file of a namespace to join, before anything changes what its path means.
    Open(Kind, String),
    /// Find the main process of another unit, and open its namespaces.
    OpenOfUnit(NamespacesOf),
    /// Enter the namespace of this kind that was opened.
    Join(Kind),
    /// Make a user namespace with these maps, to be joined later.
    MakeUserNamespace(IdMaps),
    /// Make these namespaces.
    Unshare(Kinds),
    /// Take lo up.
    LoopbackUp,
    /// Set the host name.
    SetHostname(String),
    /// Set the NIS domain name.
    SetDomainname(String),
    /// Write the offsets of the new time namespace, in nanoseconds, and enter it.
    SetTimeOffsets {
        /// Of CLOCK_MONOTONIC.
        monotonic: i64,
        /// Of CLOCK_BOOTTIME.
        boottime: i64,
    },
    /// Let no mount reach the host any more, or none of the host's the cell either.
    DetachMounts(Propagation),
    /// Mount /sys as the network namespace sees it.
    MountSys,
    /// Mount the cgroup tree as the new cgroup namespace sees it, or the host's read-only.
    MountCgroup {
        /// Read-only?
        read_only: bool,
        /// Of the new namespace, or the host's as it is mounted?
        fresh: bool,
    },
    /// Mount the message queues of the new IPC namespace.
    MountMqueue,
    /// Go on in a child, which is in the PID namespace.
    Fork {
        /// Hand the unit's main process over to it and leave, or stay until it ends?
        hand_over: bool,
        /// Is another child the first process of the namespace?
        init: bool,
    },
    /// Mount /proc as the PID namespace sees it.
    MountProc,
    /// Take hold of what a mount shows, before anything is mounted over it.
    Prepare(Mount),
    /// Become root of the user namespace, whom files can belong to.
    BecomeRoot,
    /// Make this the root.
    EnterRoot(Root),
    /// Mount it.
    Mount(Mount),
    /// Enter the working directory as it now is.
    ReturnToDirectory,
    /// Let mounts propagate again among the mount namespaces that are made from this one.
    ShareMounts,
    /// Take sethostname(2) and setdomainname(2) away.
    LockHostname,
    /// Deny all types of namespaces but these, as RestrictNamespaces= does.
    RestrictNamespaces(Kinds),
    /// Set the group and the supplementary groups.
    SetGroups,
    /// Drop all capabilities but these from the bounding set.
    LimitCapabilities(CapabilitySet),
    /// Become the service's user.
    SetUser,
    /// Drop all ambient capabilities.
    DropAmbient,
    /// Raise these ambient capabilities.
    RaiseAmbient(CapabilitySet),
    /// Raise all permitted capabilities as ambient ones.
    KeepCapabilities,
    /// Set the securebits.
    SetSecureBits(u32),
    /// Set no_new_privs.
    NoNewPrivileges,
    /// Enter the working directory once more, as the user that the service now is.
    CheckDirectory,
    /// Enter this working directory, as the user that the service now is.
    EnterDirectory(String),
    /// Send the first process of the PID namespace to its work.
    StartInit,
    /// Stay as the relay of what the service tells the manager.
    Relay,
    /// Stay as what the PAM session lasts as long as.
    KeepSession,
    /// Send the watcher to its work.
    Watch(WatchFor),
    /// Find the command's file: there may be no looking for it afterwards.
    FindCommand,
    /// Deny these system calls.
    DenyCalls(DeniedCalls),
    /// Tell the manager that the service is started.
    Ready,
    /// Become the service.
    Exec,
}

impl Step {
    /// The status that the wrapper exits with when the step fails.
    pub fn exit_status(&self) -> ExitStatus {
        match self {
            Step::Verify { kind: Kind::Network, .. }
            | Step::Open(Kind::Network, _)
            | Step::Join(Kind::Network)
            | Step::LoopbackUp
            | Step::MountSys => ExitStatus::Network,
            // The mount namespace is there for its /sys.
            Step::Unshare(kinds)
                if kinds.contains(Kind::Network)
                    && kinds.iter().all(|kind| matches!(kind, Kind::Network | Kind::Mount)) =>
            {
                ExitStatus::Network
            }
            Step::MakeUserNamespace(_)
            | Step::Join(Kind::User)
            | Step::BecomeRoot
            | Step::LookUpUser
            | Step::SetUser => ExitStatus::User,
            Step::SetGroups => ExitStatus::Group,
            Step::LimitCapabilities(_) | Step::DropAmbient | Step::RaiseAmbient(_) | Step::KeepCapabilities => {
                ExitStatus::Capabilities
            }
            Step::SetSecureBits(_) => ExitStatus::SecureBits,
            Step::NoNewPrivileges => ExitStatus::NoNewPrivileges,
            Step::LockHostname | Step::RestrictNamespaces(_) | Step::DenyCalls(_) => ExitStatus::Seccomp,
            Step::CheckDirectory | Step::EnterDirectory(_) | Step::ReturnToDirectory => ExitStatus::Chdir,
            Step::Relay | Step::KeepSession | Step::Watch(_) | Step::FindCommand | Step::Ready | Step::Exec => {
                ExitStatus::Exec
            }
            _ => ExitStatus::Namespace,
        }
    }

    /// The namespaces that the step is about, for the message that names the directives.
    pub fn kinds(&self) -> Kinds {
        match self {
            Step::Unshare(kinds) => *kinds,
            Step::Verify { kind, .. } | Step::Open(kind, _) | Step::Join(kind) => Kinds::from_iter([*kind]),
            Step::OpenOfUnit(of) => Kind::ALL.into_iter().filter(|&kind| of.means(kind)).collect(),
            Step::MakeUserNamespace(_) | Step::BecomeRoot => Kinds::from_iter([Kind::User]),
            Step::LoopbackUp | Step::MountSys => Kinds::from_iter([Kind::Network]),
            Step::SetHostname(_) | Step::SetDomainname(_) | Step::LockHostname => Kinds::from_iter([Kind::Uts]),
            Step::SetTimeOffsets { .. } => Kinds::from_iter([Kind::Time]),
            Step::MountCgroup { .. } => Kinds::from_iter([Kind::Cgroup]),
            Step::MountMqueue => Kinds::from_iter([Kind::Ipc]),
            Step::Fork { .. } | Step::MountProc | Step::StartInit => Kinds::from_iter([Kind::Pid]),
            Step::DetachMounts(_)
            | Step::Prepare(_)
            | Step::EnterRoot(_)
            | Step::Mount(_)
            | Step::ReturnToDirectory
            | Step::ShareMounts => Kinds::from_iter([Kind::Mount]),
            _ => Kinds::NONE,
        }
    }

    /// Is it done once for the cell, and not by each of its processes?
    pub fn is_of_the_cell(&self) -> bool {
        matches!(self, Step::MountProc | Step::Prepare(_) | Step::EnterRoot(_) | Step::Mount(_) | Step::ShareMounts)
    }

    /// Does it send a process beside the payload to its work?
    pub fn is_about_work_beside(&self) -> bool {
        matches!(self, Step::StartInit | Step::Relay | Step::KeepSession | Step::Watch(_))
    }

    /// The namespaces without which the step must not be taken: setting a host name is for a
    /// UTS namespace of our own, and would otherwise rename the host.
    pub fn needs(&self) -> Kinds {
        match self {
            Step::MountCgroup { fresh: false, .. } => Kinds::from_iter([Kind::Mount]),
            Step::MountCgroup { .. } => Kinds::from_iter([Kind::Mount, Kind::Cgroup]),
            Step::MountMqueue => Kinds::from_iter([Kind::Mount, Kind::Ipc]),
            Step::MountProc => Kinds::from_iter([Kind::Mount, Kind::Pid]),
            // The network namespace may be systemd's work.
            Step::MountSys => Kinds::from_iter([Kind::Mount]),
            Step::Unshare(_)
            | Step::Verify { .. }
            | Step::Open(..)
            | Step::OpenOfUnit(_)
            | Step::Join(_)
            | Step::MakeUserNamespace(_) => Kinds::NONE,
            _ => self.kinds(),
        }
    }
}
