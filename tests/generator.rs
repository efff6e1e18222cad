//! The generator on small roots, without root privileges and without a systemd.
//!
//! Every directory of `cases/` is one root; `generator/golden.rs` tells how it is laid out. What
//! can't be kept in a source tree, or is about the run itself, is in `generator/runs.rs`.
//!
//! `UNITCELL_BLESS=1 cargo test --test generator` writes the expectations anew. Read each of
//! them afterwards: a wrong one is worse than none.

#[path = "generator/accepted.rs"]
mod accepted;
#[path = "generator/golden.rs"]
mod golden;
#[path = "generator/root.rs"]
mod root;
#[path = "generator/runs.rs"]
mod runs;
#[path = "generator/tree.rs"]
mod tree;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let cases = golden::cases();
    let mut trials: Vec<Trial> = cases.iter().flat_map(golden::Case::trials).collect();
    trials.extend(accepted::all(&cases));
    trials.extend(runs::all());
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
