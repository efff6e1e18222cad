//! The main process of a running unit, found without a word to its manager: by its control group.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::unistd::Pid;

use super::control_group::root_of;
use super::process::Process;
use crate::cell::Kind;
use crate::sys;

/// Where the unified hierarchy is mounted on every host with systemd.
pub const HIERARCHY: &str = "/sys/fs/cgroup";

/// How often, and after which pause, to look again at a unit whose processes are about to change. The
/// time limit of the start that waits for it rules above this.
const LOOKS: usize = 500;
const PAUSE: Duration = Duration::from_millis(20);

/// A unit's main process.
#[derive(Debug)]
pub struct MainProcess {
    /// The process.
    pub process: Process,
    /// The manager of the unit.
    pub manager: Process,
    control_group: String,
    pidfd: OwnedFd,
}

/// The manager that this process belongs to.
struct Manager {
    hierarchy: PathBuf,
    process: Process,
    /// The control group above those of its units.
    root: String,
}

impl MainProcess {
    /// Of a unit of the manager that this process belongs to, with the unified hierarchy of control groups
    /// mounted at `hierarchy`.
    ///
    /// Which of several processes is the main one only the manager knows. It does not matter as
    /// long as all are in the same namespaces of these types; otherwise nobody here can tell.
    pub fn of_unit(unit: &str, kinds: &[Kind], hierarchy: &Path) -> io::Result<MainProcess> {
        let manager = Manager::of_this_process(hierarchy)?;
        let mut looks = 0;
        loop {
            let control_group = manager.control_group_of(unit)?;
            match MainProcess::in_control_group(&manager, &control_group, kinds)? {
                Ok(main) => return Ok(main),
                Err(why) if looks == LOOKS => return Err(io::Error::other(format!("{unit}: {why}"))),
                Err(_) => std::thread::sleep(PAUSE),
            }
            looks += 1;
        }
    }

    /// Or why there is none just now: a command of the unit may be under way, in other namespaces.
    fn in_control_group(
        manager: &Manager,
        control_group: &str,
        kinds: &[Kind],
    ) -> io::Result<Result<MainProcess, String>> {
        let directory = manager.directory(control_group);
        let mut all = processes(&directory)?;
        if all.is_empty() {
            // A unit with Delegate= may have moved all its processes below.
            all = processes_below(&directory)?;
        }
        all.retain(|process| !is_dead(process) && !has_file_of(process, &Process::current()));
        // Of a service of Type=simple systemd says that it runs when its process has still to become it.
        if let Some(process) = all.iter().find(|process| is_of_systemd(process, &manager.process)) {
            return Ok(Err(format!("its process {} is about to start", process.pid)));
        }
        let of_manager = |process: &&Process| process.parent() == Some(manager.process.pid);
        let mut candidates: Vec<&Process> = all.iter().filter(of_manager).collect();
        if candidates.is_empty() {
            candidates = all.iter().collect();
        }
        let Some(&first) = candidates.first() else { return Ok(Err("it has no process".to_owned())) };
        let pidfd = match sys::process::pidfd(Pid::from_raw(first.pid.cast_signed())) {
            Ok(pidfd) => pidfd,
            Err(_) => return Ok(Err(format!("its process {} has ended", first.pid))),
        };
        for &kind in kinds {
            let inode = first.namespace(kind)?;
            for other in &candidates[1..] {
                if other.namespace(kind).is_ok_and(|other| other != inode) {
                    return Ok(Err(format!(
                        "its processes {} and {} are in different {kind} namespaces, and which is the main one only \
                         the manager knows",
                        first.pid, other.pid
                    )));
                }
            }
        }
        let (process, manager) = (first.clone(), manager.process.clone());
        let main = MainProcess { process, manager, control_group: control_group.to_owned(), pidfd };
        Ok(main.is_still_there().map(|()| main).map_err(|error| error.to_string()))
    }

    /// Fails unless the process lives, and is one of the unit's: whatever was read of it by its number
    /// before was its own then.
    pub fn is_still_there(&self) -> io::Result<()> {
        let group = self.process.control_group()?.unwrap_or_default();
        let below =
            group.strip_prefix(&self.control_group).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let ended = sys::process::has_ended(&self.pidfd)?;
        if below && !ended { Ok(()) } else { Err(io::Error::other("its process has ended")) }
    }
}

impl Manager {
    fn of_this_process(hierarchy: &Path) -> io::Result<Manager> {
        let unified = nix::sys::statfs::statfs(hierarchy)?.filesystem_type() == nix::sys::statfs::CGROUP2_SUPER_MAGIC;
        if !unified {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                format!("{} is not the unified hierarchy", hierarchy.display()),
            ));
        }
        let hierarchy = hierarchy.to_owned();
        let group = |process: &Process| -> io::Result<String> {
            process.control_group()?.ok_or_else(|| io::Error::other("the control group of a process is not known"))
        };
        if let Some(root) = user_manager(&group(&Process::current())?) {
            return Ok(Manager {
                hierarchy,
                process: Process::new(nix::unistd::getppid().as_raw().cast_unsigned()),
                root,
            });
        }
        let process = Process::new(1);
        let root = root_of(&group(&process)?).to_owned();
        Ok(Manager { hierarchy, process, root })
    }

    /// Where a control group can be looked into.
    fn directory(&self, control_group: &str) -> PathBuf {
        self.hierarchy.join(control_group.trim_start_matches('/'))
    }

    /// Units are in slices, and those in each other; systemd.slice(5).
    fn control_group_of(&self, unit: &str) -> io::Result<String> {
        let mut slices = vec![self.root.clone()];
        let mut found = Vec::new();
        while let Some(slice) = slices.pop() {
            for entry in fs::read_dir(self.directory(&slice))?.flatten() {
                let name = entry.file_name();
                let Some(name) = name.to_str() else { continue };
                let path = format!("{slice}/{name}");
                // systemd puts an underscore before what is also the name of a file in there.
                if name == unit || name.strip_prefix('_') == Some(unit) {
                    found.push(path);
                } else if name.ends_with(".slice") {
                    slices.push(path);
                }
            }
        }
        // After a change of Slice= there may be one that nobody is in any more.
        found.retain(|path| is_populated(&self.directory(path)));
        match found.len() {
            1 => Ok(found.swap_remove(0)),
            0 => Err(io::Error::new(io::ErrorKind::NotFound, format!("{unit} is not running"))),
            _ => Err(io::Error::other(format!("{unit} has several control groups: {}", found.join(", ")))),
        }
    }
}

/// The control group of the user manager that a process in `path` belongs to.
fn user_manager(path: &str) -> Option<String> {
    let is_manager = |part: &&str| part.starts_with("user@") && part.ends_with(".service");
    let part = path.split('/').find(is_manager)?;
    let end = path.find(part)? + part.len();
    Some(path[..end].to_owned())
}

fn is_populated(control_group: &Path) -> bool {
    let events = fs::read_to_string(control_group.join("cgroup.events"));
    events.is_ok_and(|events| events.lines().any(|line| line == "populated 1"))
}

fn processes(control_group: &Path) -> io::Result<Vec<Process>> {
    let list = fs::read_to_string(control_group.join("cgroup.procs"))?;
    // 0 is one that this PID namespace has no number for.
    Ok(list.lines().filter_map(|pid| pid.parse().ok()).filter(|pid| *pid != 0).map(Process::new).collect())
}

fn processes_below(control_group: &Path) -> io::Result<Vec<Process>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(control_group)?.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(processes(&entry.path())?);
            found.extend(processes_below(&entry.path())?);
        }
    }
    Ok(found)
}

fn is_dead(process: &Process) -> bool {
    process.status("State").map_or(true, |state| state.is_none_or(|state| state.starts_with(['Z', 'X'])))
}

/// Do the two run the same file? Of this process's own are all that the wrapper has left beside a service.
fn has_file_of(process: &Process, other: &Process) -> bool {
    let file = |process: &Process| fs::metadata(process.path("exe")).map(|file| (file.dev(), file.ino()));
    matches!((file(process), file(other)), (Ok(one), Ok(other)) if one == other)
}

/// Is it one that systemd has forked, and that has not become what the unit runs yet?
fn is_of_systemd(process: &Process, manager: &Process) -> bool {
    let executor = || fs::read_link(process.path("exe")).is_ok_and(|file| file.ends_with("systemd-executor"));
    has_file_of(process, manager) || executor()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_manager_is_found_in_the_path() {
        let path = "/user.slice/user-1000.slice/user@1000.service/app.slice/web.service";
        assert_eq!(user_manager(path).as_deref(), Some("/user.slice/user-1000.slice/user@1000.service"));
        assert_eq!(user_manager("/system.slice/web.service"), None);
        assert_eq!(user_manager("/user.slice/user-1000.slice/session-1.scope"), None);
    }
}
