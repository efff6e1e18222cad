//! What `--dry-run` prints, and what messages say, of each step.

use std::fmt;

use super::step::{IdMaps, Step, WatchFor};
use crate::cell::{Mount, Overlay, Propagation, Root};
use crate::sys::id_map::IdRange;

impl fmt::Display for IdMaps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ranges = |ranges: &[IdRange]| ranges.iter().map(IdRange::to_string).collect::<Vec<_>>().join(" ");
        match self {
            IdMaps::SelfOnly => f.write_str("root and the service's own ids"),
            IdMaps::Subordinate(owner) => write!(f, "the subordinate ids of {owner}"),
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

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Verify { kind, manager, .. } => {
                write!(f, "leave the manager's {kind} namespace {}:[{manager}]", kind.proc_name())
            }
            Step::ProtectProgram => f.write_str("keep the wrapper's own file from being written to"),
            Step::LookUpUser => f.write_str("look up the user and its groups"),
            Step::DetachOwnFiles => f.write_str("unmount the wrapper's own files"),
            Step::Open(kind, path) => write!(f, "open the {kind} namespace {path}"),
            Step::OpenOfUnit(of) => write!(f, "open the namespaces of {of}"),
            Step::Join(kind) => write!(f, "join the {kind} namespace"),
            Step::MakeUserNamespace(maps) => write!(f, "make a user namespace: {maps}"),
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
            Step::DetachMounts(Propagation::Private) => f.write_str("let no mount propagate to the host or from it"),
            Step::DetachMounts(_) => f.write_str("let no mount propagate to the host"),
            Step::MountSys => f.write_str("mount /sys of the network namespace"),
            Step::MountCgroup { read_only, fresh } => write!(
                f,
                "mount /sys/fs/cgroup {}{}",
                if *fresh { "of the cgroup namespace" } else { "again" },
                if *read_only { ", read-only" } else { "" }
            ),
            Step::MountMqueue => f.write_str("mount /dev/mqueue of the IPC namespace"),
            Step::Fork { hand_over, init } => write!(
                f,
                "fork into the PID namespace{}{}",
                if *init { " beside an init" } else { "" },
                if *hand_over { ", hand the main process over and leave" } else { " and wait for its end" }
            ),
            Step::MountProc => f.write_str("mount /proc of the PID namespace"),
            Step::Prepare(Mount::Bind { source, .. }) => write!(f, "open {source}"),
            Step::Prepare(Mount::Overlay(Overlay { lower, upper, .. })) => {
                write!(f, "lay directories over each other: {}", lower.join(", "))?;
                match upper {
                    Some((upper, work)) => write!(f, "; written to {upper}, with {work}"),
                    None => f.write_str("; read-only"),
                }
            }
            Step::Prepare(Mount::Proc(_)) => f.write_str("make a procfs"),
            Step::Prepare(Mount::Sysfs(_)) => f.write_str("make a sysfs"),
            Step::Prepare(Mount::Credentials(path)) => write!(f, "read the credentials in {path}"),
            Step::Prepare(Mount::Resolver(name)) => write!(f, "open the files by which {name} looks names up"),
            Step::Prepare(_) => f.write_str("open the devices of /dev"),
            Step::BecomeRoot => f.write_str("become root of the user namespace"),
            Step::EnterRoot(Root::Directory(path)) => write!(f, "make {path} the root"),
            Step::EnterRoot(Root::Overlay) => f.write_str("enter a throw-away overlay over the root"),
            Step::Mount(Mount::Bind { source, destination, recursive, flags }) => write!(
                f,
                "mount {source} at {destination}{}{}",
                if *recursive { " with all below it" } else { "" },
                if flags.read_only { ", read-only" } else { "" }
            ),
            Step::Mount(Mount::Tmpfs { destination, .. }) => write!(f, "mount a tmpfs at {destination}"),
            Step::Mount(Mount::Proc(path)) => write!(f, "mount procfs at {path}"),
            Step::Mount(Mount::Sysfs(path)) => write!(f, "mount sysfs at {path}"),
            Step::Mount(Mount::Dev(path)) => write!(f, "make a minimal /dev at {path}"),
            Step::Mount(Mount::Credentials(path)) => write!(f, "mount the credentials at {path} for their user inside"),
            Step::Mount(Mount::Resolver(_)) => {
                f.write_str("mount these files over those in /etc, and hide the host's own resolvers")
            }
            Step::Mount(Mount::Overlay(overlay)) => write!(f, "mount the overlay at {}", overlay.destination),
            Step::ReturnToDirectory => f.write_str("enter the working directory as it now is"),
            Step::ShareMounts => f.write_str("share mounts with namespaces made from here"),
            Step::LockHostname => f.write_str("take sethostname and setdomainname away"),
            Step::RestrictNamespaces(kinds) if kinds.is_empty() => f.write_str("deny all namespaces"),
            Step::RestrictNamespaces(kinds) => write!(f, "deny all namespaces but {kinds}"),
            Step::FindCommand => f.write_str("find the command"),
            Step::DenyCalls(denied) => write!(f, "deny system calls: {}", denied.names()),
            Step::SetGroups => f.write_str("set the groups"),
            Step::LimitCapabilities(set) => write!(f, "limit the bounding set to: {set}"),
            Step::SetUser => f.write_str("set the user"),
            Step::DropAmbient => f.write_str("drop all ambient capabilities"),
            Step::RaiseAmbient(set) => write!(f, "raise ambient capabilities: {set}"),
            Step::KeepCapabilities => f.write_str("raise all capabilities as ambient ones"),
            Step::SetSecureBits(bits) => write!(f, "set the securebits to {bits:#x}"),
            Step::NoNewPrivileges => f.write_str("set no_new_privs"),
            Step::CheckDirectory => f.write_str("enter the working directory as that user"),
            Step::StartInit => {
                f.write_str("have the PID namespace's orphans reaped, and signals to its init passed on")
            }
            Step::EnterDirectory(path) => write!(f, "enter the working directory {path} as that user"),
            Step::Relay => f.write_str("have what the service tells the manager relayed"),
            Step::KeepSession => f.write_str("have the PAM session kept open"),
            Step::Watch(watch_for) => write!(f, "have {watch_for} watched"),
            Step::Ready => f.write_str("tell the manager READY=1"),
            Step::Exec => f.write_str("execute the command"),
        }
    }
}
