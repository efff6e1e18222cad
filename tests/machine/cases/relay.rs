//! What a service tells the manager through a relay: where a PID namespace changes what it means, or
//! where it must not count yet.

use std::time::Duration;

use super::cases;
use super::ready::processes;
use crate::case::{Case, Scope};
use crate::machine::wait_for;

cases![
    relay_names_the_process_that_is_meant: alone,
    relay_holds_ready_back,
    relay_waits_for_ready_of_the_service(253..=u32::MAX),
    relay_is_there_only_where_it_is_needed,
    relay_is_what_a_number_inside_takes(257..=u32::MAX),
    relay_tells_the_time_of_a_reload(253..=u32::MAX),
];

/// A service that speaks sd_notify(3), without a library.
pub(super) const SPEAKER: &str = r#"
import array, os, select, signal, socket, sys, time
name = os.environ["NOTIFY_SOCKET"]
name = "\0" + name[1:] if name[0] == "@" else name
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
def tell(text, *fds):
    with_fds = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    manager.sendmsg([text.encode()], with_fds, 0, name)
def barrier():
    here, there = os.pipe()
    tell("BARRIER=1", there)
    os.close(there)
    assert select.select([here], [], [], 20)[0], "no answer to the barrier"
def on_term(*_):
    tell("STOPPING=1\nSTATUS=bye")
    time.sleep(0.3)
    open(sys.argv[2], "w").write("left")
    os._exit(0)
def on_hup(*_):
    tell("RELOADING=1\nMONOTONIC_USEC=%d" % (time.clock_gettime(time.CLOCK_MONOTONIC) * 1000000))
    tell("READY=1\nSTATUS=reloaded")
signal.signal(signal.SIGTERM, on_term)
signal.signal(signal.SIGHUP, on_hup)
if sys.argv[1] == "worker":
    worker = os.fork()
    if worker:
        stored = open("/etc/hostname")
        tell("FDSTORE=1\nFDNAME=one", stored.fileno())
        tell(f"READY=1\nMAINPID={worker}\nSTATUS=worker {worker}\nNOTIFYACCESS=none")
        barrier()
        open(sys.argv[2], "w").write("told")
        os._exit(0)
else:
    tell("READY=1\nSTATUS=mine")
    barrier()
    open(sys.argv[2], "w").write("told")
    while os.path.exists(sys.argv[2]): time.sleep(0.05)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(sys.argv[3])))
    listener.listen()
while True: time.sleep(1)
"#;

/// Alone, since systemd 252 may miss the end of a main process that is not its child when it is
/// reloaded meanwhile; TimeoutStopSec= helps it on then.
fn relay_names_the_process_that_is_meant(case: &Case) {
    let script = format!("/run/{}.py", case.unique("speaker"));
    case.file(&script, SPEAKER);
    let told = format!("/run/unitcell-tests/{}", case.unique("told"));
    for (name, more) in
        [("plain", ""), ("user", "PrivateUsers=identity\nProtectControlGroups=private\nPrivateNetwork=yes")]
    {
        let unit = case.prepare(
            Scope::System,
            name,
            &format!(
                "Type=notify\nUser=tester\nFileDescriptorStoreMax=3\nExecStart=python3 {script} worker {told}.{name}"
            ),
            &format!("Init=yes\nHostname=web\n{more}"),
        );
        unit.start().ok();
        assert!(wait_for(|| case.sh(&format!("cat {told}.{name}")).stdout == "told", Duration::from_secs(20)));
        let inside = case.sh(&format!("awk '/^NSpid:/ {{ print $NF }}' /proc/{}/status", unit.main_pid()));
        let status = unit.show("StatusText");
        assert_eq!(status, format!("worker {}", inside.ok()), "{}", unit.journal());
        assert_ne!(inside.ok(), "2", "the worker, not the one that has started it");
        assert_eq!(unit.show("NFileDescriptorStore"), "1");
        // The first process has gone, the namespace has not; the worker, the init and the relay stay.
        assert!(
            wait_for(|| processes(&unit, case).len() == 3, Duration::from_secs(10)),
            "{:?}",
            processes(&unit, case)
        );
        for pid in processes(&unit, case) {
            let anonymous = case
                .sh(&format!("readlink /proc/{pid}/exe; awk '/^Anonymous:/ {{ print $2 }}' /proc/{pid}/smaps_rollup"));
            let mut words = anonymous.ok().split_whitespace();
            if words.next().is_some_and(|file| file.ends_with("unitcell-exec")) {
                let kibibytes: u64 = words.next().and_then(|word| word.parse().ok()).expect("a number");
                assert!(kibibytes <= 300, "{kibibytes} KiB");
            }
        }
        unit.stop().ok();
        assert_eq!(unit.result(), "success", "{}", unit.journal());
        assert_eq!(case.read(&format!("{told}.{name}")), "left", "the worker has time to leave: {}", unit.journal());
    }
}

fn relay_holds_ready_back(case: &Case) {
    let script = format!("/run/{}.py", case.unique("speaker"));
    case.file(&script, SPEAKER);
    for (port, name, cell) in [(4921, "host", ""), (4922, "cell", "Init=yes\nPrivateNetwork=yes\n")] {
        let told = format!("/run/{}", case.unique(&format!("told-{name}")));
        let unit = case.prepare(
            Scope::System,
            name,
            &format!("Type=notify-reload\nExecStart=python3 {script} reload {told} {port}"),
            &format!("{cell}ReadyWhen=tcp:{port}"),
        );
        if case.version() < 253 {
            unit.start();
            unit.assert_failed_with(78);
            assert!(unit.journal().contains("systemd 252 does not know that type"), "{}", unit.journal());
            continue;
        }
        case.systemctl(&["start", "--no-block", &unit.name]).ok();
        assert!(wait_for(|| case.sh(&format!("cat {told}")).stdout == "told", Duration::from_secs(20)));
        assert_eq!(unit.show("ActiveState"), "activating", "READY=1 has been said, and the port does not listen yet");
        case.sh(&format!("rm {told}")).ok();
        unit.assert_state("active");
        assert!(unit.show("StatusText").ends_with(&format!("tcp:{port}")), "{}", unit.show("StatusText"));
        unit.reload().ok();
        assert_eq!((unit.show("StatusText").as_str(), unit.state().as_str()), ("reloaded", "active"));
        unit.stop().ok();
        assert_eq!(unit.result(), "success", "{}", unit.journal());
    }
}

/// What holds from the start makes nothing ready that has not said so itself.
fn relay_waits_for_ready_of_the_service(case: &Case) {
    let go = format!("/run/{}", case.unique("go"));
    let script = format!("/run/{}.py", case.unique("speaker"));
    let wait = format!("import os, time\nwhile not os.path.exists('{go}'): time.sleep(0.05)\n");
    case.file(&script, &format!("{wait}{SPEAKER}"));
    let told = format!("/run/{}", case.unique("told"));
    let service = format!("Type=notify-reload\nExecStart=python3 {script} reload {told} 4923");
    let unit = case.prepare(Scope::System, "web", &service, "ReadyWhen=path:/usr");
    case.systemctl(&["start", "--no-block", &unit.name]).ok();
    let waits = || unit.show("StatusText") == "waiting for READY=1 of the service";
    assert!(wait_for(waits, Duration::from_secs(20)), "{}", unit.journal());
    assert_eq!(unit.state(), "activating");
    case.file(&go, "");
    unit.assert_state("active");
    unit.reload().ok();
    assert!(wait_for(|| unit.show("StatusText") == "reloaded", Duration::from_secs(10)), "{}", unit.journal());
}

fn relay_is_there_only_where_it_is_needed(case: &Case) {
    // The kernel tells systemd who has sent a message, also from a PID namespace.
    for (name, service, cell, expected) in [
        ("no-init", "Type=notify\nExecStart=@payload@ notify", "PrivatePIDs=yes\nPrivateUsers=identity", 1),
        ("silent", "ExecStart=@payload@ sleep-handled", "Init=yes", 2),
    ] {
        let unit = case.service(name, service, cell);
        unit.dump();
        unit.assert_state("active");
        assert_eq!(processes(&unit, case).len(), expected, "{name}: {:?}", processes(&unit, case));
    }
}

/// Without one `MAINPID=` names a process of the host's, as it does with systemd's own PrivatePIDs=, and is
/// passed over: it is not of the service.
fn relay_is_what_a_number_inside_takes(case: &Case) {
    let script = "import os, socket, time\n\
                  worker = os.fork()\n\
                  if worker:\n    \
                  manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n    \
                  text = f'READY=1\\nMAINPID={worker}\\nSTATUS=worker {worker}'\n    \
                  manager.sendto(text.encode(), os.environ['NOTIFY_SOCKET'].replace('@', '\\0'))\n\
                  time.sleep(1000)\n";
    let file = format!("/run/{}.py", case.unique("speaker"));
    case.file(&file, script);
    let service = format!("Type=notify\nTimeoutStopSec=1\nExecStart=python3 {file}");
    let native = case.service("native", &format!("{service}\nPrivatePIDs=yes"), "");
    let web = case.service("web", &service, "PrivatePIDs=yes\nHostname=web");
    let with_init = case.service("init", &service, "Init=yes");
    let main_inside = |unit: &crate::case::Unit<'_>| {
        unit.assert_state("active");
        case.sh(&format!("awk '/^NSpid:/ {{ print $NF }}' /proc/{}/status", unit.main_pid())).ok().to_owned()
    };
    assert_eq!([&native, &web].map(main_inside), ["1", "1"]);
    assert_eq!(format!("worker {}", main_inside(&with_init)), with_init.show("StatusText"));
}

/// systemd waits for an answer that is no older than the reload.
fn relay_tells_the_time_of_a_reload(case: &Case) {
    let past = "TimeOffsetMonotonic=-10s";
    let other = case.service("other", "", past);
    other.dump();
    for (name, cell, beside) in [
        ("ahead", "TimeOffsetMonotonic=10s".to_owned(), 0),
        ("past", past.to_owned(), 1),
        ("user", format!("{past}\nPrivateUsers=self"), 1),
        ("pids", format!("{past}\nPrivatePIDs=yes"), 1),
        ("init", format!("{past}\nInit=yes"), 2),
        ("ready", format!("{past}\nReadyWhen=path:/usr"), 1),
        ("joined", format!("NamespacesOf={} time", other.name), 1),
    ] {
        let service = "Type=notify-reload\nTimeoutStartSec=8\nExecStart=@payload@ notify-reload";
        let unit = case.service(name, service, &cell);
        unit.assert_state("active");
        assert!(unit.reload().success(), "{name}: {}", unit.journal());
        assert_eq!((unit.state().as_str(), unit.result().as_str()), ("active", "success"), "{name}");
        assert_eq!(processes(&unit, case).len(), 1 + beside, "{name}");
        unit.stop().ok();
        assert_eq!(unit.result(), "success", "{name}: {}", unit.journal());
    }
}
