//! Init=yes: a first process of the PID namespace beside the service, which stays the main process.

use std::time::Duration;

use super::cases;
use super::ready::processes;
use crate::case::{Case, Scope, Unit};
use crate::machine::wait_for;
use crate::product::PAYLOAD;

cases![
    init_leaves_every_end_as_it_is,
    init_leaves_stopping_as_it_is,
    init_passes_signals_on_once,
    init_reaps_and_is_small,
    init_goes_with_every_type(257..=u32::MAX),
    init_by_hand,
];

/// The first process of the namespace.
fn init(unit: &Unit<'_>, case: &Case) -> String {
    let is_first = |pid: &String| {
        let status = case.sh(&format!("cat /proc/{pid}/status")).stdout;
        status.lines().any(|line| line.starts_with("NSpid:") && line.ends_with("\t1"))
    };
    processes(unit, case).into_iter().find(is_first).expect("a first process")
}

/// Services, each without and with an init, run through `act`: how systemd tells the two ends.
fn ends(case: &Case, services: &[(&str, &str, &str)]) -> Vec<[String; 2]> {
    let mut units = Vec::new();
    let mut script = String::new();
    for (name, service, act) in services {
        for (suffix, cell) in [("plain", ""), ("init", "\n[X-Unitcell]\nInit=yes\nHostname=cell\n")] {
            let unit = case.unit(Scope::System, &format!("{}.service", case.unique(&format!("{name}-{suffix}"))));
            let path = format!("/etc/systemd/system/{}", unit.name);
            let end = "ExecStopPost=sh -c 'echo $SERVICE_RESULT $EXIT_CODE $EXIT_STATUS > /run/%n.end'";
            case.file(&path, &format!("[Service]\n{service}\n{end}\n{cell}"));
            script += &format!("systemctl start {0} || exit 1; {1}\n", unit.name, act.replace("UNIT", &unit.name));
            units.push(unit);
        }
    }
    case.daemon_reload();
    case.sh(&script).ok();
    let end = |unit: &Unit<'_>| {
        let told = || case.sh(&format!("cat /run/{}.end", unit.name)).stdout.trim().to_owned();
        assert!(wait_for(|| !told().is_empty(), Duration::from_secs(20)), "{} goes on", unit.name);
        told()
    };
    let ends = units.chunks(2).map(|pair| [end(&pair[0]), end(&pair[1])]).collect();
    for unit in units.iter().filter(|unit| unit.name.contains("-init.")) {
        let gone = wait_for(|| processes(unit, case).is_empty(), Duration::from_secs(10));
        assert!(gone, "{:?} stay of {}", processes(unit, case), unit.name);
    }
    ends
}

fn init_leaves_every_end_as_it_is(case: &Case) {
    let payload = |action: &str| format!("LimitCORE=infinity\nStandardOutput=null\nExecStart={PAYLOAD} - {action}");
    let ways = [
        ("zero", "exit 0", "success exited 0"),
        ("three", "exit 3", "exit-code exited 3"),
        ("term", "signal 15", "success killed TERM"),
        ("segv", "signal 11", "core-dump dumped SEGV"),
        ("kill", "signal 9", "signal killed KILL"),
        ("usr1", "signal 10", "signal killed USR1"),
    ];
    let services: Vec<(&str, String)> = ways.map(|(name, action, _)| (name, payload(action))).into();
    let services: Vec<_> = services.iter().map(|(name, service)| (*name, service.as_str(), "")).collect();
    for ((name, _, told), seen) in ways.iter().zip(ends(case, &services)) {
        assert_eq!(seen, [*told, *told], "{name}");
    }
}

fn init_leaves_stopping_as_it_is(case: &Case) {
    // A sleep has no handler: as PID 1 it would get no SIGTERM.
    let tree = "ExecStart=sh -c 'sleep 1000 & sleep 1001 & wait'\nTimeoutStopSec=1";
    let slow = "ExecStart=sh -c 'trap \"exit 7\" TERM; trap \"exit 8\" INT; sleep 1000 & wait'";
    let (mixed, process) = (format!("{tree}\nKillMode=mixed"), format!("{tree}\nKillMode=process"));
    let exec_stop = format!("{slow}\nExecStop=kill -INT $MAINPID");
    let seen = ends(
        case,
        &[
            ("group", "ExecStart=sleep 1000", "systemctl stop UNIT"),
            ("mixed", &mixed, "systemctl stop UNIT"),
            ("process", &process, "systemctl stop UNIT"),
            ("handled", slow, "sleep 0.2; systemctl stop UNIT"),
            ("exec-stop", &exec_stop, "sleep 0.2; systemctl stop UNIT"),
            ("main", tree, "systemctl kill --kill-whom=main --signal=TERM UNIT"),
            ("all", tree, "systemctl kill --kill-whom=all --signal=TERM UNIT"),
            ("quit", "ExecStart=sleep 1000", "systemctl kill --kill-whom=main --signal=USR2 UNIT"),
            ("hard", tree, "systemctl kill --kill-whom=main --signal=KILL UNIT"),
        ],
    );
    let told = |end: &str| [end.to_owned(), end.to_owned()];
    let term = told("success killed TERM");
    assert_eq!(seen[..3], [term.clone(), term.clone(), term.clone()]);
    assert_eq!(seen[3..5], [told("exit-code exited 7"), told("exit-code exited 8")]);
    assert_eq!(seen[5..7], [term.clone(), term]);
    assert_eq!(seen[7..], [told("signal killed USR2"), told("signal killed KILL")]);
}

fn init_passes_signals_on_once(case: &Case) {
    let log = format!("/run/{}", case.unique("log"));
    let script = format!(
        "trap \"echo usr1 >> {log}\" USR1; trap \"echo hup >> {log}\" HUP; echo ready >> {log}; \
         kill -HUP 1; while :; do sleep 0.05; done"
    );
    let unit = case.service("web", &format!("ExecStart=sh -c '{script}'"), "Init=yes");
    assert!(wait_for(|| case.sh(&format!("cat {log}")).stdout == "ready\nhup\n", Duration::from_secs(10)));
    let init = init(&unit, case);
    // From outside the manager reaches both; the payload is not to get it a second time.
    unit.systemctl(&["kill", "--kill-whom=all", "--signal=USR1", &unit.name]).ok();
    assert!(wait_for(|| case.read(&log) == "ready\nhup\nusr1\n", Duration::from_secs(10)), "{}", case.read(&log));
    case.sh(&format!(
        "for s in $(seq 1 64); do case $s in 9|19|32|33) ;; *) kill -$s {init};; esac; done; sleep 0.3; test -d /proc/{init}"
    ))
    .ok();
    assert_eq!(case.read(&log), "ready\nhup\nusr1\n");
    unit.assert_state("active");
    // With the first process the namespace ends, and all in it.
    case.sh(&format!("kill -KILL {init}")).ok();
    unit.assert_state("failed");
    assert_eq!((unit.result().as_str(), unit.show("ExecMainStatus").as_str()), ("signal", "9"));
}

fn init_reaps_and_is_small(case: &Case) {
    let unit = case.service(
        "web",
        "User=nobody\nAmbientCapabilities=CAP_NET_RAW\nExecStart=sh -c '(sleep 0.1 &); exec sleep 1000'",
        "PrivatePIDs=yes\nInit=yes\nPrivateUsers=identity",
    );
    let init = init(&unit, case);
    assert!(wait_for(|| processes(&unit, case).len() == 2, Duration::from_secs(10)), "{:?}", processes(&unit, case));
    let show = |script: &str| case.sh(&script.replace("INIT", &init)).ok().to_owned();
    let kibibytes: u64 = show("awk '/^Anonymous:/ { print $2 }' /proc/INIT/smaps_rollup").parse().expect("a number");
    eprintln!("systemd {}: the init has {kibibytes} KiB of its own", case.version());
    assert!(kibibytes <= 300, "{kibibytes} KiB");
    assert_eq!(show("awk '/^Uid:/ { print $2 }' /proc/INIT/status"), "65534");
    assert_eq!(show("awk '/^Cap(Inh|Prm|Eff|Amb)/ && $2 !~ /^0*$/' /proc/INIT/status"), "", "no capability");
    // What can't be dumped can't be traced, and so belongs to root.
    assert_eq!(show("stat -c %u /proc/INIT/mem"), "0");
    assert_eq!(show("readlink /proc/INIT/cwd"), "/");
    let fds = show("for fd in /proc/INIT/fd/*; do readlink $fd; done | sort | uniq -c | awk '{ print $1, $2 }'");
    assert_eq!(fds, "3 /dev/null\n1 anon_inode:[pidfd]\n1 anon_inode:[signalfd]");
    assert_eq!(show("ps -o stat= --ppid INIT | wc -l"), "0", "no zombie");
}

fn init_goes_with_every_type(case: &Case) {
    let bus = case.unique("bus").replace('-', "_");
    let name = format!("org.example.{bus}");
    let policy = format!("/etc/dbus-1/system.d/{bus}.conf");
    case.file(&policy, &format!("<busconfig><policy user=\"root\"><allow own=\"{name}\"/></policy></busconfig>"));
    case.sh("systemctl reload dbus").ok();
    let client = format!("/run/{bus}.py");
    case.file(&client, &BUS_CLIENT.replace("NAME", &name));
    for cell in ["PrivatePIDs=yes", "Init=yes"] {
        let first = if cell == "Init=yes" { 2 } else { 1 };
        for (service, state) in [
            ("Type=simple\nExecStart=@payload@ sleep-handled", "active"),
            ("Type=exec\nExecStart=@payload@ sleep-handled", "active"),
            ("Type=idle\nExecStart=@payload@ sleep-handled", "active"),
            ("Type=notify\nExecStart=@payload@ notify", "active"),
            ("Type=notify-reload\nExecStart=@payload@ notify", "active"),
            ("Type=oneshot\nExecStart=@payload@ exit 0", "inactive"),
            (&*format!("Type=dbus\nBusName={name}\nExecStartPost=@payload@\nExecStart=python3 {client}"), "active"),
        ] {
            let service_type = service.lines().next().unwrap_or_default();
            let id = format!("{}-{first}", service_type.trim_start_matches("Type="));
            let unit = case.prepare(Scope::System, &id, service, cell);
            let started = unit.start();
            assert!(started.success(), "{service_type} {cell}: {started:?} {}", unit.journal());
            assert_eq!(unit.state(), state, "{service_type} {cell}");
            if state == "active" {
                // A start of Type=idle waits for nothing, the hand-over included.
                let inside = || {
                    let script = format!("awk '/^NSpid:/ {{ print $NF }}' /proc/{}/status", unit.main_pid());
                    case.sh(&script).stdout.trim().to_owned()
                };
                let there = wait_for(|| inside() == first.to_string(), Duration::from_secs(20));
                assert!(there, "{service_type} {cell}: {}", inside());
            }
            if service_type == "Type=notify-reload" {
                unit.reload().ok();
                unit.assert_state("active");
            }
            unit.stop().ok();
            assert_eq!(unit.result(), "success", "{service_type} {cell}");
        }
    }
    let forking = case.service("forking", "Type=forking", "Init=yes");
    forking.assert_failed_with(78);
    assert!(forking.journal().contains("Type=forking does not go with Init="), "{}", forking.journal());
}

/// Owns a name on the system bus until SIGTERM, without a library.
const BUS_CLIENT: &str = r#"
import os, signal, socket, struct, sys
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
bus = socket.socket(socket.AF_UNIX)
bus.connect("/run/dbus/system_bus_socket")
bus.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n")
assert bus.recv(512).startswith(b"OK")
bus.sendall(b"BEGIN\r\n")
def text(word): return struct.pack("<I", len(word)) + word.encode() + b"\0"
def pad(data, n): return data + b"\0" * (-len(data) % n)
def call(member, serial, signature="", body=b""):
    fields = b""
    for code, kind, value in (1, "o", "/org/freedesktop/DBus"), (6, "s", "org.freedesktop.DBus"), \
                             (2, "s", "org.freedesktop.DBus"), (3, "s", member):
        fields = pad(fields, 8) + bytes([code, 1]) + kind.encode() + b"\0" + text(value)
    if signature:
        fields = pad(fields, 8) + bytes([8, 1]) + b"g\0" + bytes([len(signature)]) + signature.encode() + b"\0"
    head = b"l\x01\0\x01" + struct.pack("<III", len(body), serial, len(fields)) + fields
    bus.sendall(pad(head, 8) + body)
call("Hello", 1)
call("RequestName", 2, "su", pad(text("NAME"), 4) + struct.pack("<I", 0))
while bus.recv(4096): pass
"#;

fn init_by_hand(case: &Case) {
    let run = |script: &str| case.sh(&format!("unitcell-exec --init -- sh -c '{script}'"));
    assert_eq!(run("echo $$; exit 3").code, Some(3));
    assert_eq!(run("echo $$").ok(), "2");
    let ended = run("(sleep 1000 &); kill -TERM $$");
    assert_eq!(ended.code, Some(128 + 15), "{ended:?}");
    let nested = case.sh("unitcell-exec --init --pid-namespace-path=/proc/1/ns/pid -- true");
    assert!(nested.stderr.contains("more than one way"), "{nested:?}");
}
