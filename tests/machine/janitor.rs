//! Nothing stays behind, however a run ends.
//!
//! A second process holds the other end of a pipe and waits for it to close, which the kernel
//! does when the run returns, panics, or dies of any signal, SIGKILL included. It then ends
//! the machines and unmounts their roots. Whatever killed both is swept up by the next run.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::time::Duration;
use std::{env, fs};

use nix::mount::{MntFlags, umount2};

use crate::machine::wait_for;

const RUNS: &str = "/run/unitcell-tests";
const FLAG: &str = "--janitor";

static PROCESS: Mutex<Option<Child>> = Mutex::new(None);

pub struct Janitor {
    dir: PathBuf,
}

impl Janitor {
    pub fn start() -> Result<Janitor, String> {
        sweep();
        let dir = Path::new(RUNS).join(std::process::id().to_string());
        let start = || -> io::Result<Child> {
            fs::create_dir_all(&dir)?;
            Command::new(env::current_exe()?)
                .arg(FLAG)
                .arg(&dir)
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                // Ctrl-C goes to the terminal's process group; this one has work to do after it.
                .process_group(0)
                .spawn()
        };
        let child = start().map_err(|e| format!("{}: {e}", dir.display()))?;
        if let Ok(mut process) = PROCESS.lock() {
            *process = Some(child);
        }
        Ok(Janitor { dir })
    }

    /// The run's own directory; a sub-directory is a mount point, `NAME.cgroup` names a cgroup.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Lets it begin, and waits until it is done.
    pub fn finish() {
        let child = PROCESS.lock().ok().and_then(|mut p| p.take());
        if let Some(mut child) = child {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}

/// Is this process the janitor of a run?
pub fn requested() -> Option<PathBuf> {
    let mut args = env::args_os().skip(1);
    (args.next()? == FLAG).then(|| args.next().map(PathBuf::from))?
}

pub fn run(dir: &Path) -> ExitCode {
    let _ = io::stdin().read(&mut [0]);
    match clean(dir) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("machine tests: {}: {error}", dir.display());
            ExitCode::FAILURE
        }
    }
}

/// Runs whose process is gone, and whose janitor was killed too.
fn sweep() {
    for run in entries(Path::new(RUNS)) {
        let pid = run.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let exe = fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
        let alive = exe.file_name().is_some_and(|n| n.to_string_lossy().starts_with("machine"));
        if !alive {
            let _ = clean(&run);
        }
    }
}

/// May run twice at a time, and picks up where another left off.
fn clean(dir: &Path) -> io::Result<()> {
    let paths = entries(dir);
    let cgroups: Vec<PathBuf> = paths
        .iter()
        .filter(|p| p.extension().is_some_and(|e| e == "cgroup"))
        .filter_map(|p| Some(fs::read_to_string(p).ok()?.into()))
        .collect();
    // The payload first: nspawn then sees its machine end, and takes down what it has made.
    for cgroup in &cgroups {
        kill(&cgroup.join("payload"));
    }
    wait_for(|| cgroups.iter().all(|c| is_empty(c)), Duration::from_secs(5));
    for cgroup in &cgroups {
        kill(cgroup);
    }
    wait_for(|| cgroups.iter().all(|c| is_empty(c)), Duration::from_secs(5));
    for cgroup in &cgroups {
        remove_cgroups(cgroup);
    }
    for root in paths.iter().filter(|p| p.is_dir()) {
        if !wait_for(|| unmounted(root), Duration::from_secs(5)) {
            umount2(root, MntFlags::MNT_DETACH)?;
        }
    }
    match fs::remove_dir_all(dir) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => {
            // Only the last run of several succeeds.
            let _ = fs::remove_dir(RUNS);
            Ok(())
        }
    }
}

fn kill(cgroup: &Path) {
    let _ = fs::write(cgroup.join("cgroup.kill"), "1");
}

fn is_empty(cgroup: &Path) -> bool {
    fs::read_to_string(cgroup.join("cgroup.events")).map_or(true, |t| t.contains("populated 0"))
}

fn remove_cgroups(cgroup: &Path) {
    for child in entries(cgroup).iter().filter(|p| p.is_dir()) {
        remove_cgroups(child);
    }
    let _ = fs::remove_dir(cgroup);
}

fn unmounted(dir: &Path) -> bool {
    // EINVAL: not a mount point (any more).
    matches!(umount2(dir, MntFlags::empty()), Err(nix::Error::EINVAL | nix::Error::ENOENT))
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir).map(|d| d.filter_map(|e| Some(e.ok()?.path())).collect()).unwrap_or_default()
}
