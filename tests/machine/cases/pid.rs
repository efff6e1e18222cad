//! Services in a PID namespace: the manager has the payload for its main process, and nothing else stays.

use std::time::Duration;

use super::cases;
use super::cell::mounts_at;
use crate::case::{Case, Unit};
use crate::machine::wait_for;

cases![
    nothing_stays_beside_the_payload,
    simple_reports_the_exact_end,
    exec_waits_for_the_payload,
    notify_is_ready_when_the_payload_says_so,
    oneshot_runs_its_commands_one_after_another,
    restart_on_failure_works,
    stop_gives_time_to_leave,
    killed_from_outside_is_told_as_that,
    post_and_reload_know_the_main_process,
    hidden_proc_stays_hidden,
    protected_proc_stays_protected,
    variables_that_name_the_process_are_right,
    forking_is_refused,
    payload_leads_its_session,
    pam_session_lasts_as_long_as_the_payload,
    openat2_may_be_hidden,
];

/// All processes of the unit's control group.
fn processes(unit: &Unit<'_>, case: &Case) -> Vec<String> {
    let path = unit.show("ControlGroup");
    case.sh(&format!("cat /sys/fs/cgroup{path}/cgroup.procs")).ok().lines().map(str::to_owned).collect()
}

fn nothing_stays_beside_the_payload(case: &Case) {
    let unit = case.service("web", "", "PrivatePIDs=yes");
    unit.dump();
    assert_eq!(processes(&unit, case), [unit.main_pid().to_string()]);
    let parent = case.sh(&format!("awk '/^PPid/ {{print $2}}' /proc/{}/status", unit.main_pid()));
    assert_eq!(parent.ok().trim(), "1", "systemd is its parent");
    let journal = unit.journal();
    assert!(!journal.contains("not our child"), "{journal}");
}

fn simple_reports_the_exact_end(case: &Case) {
    let unit = case.service("seven", "ExecStart=@payload@ exit 7", "PrivatePIDs=yes");
    unit.assert_state("failed");
    assert_eq!((unit.result().as_str(), unit.show("ExecMainStatus").as_str()), ("exit-code", "7"));
    let unit = case.service("zero", "ExecStart=@payload@ exit 0", "PrivatePIDs=yes");
    unit.assert_state("inactive");
    assert_eq!(unit.result(), "success");
}

fn exec_waits_for_the_payload(case: &Case) {
    let unit = case.service("web", "Type=exec", "PrivatePIDs=yes");
    assert_eq!(unit.dump().pid(), 1);
    unit.assert_state("active");
    let missing = case.prepare(
        crate::case::Scope::System,
        "missing",
        "Type=exec\nExecStart=/nowhere/to/be/found",
        "PrivatePIDs=yes\nHostname=x",
    );
    assert!(!missing.start().success(), "as with a native Type=exec, start tells that the file is missing");
    missing.assert_failed_with(203);
}

fn notify_is_ready_when_the_payload_says_so(case: &Case) {
    let unit = case.prepare(
        crate::case::Scope::System,
        "web",
        "Type=notify\nExecStart=@payload@ notify",
        "PrivatePIDs=yes\nHostname=web",
    );
    unit.start().ok();
    unit.assert_state("active");
    let dump = unit.dump();
    assert_eq!((dump.pid(), dump.hostname()), (1, "web"));
    assert!(dump.env("NOTIFY_SOCKET").is_some());
    unit.stop().ok();
    assert_eq!(unit.result(), "success");
}

fn oneshot_runs_its_commands_one_after_another(case: &Case) {
    let log = format!("/run/{}", case.unique("log"));
    let unit = case.service(
        "many",
        &format!("Type=oneshot\nExecStart=sh -c 'sleep 0.3; echo one $$$$ >> {log}'\nExecStart=-sh -c 'echo two $$$$ >> {log}; exit 3' ; sh -c 'echo three $$$$ >> {log}'"),
        "PrivatePIDs=yes",
    );
    assert_eq!(unit.result(), "success", "{}", unit.journal());
    assert_eq!(case.read(&log), "one 1\ntwo 1\nthree 1\n");
}

fn restart_on_failure_works(case: &Case) {
    let log = format!("/run/{}", case.unique("log"));
    let unit = case.service(
        "again",
        &format!("Restart=on-failure\nRestartSec=50ms\nExecStart=sh -c 'echo x >> {log}; test $(wc -l < {log}) -ge 3 || exit 5; exec @payload@ sleep-handled'"),
        "PrivatePIDs=yes",
    );
    unit.dump();
    assert_eq!(case.read(&log), "x\nx\nx\n");
    assert_eq!(unit.show("NRestarts"), "2");
}

fn stop_gives_time_to_leave(case: &Case) {
    let done = format!("/run/{}", case.unique("done"));
    let script = format!(
        "trap \"sleep 0.5; echo done > {done}; exit 0\" TERM; echo ready > {done}; while :; do sleep 0.05; done"
    );
    let unit = case.service("slow", &format!("ExecStart=sh -c '{script}'"), "PrivatePIDs=yes");
    assert!(wait_for(|| case.sh(&format!("cat {done}")).stdout == "ready\n", Duration::from_secs(10)));
    unit.stop().ok();
    assert_eq!((case.read(&done).as_str(), unit.result().as_str()), ("done\n", "success"));
}

fn killed_from_outside_is_told_as_that(case: &Case) {
    let unit = case.service("web", "", "PrivatePIDs=yes");
    unit.dump();
    case.sh(&format!("kill -KILL {}", unit.main_pid())).ok();
    unit.assert_state("failed");
    assert_eq!((unit.result().as_str(), unit.show("ExecMainStatus").as_str()), ("signal", "9"));
}

fn post_and_reload_know_the_main_process(case: &Case) {
    let file = format!("/run/{}", case.unique("post"));
    let unit = case.service(
        "web",
        &format!("ExecStart=@payload@ sleep-handled\nExecStartPost=sh -c 'echo $MAINPID > {file}'\nExecReload=sh -c 'kill -0 $MAINPID && echo $MAINPID > {file}.reload'"),
        "PrivatePIDs=yes\nHostname=web",
    );
    unit.dump();
    let main = format!("{}\n", unit.main_pid());
    assert_eq!(case.read(&file), main);
    unit.reload().ok();
    assert_eq!(case.read(&format!("{file}.reload")), main);
}

fn hidden_proc_stays_hidden(case: &Case) {
    let dump = case
        .service(
            "web",
            "User=nobody\nProtectProc=invisible\nProcSubset=pid\nExecStart=@payload@ sleep-handled",
            "PrivatePIDs=yes",
        )
        .dump();
    let line = mounts_at(&dump, "/proc").pop().expect("/proc is mounted");
    assert!(line.contains("hidepid=invisible") && line.contains("subset=pid"), "{line}");
    assert_eq!(dump.pids(), [1]);
}

fn protected_proc_stays_protected(case: &Case) {
    let unit = case.service(
        "web",
        "ProtectKernelTunables=yes\nType=oneshot\nExecStart=sh -c 'echo 1 > /proc/sys/kernel/panic'",
        "PrivatePIDs=yes",
    );
    assert_eq!(unit.result(), "exit-code", "/proc/sys must stay read-only");
}

fn variables_that_name_the_process_are_right(case: &Case) {
    let dump = case.service("web", "WatchdogSec=60\nNotifyAccess=all", "PrivatePIDs=yes").dump();
    for name in ["WATCHDOG_PID", "SYSTEMD_EXEC_PID"] {
        assert_eq!(dump.env(name).as_deref(), Some("1"), "{name}");
    }
    assert!(dump.env("NOTIFY_SOCKET").is_some());
    let plain = case.service("plain", "", "PrivatePIDs=yes").dump();
    assert_eq!(plain.env("NOTIFY_SOCKET"), None, "the unit has not asked for it");
}

fn forking_is_refused(case: &Case) {
    let unit = case.service("web", "Type=forking", "PrivatePIDs=yes");
    unit.assert_failed_with(78);
    assert!(unit.journal().contains("Type=forking does not go with PrivatePIDs="), "{}", unit.journal());
}

fn payload_leads_its_session(case: &Case) {
    let dump = case.service("web", "", "PrivatePIDs=yes\nTimeOffsetBoottime=1d").dump();
    if case.version() < 259 {
        assert_eq!((dump.number("sid"), dump.number("pgid")), (1, 1));
    }
}

/// Also where its processes are in a control group of the session's.
fn pam_session_lasts_as_long_as_the_payload(case: &Case) {
    for (stack, session) in [("plain", ""), ("logind", "session required pam_systemd.so\n")] {
        for (name, cell) in [("alone", "PrivatePIDs=yes"), ("init", "Init=yes")] {
            let name = format!("{stack}-{name}");
            let (log, script) = (format!("/run/{}.log", case.unique(&name)), format!("/run/{}.sh", case.unique(&name)));
            case.file(&script, &format!("#!/bin/sh\necho $PAM_TYPE >>{log}\n"));
            // The session is closed by its user.
            case.sh(&format!("chmod 755 {script}; install -m 666 /dev/null {log}")).ok();
            let pam = case.unique(&name);
            case.file(
                &format!("/etc/pam.d/{pam}"),
                &format!("account required pam_permit.so\nsession required pam_exec.so {script}\n{session}"),
            );
            let unit = case.service(&name, &format!("User=tester\nPAMName={pam}"), cell);
            let dump = unit.dump();
            assert_eq!(dump.get("uid"), &serde_json::json!([1000, 1000, 1000]), "{name}");
            assert_eq!((dump.status("CapPrm"), dump.status("CapAmb")), ("0000000000000000", "0000000000000000"));
            assert!(dump.pids().len() <= 2 && dump.pids().contains(&1), "{name}: {:?}", dump.pids());
            assert_eq!(dump.env("XDG_SESSION_ID").is_some(), stack == "logind", "{name}");
            let main = unit.main_pid();
            assert_eq!(case.sh(&format!("cat /proc/{main}/comm")).ok().trim(), "payload", "{name}");
            let group = case.sh(&format!("sed -n s/^0:://p /proc/{main}/cgroup")).ok().trim().to_owned();
            let keeper = || {
                let names =
                    format!("cd /sys/fs/cgroup{group} && for p in $(cat cgroup.procs); do cat /proc/$p/cmdline; done");
                case.sh(&names).stdout.contains("(sd-pam)")
            };
            assert!(keeper(), "{name}: the session has been closed");
            assert_eq!(case.read(&log), "open_session\n", "{name}");
            // The signal reaches whoever is beside it, too.
            unit.stop().ok();
            assert_eq!(unit.result(), "success", "{name}");
            assert!(wait_for(|| !keeper(), Duration::from_secs(10)), "{name}: the session is still open");
            unit.start().ok();
            unit.dump();
            case.sh(&format!("kill -KILL {}", unit.main_pid())).ok();
            unit.assert_state("failed");
            assert_eq!(unit.result(), "signal", "{name}");
            case.sh(&format!("rm -f {log}")).ok();
        }
    }
}

fn openat2_may_be_hidden(case: &Case) {
    for (name, setting) in
        [("user", "DynamicUser=yes\nReadWritePaths=/run/unitcell-tests"), ("set", "RestrictSUIDSGID=yes")]
    {
        let dump = case.service(name, setting, "Init=yes").dump();
        assert_eq!(mounts_at(&dump, "/proc").len(), 1, "{setting}");
        assert_eq!(dump.pids(), [1, dump.pid()], "{setting}");
    }
}
