//! What the wrapper is asked for.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::cell::capability::CAP_SYS_ADMIN;
use crate::cell::identity::Identity;
use crate::cell::steps::{Circumstances, Step};
use crate::cell::{Cell, Kind, PrivateUsers};
use crate::notify::Access;
use crate::sys;

/// What the wrapper is to do.
#[derive(Debug)]
pub enum Action {
    /// Set the cell up and become the command.
    Run(Box<Request>),
    /// Print the steps.
    DryRun(Box<Request>),
    /// Fail, with this reason.
    Refuse(String),
    /// Print how it is used.
    Help,
    /// Print the version.
    Version,
}

impl Action {
    /// Whoever may make no namespace and asks for no user namespace gets one to make the others in: its
    /// ids stay the same. Not so in a unit, where systemd makes some of them: those would be
    /// left out of it.
    pub fn for_the_caller(mut self) -> Action {
        if let Action::Run(request) | Action::DryRun(request) = &mut self {
            let by_hand = request.sources.is_empty() && request.verify.is_empty();
            let asks =
                Kind::ALL.into_iter().any(|kind| request.cell.source(kind).is_some()) || request.cell.has_mounts();
            let has_user = request.cell.source(Kind::User).is_some();
            let unprivileged = || !nix::unistd::geteuid().is_root() && !request.circumstances().privileged;
            if by_hand && asks && !has_user && unprivileged() {
                request.cell.private_users = PrivateUsers::SelfOnly;
            }
        }
        self
    }
}

/// A cell to set up and a command to become.
#[derive(Debug, Default)]
pub struct Request {
    /// The namespaces to make and join.
    pub cell: Cell,
    /// Who the payload is.
    pub identity: Identity,
    /// The files that asked for all this.
    pub sources: Vec<String>,
    /// The manager's namespaces, which must have been left.
    pub verify: Vec<Step>,
    /// Hand the main process of the unit over to a process in a PID namespace?
    pub hand_over: bool,
    /// Tell the manager READY=1 right before the command is executed?
    pub ready: bool,
    /// Stand between the command and the manager's notification socket, for whom of its processes?
    pub relay: Option<Access>,
    /// Keep `$NOTIFY_SOCKET` from the command?
    pub hide_notify_socket: bool,
    /// Let all capabilities reach the command?
    pub keep_capabilities: bool,
    /// The command's working directory.
    pub working_directory: Option<String>,
    /// Where the wrapper's own files are mounted, in a root that has none of them.
    pub own_files: Option<PathBuf>,
    /// Where a command without a slash is looked for, instead of `$PATH`.
    pub search_path: Option<OsString>,
    /// What the command gets as its name, instead of its path.
    pub argv0: Option<OsString>,
    /// The command and its arguments.
    pub command: Vec<OsString>,
}

impl Request {
    /// What, beside the cell, shapes the steps.
    pub fn circumstances(&self) -> Circumstances {
        Circumstances {
            verify: self.verify.clone(),
            hand_over: self.hand_over,
            ready: self.ready,
            relay: self.relay,
            own_files: self.own_files.is_some(),
            privileged: sys::capability::has_effective(CAP_SYS_ADMIN).unwrap_or(false),
            keep_capabilities: self.keep_capabilities,
            working_directory: self.working_directory.clone(),
        }
    }

    /// The directives that a step is for.
    pub fn directives_of(&self, step: &Step) -> String {
        if let Step::Verify { directives, .. } = step {
            return directives.clone();
        }
        if let Step::Watch(watch_for) = step {
            let names = [("ReadyWhen=", &watch_for.ready_when), ("HealthProbe=", &watch_for.health_probe)];
            let asked = names.into_iter().filter(|(_, conditions)| !conditions.is_empty()).map(|(name, _)| name);
            return asked.collect::<Vec<_>>().join(", ");
        }
        let kinds = step.kinds();
        let mut names: Vec<String> =
            kinds.iter().map(|kind| self.cell.directives_of(kind)).filter(|names| !names.is_empty()).collect();
        names.dedup();
        names.join(", ")
    }
}
