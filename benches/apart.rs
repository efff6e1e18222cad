//! A place to measure in that nothing outside notices: processes and mounts of its own, and more.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

/// Does the work in new mount and PID namespaces, and others that the flags say. The program is the
/// first process there, and says a line once it is ready; all others end with it.
pub fn apart<T: Send>(
    flags: CloneFlags,
    first: &[&str],
    work: impl FnOnce() -> Result<T, String> + Send,
) -> Result<T, String> {
    // A thread's namespaces are its own affair, and what it starts has them, too.
    let inside = || {
        unshare(flags | CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWPID).map_err(|error| error.to_string())?;
        let none: Option<&str> = None;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).map_err(|error| error.to_string())?;
        let mut first = start(first)?;
        let outcome = run(&["mount", "-t", "proc", "proc", "/proc"]).and_then(|()| work());
        let _ = first.kill();
        let _ = first.wait();
        outcome
    };
    std::thread::scope(|scope| scope.spawn(inside).join().map_err(|_| "the measuring thread is gone".to_owned())?)
}

fn start(words: &[&str]) -> Result<Child, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", words[0]);
    let mut child = Command::new(words[0]).args(&words[1..]).stdout(Stdio::piped()).spawn().map_err(failed)?;
    let mut line = String::new();
    if let Some(output) = child.stdout.take() {
        BufReader::new(output).read_line(&mut line).map_err(failed)?;
    }
    if line.is_empty() { Err(format!("{} is not ready", words[0])) } else { Ok(child) }
}

/// Runs a command that has to work.
pub fn run(words: &[&str]) -> Result<(), String> {
    match Command::new(words[0]).args(&words[1..]).stdout(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{}: {status}", words.join(" "))),
        Err(error) => Err(format!("{}: {error}", words[0])),
    }
}
