//! NamespacesOf=: a service in the namespaces of another unit.

use std::time::Duration;

use super::cases;
use crate::case::{Case, Scope, Unit};
use crate::machine::wait_for;

cases![
    of_unit_all_eight_types,
    of_unit_native_and_of_a_template,
    of_unit_from_a_tree_of_its_own(257..=u32::MAX),
    of_unit_through_restarts,
    of_unit_fails_closed,
    of_unit_of_a_user,
];

const TYPES: [&str; 8] = ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"];

/// The types whose namespace the two have in common, and the manager has not.
fn shared(case: &Case, one: &Unit<'_>, other: &Unit<'_>) -> Vec<&'static str> {
    let script = format!(
        "for t in {}; do readlink /proc/{}/ns/$t; readlink /proc/{}/ns/$t; done",
        TYPES.join(" "),
        one.main_pid(),
        other.main_pid()
    );
    let links = case.sh(&script).ok().to_owned();
    let links: Vec<&str> = links.lines().collect();
    let common = TYPES.into_iter().zip(links.chunks(2));
    common.filter(|(kind, pair)| pair[0] == pair[1] && pair[0] != case.manager_ns(kind)).map(|(kind, _)| kind).collect()
}

/// Natively the tree would hide the other's control group.
fn of_unit_from_a_tree_of_its_own(case: &Case) {
    let db = case.service("db", "", "Hostname=db");
    db.dump();
    for own in ["strict", "private"] {
        let web = case.service(own, &format!("ProtectControlGroups={own}"), &format!("NamespacesOf={} uts", db.name));
        let dump = web.dump();
        assert_eq!((dump.hostname(), shared(case, &web, &db)), ("db", vec!["uts"]));
        assert_ne!(dump.ns("cgroup"), case.manager_ns("cgroup"), "{own}");
        let mounts = dump.list("mountinfo");
        let tree = mounts.iter().rfind(|line| line.split(' ').nth(4) == Some("/sys/fs/cgroup")).expect("a tree");
        assert_eq!(tree.split(' ').nth(5).unwrap().starts_with("ro"), own == "strict", "{tree}");
    }
}

fn of_unit_all_eight_types(case: &Case) {
    let db = case.service(
        "db",
        "Slice=of-unit.slice",
        "Init=yes\nHostname=db\nPrivateNetwork=yes\nPrivateIPC=yes\nPrivateUsers=full\n\
         ProtectControlGroups=private\nTimeOffsetBoottime=1d",
    );
    db.dump();
    let web = case.service("web", "Type=exec", &format!("NamespacesOf={}", db.name));
    let dump = web.dump();
    assert_eq!(shared(case, &web, &db), TYPES);
    assert_eq!((dump.hostname(), dump.interfaces()), ("db", vec!["lo".to_owned()]));
    assert!(dump.pids().len() == 3, "the init, the other and this one: {:?}", dump.pids());
    // Of each type alone, and of all but some.
    for kind in TYPES {
        let one = case.service(kind, "", &format!("NamespacesOf={} {kind}", db.name));
        one.dump();
        assert_eq!(shared(case, &one, &db), [kind]);
    }
    let rest =
        case.service("rest", "", &format!("NamespacesOf={} ~user mnt pid\nPrivatePIDs=yes\nHostname=rest", db.name));
    assert_eq!(rest.dump().hostname(), "rest");
    assert_eq!(shared(case, &rest, &db), ["cgroup", "ipc", "net", "time"]);
}

fn of_unit_native_and_of_a_template(case: &Case) {
    let template = format!("/etc/systemd/system/{}@.service", case.unique("native"));
    // The shell leaves a process below it, and a command of the unit runs outside meanwhile.
    let pids = if case.version() >= 257 { "PrivatePIDs=yes" } else { "PrivateIPC=yes" };
    case.file(
        &template,
        &format!(
            "[Service]\nPrivateNetwork=yes\n{pids}\nExecStart=sh -c 'trap \"exit 0\" TERM; sleep 1000 & wait'\n\
             ExecReload=sleep 1\n"
        ),
    );
    let native = case.unit(Scope::System, &format!("{}@1.service", case.unique("native")));
    let web = case.prepare(
        Scope::System,
        "web",
        "User=tester\nExecStart=@payload@ sleep-handled\nExecReload=sh -c 'readlink /proc/self/ns/net > @dump@.net'",
        &format!("NamespacesOf={} net", native.name),
    );
    // It pulls the other unit in, and waits for it.
    web.start().ok();
    assert_eq!(web.dump().ns("net"), case.sh(&format!("readlink /proc/{}/ns/net", native.main_pid())).ok());
    assert_eq!(shared(case, &web, &native), ["net"]);
    web.reload().ok();
    assert_eq!(case.read(&format!("{}.net", web.dump_path())).trim(), web.dump().ns("net"));

    let all = case.prepare(Scope::System, "all", "", &format!("NamespacesOf={}", native.name));
    let reload = format!("systemctl --no-block reload {}; sleep 0.2; systemctl start {}", native.name, all.name);
    case.sh(&reload).ok();
    let expected: &[&str] = if case.version() >= 257 { &["mnt", "net", "pid"] } else { &["ipc", "mnt", "net"] };
    let shared = shared(case, &all, &native);
    // 254 and later give PrivateNetwork= a mount namespace, and 252 gives PrivateIPC= one.
    assert_eq!(shared, expected);
}

fn of_unit_through_restarts(case: &Case) {
    let name = case.unique("web");
    let db = case.service(
        "db",
        &format!("[Unit]\nWants={name}.service\n[Service]\nRestart=always\nRestartSec=200ms\nExecStart=@payload@ sleep-handled"),
        "PrivateNetwork=yes\nHostname=db",
    );
    let web = case.service("web", "", &format!("NamespacesOf={} net uts", db.name));
    web.dump();
    let pair = || (db.main_pid(), web.main_pid());
    let both_new = |before: (i32, i32)| {
        let now = pair();
        now.0 != 0 && now.1 != 0 && now.0 != before.0 && now.1 != before.1 && shared(case, &web, &db) == ["net", "uts"]
    };
    // Of its own, by a crash, by hand.
    for script in [format!("systemctl kill -s KILL {}", db.name), format!("systemctl restart {}", db.name)] {
        let before = pair();
        case.sh(&script).ok();
        assert!(wait_for(|| both_new(before), Duration::from_secs(20)), "{script}: {before:?} {:?}", pair());
    }
    db.stop().ok();
    web.assert_state("inactive");
}

fn of_unit_fails_closed(case: &Case) {
    let plain = case.service("plain", "ExecStart=sleep 1000", "");
    for (value, why) in [
        (format!("{} net", plain.name), "has no network namespace of its own"),
        (plain.name.clone(), "has no namespace of its own"),
    ] {
        let web = case.service("web", "", &format!("NamespacesOf={value}"));
        assert!(!web.start().success());
        web.assert_failed_with(226);
        assert!(web.journal().contains(why), "{}", web.journal());
    }
    let by_hand = |options: &str| case.sh(&format!("unitcell-exec {options} -- echo ran"));
    let gone = by_hand("--namespaces-of=nowhere.service");
    assert_eq!((gone.code, gone.stdout.as_str()), (Some(226), ""));
    assert!(gone.stderr.contains("nowhere.service is not running"), "{gone:?}");
    // Two processes, in different namespaces: the manager alone could tell which is meant.
    let two = case.service(
        "two",
        "Type=forking\nExecStart=sh -c 'unshare -n sleep 1000 & unshare -u sleep 1001 & sleep 0.3'",
        "",
    );
    let unclear = by_hand(&format!("'--namespaces-of={} net'", two.name));
    assert_eq!((unclear.code, unclear.stdout.as_str()), (Some(226), ""));
    assert!(unclear.stderr.contains("are in different network namespaces"), "{unclear:?}");
    // Nobody's user manager may join what is not below a user namespace of its own.
    let user = case.user_service("user", "", &format!("NamespacesOf={}", plain.name));
    user.assert_never_ran();
}

/// In a user manager, by the user namespace of the other one.
fn of_unit_of_a_user(case: &Case) {
    let kinds = ["ipc", "net", "user", "uts"];
    let db = case.user_service("db", "", "PrivateUsers=self\nPrivateNetwork=yes\nPrivateIPC=yes\nHostname=db");
    db.dump();
    let web = case.user_service("web", "", &format!("NamespacesOf={} {}", db.name, kinds.join(" ")));
    let dump = web.dump();
    assert_eq!(shared(case, &web, &db), kinds);
    assert_eq!((dump.hostname(), dump.get("uid")[0].as_i64()), ("db", Some(1000)));
    let all = case.user_service("all", "", &format!("NamespacesOf={}", db.name));
    all.dump();
    assert!(kinds.iter().all(|kind| shared(case, &all, &db).contains(kind)), "{:?}", shared(case, &all, &db));
    // What is not the user's own nobody gets into but by the user namespace that it belongs to.
    let net = case.user_service("net", "", &format!("NamespacesOf={} net", db.name));
    net.assert_failed_with(226);
    db.stop().ok();
    web.assert_state("inactive");
}
