//! The ordered list of steps that puts a process into its cell.
//!
//! A step is one change of state. The wrapper carries the list out from front to back, the
//! payload's exec last; `--dry-run` prints it.

mod step;
mod text;

pub use step::{ExitStatus, IdMaps, Step, WatchFor};

use super::identity::Identity;
use super::{Cell, Isolation, Kind, Kinds, Mount, PrivateUsers, Propagation, ProtectControlGroups, Source};
use crate::notify::Access;
use crate::sys::id_map::IdRange;

/// What, beside the cell, shapes the list.
#[derive(Debug, Clone, Default)]
pub struct Circumstances {
    /// [`Step::Verify`] for each namespace that systemd was told to make.
    pub verify: Vec<Step>,
    /// Hand the unit's main process over to the payload, or wait for it?
    pub hand_over: bool,
    /// Tell the manager READY=1 when all is set up?
    pub ready: bool,
    /// Who of the service speaks to the manager through a relay, if anybody?
    pub relay: Option<Access>,
    /// Are the wrapper's own files mounted where the service would see them?
    pub own_files: bool,
    /// Has the wrapper the privilege to make namespaces, or does it get it from the user
    /// namespace that the cell asks for?
    pub privileged: bool,
    /// Let all capabilities reach the command?
    pub keep_capabilities: bool,
    /// The command's working directory, where it is not the wrapper's own.
    pub working_directory: Option<String>,
}

/// The steps that lead into `cell`, as `identity`.
///
/// The order follows from four rules: paths are opened first; a privileged wrapper enters the user
/// namespace last and an unprivileged one first; what needs a namespace comes after it; and
/// privilege is dropped in the order in which systemd drops it.
pub fn steps(cell: &Cell, identity: &Identity, circumstances: &Circumstances) -> Vec<Step> {
    let mut list = Vec::new();
    list.extend(circumstances.verify.iter().cloned());
    if circumstances.privileged && shows_itself(cell) {
        list.push(Step::ProtectProgram);
    }
    if identity.names_anyone() || cell.private_users == PrivateUsers::SelfOnly {
        list.push(Step::LookUpUser);
    }
    let sources = || Kind::ALL.into_iter().filter_map(|kind| Some((kind, cell.source(kind)?)));
    let joined = |kind| cell.joins(kind);
    list.extend(sources().filter_map(|(kind, source)| match source {
        Source::Path(path) => Some(Step::Open(kind, path)),
        Source::New | Source::OfUnit => None,
    }));
    list.extend(cell.neighbour().map(Step::OpenOfUnit));

    if cell.source(Kind::User) == Some(Source::New) {
        list.push(Step::MakeUserNamespace(id_maps(cell)));
    }
    // Not before the users, their subordinate ids and the other unit were looked up in them.
    if circumstances.own_files && circumstances.privileged {
        list.push(Step::DetachOwnFiles);
    }
    let join_user = cell.source(Kind::User).map(|_| Step::Join(Kind::User));
    if !circumstances.privileged {
        list.extend(join_user.clone());
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
    // Through /proc/self, which joined mounts need not have.
    if made.contains(Kind::Time) {
        list.push(Step::SetTimeOffsets {
            monotonic: cell.time_offset_monotonic.unwrap_or(0),
            boottime: cell.time_offset_boottime.unwrap_or(0),
        });
    }
    list.extend(Kind::ALL.into_iter().filter(|&kind| kind != Kind::User && joined(kind)).map(Step::Join));

    if made.contains(Kind::Network) {
        list.push(Step::LoopbackUp);
    }
    list.extend(cell.wanted_hostname().map(|name| Step::SetHostname(name.to_owned())));
    list.extend(cell.domainname.as_ref().map(|name| Step::SetDomainname(name.clone())));
    if of_our_own && cell.propagation != Propagation::Unchanged {
        list.push(Step::DetachMounts(cell.propagation));
    }
    if of_our_own && cell.source(Kind::Network).is_some() {
        list.push(Step::MountSys);
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
        list.push(Step::Fork { hand_over: circumstances.hand_over, init: cell.init });
        if !joined(Kind::Mount) && cell.root_directory.is_none() {
            list.push(Step::MountProc);
        }
    }
    if of_our_own {
        list.extend(mount_steps(cell, circumstances));
    }
    if of_our_own && cell.propagation == Propagation::Shared {
        list.push(Step::ShareMounts);
    }
    if cell.hostname_is_locked() {
        list.push(Step::LockHostname);
    }

    // Ids that map to themselves are the same on both sides, and setting the groups outside keeps
    // those that the namespace does not map, as systemd does. All other ids mean the inside.
    let ids_inside = cell.ids_are_inside();
    let set_groups = identity.names_anyone() || ids_inside;
    if set_groups && !ids_inside {
        list.push(Step::SetGroups);
    }
    if circumstances.privileged {
        list.extend(join_user);
    }
    if set_groups && ids_inside {
        list.push(Step::SetGroups);
    }
    list.extend(identity.restrict_namespaces.map(Step::RestrictNamespaces));
    list.extend(identity.bounding.map(Step::LimitCapabilities));
    if set_groups {
        list.push(Step::SetUser);
    }
    if identity.drop_ambient {
        list.push(Step::DropAmbient);
    }
    if !identity.ambient.is_empty() {
        list.push(Step::RaiseAmbient(identity.ambient));
    }
    if circumstances.keep_capabilities {
        list.push(Step::KeepCapabilities);
    }
    list.extend(identity.secure_bits.map(Step::SetSecureBits));
    if identity.no_new_privileges {
        list.push(Step::NoNewPrivileges);
    }
    match &circumstances.working_directory {
        Some(path) => list.push(Step::EnterDirectory(path.clone())),
        None if identity.names_anyone() => list.push(Step::CheckDirectory),
        None => {}
    }
    if cell.init {
        list.push(Step::StartInit);
    }
    // A watcher relays, too.
    if circumstances.relay.is_some() && !cell.is_watched() {
        list.push(Step::Relay);
    } else if identity.drop_ambient && circumstances.hand_over && cell.source(Kind::Pid).is_some() {
        list.push(Step::KeepSession);
    }
    if cell.is_watched() {
        let (ready_when, health_probe) = (cell.ready_when.clone(), cell.health_probe.clone());
        list.push(Step::Watch(WatchFor { ready_when, health_probe }));
    }
    if circumstances.ready && cell.ready_when.is_empty() {
        list.push(Step::Ready);
    }
    // As close to exec as can be: what is denied now the steps before may have needed.
    if !identity.denied_calls.is_empty() {
        list.push(Step::FindCommand);
    }
    list.extend(identity.denied_calls.iter().cloned().map(Step::DenyCalls));
    list.push(Step::Exec);
    list
}

/// The steps that lead to the cell's own roots and mounts. What they show is what all steps before
/// have left; all of it is taken hold of before any of it is mounted, and so has the name by which
/// it is known outside.
fn mount_steps(cell: &Cell, circumstances: &Circumstances) -> Vec<Step> {
    let mut list = Vec::new();
    // One that was mounted there before would show the processes outside.
    let has_proc = cell.mounts.iter().any(|mount| matches!(mount, Mount::Proc(_)));
    let needs_proc = cell.root_directory.is_some() && cell.source(Kind::Pid).is_some() && !has_proc;
    if needs_proc {
        list.push(Step::Prepare(Mount::Proc("/proc".to_owned())));
    }
    let shows_something = |mount: &&Mount| !matches!(mount, Mount::Tmpfs { .. });
    list.extend(cell.mounts.iter().filter(shows_something).cloned().map(Step::Prepare));
    if !circumstances.privileged && cell.ids_are_inside() {
        list.push(Step::BecomeRoot);
    }
    for root in cell.roots() {
        list.push(Step::EnterRoot(root));
    }
    if needs_proc {
        list.push(Step::MountProc);
    }
    list.extend(cell.mounts.iter().cloned().map(Step::Mount));
    // What is mounted may cover it. A root that was given by hand has no directory of that name.
    if (!cell.mounts.is_empty() || cell.root_overlay) && cell.root_directory.is_none() {
        list.push(Step::ReturnToDirectory);
    }
    list
}

/// Does the wrapper mount anything, and so need a mount namespace of its own?
fn mounts(cell: &Cell) -> bool {
    !cell.joins(Kind::Mount)
        && (cell.makes(Kind::Mount)
            || cell.has_mounts()
            || cell.source(Kind::Network).is_some()
            || cell.private_ipc
            || cell.protect_control_groups != ProtectControlGroups::No
            || cell.source(Kind::Pid).is_some())
}

/// Can there be processes in the cell that see the wrapper, or one beside the payload, where they see none
/// of the host's? And can the wrapper's file be out of sight for the payload, or read-only, which may still
/// have the wrapper read a script? What they may do to its file they could do to the host.
fn shows_itself(cell: &Cell) -> bool {
    let beside = cell.init || cell.is_watched();
    let joins = [Kind::Pid, Kind::User, Kind::Mount].into_iter().any(|kind| cell.joins(kind));
    let covers = |mount: &Mount| matches!(mount, Mount::Bind { .. } | Mount::Tmpfs { .. } | Mount::Overlay(_));
    let hides = cell.roots().next().is_some() || cell.mounts.iter().any(covers);
    joins || hides || (beside && cell.source(Kind::Pid).is_some())
}

fn id_maps(cell: &Cell) -> IdMaps {
    let to_themselves = |count, deny_setgroups| {
        let range = vec![IdRange { inside: 0, outside: 0, count }];
        IdMaps::Ranges { uids: range.clone(), gids: range, deny_setgroups }
    };
    match &cell.private_users {
        PrivateUsers::SelfOnly => IdMaps::SelfOnly,
        // What systemd does, 257 to 262.
        PrivateUsers::Identity => to_themselves(65536, true),
        PrivateUsers::Full => to_themselves(u32::MAX, false),
        PrivateUsers::Subordinate(owner) => IdMaps::Subordinate(owner.clone()),
        PrivateUsers::No => {
            IdMaps::Ranges { uids: cell.uid_map.clone(), gids: cell.gid_map.clone(), deny_setgroups: false }
        }
    }
}

#[cfg(test)]
#[path = "../tests/steps.rs"]
mod tests;
