//! Running the wrapper under strace(1).

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::scenario::Scenario;

/// The `nth` of a process's calls fails.
#[derive(Debug)]
pub struct Fault {
    pub call: String,
    pub error: &'static str,
    pub nth: usize,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} #{} with {}", self.call, self.nth, self.error)
    }
}

/// What came of a run.
#[derive(Debug, Default)]
pub struct Run {
    pub stdout: String,
    pub stderr: String,
    /// Of all processes that the wrapper was.
    pub statuses: Vec<i32>,
    /// How many processes made the call, which failed.
    pub hits: usize,
    pub timed_out: bool,
}

/// How often each process of a run made each call, up to its exec of the payload.
#[derive(Debug, Default)]
pub struct Calls(BTreeMap<String, BTreeMap<String, usize>>);

impl Calls {
    /// strace counts for each process.
    pub fn most_in_a_process(&self) -> BTreeMap<String, usize> {
        let mut most = BTreeMap::new();
        for (call, count) in self.0.values().flatten() {
            let known = most.entry(call.clone()).or_insert(0);
            *known = (*known).max(*count);
        }
        most
    }
}

pub fn record(scenario: &Scenario) -> (Calls, Run) {
    run(scenario, &[])
}

pub fn inject(scenario: &Scenario, fault: &Fault) -> Run {
    run(scenario, &[format!("--inject={}:error={}:when={}", fault.call, fault.error, fault.nth)]).1
}

/// A run in which this call does nothing, and returns 0.
pub fn unseen(scenario: &Scenario, call: &str) -> (Calls, Run) {
    run(scenario, &[format!("--inject={call}:retval=0")])
}

/// Each run writes a log of its own.
static RUNS: AtomicUsize = AtomicUsize::new(0);

fn run(scenario: &Scenario, injections: &[String]) -> (Calls, Run) {
    let log = scenario.directory().join(format!("{}.strace", RUNS.fetch_add(1, Ordering::Relaxed)));
    let context = scenario.context();
    // The payload is none of strace's business: it is let go when it starts.
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", "20"]).args(&context.through);
    command.args(["strace", "--follow-forks", "--detach-on=execve", "--quiet=attach"]).args(&context.tracer);
    command.arg("--output").arg(&log).args(injections).arg(crate::scenario::WRAPPER);
    command.args(scenario.options()).arg("--").args(scenario.payload());
    command.env_clear().env("PATH", "/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin:/bin").env("LC_ALL", "C");
    command.env(scenario.mark().0, scenario.mark().1).envs(context.environment.clone());
    let output = command.stdin(Stdio::null()).output().expect("strace(1) runs");
    let text = fs::read_to_string(&log).expect("a log");
    let _ = fs::remove_file(&log);

    let (calls, mut run) = read(&text);
    run.stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    // What strace itself has to say is about processes that it has let go.
    let lines = String::from_utf8_lossy(&output.stderr);
    run.stderr = lines.lines().filter(|line| !line.starts_with("strace: ")).map(|line| format!("{line}\n")).collect();
    run.timed_out = output.status.code() == Some(124);
    (calls, run)
}

/// Reads the log: `PID call(arguments) = result`, a call in two pieces where another process's
/// come between.
fn read(log: &str) -> (Calls, Run) {
    let (mut calls, mut run) = (Calls::default(), Run::default());
    for line in log.lines() {
        let Some((pid, rest)) = line.split_once(' ') else { continue };
        let rest = rest.trim_start();
        if let Some(status) = rest.strip_prefix("+++ exited with ") {
            run.statuses.extend(status.split(' ').next().and_then(|status| status.parse::<i32>().ok()));
        }
        if rest.starts_with("+++") || rest.starts_with("---") {
            continue;
        }
        run.hits += usize::from(rest.contains("(INJECTED)"));
        let resumed = rest.strip_prefix("<... ").and_then(|rest| rest.split(' ').next());
        let Some(call) = resumed.or_else(|| rest.split_once('(').map(|(call, _)| call)) else { continue };
        if resumed.is_none() {
            *calls.0.entry(pid.to_owned()).or_default().entry(call.to_owned()).or_insert(0) += 1;
        }
    }
    (calls, run)
}
