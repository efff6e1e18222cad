//! unitcell under real systemd, of several versions, each the PID 1 of a machine of its own.
//!
//! Every case of `cases/` runs on every machine, as the trial `v252::name_of_the_case`:
//!
//!     cargo test --test machine -- v257::          # needs root
//!
//! | variable | meaning |
//! | --- | --- |
//! | `UNITCELL_MACHINES=252,257` | only these versions |
//! | `UNITCELL_ALLOW_SKIP=1` | skip where a prerequisite is missing, instead of failing |
//! | `UNITCELL_TEST_CACHE=DIR` | where root images are kept |
//! | `UNITCELL_RANDOM_PAIRS=200` | of `identity_in_random_company`: so many random pairs of services, not only a few |
//! | `UNITCELL_RANDOM_SEED=7` | and other ones than those of every run |
//! | `UNITCELL_TEST_VERBOSE=1` | tell how long each machine takes to boot |

mod case;
mod cases;
mod classic;
mod dump;
mod fleet;
mod image;
mod janitor;
mod machine;
mod product;
mod report;
mod schema;
mod terminal;

use std::process::ExitCode;
use std::sync::{Arc, PoisonError};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use crate::case::Case;
use crate::cases::Entry;
use crate::fleet::Fleet;
use crate::janitor::Janitor;

fn main() -> ExitCode {
    if let Some(dir) = janitor::requested() {
        return janitor::run(&dir);
    }
    let mut args = Arguments::from_args();
    let suites = image::wanted_suites();
    // Cases mostly wait, so a few more of them than processors are under way.
    args.test_threads.get_or_insert(suites.len().max(1) * 2);

    let fleet = Arc::new(Fleet::new(&suites));
    let mut trials = Vec::new();
    for entry in cases::all() {
        // One case on every machine, then the next: the machines are busy side by side.
        for suite in &suites {
            if !entry.versions.contains(&suite.version) {
                continue;
            }
            let fleet = fleet.clone();
            let (version, entry) = (suite.version, entry.clone());
            let name = format!("v{version}::{}", entry.name);
            trials.push(Trial::ignorable_test(name, move || one(&fleet, version, &entry)));
        }
    }
    report::panics_into_reports();
    let conclusion = libtest_mimic::run(&args, trials);
    drop(fleet);
    Janitor::finish();
    conclusion.exit_code()
}

fn one(fleet: &Fleet, version: u32, entry: &Entry) -> Result<Completion, Failed> {
    if let Err(missing) = fleet.prerequisites() {
        return match std::env::var("UNITCELL_ALLOW_SKIP").as_deref() {
            Ok("1") => Ok(Completion::ignored_with(missing)),
            _ => Err(missing.into()),
        };
    }
    let machine =
        fleet.machine(version, entry.power, entry.profile).map_err(|e| format!("no machine {version}: {e}"))?;
    // The lock guards no data, so one that a panic left poisoned is as good as any.
    let (_shared, _alone) = if entry.alone {
        (None, Some(machine.turn.write().unwrap_or_else(PoisonError::into_inner)))
    } else {
        (Some(machine.turn.read().unwrap_or_else(PoisonError::into_inner)), None)
    };
    let case = Case::new(machine.clone(), entry.name);
    report::catch(&case, || (entry.run)(&case)).map_err(Failed::from)?;
    Ok(Completion::Completed)
}
