//! HealthProbe=: the watchdog of services that do not feed it themselves.

use std::time::Duration;

use super::cases;
use super::ready::processes;
use crate::case::{Case, Scope, Unit};
use crate::machine::wait_for;

cases![
    health_feeds_the_watchdog,
    health_lost_is_the_watchdogs_business,
    health_unknown_is_health_lost,
    health_of_a_service_that_says_itself_when_it_is_ready,
    health_takes_one_small_process,
    health_ends_with_the_service,
];

fn status(unit: &Unit<'_>, text: &str) -> bool {
    wait_for(|| unit.show("StatusText").starts_with(text), Duration::from_secs(10))
}

fn health_feeds_the_watchdog(case: &Case) {
    for (name, cell) in [("plain", ""), ("cell", "PrivatePIDs=yes\nPrivateNetwork=yes\nHostname=web\n")] {
        let unit = case.service(
            name,
            "WatchdogSec=1\nRestart=on-watchdog\nKillSignal=SIGKILL\nExecStart=busybox httpd -f -p 4901",
            &format!("{cell}ReadyWhen=tcp:4901\nHealthProbe=tcp:4901\nHealthProbe=exec:true"),
        );
        assert!(status(&unit, "healthy"), "{}", unit.show("StatusText"));
        case.sh("sleep 3").ok();
        assert_eq!((unit.state().as_str(), unit.show("NRestarts").as_str()), ("active", "0"), "{}", unit.journal());
        let environment = case.sh(&format!("tr '\\0' '\\n' < /proc/{}/environ", unit.main_pid()));
        for variable in ["WATCHDOG_", "NOTIFY_SOCKET"] {
            assert!(!environment.ok().contains(variable), "{environment:?}");
        }
        unit.stop().ok();
        assert!(processes(&unit, case).is_empty());
    }
}

fn health_lost_is_the_watchdogs_business(case: &Case) {
    let file = format!("/run/{}", case.unique("file"));
    case.sh(&format!("touch {file}")).ok();
    let unit = case.service(
        "web",
        "WatchdogSec=1200ms\nWatchdogSignal=SIGTERM\nExecStart=@payload@ sleep-handled",
        &format!("HealthProbe=path:{file}"),
    );
    assert!(status(&unit, "healthy"));
    case.sh(&format!("rm {file}")).ok();
    assert!(status(&unit, &format!("unhealthy: path:{file}: does not hold")), "{}", unit.show("StatusText"));
    // Only for a moment: that is no reason to end.
    case.sh(&format!("touch {file}")).ok();
    assert!(status(&unit, "healthy"));
    case.sh("sleep 1.5").ok();
    unit.assert_state("active");
    case.sh(&format!("rm {file}")).ok();
    unit.assert_state("failed");
    assert_eq!(unit.result(), "watchdog", "{}", unit.journal());
    assert!(processes(&unit, case).is_empty());

    let again = case.service(
        "again",
        "WatchdogSec=500ms\nRestart=on-watchdog\nRestartSec=50ms\nExecStart=@payload@ sleep-handled",
        &format!("HealthProbe=path:{file}"),
    );
    assert!(wait_for(|| again.show("NRestarts") != "0", Duration::from_secs(10)), "{}", again.journal());
    case.sh(&format!("touch {file}")).ok();
    assert!(status(&again, "healthy"));
    again.assert_state("active");
    case.sh(&format!("rm {file}")).ok();
}

fn health_unknown_is_health_lost(case: &Case) {
    let unit = case.service(
        "hung",
        "WatchdogSec=1\nExecStart=@payload@ sleep-handled",
        "HealthProbe=exec:/bin/sh -c 'echo asked; sleep 1000'",
    );
    assert!(
        status(&unit, "unhealthy: exec:/bin/sh -c 'echo asked; sleep 1000': no end within 250ms"),
        "{}",
        unit.show("StatusText")
    );
    unit.assert_state("failed");
    assert_eq!(unit.result(), "watchdog");
    assert_eq!(unit.journal().matches("no end within 250ms: asked").count(), 1, "{}", unit.journal());
    assert!(case.sh("pgrep -f 'sleep 1000' -a | grep -v pgrep").stdout.lines().all(|line| !line.contains("asked")));
}

fn health_of_a_service_that_says_itself_when_it_is_ready(case: &Case) {
    let unit = case.service(
        "web",
        "Type=notify\nWatchdogSec=1\nExecStart=@payload@ notify",
        "Hostname=web\nHealthProbe=path:/etc/passwd",
    );
    unit.assert_state("active");
    let dump = unit.dump();
    assert!(dump.env("NOTIFY_SOCKET").is_some());
    assert_eq!((dump.env("WATCHDOG_USEC"), dump.env("WATCHDOG_PID")), (None, None), "the probe decides alone");
    case.sh("sleep 2").ok();
    unit.assert_state("active");
    if case.version() >= 257 {
        let reload = case.service(
            "reload",
            "Type=notify-reload\nWatchdogSec=1\nExecStart=@payload@ notify-reload",
            "PrivatePIDs=yes\nHealthProbe=path:/etc/passwd",
        );
        reload.reload().ok();
        case.sh("sleep 1.5").ok();
        reload.assert_state("active");
    }
}

/// Told, and judged by what is promised: at most 300 KiB of its own.
fn health_takes_one_small_process(case: &Case) {
    let unit = case.service(
        "web",
        "WatchdogSec=400ms\nExecStart=busybox httpd -f -p 4902",
        "ReadyWhen=tcp:4902\nHealthProbe=tcp:4902\nHealthProbe=exec:true\nHealthProbe=path:/etc",
    );
    let watcher = || -> Vec<String> {
        let main = unit.main_pid().to_string();
        // A probe's own process comes and goes.
        processes(&unit, case)
            .into_iter()
            .filter(|pid| {
                *pid != main && case.sh(&format!("readlink /proc/{pid}/exe")).stdout.contains("unitcell-exec")
            })
            .collect()
    };
    let pid = watcher().pop().expect("a watcher");
    case.sh("sleep 2").ok();
    assert_eq!(watcher(), std::slice::from_ref(&pid), "the same one");
    let kibibytes = |field: &str| -> u64 {
        let script = format!("awk '/^{field}:/ {{ print $2 }}' /proc/{pid}/smaps_rollup");
        case.sh(&script).ok().parse().expect("a number")
    };
    // Pages of the program's file are no memory of the process's own, though one that nobody else
    // runs just now counts as private; and those of a file on a tmpfs count as written to.
    let own = kibibytes("Anonymous");
    eprintln!("systemd {}: the watcher has {own} KiB of its own, {} with its file's", case.version(), kibibytes("Rss"));
    assert!(own <= 300, "{own} KiB");
    let fds = case.sh(&format!("ls -l /proc/{pid}/fd"));
    for leftover in ["journal", "pipe:"] {
        assert!(!fds.ok().contains(leftover), "{fds:?}");
    }
    assert_eq!(case.sh(&format!("ps -o ppid= -p {pid}")).ok().trim(), "1", "it is systemd's child, not the payload's");
}

fn health_ends_with_the_service(case: &Case) {
    let cell = "HealthProbe=path:/";
    let unit = case.service("killed", "WatchdogSec=60\nExecStart=@payload@ sleep-handled", cell);
    unit.dump();
    case.sh(&format!("kill -KILL {}", unit.main_pid())).ok();
    unit.assert_state("failed");
    assert_eq!((unit.result().as_str(), unit.show("ExecMainStatus").as_str()), ("signal", "9"));
    assert!(processes(&unit, case).is_empty());

    let user = case.prepare(Scope::User, "user", "WatchdogSec=60\nExecStart=@payload@ exit 5", cell);
    user.start();
    user.assert_state("failed");
    assert_eq!((user.result().as_str(), user.show("ExecMainStatus").as_str()), ("exit-code", "5"));
}
