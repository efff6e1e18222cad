//! `unitcell unshare` in the place of unshare(1).

use super::cases;
use crate::case::Case;
use crate::classic;

cases![unshare_does_what_the_classic_one_does, unshare_runs_nothing_where_a_pin_fails];

fn unshare_does_what_the_classic_one_does(case: &Case) {
    classic::run(case, include_str!("../classic/unshare.txt"));
    classic::has_all_options(case, "unshare");
}

/// Where the classic tool runs the command all the same, and leaves the pins that it has made.
fn unshare_runs_nothing_where_a_pin_fails(case: &Case) {
    let pin = case.unique("pin");
    let run = |options: &str| case.sh(&format!("unitcell unshare {options} -f sh -c 'echo ran'"));
    case.file(&format!("/run/{pin}"), "");
    for options in ["", "-r", "-m"] {
        let output = run(&format!("{options} --uts=/run/{pin} --net=/run/{pin}-missing"));
        assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{output:?}");
        assert!(output.stderr.contains("pin the network namespace") && output.stderr.contains("help: "), "{output:?}");
        assert!(!case.sh(&format!("mountpoint -q /run/{pin}")).success(), "the first pin is left with {options}");
    }
}
