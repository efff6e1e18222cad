//! The ground that other cases stand on: the machine itself, and unitcell being installed in it.

use super::cases;
use crate::case::Case;

cases![
    machine_boots_without_failed_units,
    plain_service_has_the_managers_namespaces,
    generator_makes_nothing_without_cells: alone,
    payload_exit_status_is_seen,
    journal_has_what_a_service_says,
    failed_start_is_told_from_a_run,
    two_plain_services_do_not_differ,
];

fn machine_boots_without_failed_units(case: &Case) {
    let failed = case.systemctl(&["list-units", "--failed", "--no-legend", "--plain"]);
    // Other cases make units fail on purpose; the system's own all have their file below /usr.
    let failed: Vec<_> = failed
        .ok()
        .lines()
        .filter_map(|l| l.split_whitespace().next())
        .filter(|unit| case.show(unit, "FragmentPath").starts_with("/usr/"))
        .collect();
    assert!(failed.is_empty(), "{failed:?}");
}

fn plain_service_has_the_managers_namespaces(case: &Case) {
    let unit = case.service("plain", "", "");
    let dump = unit.dump();
    for kind in ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"] {
        assert_eq!(dump.ns(kind), case.manager_ns(kind), "{kind}");
    }
    assert_eq!(dump.pid(), i64::from(unit.main_pid()));
    unit.stop().ok();
    assert_eq!(unit.result(), "success");
}

fn generator_makes_nothing_without_cells(case: &Case) {
    case.sh("test -x /usr/lib/systemd/system-generators/unitcell-generator").ok();
    case.service("plain", "", "");
    let made = case.sh("grep -rl unitcell /run/systemd/generator*; find /run/systemd/generator* -name '*unitcell*'");
    assert_eq!(made.stdout, "");
}

fn payload_exit_status_is_seen(case: &Case) {
    let unit = case.service("fails", "ExecStart=@payload@ exit 42", "");
    unit.assert_state("failed");
    assert_eq!((unit.result().as_str(), unit.show("ExecMainStatus").as_str()), ("exit-code", "42"));
    unit.dump();
}

fn journal_has_what_a_service_says(case: &Case) {
    let unit = case.service("says", "Type=oneshot\nExecStart=echo one-two-three", "");
    assert!(unit.journal().contains("one-two-three"), "{}", unit.journal());
}

/// What cases about refusals rest on: that the handle tells a refused start from a run.
fn failed_start_is_told_from_a_run(case: &Case) {
    case.service("condition", "ExecStartPre=sh -c 'exit 226'", "").assert_never_ran();
    case.service("exit", "ExecStart=sh -c 'exit 225'", "").assert_failed_with(225);
}

/// What cases about "nothing else changes" rest on: that the comparison is quiet by itself.
fn two_plain_services_do_not_differ(case: &Case) {
    let one = case.service("one", "", "").dump();
    let two = case.service("two", "", "").dump();
    assert_eq!(one.differences(&two), [""; 0]);
}
