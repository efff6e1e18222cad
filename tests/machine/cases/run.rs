//! `unitcell run`, beside systemd-run.

use super::cases;
use crate::case::{Case, Scope};
use crate::machine::{Output, USER};
use crate::schema;
use crate::terminal;

// A daemon-reload between the start of a transient unit and its exec changes `;` (systemd 252) and `$` in its
// command, if that has no cell, whoever asked for it. So whose commands have those are alone.
cases![
    run_makes_the_cell_and_passes_the_status_on: alone,
    run_hands_over_the_command_as_it_is,
    run_refuses_and_starts_nothing,
    run_at_a_terminal: alone,
    run_waits_until_it_is_ready: alone,
    run_reaches_the_manager_of_a_container: alone,
    run_reaches_the_manager_of_a_host: daemons,
    run_in_a_users_manager: alone,
    run_without_systemd,
];

/// The same words after `unitcell run` and after `systemd-run`.
#[track_caller]
fn both(case: &Case, words: &str) -> (Output, Output) {
    (case.sh(&format!("unitcell run {words}")), case.sh(&format!("systemd-run {words}")))
}

fn run_makes_the_cell_and_passes_the_status_on(case: &Case) {
    // The cell, by a native setting or by the wrapper, and what comes with a name for the network.
    let netns = case.unique("net");
    let cell =
        format!("--hostname=web --private-pids --time-offset-boottime=497d --netns={netns} --private-users=full");
    let seen = case.sh(&format!(
        "unitcell run -q -P {cell} -- sh -c 'hostname; cat /proc/1/comm; cut -d. -f1 /proc/uptime; readlink /proc/self/ns/net'; \
         stat -Lc 'net:[%i]' /run/netns/{netns} || journalctl -u unitcell-netns@{netns}; \
         systemctl stop unitcell-netns@{netns}"
    ));
    let lines: Vec<&str> = seen.ok().lines().collect();
    assert_eq!(lines[..2], ["web", "sh"], "{seen:?}");
    assert!(lines[2].parse::<u64>().unwrap() > 497 * 86_400, "{seen:?}");
    assert_eq!(lines[3], lines[4], "{seen:?}");

    // The same words, the same end.
    for words in [
        "--wait -q -- sh -c 'exit 3'",
        "--wait -q -- sh -c 'kill -9 $$$$'",
        "--wait -q -- sh -c 'kill -TERM $$$$'",
        "--wait -q -p SuccessExitStatus=4 -- sh -c 'exit 4'",
        "--wait -q -p RuntimeMaxSec=1 -- sleep 9",
        "--wait -q -p ConditionPathExists=/nonexistent -- true",
        "--wait -q --uid=nosuchuser -- true",
        "-q -p AssertPathExists=/nonexistent -- true",
        "-q -p Requires=nosuch.service -- true",
        "-q /nonexistent",
    ] {
        let (ours, theirs) = both(case, words);
        assert_eq!(ours.code, theirs.code, "{words}: {ours:?} {theirs:?}");
    }
    // And the same to see on the way.
    let words = "-P -q --uid=tester --gid=daemon --nice=5 --working-directory=/tmp -E A='b c' -p UMask=027 -p LimitNOFILE=100:200 \
                 -p CPUAffinity=0 -p 'Environment=X=1 \"Y=2 3\"' -p CapabilityBoundingSet='CAP_CHOWN CAP_KILL' -p NoNewPrivileges=yes \
                 -- sh -c 'id; nice; pwd; umask; ulimit -n; ulimit -Hn; echo \"$A|$X|$Y|%n|$$HOME\"; grep -E \"Cap|NoNew|Cpus_allowed_list\" /proc/self/status; cat'";
    let input = |tool: &str| case.sh(&format!("echo in | {tool} {words}"));
    let (plain, ours) = (input("systemd-run"), input("unitcell run --hostname=web --domainname=nis"));
    assert_eq!(ours.ok(), plain.ok());
    assert!(plain.stdout.ends_with("in\n"), "{plain:?}");

    let unit = case.unit(Scope::System, &format!("{}.service", case.unique("kept")));
    let told = case.sh(&format!("unitcell run --json=short -r --hostname=web --unit={} -- true", unit.name));
    let told: serde_json::Value = serde_json::from_str(told.ok()).unwrap();
    schema::check("run", &told);
    assert_eq!(told["unit"], unit.name);
    assert_eq!(told["invocation_id"], unit.show("InvocationID"));
    assert_eq!(unit.state(), "active");
    let ended = case.sh("unitcell run --json --wait --hostname=web -- sh -c 'exit 3'");
    let ended: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    schema::check("run", &ended);
    assert_eq!((&ended["result"], &ended["exit_status"]), (&"exit-code".into(), &3.into()));
    let again = case.sh(&format!("unitcell run --unit={} -- true", unit.name));
    assert!(!again.success() && again.stderr.contains("already loaded"), "{again:?}");
}

/// systemd reads the unit anew right before the command is executed, or executed again.
fn run_hands_over_the_command_as_it_is(case: &Case) {
    let words = r"'<%s>' '${A}' '$A' '$LIST' '$NONE' 'a;b' '$$' 'x$$${A}' '\x24' '100%' ';' '$A.b'";
    let cell = "--hostname=web -E A=one -E \"LIST=b 'c d'\"";
    let run = |options: &str| {
        let reload = "-p 'ExecStartPre=systemctl daemon-reload'";
        case.sh(&format!("unitcell run -q -P {cell} {reload} {options} -- printf {words}"))
    };
    assert_eq!(run("").ok(), r"<one><one><b><c d><a;b><$><x$one><\x24><100%><;>");
    assert_eq!(run("--expand-environment=no").ok(), r"<${A}><$A><$LIST><$NONE><a;b><$$><x$$${A}><\x24><100%><;><$A.b>");
    let unit = case.unit(Scope::System, &format!("{}.service", case.unique("again")));
    let file = format!("/run/{}", case.unique("again"));
    let script = format!("echo one; echo $${{A}}two >>{file}");
    case.sh(&format!("unitcell run -q -r --hostname=web -E A=x --unit={} -- sh -c '{script}'", unit.name)).ok();
    case.sh(&format!("until test -s {file}; do sleep .02; done")).ok();
    case.daemon_reload();
    unit.restart().ok();
    case.sh(&format!("until test $(wc -l <{file}) = 2; do sleep .02; done")).ok();
    assert_eq!(case.sh(&format!("cat {file}; rm {file}")).ok(), "xtwo\nxtwo");
}

fn run_refuses_and_starts_nothing(case: &Case) {
    let mark = format!("/run/{}", case.unique("ran"));
    for (options, words, code) in [
        ("--hostname=a_b", "Hostname=a_b: takes a host name", 1),
        ("--private-network --netns=blue", "in more than one way", 1),
        ("--private-pids -p Type=forking", "does not go with PrivatePIDs=", 1),
        ("--netns=", "for '--network-namespace", 2),
        ("--private-network= --uid=", "for '--private-network", 2),
        ("--hostname=web --uid=", "for '--uid", 2),
        ("--hostname=%n", "'%' is for specifiers", 1),
        ("--scope --hostname=web", "leave --scope away", 2),
        ("--on-calendar=daily --hostname=web", "timers are left to systemd-run", 2),
        ("--hostnam=web", "a similar argument exists: '--hostname'", 2),
        ("-p Nonsense=1", "no setting of this name", 1),
        ("-p MemoryMx=1", "did you mean MemoryMax=?", 1),
        ("-p MemoryMax=lots", "takes a number of bytes", 1),
        ("--wait-ready", "add --ready-when=", 1),
    ] {
        let refused = case.sh(&format!("unitcell run {options} -- touch {mark}"));
        assert_eq!(refused.code, Some(code), "{options}: {refused:?}");
        assert!(refused.stderr.contains(words), "{options}: {refused:?}");
    }
    // What can't be had is told with systemd's name for the step, and the wrapper's reason.
    let failed = case.sh(&format!("unitcell run --uts-namespace-path=/nonexistent -- touch {mark}"));
    assert_eq!(failed.code, Some(1));
    for words in ["status=226/NAMESPACE", "can't open the UTS namespace /nonexistent", "journalctl -u run-u"] {
        assert!(failed.stderr.contains(words), "{words}: {failed:?}");
    }
    let failed = case.sh(&format!("unitcell run -P --uts-namespace-path=/nonexistent -- touch {mark}"));
    assert_eq!(failed.code, Some(226), "{failed:?}");
    assert!(!case.path(&mark).exists());
    case.sh("systemctl reset-failed 'run-*'");
}

fn run_at_a_terminal(case: &Case) {
    // A terminal of its own, of our size, which follows when that changes; Ctrl-C reaches the command.
    let command = "unitcell run -t --hostname=web --domainname=nis -- sh -c \
                   'trap \"echo got int; exit 7\" INT; trap \"stty size; echo resized\" WINCH; tty; stty size; hostname; \
                    while :; do sleep 0.1; done'";
    let seen = terminal::run(case, command, &["see:web", "size:44", "see:resized", "type:\\x03"]);
    for words in
        ["/dev/pts/", "33 99", "44 50", "got int", "end=7", "Main processes terminated with: code=exited, status=7"]
    {
        assert!(seen.contains(words), "{words}: {seen}");
    }
    // The end of what is typed, and of what is piped in. What is typed before the terminal is the service's
    // is not lost, and a service that is started only when it has ended gets it as well.
    for kind in ["exec", "oneshot"] {
        let command = format!("unitcell run -qt --service-type={kind} --hostname=web -- cat");
        let seen = terminal::run(case, &command, &["type:typed\\r", "see:typed\\r\\ntyped", "type:\\x04"]);
        assert!(seen.contains("end=0"), "{kind}: {seen}");
    }
    let piped = case.sh("printf 'a\\nb' | unitcell run -qt --hostname=web -- cat; echo code=$?");
    assert!(piped.stdout.ends_with("bcode=0\n"), "{piped:?}");
    // All that was printed, however much and however late.
    let printed = case.sh("unitcell run -qt --hostname=web -- seq 1 20000 </dev/null | tail -n1");
    assert_eq!(printed.ok().trim(), "20000");
    // Leaving it alone hangs it up, being killed stops it; the terminal is as before either way.
    let hold = "unitcell run -t --hostname=web --unit=@ -- sh -c 'echo up; exec sleep 60'";
    for (n, act) in [("left", "type:\\x1d\\x1d\\x1d"), ("killed", "term:")] {
        let unit = case.unit(Scope::System, &format!("{}.service", case.unique(n)));
        let seen = terminal::run(case, &hold.replace('@', &unit.name), &["see:up", act]);
        let code = if n == "left" { "end=0" } else { "end=143" };
        assert!(seen.contains(code), "{n}: {seen}");
        unit.assert_state("inactive");
    }
}

fn run_waits_until_it_is_ready(case: &Case) {
    let unit = case.unit(Scope::System, &format!("{}.service", case.unique("ready")));
    let server = "sh -c 'sleep 1; exec python3 -m http.server 8080'";
    let ready = case.sh(&format!(
        "unitcell run --wait-ready --private-network --ready-when=tcp:8080 --unit={} -- {server}; \
         nsenter -t $(systemctl show -P MainPID {0}) -n curl -sf http://127.0.0.1:8080/ >/dev/null && echo reached",
        unit.name
    ));
    assert_eq!(ready.ok(), "reached", "{ready:?}");
    assert!(ready.stderr.contains(&format!("{} is ready after ", unit.name)), "{ready:?}");
    unit.stop().ok();

    let failed =
        case.sh("unitcell run --wait-ready --ready-when=tcp:8081 -- sh -c 'echo no such luck >&2; sleep 0.5; exit 9'");
    assert_eq!(failed.code, Some(1), "{failed:?}");
    for words in ["status=9", "no such luck", "journalctl -u run-u"] {
        assert!(failed.stderr.contains(words), "{words}: {failed:?}");
    }
    case.sh("systemctl reset-failed 'run-*'");
}

fn run_reaches_the_manager_of_a_container(case: &Case) {
    // Its bus is nowhere to be seen from outside, so the container is entered for it.
    let run = |words: &str| case.outside(&format!("echo in | unitcell run -M $MACHINE {words}"));
    let seen = run("-q -P --hostname=web --private-network -- /bin/sh -c 'hostname; cat; echo no >&2; exit 6'");
    assert_eq!((seen.code, seen.stdout.as_str(), seen.stderr.as_str()), (Some(6), "web\nin\n", "no\n"));
    let killed = run("-q --wait --hostname=web -- /bin/sh -c 'kill -KILL $$$$'");
    assert_eq!(killed.code, Some(255), "{killed:?}");
    // It is the manager there that has the unit.
    let unit = case.unit(Scope::System, &format!("{}.service", case.unique("inside")));
    let told = run(&format!("--json=short --hostname=web --unit={} -- /bin/sleep 300", unit.name));
    let told: serde_json::Value = serde_json::from_str(told.ok()).unwrap();
    schema::check("run", &told);
    assert_eq!(told["invocation_id"], unit.show("InvocationID"));
    assert_eq!(case.sh(&format!("nsenter -t {} -u hostname", unit.main_pid())).ok(), "web");
    let refused = run("--hostname=a_b -- /bin/true");
    assert!(refused.code == Some(1) && refused.stderr.contains("takes a host name"), "{refused:?}");
    let failed = run("-P --uts-namespace-path=/nonexistent -- /bin/true");
    assert_eq!(failed.code, Some(226), "{failed:?}");
    let refused = run("-t -- /bin/true");
    assert!(refused.stderr.contains("use --pipe"), "{refused:?}");
    // As a user of it, who may not ask its manager for anything, and as root by the same bridge.
    let denied = case.outside("unitcell run -M tester@$MACHINE -q -P -- /bin/true");
    assert!(denied.stderr.contains("try it as root, or with --user"), "{denied:?}");
    assert_eq!(case.outside("unitcell run -M root@$MACHINE -q -P --hostname=web -- /bin/hostname").ok(), "web");
    let nobody = case.outside("unitcell run -M nosuchuser@$MACHINE -q -P -- /bin/true");
    assert!(nobody.stderr.contains("systemd-run ended with exit status: "), "{nobody:?}");
    let none = case.outside("unitcell run -M nosuchbox -- /bin/true");
    assert!(none.stderr.contains("there is no machine nosuchbox"), "{none:?}");
    for verb in ["show x.service", "verify x.service", "explain x.service"] {
        let refused = case.outside(&format!("unitcell {verb} -M $MACHINE"));
        assert!(!refused.success() && refused.stderr.contains("--pipe unitcell"), "{refused:?}");
    }
    let no_bus = case.sh("unshare -m sh -c 'mount -t tmpfs none /run/dbus; unitcell run -q -- true'");
    assert!(no_bus.stderr.contains("can't reach the system bus"), "{no_bus:?}");
}

/// Two names of the machine itself: ssh has the key for the one, and a wrong one for the other.
const SSH_CONFIG: &str = "Host 127.0.0.2 127.0.0.3\nStrictHostKeyChecking no\nUserKnownHostsFile /dev/null\n\
                          LogLevel ERROR\nIdentitiesOnly yes\n\
                          Host 127.0.0.2\nIdentityFile @/key\nHost 127.0.0.3\nIdentityFile @/other\n";

fn run_reaches_the_manager_of_a_host(case: &Case) {
    let keys = format!("/root/{}", case.unique("keys"));
    let make = format!(
        "mkdir -m 700 {keys} && cd {keys} && for key in key other; do ssh-keygen -q -t ed25519 -N '' -f $key; done &&
         cp key.pub authorized_keys"
    );
    case.sh(&make).ok();
    case.file(&format!("/etc/ssh/ssh_config.d/{}.conf", case.unique("keys")), &SSH_CONFIG.replace('@', &keys));
    let sshd = format!(
        "Type=notify\nRuntimeDirectory=sshd\nRuntimeDirectoryPreserve=yes\n\
         ExecStart=/usr/sbin/sshd -D -e -p 2223 -o ListenAddress=127.0.0.2 -o ListenAddress=127.0.0.3 -o UsePAM=no \
         -o AuthenticationMethods=publickey -o AuthorizedKeysFile={keys}/authorized_keys"
    );
    let sshd = case.prepare(Scope::System, "sshd", &sshd, "");
    let started = sshd.start();
    assert!(started.success(), "{}", sshd.journal());
    let run = |words: &str| case.sh(&format!("unitcell run -H root@127.0.0.2:2223 {words}"));

    let unit = case.unit(Scope::System, &format!("{}.service", case.unique("host")));
    run(&format!("-r --hostname=web --unit={} -- /bin/true", unit.name)).ok();
    assert_eq!(unit.state(), "active", "{}", unit.journal());
    // A native setting is proved there, too, by what the manager there tells of its namespaces.
    for (words, code) in [
        ("--wait --private-network -- /bin/sh -c 'exit 6'", 6),
        ("--wait --hostname=web -- /bin/sh -c 'kill -KILL 0'", 255),
        ("--wait --uts-namespace-path=/nonexistent -- /bin/true", 226),
        ("--hostname=a_b -- /bin/true", 1),
    ] {
        let ended = run(words);
        assert_eq!(ended.code, Some(code), "{words}: {ended:?}");
    }
    let told = run("--json=short --wait --hostname=web -- /bin/sh -c 'exit 3'");
    let told: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    schema::check("run", &told);
    assert_eq!(told["exit_status"], 3);
    for way in ["-t", "-P", "-S"] {
        let refused = run(&format!("{way} -- /bin/true"));
        assert!(refused.code == Some(1) && refused.stderr.contains("use `ssh -t HOST"), "{refused:?}");
    }

    let denied = case.sh("unitcell run -H root@127.0.0.3:2223 -- /bin/true");
    assert_eq!(denied.code, Some(1), "{denied:?}");
    for words in ["Permission denied (publickey)", "can't reach root@127.0.0.3: ssh ended with exit status: 255"] {
        assert!(denied.stderr.contains(words), "{words}: {denied:?}");
    }
    let nobody = case.sh("unitcell run -H root@127.0.0.4:2223 -- /bin/true");
    assert!(nobody.stderr.contains("Connection refused"), "{nobody:?}");
    let other = case.sh("SYSTEMD_SSH=/nonexistent unitcell run -H root@127.0.0.2 -- /bin/true");
    assert!(other.stderr.contains("/nonexistent: ") && other.stderr.contains("$SYSTEMD_SSH"), "{other:?}");
    case.sh(&format!("rm -r {keys}")).ok();
}

/// A user's bus, as the package dbus-user-session has it.
pub fn start_users_bus(case: &Case) {
    case.file("/etc/systemd/user/dbus.socket", "[Socket]\nListenStream=%t/bus\n");
    case.file(
        "/etc/systemd/user/dbus.service",
        "[Unit]\nRequires=dbus.socket\n[Service]\nType=notify\nExecStart=/usr/bin/dbus-daemon --session \
         --address=systemd: --nofork --nopidfile --systemd-activation --syslog-only\n",
    );
    case.user_sh(USER, "systemctl --user daemon-reload && systemctl --user start dbus.socket").ok();
}

pub fn stop_users_bus(case: &Case) {
    case.user_sh(USER, "systemctl --user stop dbus.service dbus.socket").ok();
    case.sh("rm -f /etc/systemd/user/dbus.socket /etc/systemd/user/dbus.service");
    case.user_sh(USER, "systemctl --user daemon-reload").ok();
}

fn run_in_a_users_manager(case: &Case) {
    start_users_bus(case);
    let run = |words: &str| case.user_sh(USER, &format!("unitcell run --user {words}"));
    let cell = "--private-users=self --hostname=web --time-offset-boottime=497d";
    let seen = run(&format!("-q -P {cell} -- sh -c 'hostname; id -u; cut -d. -f1 /proc/uptime; exit 5'"));
    let lines: Vec<&str> = seen.stdout.lines().collect();
    assert_eq!((seen.code, lines[0], lines[1]), (Some(5), "web", "1000"), "{seen:?}");
    assert!(lines[2].parse::<u64>().unwrap() > 497 * 86_400, "{seen:?}");
    // systemd itself runs this one in the host's network, where it is not told of a user namespace.
    let closed = run("-q -P --network-namespace-path=/proc/1/ns/net -- echo ran");
    assert!(!closed.success() && !closed.stdout.contains("ran"), "{closed:?}");
    // Its own network, where the manager can make one.
    let alone = run("-q -P --private-users=self --private-network -- sh -c 'tail -n +3 /proc/net/dev | cut -d: -f1'");
    assert_eq!(alone.ok().trim(), "lo", "{alone:?}");
    let denied = case.user_sh(USER, "unitcell run --hostname=web -- true");
    assert!(denied.stderr.contains("try it as root, or with --user"), "{denied:?}");
    let outside = case.outside("unitcell run --user -M tester@$MACHINE -q -P --private-users=self --hostname=web -- sh -c 'id -u; hostname; exit 5'");
    assert_eq!((outside.code, outside.stdout.as_str()), (Some(5), "1000\nweb\n"), "{outside:?}");
    stop_users_bus(case);
}

fn run_without_systemd(case: &Case) {
    let bare = |command: &str| case.sh(&format!("unshare -m sh -c 'mount -t tmpfs none /run; {command}'"));
    let told = bare("unitcell run --hostname=web -- hostname");
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.stderr.contains("not booted with systemd") && told.stderr.contains("--no-systemd"), "{told:?}");
    let done = bare(
        "unitcell run --no-systemd --hostname=web --private-pids --uid=tester -E A=b -- sh -c \"hostname; id -un; echo \\$A; exit 4\"",
    );
    assert_eq!((done.code, done.stdout.as_str()), (Some(4), "web\ntester\nb\n"), "{done:?}");
    let refused = bare("unitcell run --no-systemd -p MemoryMax=1M -- true");
    assert!(refused.stderr.contains("is for systemd to carry out"), "{refused:?}");
}
