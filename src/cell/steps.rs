//! The ordered list of steps that puts a process into its cell.
//!
//! A step is one change of state. The wrapper carries the list out from front to back, the
//! payload's exec last; `--dry-run` prints it.

use std::fmt;

use super::capability::CapabilitySet;
use super::identity::Identity;
use super::{Cell, Condition, IdRange, Isolation, Kind, Kinds, PrivateUsers, ProtectControlGroups, Source};

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
    /// Look up the service's user and groups.
    LookUpUser,
    /// Open the file of a namespace to join, before anything changes what its path means.
    Open(Kind, String),
    /// Enter the namespace of this kind that was opened.
    Join(Kind),
    /// Make a user namespace with these maps, and enter it.
    EnterUserNamespace(IdMaps),
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
    /// Let no mount reach the host any more.
    DetachMounts,
    /// Mount the cgroup tree as the new cgroup namespace sees it, or the host's read-only.
    MountCgroup {
        /// Read-only?
        read_only: bool,
        /// Of the new namespace, or the host's as it is mounted?
        fresh: bool,
    },
    /// Mount the message queues of the new IPC namespace.
    MountMqueue,
    /// Go on in a child, which is the first one in the PID namespace.
    Fork {
        /// Hand the unit's main process over to it and leave, or stay until it ends?
        hand_over: bool,
    },
    /// Mount /proc as the PID namespace sees it.
    MountProc,
    /// Let mounts propagate again among the mount namespaces that are made from this one.
    ShareMounts,
    /// Take sethostname(2) and setdomainname(2) away.
    LockHostname,
    /// Set the group and the supplementary groups.
    SetGroups,
    /// Drop all capabilities but these from the bounding set.
    LimitCapabilities(CapabilitySet),
    /// Become the service's user.
    SetUser,
    /// Raise these ambient capabilities.
    RaiseAmbient(CapabilitySet),
    /// Set the securebits.
    SetSecureBits(u32),
    /// Set no_new_privs.
    NoNewPrivileges,
    /// Enter the working directory once more, as the user that the service now is.
    CheckDirectory,
    /// Send the watcher to its work.
    Watch(WatchFor),
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
            | Step::LoopbackUp => ExitStatus::Network,
            Step::Unshare(kinds) if kinds.iter().all(|kind| kind == Kind::Network) => ExitStatus::Network,
            Step::EnterUserNamespace(_) | Step::Join(Kind::User) | Step::LookUpUser | Step::SetUser => ExitStatus::User,
            Step::SetGroups => ExitStatus::Group,
            Step::LimitCapabilities(_) | Step::RaiseAmbient(_) => ExitStatus::Capabilities,
            Step::SetSecureBits(_) => ExitStatus::SecureBits,
            Step::NoNewPrivileges => ExitStatus::NoNewPrivileges,
            Step::LockHostname => ExitStatus::Seccomp,
            Step::CheckDirectory => ExitStatus::Chdir,
            Step::Watch(_) | Step::Ready | Step::Exec => ExitStatus::Exec,
            _ => ExitStatus::Namespace,
        }
    }

    /// The namespaces that the step is about, for the message that names the directives.
    pub fn kinds(&self) -> Kinds {
        match self {
            Step::Unshare(kinds) => *kinds,
            Step::Verify { kind, .. } | Step::Open(kind, _) | Step::Join(kind) => Kinds::from_iter([*kind]),
            Step::EnterUserNamespace(_) => Kinds::from_iter([Kind::User]),
            Step::LoopbackUp => Kinds::from_iter([Kind::Network]),
            Step::SetHostname(_) | Step::SetDomainname(_) | Step::LockHostname => Kinds::from_iter([Kind::Uts]),
            Step::SetTimeOffsets { .. } => Kinds::from_iter([Kind::Time]),
            Step::MountCgroup { .. } => Kinds::from_iter([Kind::Cgroup]),
            Step::MountMqueue => Kinds::from_iter([Kind::Ipc]),
            Step::Fork { .. } | Step::MountProc => Kinds::from_iter([Kind::Pid]),
            Step::DetachMounts | Step::ShareMounts => Kinds::from_iter([Kind::Mount]),
            _ => Kinds::NONE,
        }
    }

    /// Is it done once for the cell, and not by each of its processes?
    pub fn is_of_the_cell(&self) -> bool {
        matches!(self, Step::MountProc | Step::ShareMounts)
    }

    /// The namespaces without which the step must not be taken: setting a host name is for a
    /// UTS namespace of our own, and would otherwise rename the host.
    pub fn needs(&self) -> Kinds {
        match self {
            Step::MountCgroup { fresh: false, .. } => Kinds::from_iter([Kind::Mount]),
            Step::MountCgroup { .. } => Kinds::from_iter([Kind::Mount, Kind::Cgroup]),
            Step::MountMqueue => Kinds::from_iter([Kind::Mount, Kind::Ipc]),
            Step::MountProc => Kinds::from_iter([Kind::Mount, Kind::Pid]),
            Step::Unshare(_) | Step::Verify { .. } | Step::Open(..) | Step::Join(_) | Step::EnterUserNamespace(_) => {
                Kinds::NONE
            }
            _ => self.kinds(),
        }
    }
}

/// What, beside the cell, shapes the list.
#[derive(Debug, Clone, Default)]
pub struct Circumstances {
    /// [`Step::Verify`] for each namespace that systemd was told to make.
    pub verify: Vec<Step>,
    /// Hand the unit's main process over to the payload, or wait for it?
    pub hand_over: bool,
    /// Tell the manager READY=1 when all is set up?
    pub ready: bool,
    /// Has the wrapper the privilege to make namespaces, or does it get it from the user
    /// namespace that the cell asks for?
    pub privileged: bool,
}

/// The steps that lead into `cell`, as `identity`.
///
/// The order follows from four rules: paths are opened first; a privileged wrapper enters the user
/// namespace last and an unprivileged one first; what needs a namespace comes after it; and
/// privilege is dropped in the order in which systemd drops it.
pub fn steps(cell: &Cell, identity: &Identity, circumstances: &Circumstances) -> Vec<Step> {
    let mut list = Vec::new();
    list.extend(circumstances.verify.iter().cloned());
    if identity.names_anyone() || cell.private_users == PrivateUsers::SelfOnly {
        list.push(Step::LookUpUser);
    }
    let sources = || Kind::ALL.into_iter().filter_map(|kind| Some((kind, cell.source(kind)?)));
    let joined = |kind| matches!(cell.source(kind), Some(Source::Path(_)));
    list.extend(sources().filter_map(|(kind, source)| match source {
        Source::Path(path) => Some(Step::Open(kind, path)),
        Source::New => None,
    }));

    let enter_user = match (cell.source(Kind::User), id_maps(cell)) {
        (Some(Source::Path(_)), _) => Some(Step::Join(Kind::User)),
        (Some(Source::New), maps) => Some(Step::EnterUserNamespace(maps)),
        (None, _) => None,
    };
    if !circumstances.privileged {
        list.extend(enter_user.clone());
    }

    let of_our_own = mounts(cell);
    let mut made: Kinds = sources().filter(|(_, source)| *source == Source::New).map(|(kind, _)| kind).collect();
    made.remove(Kind::User);
    if of_our_own {
        made.insert(Kind::Mount);
    }
    match cell.isolation {
        Isolation::Require if made.is_empty() => {}
        Isolation::Require => list.push(Step::Unshare(made)),
        // One by one, so that one that can't be had takes no other with it.
        Isolation::Try => list.extend(made.iter().map(|kind| Step::Unshare(Kinds::from_iter([kind])))),
    }
    list.extend(Kind::ALL.into_iter().filter(|&kind| kind != Kind::User && joined(kind)).map(Step::Join));

    if made.contains(Kind::Network) {
        list.push(Step::LoopbackUp);
    }
    list.extend(cell.wanted_hostname().map(|name| Step::SetHostname(name.to_owned())));
    list.extend(cell.domainname.as_ref().map(|name| Step::SetDomainname(name.clone())));
    if made.contains(Kind::Time) {
        list.push(Step::SetTimeOffsets {
            monotonic: cell.time_offset_monotonic.unwrap_or(0),
            boottime: cell.time_offset_boottime.unwrap_or(0),
        });
    }
    if of_our_own {
        list.push(Step::DetachMounts);
    }
    match cell.protect_control_groups {
        ProtectControlGroups::No => {}
        mode => list.push(Step::MountCgroup {
            read_only: mode != ProtectControlGroups::Private,
            fresh: mode != ProtectControlGroups::Yes,
        }),
    }
    if made.contains(Kind::Ipc) {
        list.push(Step::MountMqueue);
    }
    if cell.source(Kind::Pid).is_some() {
        list.push(Step::Fork { hand_over: circumstances.hand_over });
        if !joined(Kind::Mount) {
            list.push(Step::MountProc);
        }
    }
    if of_our_own {
        list.push(Step::ShareMounts);
    }
    if cell.hostname_is_locked() {
        list.push(Step::LockHostname);
    }

    // Ids that map to themselves are the same on both sides, and setting the groups outside keeps
    // those that the namespace does not map, as systemd does. All other ids mean the inside.
    let ids_inside = enter_user.is_some() && cell.private_users == PrivateUsers::No;
    let set_groups = identity.names_anyone() || ids_inside;
    if set_groups && !ids_inside {
        list.push(Step::SetGroups);
    }
    if circumstances.privileged {
        list.extend(enter_user);
    }
    if set_groups && ids_inside {
        list.push(Step::SetGroups);
    }
    list.extend(identity.bounding.map(Step::LimitCapabilities));
    if set_groups {
        list.push(Step::SetUser);
    }
    if !identity.ambient.is_empty() {
        list.push(Step::RaiseAmbient(identity.ambient));
    }
    list.extend(identity.secure_bits.map(Step::SetSecureBits));
    if identity.no_new_privileges {
        list.push(Step::NoNewPrivileges);
    }
    if identity.names_anyone() {
        list.push(Step::CheckDirectory);
    }
    if cell.is_watched() {
        let (ready_when, health_probe) = (cell.ready_when.clone(), cell.health_probe.clone());
        list.push(Step::Watch(WatchFor { ready_when, health_probe }));
    }
    if circumstances.ready && cell.ready_when.is_empty() {
        list.push(Step::Ready);
    }
    list.push(Step::Exec);
    list
}

/// Does the wrapper mount anything, and so need a mount namespace of its own?
fn mounts(cell: &Cell) -> bool {
    let joined = cell.paths.iter().any(|(kind, _)| *kind == Kind::Mount);
    !joined
        && (cell.private_mounts
            || cell.private_ipc
            || cell.protect_control_groups != ProtectControlGroups::No
            || cell.source(Kind::Pid).is_some())
}

fn id_maps(cell: &Cell) -> IdMaps {
    let to_themselves = |count, deny_setgroups| {
        let range = vec![IdRange { inside: 0, outside: 0, count }];
        IdMaps::Ranges { uids: range.clone(), gids: range, deny_setgroups }
    };
    match cell.private_users {
        PrivateUsers::SelfOnly => IdMaps::SelfOnly,
        // What systemd does, 257 to 262.
        PrivateUsers::Identity => to_themselves(65536, true),
        PrivateUsers::Full => to_themselves(u32::MAX, false),
        PrivateUsers::No => {
            IdMaps::Ranges { uids: cell.uid_map.clone(), gids: cell.gid_map.clone(), deny_setgroups: false }
        }
    }
}

impl fmt::Display for IdMaps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ranges = |ranges: &[IdRange]| ranges.iter().map(IdRange::to_string).collect::<Vec<_>>().join(" ");
        match self {
            IdMaps::SelfOnly => f.write_str("root and the service's own ids"),
            IdMaps::Ranges { uids, gids, .. } => write!(f, "uids {}, gids {}", ranges(uids), ranges(gids)),
        }
    }
}

impl fmt::Display for WatchFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, condition) in self.ready_when.iter().chain(&self.health_probe).enumerate() {
            write!(f, "{}{condition}", if n > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}

/// What `--dry-run` prints, one line.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Verify { kind, manager, .. } => {
                write!(f, "leave the manager's {kind} namespace {}:[{manager}]", kind.proc_name())
            }
            Step::LookUpUser => f.write_str("look up the user and its groups"),
            Step::Open(kind, path) => write!(f, "open the {kind} namespace {path}"),
            Step::Join(kind) => write!(f, "join the {kind} namespace"),
            Step::EnterUserNamespace(maps) => write!(f, "make and enter a user namespace: {maps}"),
            Step::Unshare(kinds) => write!(f, "make namespaces: {kinds}"),
            Step::LoopbackUp => f.write_str("take lo up"),
            Step::SetHostname(name) => write!(f, "set the host name to {name}"),
            Step::SetDomainname(name) => write!(f, "set the NIS domain name to {name}"),
            Step::SetTimeOffsets { monotonic, boottime } => {
                write!(
                    f,
                    "shift the clocks and enter the time namespace: monotonic {monotonic} ns, boottime {boottime} ns"
                )
            }
            Step::DetachMounts => f.write_str("let no mount propagate to the host"),
            Step::MountCgroup { read_only, fresh } => write!(
                f,
                "mount /sys/fs/cgroup {}{}",
                if *fresh { "of the cgroup namespace" } else { "again" },
                if *read_only { ", read-only" } else { "" }
            ),
            Step::MountMqueue => f.write_str("mount /dev/mqueue of the IPC namespace"),
            Step::Fork { hand_over: true } => {
                f.write_str("fork into the PID namespace, hand the main process over and leave")
            }
            Step::Fork { hand_over: false } => f.write_str("fork into the PID namespace and wait for its end"),
            Step::MountProc => f.write_str("mount /proc of the PID namespace"),
            Step::ShareMounts => f.write_str("share mounts with namespaces made from here"),
            Step::LockHostname => f.write_str("take sethostname and setdomainname away"),
            Step::SetGroups => f.write_str("set the groups"),
            Step::LimitCapabilities(set) => write!(f, "limit the bounding set to: {set}"),
            Step::SetUser => f.write_str("set the user"),
            Step::RaiseAmbient(set) => write!(f, "raise ambient capabilities: {set}"),
            Step::SetSecureBits(bits) => write!(f, "set the securebits to {bits:#x}"),
            Step::NoNewPrivileges => f.write_str("set no_new_privs"),
            Step::CheckDirectory => f.write_str("enter the working directory as that user"),
            Step::Watch(watch_for) => write!(f, "have {watch_for} watched"),
            Step::Ready => f.write_str("tell the manager READY=1"),
            Step::Exec => f.write_str("execute the command"),
        }
    }
}

#[cfg(test)]
#[path = "tests/steps.rs"]
mod tests;
