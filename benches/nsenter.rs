//! Entering a unit's namespaces, and what named ones cost systemd, inside a machine.

use std::time::Duration;

use crate::fleet::Fleet;
use crate::image::{Profile, SUITES};
use crate::machine::{Machine, Power};
use crate::programs::Programs;
use crate::report::{Figure, Row};

const VERSION: u32 = 257;

const UNIT: &str = "[Service]\nExecStart=/usr/bin/sleep infinity\nPrivateNetwork=yes\n";

/// Both go into the service's network namespace and run `true` there.
const ENTER: &str = r#"
import statistics, subprocess, time
unit = "bench-enter.service"
def ours():
    subprocess.run(["unitcell", "nsenter", "-t", unit, "-n", "true"], check=True)
def theirs():
    pid = subprocess.run(["systemctl", "show", "-P", "MainPID", unit], check=True, stdout=subprocess.PIPE).stdout.decode().strip()
    subprocess.run(["nsenter", "-t", pid, "-n", "true"], check=True)
times = {ours: [], theirs: []}
for turn in range(101):
    for way in times:
        begun = time.perf_counter()
        way()
        if turn: times[way].append(time.perf_counter() - begun)
print(*(int(statistics.median(all) * 1e6) for all in times.values()))
"#;

/// With 1,000 pins, each of which is a mount unit, and without.
const RELOAD: &str = r#"
import statistics, subprocess, time
def reload():
    times = []
    for turn in range(6):
        begun = time.perf_counter()
        subprocess.run(["systemctl", "daemon-reload"], check=True)
        if turn: times.append(time.perf_counter() - begun)
    return int(statistics.median(times) * 1e6)
names = [f"n{n}" for n in range(1000)]
without = reload()
subprocess.run(["unitcell", "netns", "up", *names], check=True, stdout=subprocess.DEVNULL)
pinned = reload()
subprocess.run(["unitcell", "netns", "down", *names], check=True, stdout=subprocess.DEVNULL)
print(pinned, without)
"#;

pub fn measure(_: &Programs) -> Result<Vec<Row>, String> {
    let fleet = Fleet::new(&SUITES);
    fleet.prerequisites()?;
    let machine = fleet.machine(VERSION, Power::Whole, Profile::Base)?;
    machine.write("/run/systemd/system/bench-enter.service", UNIT);
    machine.daemon_reload();
    machine.systemctl(&["start", "bench-enter.service"]);
    let row = |what: &str, beside: &str, script: &str, aim| -> Result<Row, String> {
        let [ours, theirs] = figures(&machine, script).map_err(|why| format!("{what}: {why}"))?;
        let (what, beside) = (what.to_owned(), beside.to_owned());
        Ok(Row { what, beside, ours: Figure::Time(ours), theirs: Figure::Time(theirs), aim })
    };
    Ok(vec![
        row("nsenter -t UNIT", "nsenter -t $(systemctl show -P MainPID UNIT)", ENTER, Some(0.5))?,
        row("systemctl daemon-reload, 1000 network namespaces pinned", "without them", RELOAD, None)?,
    ])
}

/// The two that a script prints, in microseconds.
fn figures(machine: &Machine, script: &str) -> Result<[Duration; 2], String> {
    machine.write("/run/turns.py", script);
    let output = machine.sh("python3 /run/turns.py");
    let figures: Vec<u64> = output.stdout.split_whitespace().filter_map(|figure| figure.parse().ok()).collect();
    match figures[..] {
        [ours, theirs] => Ok([ours, theirs].map(Duration::from_micros)),
        _ => Err(format!("systemd {VERSION}: {output:?}")),
    }
}
