//! Real daemons, as Debian has them, in a full cell, and really used.

use std::time::Duration;

use super::cases;
use crate::case::{Case, Scope, Unit};
use crate::machine::{Output, wait_for};

cases![
    daemons_that_serve: daemons,
    daemons_that_tell_systemd: daemons,
    daemons_started_by_sockets: daemons,
];

const CELL: &str = "PrivatePIDs=yes\nPrivateNetwork=yes\nPrivateIPC=yes\nHostname=cell\nTimeOffsetBoottime=100d";

#[track_caller]
fn start<'c>(case: &'c Case, name: &str, service: &str) -> Unit<'c> {
    let unit = case.prepare(Scope::System, name, service, CELL);
    let started = unit.start();
    assert!(started.success(), "{started:?}\n{}", unit.journal());
    unit
}

/// A command in the network namespace of the service.
fn beside(unit: &Unit<'_>, case: &Case, command: &str) -> Output {
    case.sh(&format!("nsenter -t {} -n -- {command}", unit.main_pid()))
}

/// The first process of its namespace, on a host of this name, that minds to be stopped.
#[track_caller]
fn assert_in_cell(unit: &Unit<'_>, case: &Case) {
    let main = unit.main_pid();
    let seen = case.sh(&format!("awk '/^NSpid:/ {{ print $NF }}' /proc/{main}/status; nsenter -t {main} -u hostname"));
    assert_eq!(seen.ok(), "1\ncell");
    unit.stop().ok();
    assert_eq!(unit.result(), "success", "{}", unit.journal());
}

fn daemons_that_serve(case: &Case) {
    let nginx = start(
        case,
        "nginx",
        "Type=exec\nExecStartPre=/usr/sbin/nginx -t -q -g 'daemon off;'\nExecStart=/usr/sbin/nginx -g 'daemon off;'\n\
         ExecReload=/bin/kill -HUP $MAINPID",
    );
    let page = || beside(&nginx, case, "curl -s http://127.0.0.1/").stdout;
    assert!(wait_for(|| page().contains("Welcome to nginx"), Duration::from_secs(10)), "{}", nginx.journal());
    nginx.reload().ok();
    assert!(wait_for(|| page().contains("Welcome to nginx"), Duration::from_secs(10)), "{}", nginx.journal());
    assert_in_cell(&nginx, case);

    let chrony = start(case, "chrony", "Type=exec\nRuntimeDirectory=chrony\nExecStart=/usr/sbin/chronyd -d -x");
    let tracking = || beside(&chrony, case, "chronyc -h 127.0.0.1 -n tracking").stdout;
    assert!(wait_for(|| tracking().contains("Stratum"), Duration::from_secs(10)), "{}", chrony.journal());
    assert_in_cell(&chrony, case);
}

fn daemons_that_tell_systemd(case: &Case) {
    let redis = start(
        case,
        "redis",
        "Type=notify\nUser=redis\nRuntimeDirectory=redis\n\
         ExecStart=/usr/bin/redis-server --supervised systemd --daemonize no --dir /tmp --save ''",
    );
    assert_eq!(beside(&redis, case, "redis-cli set answer 42").ok(), "OK");
    assert_eq!(beside(&redis, case, "redis-cli get answer").ok(), "42");
    assert_in_cell(&redis, case);

    let version = case.sh("ls /usr/lib/postgresql").ok().to_owned();
    let postgres = start(
        case,
        "postgres",
        &format!(
            "Type=notify\nUser=postgres\nRuntimeDirectory=postgresql\nExecReload=/bin/kill -HUP $MAINPID\n\
             ExecStart=/usr/lib/postgresql/{version}/bin/postgres -D /var/lib/postgresql/{version}/main \
             -c config_file=/etc/postgresql/{version}/main/postgresql.conf"
        ),
    );
    let query =
        |sql: &str| case.sh(&format!("runuser -u postgres -- psql -h /run/postgresql -tAc '{sql}'")).ok().to_owned();
    assert_eq!(query("create table t as select generate_series(1, 1000) n"), "SELECT 1000");
    postgres.reload().ok();
    assert_eq!(query("select sum(n) from t"), "500500");
    assert_eq!(query("drop table t"), "DROP TABLE");
    assert_in_cell(&postgres, case);

    // Fed by WATCHDOG_PID, which has to name the process as it sees itself.
    let networkd = start(case, "networkd", "Type=notify\nWatchdogSec=1\nExecStart=/usr/lib/systemd/systemd-networkd");
    let fed = networkd.show("WatchdogTimestampMonotonic");
    assert!(wait_for(|| networkd.show("WatchdogTimestampMonotonic") != fed, Duration::from_secs(10)));
    assert_in_cell(&networkd, case);
}

fn daemons_started_by_sockets(case: &Case) {
    let bus = case.unique("bus");
    case.file(&format!("/etc/systemd/system/{bus}.socket"), &format!("[Socket]\nListenStream=/run/{bus}\n"));
    let _socket = case.unit(Scope::System, &format!("{bus}.socket"));
    let service = case.prepare(
        Scope::System,
        "bus",
        "Type=notify\nExecStart=/usr/bin/dbus-daemon --config-file=/usr/share/dbus-1/session.conf --address=systemd: \
         --nofork --nopidfile --systemd-activation --syslog-only",
        CELL,
    );
    case.systemctl(&["start", &format!("{bus}.socket")]).ok();
    let call = format!(
        "dbus-send --bus=unix:path=/run/{bus} --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.GetId"
    );
    assert!(case.sh(&call).ok().contains("string"), "{}", service.journal());
    case.systemctl(&["stop", &format!("{bus}.socket")]).ok();
    assert_in_cell(&service, case);

    // A process for each connection, as with inetd; one that forks needs an init.
    let ssh = case.unique("ssh");
    case.file(&format!("/etc/systemd/system/{ssh}.socket"), "[Socket]\nListenStream=127.0.0.1:2222\nAccept=yes\n");
    case.file(
        &format!("/etc/systemd/system/{ssh}@.service"),
        "[Service]\nStandardInput=socket\nRuntimeDirectory=sshd\nRuntimeDirectoryPreserve=yes\n\
         ExecStart=-/usr/sbin/sshd -i -o UsePAM=no\n\
         [X-Unitcell]\nInit=yes\nHostname=cell\nTimeOffsetBoottime=100d\n",
    );
    let _socket = case.unit(Scope::System, &format!("{ssh}.socket"));
    case.daemon_reload();
    case.systemctl(&["start", &format!("{ssh}.socket")]).ok();
    let script = "mkdir -p -m 700 /root/.ssh && cd /root/.ssh && ssh-keygen -q -t ed25519 -N '' -f id && cp id.pub authorized_keys";
    case.sh(script).ok();
    let inside = "ssh -i /root/.ssh/id -p 2222 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
                  root@127.0.0.1 'hostname; cat /proc/1/comm; cut -d. -f1 /proc/uptime'";
    let seen = case.sh(inside);
    let seen: Vec<&str> = seen.ok().lines().collect();
    assert_eq!(seen[..2], ["cell", "unitcell-exec"]);
    assert!(seen[2].parse::<u64>().expect("seconds") >= 100 * 86400, "{seen:?}");
}
