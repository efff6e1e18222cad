//! ReadyWhen=: services that never learned sd_notify(3) count as started when they can serve.

use std::time::{Duration, Instant};

use super::cases;
use crate::case::{Case, Scope, Unit};
use crate::machine::wait_for;

cases![
    ready_when_a_port_listens,
    ready_in_a_pid_and_network_namespace,
    ready_in_a_user_namespace,
    ready_in_a_user_manager,
    ready_with_daemons_that_know_no_sd_notify,
    ready_by_each_sort_of_condition,
    ready_when_all_hold_together,
    ready_a_hundred_times_of_a_hundred,
    ready_a_hundred_times_in_a_cell,
    ready_soon_after_listen,
    ready_never_when_the_payload_dies,
    ready_never_within_the_time_limit,
    ready_or_stopped_before,
    ready_again_after_a_restart,
    ready_stays_so_through_a_reload,
    ready_by_a_command_of_the_service,
    ready_by_hand,
    ready_leaves_the_payload_as_it_is,
    ready_is_refused_where_it_can_not_be_told,
];

/// A daemon that listens after `delay` seconds.
fn listener(delay: f64, address: &str, port: u16) -> String {
    let family = if address.contains(':') { "AF_INET6" } else { "AF_INET" };
    format!(
        "ExecStart=python3 -c 'import socket,time; time.sleep({delay}); s=socket.socket(socket.{family}); \
         s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1); s.bind((\"{address}\",{port})); s.listen(); \
         time.sleep(1000)'"
    )
}

/// All processes of the unit's control group.
pub fn processes(unit: &Unit<'_>, case: &Case) -> Vec<String> {
    let path = unit.show("ControlGroup");
    case.sh(&format!("cat /sys/fs/cgroup{path}/cgroup.procs")).stdout.lines().map(str::to_owned).collect()
}

#[track_caller]
fn assert_nobody_beside(unit: &Unit<'_>, case: &Case) {
    let alone = wait_for(|| processes(unit, case) == [unit.main_pid().to_string()], Duration::from_secs(5));
    assert!(alone, "{:?} stay beside {}", processes(unit, case), unit.main_pid());
}

fn ready_when_a_port_listens(case: &Case) {
    let unit = case.prepare(Scope::System, "web", &listener(0.7, "127.0.0.1", 4801), "ReadyWhen=tcp:4801");
    unit.start().ok();
    assert_eq!(case.sh("ss -Hltn sport = 4801 | wc -l").ok(), "1", "listens when start returns");
    unit.assert_state("active");
    assert_eq!((unit.show("Type").as_str(), unit.show("NotifyAccess").as_str()), ("notify", "all"));
    assert!(unit.show("StatusText").ends_with(": tcp:4801"), "{}", unit.show("StatusText"));
    assert_nobody_beside(&unit, case);
    let environment = case.sh(&format!("tr '\\0' '\\n' < /proc/{}/environ", unit.main_pid()));
    assert!(!environment.ok().contains("NOTIFY_SOCKET"), "{environment:?}");
    unit.stop().ok();
    // python3 ends by SIGTERM, as any service may.
    assert_eq!(unit.result(), "success", "{}", unit.journal());
    assert!(!unit.journal().contains("not our child"), "{}", unit.journal());
}

fn ready_in_a_pid_and_network_namespace(case: &Case) {
    let cell = "PrivatePIDs=yes\nPrivateNetwork=yes\nHostname=web\nReadyWhen=tcp:127.0.0.1:4802";
    let unit = case.prepare(
        Scope::System,
        "web",
        &format!("User=tester\nAmbientCapabilities=CAP_NET_RAW\n{}", listener(0.5, "127.0.0.1", 4802)),
        cell,
    );
    unit.start().ok();
    let main = unit.main_pid();
    let inside = format!("nsenter -t {main} -n ss -Hltn sport = 4802 | wc -l");
    assert_eq!(case.sh(&inside).ok(), "1", "listens when start returns");
    assert!(case.sh(&format!("grep NSpid /proc/{main}/status")).ok().ends_with("\t1"), "is the first process");
    assert_eq!(case.sh(&format!("ps -o ppid= -p {main}")).ok().trim(), "1");
    assert_nobody_beside(&unit, case);
    assert!(!unit.journal().contains("not our child"), "{}", unit.journal());
}

/// The watcher is in the namespace that the payload made after the two had parted.
fn ready_in_a_user_namespace(case: &Case) {
    let seen = format!("/tmp/{}", case.unique("seen"));
    for (name, cell) in [
        ("both", "PrivatePIDs=yes\nHostname=x\nUIDMap=0:1000:10\nGIDMap=0:1000:10"),
        ("user", "PrivateUsers=self\nHostname=x"),
    ] {
        let service = "User=tester\nExecStart=@payload@ sleep-handled";
        let service =
            if name == "both" { service.replace("User=tester", "User=3\nGroup=3") } else { service.to_owned() };
        let probe = format!(
            "ReadyWhen=exec:/bin/sh -c 'readlink /proc/self/ns/user /proc/self/ns/pid > {seen}.{name}; id -u >> {seen}.{name}'"
        );
        let unit = case.prepare(Scope::System, name, &service, &format!("{cell}\n{probe}"));
        case.sh(&format!("rm -f {seen}.{name}; sed -i /^sys-probe/d /etc/passwd")).ok();
        unit.start().ok();
        let (dump, seen) = (unit.dump(), case.read(&format!("{seen}.{name}")));
        let uid = dump.get("uid")[0].to_string();
        assert_eq!(seen, format!("{}\n{}\n{uid}\n", dump.ns("user"), dump.ns("pid")), "{name}");
        assert_nobody_beside(&unit, case);
    }
}

fn ready_in_a_user_manager(case: &Case) {
    for (name, cell) in [("plain", ""), ("cell", "PrivateUsers=self\nPrivatePIDs=yes\nHostname=web\n")] {
        let unit = case.prepare(Scope::User, name, "", &format!("{cell}ReadyWhen=path:@dump@"));
        unit.start().ok();
        assert!(case.path(&unit.dump_path()).exists(), "{name}: there when start returns");
        assert_nobody_beside(&unit, case);
        unit.stop().ok();
        assert_eq!(unit.result(), "success", "{}", unit.journal());
    }
}

fn ready_with_daemons_that_know_no_sd_notify(case: &Case) {
    let socket = format!("/tmp/{}", case.unique("memcached"));
    for (name, command, condition, client) in [
        (
            "python",
            "python3 -m http.server 4811".to_owned(),
            "tcp:4811",
            "busybox wget -q -O /dev/null http://127.0.0.1:4811/",
        ),
        (
            "httpd",
            "busybox httpd -f -p 127.0.0.1:4812 -h /etc".to_owned(),
            "tcp:127.0.0.1:4812",
            "busybox wget -q -O /dev/null http://127.0.0.1:4812/passwd",
        ),
        (
            "memcached",
            "memcached -u nobody -l ::1 -p 4813 -U 4813".to_owned(),
            "tcp:[::1]:4813",
            "ss -Hltn sport = 4813 | grep -q 4813",
        ),
        (
            "udp",
            "memcached -u nobody -l 127.0.0.1 -p 4814 -U 4814".to_owned(),
            "udp:4814",
            "ss -Hlun sport = 4814 | grep -q 4814",
        ),
        ("unix", format!("memcached -u nobody -s {socket}"), "", "true"),
        (
            "shell",
            format!(
                "sh -c 'rm -rf /run/{0}; sleep 0.4; mkdir /run/{0}; sleep 0.2; touch /run/{0}/ready; exec sleep 1000'",
                case.unique("slow")
            ),
            "path:",
            "true",
        ),
    ] {
        let condition = match name {
            "unix" => format!("unix:{socket}"),
            "shell" => format!("path:/run/{}/ready", case.unique("slow")),
            _ => condition.to_owned(),
        };
        let unit =
            case.prepare(Scope::System, name, &format!("ExecStart={command}"), &format!("ReadyWhen={condition}"));
        unit.start().ok();
        case.sh(client).ok();
        assert_nobody_beside(&unit, case);
        unit.stop();
    }
}

fn ready_by_each_sort_of_condition(case: &Case) {
    let dir = format!("/run/{}", case.unique("dir"));
    let python =
        |code: &str| format!("ExecStart=python3 -c 'import socket,time,os; time.sleep(0.3); {code}; time.sleep(1000)'");
    for (name, code, condition, wrong) in [
        (
            "any",
            "s=socket.create_server((\"::\",4821),family=socket.AF_INET6,dualstack_ipv6=True)",
            "tcp:127.0.0.1:4821",
            "tcp:127.0.0.1:4820",
        ),
        ("six", "s=socket.create_server((\"::\",4822),family=socket.AF_INET6)", "tcp:[::1]:4822", "tcp:127.0.0.1:4822"),
        (
            "udp",
            "s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.bind((\"127.0.0.1\",4823))",
            "udp:4823",
            "udp:127.0.0.2:4823",
        ),
        (
            "abstract",
            "s=socket.socket(socket.AF_UNIX); s.bind(\"\\\\0unitcell-test\"); s.listen()",
            "unix:@unitcell-test",
            "unix:@unitcell",
        ),
        (
            "relative",
            &format!(
                "os.makedirs(\"{dir}\",exist_ok=True); os.chdir(\"{dir}\"); s=socket.socket(socket.AF_UNIX); s.bind(\"s\"); s.listen()"
            ),
            &format!("unix:{dir}/s"),
            &format!("unix:{dir}/t"),
        ),
        (
            "bound",
            &format!(
                "os.makedirs(\"{dir}\",exist_ok=True); s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); s.bind(\"{dir}/d\")"
            ),
            &format!("unix:{dir}/d"),
            &format!("path:{dir}/e"),
        ),
    ] {
        case.sh(&format!("rm -rf {dir}")).ok();
        let unit = case.prepare(Scope::System, name, &python(code), &format!("ReadyWhen={condition}"));
        assert!(unit.start().success(), "{name}: {}", unit.journal());
        unit.stop();
        case.sh(&format!("rm -rf {dir}")).ok();
        let service = format!("TimeoutStartSec=1.5\n{}", python(code));
        let other = case.prepare(Scope::System, &format!("not-{name}"), &service, &format!("ReadyWhen={wrong}"));
        assert!(!other.start().success(), "{name}: {wrong} does not hold");
    }
}

fn ready_when_all_hold_together(case: &Case) {
    // Neither is at an address where a client of this machine would look first.
    let service = "ExecStart=python3 -c 'import socket,time; time.sleep(0.3); a=socket.create_server((\"127.0.0.8\",4832)); \
                   b=socket.create_server((\"127.0.0.9\",4833)); time.sleep(1000)'";
    let elsewhere = case.prepare(
        Scope::System,
        "elsewhere",
        service,
        "ReadyWhen=tcp:4832\nReadyWhen=tcp:4833\nReadyWhen=exec:true",
    );
    elsewhere.start().ok();

    let file = format!("/run/{}", case.unique("file"));
    let unit = case.prepare(
        Scope::System,
        "web",
        &listener(0.1, "127.0.0.1", 4831),
        &format!("ReadyWhen=tcp:4831\nReadyWhen=path:{file}\nReadyWhen=exec:test -s {file}"),
    );
    unit.systemctl(&["start", "--no-block", &unit.name]).ok();
    let status = |text: &str| wait_for(|| unit.show("StatusText").starts_with(text), Duration::from_secs(10));
    assert!(status(&format!("waiting for path:{file}, ")), "{}", unit.show("StatusText"));
    case.sh(&format!("touch {file}")).ok();
    assert!(status(&format!("waiting for exec:test -s {file}, ")), "{}", unit.show("StatusText"));
    assert_eq!(unit.state(), "activating");
    case.sh(&format!("echo x > {file}")).ok();
    unit.assert_state("active");
    case.sh(&format!("rm {file}")).ok();
}

/// A client ordered after a server that listens late, started a hundred times.
fn a_hundred_times(case: &Case, port: u16, service: &str, cell: &str) {
    let server = case.prepare(
        Scope::System,
        "server",
        &format!(
            "[Unit]\nStartLimitIntervalSec=0\n[Service]\n{service}\nExecStart=sh -c 'busybox usleep 30000; exec busybox httpd -f -p 127.0.0.1:{port} -h /etc'"
        ),
        &format!("{cell}\nReadyWhen=tcp:127.0.0.1:{port}"),
    );
    let client = case.prepare(
        Scope::System,
        "client",
        &format!(
            "[Unit]\nRequires={0}\nAfter={0}\n[Service]\n{service}\nType=oneshot\nExecStart=busybox wget -q -O /dev/null http://127.0.0.1:{port}/hostname",
            server.name
        ),
        "",
    );
    for _ in 0..10 {
        let script = format!(
            "for n in 0 1 2 3 4 5 6 7 8 9; do systemctl start {} && systemctl stop {} || exit 1; done",
            client.name, server.name
        );
        assert!(case.sh(&script).success(), "{}", client.journal());
    }
}

fn ready_a_hundred_times_of_a_hundred(case: &Case) {
    a_hundred_times(case, 4841, "", "");
}

fn ready_a_hundred_times_in_a_cell(case: &Case) {
    // busybox handles no SIGTERM, and as the first process of a namespace it gets none then.
    let netns = case.unique("net");
    case.sh(&format!("ip netns add {netns} && ip -n {netns} link set lo up")).ok();
    a_hundred_times(
        case,
        4842,
        &format!("KillSignal=SIGKILL\nNetworkNamespacePath=/run/netns/{netns}"),
        "PrivatePIDs=yes\nHostname=web",
    );
    case.sh(&format!("ip netns delete {netns}")).ok();
}

/// Told, not judged: a time depends on the machine.
fn ready_soon_after_listen(case: &Case) {
    let file = format!("/run/{}", case.unique("listened"));
    let mut late: Vec<f64> = Vec::new();
    for n in 0..15 {
        let code = format!(
            "import socket,time; time.sleep({}); s=socket.create_server((\"127.0.0.1\",4851)); t=time.monotonic(); \
             open(\"{file}\",\"w\").write(str(t)); time.sleep(1000)",
            0.05 + 0.15 * f64::from(n)
        );
        let unit = case.prepare(Scope::System, "web", &format!("ExecStart=python3 -c '{code}'"), "ReadyWhen=tcp:4851");
        unit.start().ok();
        let mut listened = None;
        let mut read = || -> Option<f64> {
            listened = std::fs::read_to_string(case.path(&file)).ok()?.parse::<f64>().ok();
            listened
        };
        assert!(wait_for(|| read().is_some(), Duration::from_secs(5)));
        let listened = listened.expect("a time");
        let active: f64 = unit.show("ActiveEnterTimestampMonotonic").parse().expect("a time");
        late.push(active / 1e3 - listened * 1e3);
        unit.stop();
        case.sh(&format!("rm {file}")).ok();
    }
    late.sort_by(f64::total_cmp);
    eprintln!(
        "systemd {}: from listen() to active: median {:.1} ms, at most {:.1} ms",
        case.version(),
        late[late.len() / 2],
        late[late.len() - 1]
    );
}

fn ready_never_when_the_payload_dies(case: &Case) {
    for cell in ["", "PrivatePIDs=yes\n"] {
        let name = |name: &str| format!("{name}{}", cell.len());
        for (end, result, status) in
            [("exit 7", "exit-code", "7"), ("signal 9", "signal", "9"), ("exit 0", "protocol", "0")]
        {
            // The first process of a PID namespace can't kill itself.
            if !cell.is_empty() && end.starts_with("signal") {
                continue;
            }
            let service = format!("ExecStart=@payload@ {end}");
            let unit = case.prepare(
                Scope::System,
                &name(&end.replace(' ', "-")),
                &service,
                &format!("{cell}ReadyWhen=tcp:4861"),
            );
            let begun = Instant::now();
            assert!(!unit.start().success());
            assert!(begun.elapsed() < Duration::from_secs(20), "at once");
            unit.assert_state("failed");
            assert_eq!((unit.result().as_str(), unit.show("ExecMainStatus").as_str()), (result, status), "{end}");
            assert!(processes(&unit, case).is_empty());
        }
        let missing =
            case.prepare(Scope::System, &name("missing"), "ExecStart=/nowhere", &format!("{cell}ReadyWhen=tcp:4861"));
        assert!(!missing.start().success());
        missing.assert_failed_with(203);
    }
}

fn ready_never_within_the_time_limit(case: &Case) {
    for cell in ["", "PrivatePIDs=yes\n"] {
        let name = format!("web{}", cell.len());
        let service = "TimeoutStartSec=1\nExecStart=@payload@ sleep-handled";
        let unit = case.prepare(Scope::System, &name, service, &format!("{cell}ReadyWhen=tcp:4871"));
        assert!(!unit.start().success());
        assert_eq!(unit.result(), "timeout");
        assert!(wait_for(|| processes(&unit, case).is_empty(), Duration::from_secs(5)));
    }
}

fn ready_or_stopped_before(case: &Case) {
    for kill_mode in ["control-group", "mixed", "process"] {
        for cell in ["", "PrivatePIDs=yes\n"] {
            let service = format!("KillMode={kill_mode}\nExecStart=@payload@ sleep-handled");
            let name = format!("{kill_mode}{}", cell.len());
            let unit = case.prepare(Scope::System, &name, &service, &format!("{cell}ReadyWhen=tcp:4881"));
            unit.systemctl(&["start", "--no-block", &unit.name]).ok();
            unit.dump();
            assert_eq!(
                (unit.state().as_str(), processes(&unit, case).len()),
                ("activating", 2),
                "the payload and its watcher"
            );
            unit.stop().ok();
            assert_eq!(unit.result(), "success", "{}", unit.journal());
            assert!(wait_for(|| processes(&unit, case).is_empty(), Duration::from_secs(5)));
            // With `process`, systemd may look before the watcher has seen the end of the payload.
            if kill_mode != "process" {
                assert!(!unit.journal().contains("remains running"), "{}", unit.journal());
            }
        }
    }
}

fn ready_again_after_a_restart(case: &Case) {
    let log = format!("/run/{}", case.unique("log"));
    let unit = case.prepare(
        Scope::System,
        "again",
        &format!("KillSignal=SIGKILL\nRestart=on-failure\nRestartSec=50ms\nExecStart=sh -c 'echo x >> {log}; sleep 0.1; test $(wc -l < {log}) -ge 3 || exit 5; exec busybox httpd -f -p 4891'"),
        "PrivatePIDs=yes\nReadyWhen=tcp:4891",
    );
    unit.start();
    unit.assert_state("active");
    // A daemon-reload of another case may make systemd 252 count a restart twice.
    assert_eq!(case.read(&log), "x\nx\nx\n");
    assert!(unit.show("NRestarts").parse::<u32>().unwrap() >= 2);
    unit.restart().ok();
    assert_eq!(case.sh("ss -Hltn sport = 4891 | wc -l").ok(), "1", "listens when restart returns");
    assert_nobody_beside(&unit, case);
}

fn ready_stays_so_through_a_reload(case: &Case) {
    let unit = case.prepare(
        Scope::System,
        "web",
        "ExecStart=@payload@ sleep-handled\nExecReload=sh -c 'kill -HUP $MAINPID'",
        "PrivatePIDs=yes\nReadyWhen=path:@dump@",
    );
    unit.start().ok();
    let main = unit.main_pid();
    unit.reload().ok();
    assert_eq!((unit.state().as_str(), unit.main_pid()), ("active", main));
    // A service that would say READY=1 itself is not heard: its conditions decide.
    let early = case.prepare(
        Scope::System,
        "early",
        "Type=notify\nTimeoutStartSec=2\nExecStart=@payload@ notify",
        "ReadyWhen=tcp:4892",
    );
    assert!(!early.start().success());
    assert_eq!(early.result(), "timeout");
}

fn ready_by_a_command_of_the_service(case: &Case) {
    let seen = format!("/run/{}", case.unique("seen"));
    case.sh(&format!("mkdir -m 777 {seen}")).ok();
    let script = format!(
        "id -un > {seen}/who; uname -n >> {seen}/who; echo not yet; \
         n=$(cat {seen}/n 2>/dev/null || echo 0); echo $((n+1)) > {seen}/n; test $n -ge 5"
    );
    case.file(&format!("{seen}/probe.sh"), &script);
    let unit = case.prepare(
        Scope::System,
        "web",
        "User=tester\nEnvironment=GREETING=hello\nExecStart=@payload@ sleep-handled",
        &format!("Hostname=inside\nReadyWhen=exec:/bin/sh {seen}/probe.sh\nReadyWhen=exec:/bin/sh -c 'test \"$GREETING\" = hello -a -z \"$NOTIFY_SOCKET\"'"),
    );
    unit.start().ok();
    assert_eq!(case.read(&format!("{seen}/who")), "tester\ninside\n");
    let journal = unit.journal();
    assert_eq!(journal.matches("not yet").count(), 2, "failing, and then holding: {journal}");
    assert!(journal.contains("exit status 1: not yet"), "{journal}");
    unit.stop();

    let hung = case.prepare(
        Scope::System,
        "hung",
        &format!("TimeoutStartSec=30\n{}", listener(0.0, "127.0.0.1", 4893)),
        &format!("ReadyWhen=exec:/bin/sh -c 'test -e {seen}/once && exit; touch {seen}/once; sleep 1000 & sleep 1000'"),
    );
    hung.start().ok();
    // Those that the command has left behind were not left to the service either.
    assert!(
        !case
            .sh("ps -eo stat,comm")
            .ok()
            .lines()
            .any(|line| line.starts_with('Z') && line.ends_with("sleep <defunct>"))
    );
    assert!(hung.journal().contains("no end within 10s"), "{}", hung.journal());
    assert_nobody_beside(&hung, case);
    case.sh(&format!("rm -r {seen}")).ok();
}

fn ready_by_hand(case: &Case) {
    let unit = case.prepare(
        Scope::System,
        "web",
        "Type=notify\nNotifyAccess=all\nExecStart=unitcell-exec --ready-when=tcp:4894 --hostname=x -- busybox httpd -f -p 4894",
        "",
    );
    unit.start().ok();
    assert_eq!(case.sh("ss -Hltn sport = 4894 | wc -l").ok(), "1");
    let alone = case.sh("unitcell-exec --ready-when=tcp:1 -- true");
    assert!(!alone.success() && alone.stderr.contains("NOTIFY_SOCKET is not set"), "{alone:?}");
    let steps = case.sh("unitcell-exec --dry-run --ready-when=tcp:1 --ready-when=path:/a -- true");
    assert!(steps.ok().contains("have tcp:1, path:/a watched\n"), "{steps:?}");
}

fn ready_leaves_the_payload_as_it_is(case: &Case) {
    let service = "User=tester\nAmbientCapabilities=CAP_NET_RAW\nIgnoreSIGPIPE=no\nLimitNOFILE=100\nExecStart=@payload@ sleep-handled";
    let without = case.service("without", service, "").dump();
    let with = case.service("with", service, "ReadyWhen=path:@dump@").dump();
    assert_eq!(without.differences(&with), [""; 0]);
}

fn ready_is_refused_where_it_can_not_be_told(case: &Case) {
    for (name, service, cell, reason) in [
        ("forking", "Type=forking", "ReadyWhen=tcp:1", "does not go with Type=forking"),
        ("oneshot", "Type=oneshot", "ReadyWhen=tcp:1", "does not go with Type=oneshot"),
        ("dbus", "Type=dbus\nBusName=org.example", "ReadyWhen=tcp:1", "does not go with Type=dbus"),
        ("netlink", "RestrictAddressFamilies=AF_INET AF_UNIX", "ReadyWhen=tcp:1", "add AF_NETLINK"),
        ("unix", "RestrictAddressFamilies=AF_INET", "ReadyWhen=path:/", "add AF_UNIX"),
        ("calls", "SystemCallFilter=~@network-io", "ReadyWhen=path:/", "denies calls that watching takes"),
        ("fed", "WatchdogSec=10", "ReadyWhen=path:/", "add HealthProbe="),
        ("kept", "FileDescriptorStoreMax=1", "ReadyWhen=path:/", "FileDescriptorStoreMax=1 "),
        ("pam", "PAMName=login", "ReadyWhen=path:/", "PAMName=login is not kept"),
        ("watchdog", "", "HealthProbe=path:/", "set WatchdogSec="),
        ("bad", "", "ReadyWhen=tcp:localhost:1", "takes [ADDR:]PORT"),
    ] {
        let unit = case.service(name, service, cell);
        unit.assert_failed_with(78);
        assert!(unit.journal().contains(reason), "{name}: {}", unit.journal());
    }
    if case.version() >= 257 {
        let native = case.service("native", "PrivatePIDs=yes", "ReadyWhen=tcp:1");
        native.assert_failed_with(78);
        assert!(native.journal().contains("say PrivatePIDs= in [X-Unitcell]"), "{}", native.journal());
    }
}
