//! `make demo`: a service with a cell under a real systemd, and what it sees beside what the host sees.
//!
//! Uses the machines of the tests; an argument chooses the version of systemd, 252 by default.

// The machines can do more than a demonstration needs.
#![allow(dead_code)]

mod fleet;
mod image;
mod janitor;
mod machine;
mod product;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::fleet::Fleet;
use crate::janitor::Janitor;
use crate::machine::{Machine, Output, Power, USER, wait_for};

const SERVICE: &str = "\
[Unit]
Description=An example service with a cell of its own

[Service]
User=nobody
ExecStart=sleep infinity
";

const CELL: &str = "\
[X-Unitcell]
NetworkNamespace=blue
Hostname=web
PrivatePIDs=yes
TimeOffsetBoottime=497d
";

fn main() -> ExitCode {
    if let Some(dir) = janitor::requested() {
        return janitor::run(&dir);
    }
    let version = std::env::args().nth(1).unwrap_or_else(|| "252".to_owned());
    let Some(suite) = image::SUITES.iter().find(|suite| suite.version.to_string() == version) else {
        eprintln!("demo: no machine has systemd {version}");
        return ExitCode::FAILURE;
    };
    let fleet = Fleet::new(std::slice::from_ref(suite));
    let begun = Instant::now();
    say(&format!("Booting Debian {} with systemd {version} as PID 1, in a container …", suite.name));
    let machine =
        match fleet.prerequisites().and_then(|()| fleet.machine(suite.version, Power::Whole, image::Profile::Base)) {
            Ok(machine) => machine,
            Err(missing) => {
                eprintln!("demo: {missing}");
                Janitor::finish();
                return ExitCode::FAILURE;
            }
        };
    println!("up after {:.1} s", begun.elapsed().as_secs_f64());
    let shown = show(&machine) & show_closed(&machine);
    drop(machine);
    drop(fleet);
    Janitor::finish();
    if shown { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The example service, and the proof that it is in its cell.
fn show(machine: &Machine) -> bool {
    say("A plain service, /etc/systemd/system/demo.service:");
    print!("{SERVICE}");
    say("and its cell, /etc/systemd/system/demo.service.d/cell.conf:");
    print!("{CELL}");
    machine.write("/etc/systemd/system/demo.service", SERVICE);
    machine.write("/etc/systemd/system/demo.service.d/cell.conf", CELL);
    say("systemctl daemon-reload && systemctl start demo.service");
    let started = machine.sh("systemctl daemon-reload && systemctl start demo.service");
    print_output(&started);
    say("What the service sees beside what the host sees (unitcell show demo.service):");
    let shown = machine.sh("unitcell show demo.service");
    print_output(&shown);
    say("Nothing stays beside it (systemctl status demo.service):");
    print_output(&machine.sh("systemctl status --no-pager --lines=0 demo.service"));
    started.success() && shown.success() && shown.stdout.contains("web")
}

/// The same cell where it can't be had: in a user's manager, which has no privilege.
fn show_closed(machine: &Machine) -> bool {
    say("The same cell in a user's manager, which may not make namespaces: the service does not start");
    let cell = CELL.replace("NetworkNamespace=blue\n", "");
    machine.write("/etc/systemd/user/demo.service", &SERVICE.replace("User=nobody\n", ""));
    machine.write("/etc/systemd/user/demo.service.d/cell.conf", &cell);
    let started = machine.user_sh(USER, "systemctl --user daemon-reload; systemctl --user start demo.service");
    print_output(&started);
    let reason = || machine.sh("journalctl --no-pager --output=cat --identifier=unitcell-exec --lines=1");
    wait_for(|| !reason().stdout.is_empty(), Duration::from_secs(5));
    print_output(&reason());
    !started.success() && reason().stdout.contains("can't")
}

fn say(text: &str) {
    println!("\n── {text}");
}

fn print_output(output: &Output) {
    print!("{}{}", output.stdout, output.stderr);
}
