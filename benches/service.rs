//! Starting services under a real systemd, with its own settings and with a cell.

use std::time::Duration;

use crate::fleet::Fleet;
use crate::image::{Profile, SUITES};
use crate::machine::{Machine, Power};
use crate::programs::Programs;
use crate::report::{Figure, Row};

/// What the same isolation is in systemd's words and in ours, by the version that has both.
struct Pair {
    version: u32,
    what: &'static str,
    native: &'static str,
    cell: &'static str,
    /// Before the command.
    by_hand: &'static str,
}

const PAIRS: [Pair; 4] = [
    Pair { version: 252, what: "network", native: "PrivateNetwork=yes", cell: "PrivateNetwork=yes", by_hand: "" },
    // Native to us from 259 only.
    Pair { version: 257, what: "PIDs", native: "PrivatePIDs=yes", cell: "PrivatePIDs=yes", by_hand: "" },
    Pair { version: 262, what: "network", native: "PrivateNetwork=yes", cell: "PrivateNetwork=yes", by_hand: "" },
    // What is native here the wrapper does by hand alone.
    Pair {
        version: 262,
        what: "host name",
        native: "ProtectHostname=private:web",
        cell: "",
        by_hand: "/usr/bin/unitcell-exec --ready --hostname=web -- ",
    },
];

/// Times `systemctl start` of two units turn by turn, and prints both medians in microseconds.
const TURNS: &str = r#"
import statistics, subprocess, time
times = {"native": [], "cell": []}
for turn in range(61):
    for name in times:
        begun = time.perf_counter()
        subprocess.run(["systemctl", "start", f"bench-{name}.service"], check=True)
        if turn: times[name].append(time.perf_counter() - begun)
        subprocess.run(["systemctl", "stop", f"bench-{name}.service"], check=True)
print(*(int(statistics.median(times[name]) * 1e6) for name in ("cell", "native")))
"#;

pub fn measure(_: &Programs) -> Result<Vec<Row>, String> {
    let fleet = Fleet::new(&SUITES);
    fleet.prerequisites()?;
    PAIRS.iter().map(|pair| start(&*fleet.machine(pair.version, Power::Whole, Profile::Base)?, pair)).collect()
}

fn start(machine: &Machine, pair: &Pair) -> Result<Row, String> {
    let unit = |settings: &str, before: &str, notify: bool| {
        let service_type = if notify { "notify" } else { "exec" };
        format!(
            "[Unit]\nStartLimitIntervalSec=0\n[Service]\nSuccessExitStatus=SIGKILL\nType={service_type}\nExecStart={before}/usr/bin/sleep infinity\nKillSignal=SIGKILL\n{settings}\n"
        )
    };
    let native = unit(pair.native, "", false);
    let cell = match pair.by_hand {
        "" => unit(&format!("[X-Unitcell]\n{}", pair.cell), "", false),
        by_hand => unit("", by_hand, true),
    };
    machine.write("/run/systemd/system/bench-native.service", &native);
    machine.write("/run/systemd/system/bench-cell.service", &cell);
    machine.write("/run/turns.py", TURNS);
    machine.daemon_reload();
    let output = machine.sh("python3 /run/turns.py");
    let figures: Vec<u64> = output.stdout.split_whitespace().filter_map(|figure| figure.parse().ok()).collect();
    let [ours, theirs] = figures[..] else { return Err(format!("systemd {}: {output:?}", pair.version)) };
    Ok(Row {
        what: format!("systemctl start: {}", pair.what),
        beside: format!("systemd {}'s own", pair.version),
        ours: Figure::Time(Duration::from_micros(ours)),
        theirs: Figure::Time(Duration::from_micros(theirs)),
        aim: Some(1.05),
    })
}
