//! Running the wrapper, and what it takes to.

use std::ffi::OsStr;
use std::fs;
use std::process::{Command, Output};

pub const WRAPPER: &str = env!("CARGO_BIN_EXE_unitcell-exec");

/// A command that only the test's own environment reaches.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("LC_ALL", "C");
    command
}

/// What a run gave.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Outcome {
        Outcome {
            status: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Runs the wrapper with these arguments.
pub fn wrapper(arguments: &[&str]) -> Outcome {
    command(WRAPPER).args(arguments).output().expect("the wrapper runs").into()
}

/// Has this process CAP_SYS_ADMIN?
pub fn is_privileged() -> bool {
    let status = fs::read_to_string("/proc/self/status").expect("/proc/self/status");
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:")).expect("CapEff");
    u64::from_str_radix(effective.trim(), 16).expect("hexadecimal") & (1 << 21) != 0
}

/// The options by which whoever runs the test may make namespaces; none where that can't be.
#[track_caller]
pub fn namespaces() -> Option<&'static [&'static str]> {
    if is_privileged() {
        return Some(&[]);
    }
    let tried = wrapper(&["--private-users=self", "true"]);
    if tried.status == Some(0) {
        return Some(&["--private-users=self"]);
    }
    skip(&format!("this needs root, or user namespaces for everybody ({})", tried.stderr.trim()))
}

/// As [`namespaces`], for what root alone can do.
#[track_caller]
pub fn root() -> Option<()> {
    if is_privileged() { Some(()) } else { skip("this needs root") }
}

#[track_caller]
fn skip<T>(why: &str) -> Option<T> {
    let allowed = std::env::var_os("UNITCELL_ALLOW_SKIP").is_some_and(|value| value == "1");
    assert!(allowed, "{why}; UNITCELL_ALLOW_SKIP=1 passes it over");
    eprintln!("SKIPPED: {why}");
    None
}
