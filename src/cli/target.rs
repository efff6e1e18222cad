//! What show, diff, lsns and graph are about: a process or a namespace, however it is told.

use std::fs;
use std::path::{Path, PathBuf};

use super::Error;
use super::subject::unit_name;
use crate::bus;
use crate::cell::Kind;
use crate::inspect::{Process, process};
use crate::netns::Places;
use crate::unit::Scope;

/// What a text on the command line means.
#[derive(Debug)]
pub enum Target {
    /// A process, and the unit that it belongs to if it does.
    Process { unit: Option<String>, process: Process },
    /// A namespace, by the file that it is mounted upon.
    Namespace { kind: Kind, inode: u64, path: PathBuf },
}

impl Target {
    /// A process id, a unit that is running, the name of a network namespace or the file of any.
    ///
    /// A path has a slash and a unit's name its suffix. Of a name that might be either, it is a
    /// network namespace if there is one of that name.
    pub fn of(text: &str, user: bool) -> Result<Target, Error> {
        if let Ok(pid) = text.parse() {
            return Target::of_pid(pid);
        }
        let of_user = || Places::of_caller().ok().filter(|_| user);
        let pin = of_user().unwrap_or_else(Places::system).pin(text);
        if text.contains('/') {
            Target::of_file(Path::new(text))
        } else if !text.contains('.') && pin.symlink_metadata().is_ok() {
            Target::of_file(&pin)
        } else {
            Target::of_unit(text, user)
        }
    }

    /// A process id or a unit, whose process it is then.
    pub fn process(text: &str, user: bool) -> Result<Process, Error> {
        let target = match text.parse() {
            Ok(pid) => Target::of_pid(pid)?,
            Err(_) => Target::of_unit(text, user)?,
        };
        match target {
            Target::Process { process, .. } => Ok(process),
            Target::Namespace { .. } => Err(Error::Usage(format!("{text:?} is no process"))),
        }
    }

    /// Its namespace of this type, if it has one and may be looked at.
    pub fn namespace(&self, kind: Kind) -> Option<u64> {
        match self {
            Target::Process { process, .. } => process.namespace(kind).ok(),
            Target::Namespace { kind: own, inode, .. } => (*own == kind).then_some(*inode),
        }
    }

    /// What to call it.
    pub fn name(&self) -> String {
        match self {
            Target::Process { unit: Some(unit), .. } => unit.clone(),
            Target::Process { process, .. } => format!("process {}", process.pid),
            Target::Namespace { path, .. } => path.display().to_string(),
        }
    }

    fn of_pid(pid: u32) -> Result<Target, Error> {
        let process = Process::new(pid);
        if !process.exists() {
            return Err(Error::NoSuchProcess(pid));
        }
        Ok(Target::Process { unit: process.unit(), process })
    }

    fn of_file(path: &Path) -> Result<Target, Error> {
        let failed = |reason: String| Error::NotANamespace { path: path.to_owned(), reason };
        match process::namespace_of_file(path) {
            Ok(Some((kind, inode))) => Ok(Target::Namespace { kind, inode, path: path.to_owned() }),
            Ok(None) => Err(failed("it is no file of a namespace".to_owned())),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    fn of_unit(text: &str, user: bool) -> Result<Target, Error> {
        let scope = if user { Scope::User } else { Scope::System };
        let state = bus::unit(scope, unit_name(text)?.as_str())?;
        // A unit without a main process may still have others.
        let pid = state.main_pid.or_else(|| {
            let group = state.control_group.as_deref()?;
            let processes = fs::read_to_string(format!("/sys/fs/cgroup{group}/cgroup.procs")).ok()?;
            processes.lines().next()?.parse().ok()
        });
        match pid {
            Some(pid) => Ok(Target::Process { unit: Some(state.id), process: Process::new(pid) }),
            None => Err(Error::NotRunning { unit: state.id, active: state.active }),
        }
    }
}
