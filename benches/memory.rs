//! What stays in memory beside a payload in a PID namespace, that nobody else has.

use std::fs;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::programs::Programs;
use crate::report::{Figure, Row};

const PAYLOAD: [&str; 2] = ["sleep", "infinity"];

pub fn measure(programs: &Programs) -> Result<Vec<Row>, String> {
    let wrapper = programs.wrapper();
    let waiting = beside(&[&wrapper, "--private-pids", "--"])?;
    let with_init = beside(&[&wrapper, "--init", "--"])?;
    let unshare = beside(&["unshare", "-p", "-f", "--mount-proc", "--"])?;
    let bwrap = beside(&["bwrap", "--unshare-pid", "--bind", "/", "/", "--proc", "/proc", "--"])?;
    let row = |what: &str, beside: &str, ours: u64, theirs: u64| Row {
        what: format!("private memory: {what}"),
        beside: beside.to_owned(),
        ours: Figure::KiB(ours),
        theirs: Figure::KiB(theirs),
        aim: None,
    };
    Ok(vec![
        row("by hand, waiting", "unshare --fork", waiting, unshare),
        row("by hand, with an init", "bwrap's two", with_init, bwrap),
    ])
}

/// The private memory, in KiB, of all processes that a command line makes but for the payload, while
/// a second such cell is there: what a cell costs has not the program's own text in it.
fn beside(command: &[&str]) -> Result<u64, String> {
    let told = |error: std::io::Error| format!("{}: {error}", command[0]);
    let mut cells = Vec::new();
    for _ in 0..2 {
        let child = Command::new(command[0]).args(&command[1..]).args(PAYLOAD).spawn().map_err(told)?;
        let found = within_reach(&child);
        cells.push((child, found));
    }
    let others = cells.last().and_then(|(_, found)| found.as_ref()).map(|(others, _)| others);
    let sum = others.map(|others| others.iter().map(|pid| private(*pid)).sum());
    for (mut child, found) in cells {
        match found {
            Some((_, payload)) => drop(Command::new("kill").args(["-KILL", &payload.to_string()]).status()),
            None => drop(child.kill()),
        }
        child.wait().map_err(told)?;
    }
    sum.ok_or_else(|| format!("{} did not start {PAYLOAD:?}", command[0]))
}

/// The processes of the command, apart from the payload, and that; none if it does not come.
fn within_reach(child: &Child) -> Option<(Vec<u32>, u32)> {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(10) {
        let all = descendants(child.id());
        let (payload, others): (Vec<u32>, Vec<u32>) = all.into_iter().partition(|pid| name(*pid) == PAYLOAD[0]);
        if let [payload] = payload[..] {
            // Until the others have come to rest.
            sleep(Duration::from_millis(300));
            return Some((others, payload));
        }
        sleep(Duration::from_millis(10));
    }
    None
}

fn descendants(of: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{of}/task/{of}/children")).unwrap_or_default();
    let below = children.split_whitespace().filter_map(|pid| pid.parse().ok()).flat_map(descendants);
    std::iter::once(of).chain(below).collect()
}

fn name(pid: u32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim_end().to_owned()
}

/// In KiB.
fn private(pid: u32) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let private =
        rollup.lines().filter(|line| line.starts_with("Private_Clean:") || line.starts_with("Private_Dirty:"));
    private.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum()
}
