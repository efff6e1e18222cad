//! `make bench`: how fast unitcell is beside the floor, a C program that makes the same system calls,
//! and beside its peers. Ratios of medians, taken turn by turn in one run; the times are this machine's.
//!
//! An argument chooses the suites whose names contain it. The table goes to standard output, the
//! same rows to `target/bench.json`.

// The machines can do more than a measurement needs.
#![allow(dead_code)]

mod apart;
#[path = "../tests/machine/fleet.rs"]
mod fleet;
mod generator;
#[path = "../tests/machine/image.rs"]
mod image;
#[path = "../tests/machine/janitor.rs"]
mod janitor;
mod lsns;
#[path = "../tests/machine/machine.rs"]
mod machine;
mod measure;
mod memory;
mod netns;
mod nsenter;
#[path = "../tests/machine/product.rs"]
mod product;
mod programs;
mod report;
mod service;
mod wrapper;

use std::process::ExitCode;

use programs::Programs;
use report::Row;

type Suite = (&'static str, fn(&Programs) -> Result<Vec<Row>, String>);

const SUITES: [Suite; 7] = [
    ("wrapper", wrapper::measure),
    ("memory", memory::measure),
    ("generator", generator::measure),
    ("netns", netns::measure),
    ("lsns", lsns::measure),
    ("service", service::measure),
    ("nsenter", nsenter::measure),
];

fn main() -> ExitCode {
    if let Some(dir) = janitor::requested() {
        return janitor::run(&dir);
    }
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let outcome = Programs::build().and_then(|programs| {
        let mut rows = Vec::new();
        for (name, suite) in SUITES.into_iter().filter(|(name, _)| name.contains(&wanted)) {
            eprintln!("measuring: {name}");
            rows.extend(suite(&programs)?);
        }
        report::print(&rows)
    });
    janitor::Janitor::finish();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("bench: {why}");
            ExitCode::FAILURE
        }
    }
}
