//! Named network namespaces of a user manager, which a process holds.

use super::cases;
use super::run::{start_users_bus, stop_users_bus};
use crate::case::{Case, Scope, Unit};
use crate::machine::{USER, wait_for};
use crate::schema;

use std::time::Duration;

cases![
    user_netns_services_share_it_and_are_apart_from_the_host,
    user_netns_names_are_looked_up_by_its_files,
    user_netns_port_is_published,
    user_netns_follows_its_description,
    user_netns_goes_with_all_that_is_bound_to_it,
    user_netns_that_can_not_be_had_is_no_reason_to_run_on_the_host,
    user_netns_of_the_hosts_links_is_refused,
    user_netns_beside_other_directives,
    user_netns_is_shown_and_judged: alone,
    user_netns_comes_and_goes_by_hand: alone,
    user_netns_of_root: alone,
];

/// A description of the user's own, and the unit that holds what it describes.
fn netns<'c>(case: &'c Case, name: &str, text: &str) -> Unit<'c> {
    describe(case, name, text);
    let holder = case.unit(Scope::User, &format!("unitcell-netns@{name}.service"));
    holder.systemctl(&["daemon-reload"]).ok();
    holder
}

fn describe(case: &Case, name: &str, text: &str) {
    case.user_sh(USER, "mkdir -p ~/.config/unitcell").ok();
    case.file(&format!("/home/{USER}/.config/unitcell/{name}.netns"), text);
}

const LOW_PORTS: &str = "[NetworkNamespace]\nSysctl=net.ipv4.ip_unprivileged_port_start=0\n";

/// A web server that serves its own name, ready when it listens.
fn web<'c>(case: &'c Case, name: &str, netns: &str, cell: &str) -> Unit<'c> {
    let directory = format!("/run/web/{}", case.unique(name));
    case.sh(&format!("mkdir -p {directory} && echo {name} >{directory}/index.html")).ok();
    let unit = case.user_service(
        name,
        &format!("ExecStart=/bin/busybox httpd -f -p 80 -h {directory}"),
        &format!("NetworkNamespace={netns}\nReadyWhen=tcp:80\n{cell}"),
    );
    unit.assert_state("active");
    unit
}

fn namespace(case: &Case, unit: &Unit<'_>, kind: &str) -> String {
    case.sh(&format!("readlink /proc/{}/ns/{kind}", unit.main_pid())).ok().to_owned()
}

const GET: &str = "curl -sS --max-time 10 http://127.0.0.1/";

/// What a command of the user's prints in the namespace.
fn inside(case: &Case, name: &str, netns: &str, command: &str) -> String {
    let out = format!("/run/unitcell-tests/{}", case.unique(name));
    let unit = case.user_service(
        name,
        &format!("Type=oneshot\nStandardOutput=file:{out}\nExecStart=sh -c '{command}'"),
        &format!("NetworkNamespace={netns}"),
    );
    assert_eq!(unit.result(), "success", "{}", unit.journal());
    case.read(&out)
}

fn user_netns_services_share_it_and_are_apart_from_the_host(case: &Case) {
    let holder = netns(case, "u-shared", LOW_PORTS);
    let web = web(case, "web", "u-shared", "");
    let client = case.user_service("client", "", "NetworkNamespace=u-shared");
    let dump = client.dump();
    assert_eq!((dump.interfaces(), dump.get("uid")[0].as_i64()), (vec!["lo".to_owned()], Some(1000)));
    for kind in ["net", "user"] {
        let own = namespace(case, &holder, kind);
        assert_eq!([namespace(case, &web, kind), namespace(case, &client, kind)], [own.clone(), own.clone()], "{kind}");
        assert_ne!(own, case.manager_ns(kind), "{kind}");
    }
    assert_ne!(namespace(case, &web, "mnt"), namespace(case, &client, "mnt"), "each has mounts of its own");
    assert_eq!(inside(case, "get", "u-shared", &format!("{GET}; ls /sys/class/net")), "web\nlo\n");
    assert!(!case.sh(GET).success(), "it is not the host's port");
    // Who holds it may nothing, and is nobody else's to signal.
    let status = case.sh(&format!("grep -E '^Cap(Eff|Prm|Amb)' /proc/{}/status", holder.main_pid()));
    assert!(status.ok().lines().all(|line| line.ends_with("0000000000000000")), "{status:?}");
    // One that comes again finds the others where they were.
    let before = namespace(case, &client, "net");
    client.restart().ok();
    client.dump();
    assert_eq!((namespace(case, &client, "net"), namespace(case, &web, "net")), (before.clone(), before));
}

fn user_netns_names_are_looked_up_by_its_files(case: &Case) {
    netns(case, "u-names", "[NetworkNamespace]\nDNS=10.9.9.9 fd00::9\nDomains=example.test\n");
    let given = format!("/home/{USER}/.config/netns/u-names");
    case.user_sh(USER, &format!("mkdir -p {given} && echo 'hosts: files' >{given}/nsswitch.conf")).ok();
    let seen = inside(case, "look", "u-names", "cat /etc/resolv.conf /etc/nsswitch.conf");
    assert!(seen.contains("nameserver 10.9.9.9\nnameserver fd00::9\nsearch example.test\n"), "{seen}");
    assert!(seen.ends_with("example.test\nhosts: files\n"), "{seen}");
    // What is not said is as the host has it, and its resolvers are out of reach where they are there.
    netns(case, "u-host", LOW_PORTS);
    let seen = inside(case, "other", "u-host", "cat /etc/resolv.conf; ls -A /run/systemd/resolve 2>&-; true");
    assert_eq!(seen.trim_end(), case.sh("cat /etc/resolv.conf").stdout.trim_end());
}

fn user_netns_port_is_published(case: &Case) {
    let holder = netns(
        case,
        "u-published",
        &format!(
            "{LOW_PORTS}[Publish]\nListenStream=127.0.0.1:18083\nConnectStream=80\n\
             [Publish]\nListenStream=/run/user/1000/u-published.sock\nConnectStream=127.0.0.1:80\n"
        ),
    );
    web(case, "web", "u-published", "");
    let proxy = case.unit(Scope::User, "unitcell-publish-u-published-127.0.0.1:18083.service");
    assert_eq!(proxy.state(), "inactive", "it is started by the first connection");
    let get = "curl -sS --max-time 10 http://127.0.0.1:18083/";
    assert_eq!(case.sh(get).ok(), "web");
    proxy.assert_state("active");
    assert_eq!(namespace(case, &proxy, "net"), namespace(case, &holder, "net"));
    let by_path = "curl -sS --max-time 10 --unix-socket /run/user/1000/u-published.sock http://x/";
    assert_eq!(case.user_sh(USER, by_path).ok(), "web");
    holder.stop().ok();
    proxy.assert_state("inactive");
    assert!(!case.sh(get).success(), "nobody listens any more");
}

fn user_netns_follows_its_description(case: &Case) {
    let holder = netns(case, "u-reload", &format!("{LOW_PORTS}DNS=10.0.0.1\n"));
    let web = web(case, "web", "u-reload", "");
    let resolv = format!("cat /proc/{}/root/etc/resolv.conf", web.main_pid());
    assert!(case.sh(&resolv).ok().contains("10.0.0.1"));
    describe(case, "u-reload", "[NetworkNamespace]\nDNS=10.0.0.2\nSysctl=net.ipv4.ip_unprivileged_port_start=7\n");
    let (before, process) = (namespace(case, &holder, "net"), web.main_pid());
    holder.reload().ok();
    assert!(case.sh(&resolv).ok().contains("10.0.0.2"), "it is written in place");
    assert_eq!(inside(case, "look", "u-reload", "cat /proc/sys/net/ipv4/ip_unprivileged_port_start"), "7\n");
    assert_eq!((namespace(case, &holder, "net"), web.main_pid()), (before, process), "nobody was disturbed");
    describe(case, "u-reload", "[NetworkNamespace]\nDomain=x.test\n");
    assert!(!holder.reload().success());
    assert!(holder.journal().contains("did you mean Domains=?"), "{}", holder.journal());
    assert_eq!(holder.state(), "active");
}

fn user_netns_goes_with_all_that_is_bound_to_it(case: &Case) {
    let files = "find /run/user/1000/unitcell/netns -mindepth 1 -path '*u-bound*'";
    let holder = netns(case, "u-bound", LOW_PORTS);
    let web = web(case, "web", "u-bound", "");
    assert!(!case.sh(files).ok().is_empty());
    let process = web.main_pid();
    holder.restart().ok();
    web.assert_state("active");
    assert_ne!(web.main_pid(), process, "it was started again");
    assert_eq!(namespace(case, &web, "net"), namespace(case, &holder, "net"));
    // Without the holder nobody may stay.
    case.sh(&format!("kill -KILL {}", holder.main_pid())).ok();
    holder.assert_state("failed");
    web.assert_state("inactive");
    assert_eq!(case.sh(files).ok(), "");
    web.start().ok();
    web.assert_state("active");
    holder.stop().ok();
    web.assert_state("inactive");
    assert_eq!(case.sh(files).ok(), "");
    assert!(!case.sh("pgrep -f 'unitcell-pause u-bound$'").success(), "no process is left");
}

fn user_netns_that_can_not_be_had_is_no_reason_to_run_on_the_host(case: &Case) {
    // A file that is wrong.
    let holder = netns(case, "u-wrong", "[NetworkNamespace]\nDomain=x.test\n");
    let unit = case.user_service("wrong", "", "NetworkNamespace=u-wrong");
    unit.assert_never_ran();
    assert_eq!(holder.state(), "failed");
    let journal = holder.journal();
    assert!(
        journal.contains("u-wrong.netns:2:1: Domain= is no key of [NetworkNamespace]; did you mean Domains=?"),
        "{journal}"
    );
    // A user namespace that is not to be had.
    let holder = netns(case, "u-kept", LOW_PORTS);
    case.file("/etc/systemd/user/unitcell-netns@u-kept.service.d/kept.conf", "[Service]\nRestrictNamespaces=yes\n");
    let unit = case.user_service("kept", "", "NetworkNamespace=u-kept");
    unit.assert_never_ran();
    assert_eq!(holder.show("ExecMainStatus"), "217");
    let journal = holder.journal();
    assert!(journal.contains("PrivateUsers=: can't make a user namespace"), "{journal}");
    assert!(journal.contains("keeps user namespaces from it"), "{journal}");
    // And one that somebody has taken away from under the service.
    let holder = netns(case, "u-gone", LOW_PORTS);
    let unit = case.prepare(Scope::User, "gone", "", "NetworkNamespace=u-gone");
    case.file(
        &format!("/etc/systemd/user/{}.d/zzz.conf", unit.name),
        "[Service]\nExecStartPre=systemctl --user kill -s KILL unitcell-netns@u-gone.service\n",
    );
    unit.systemctl(&["daemon-reload"]).ok();
    unit.start();
    unit.assert_never_ran();
    assert_ne!(holder.state(), "active");
}

fn user_netns_of_the_hosts_links_is_refused(case: &Case) {
    let text = "[Veth]\nAddress=auto\n";
    let holder = netns(case, "u-linked", text);
    let unit = case.user_service("linked", "", "NetworkNamespace=u-linked");
    unit.assert_never_ran();
    let told = "u-linked.netns:1:1: [Veth] reaches into another network";
    assert!(holder.journal().contains(told), "{}", holder.journal());
    let verified = case.user_sh(USER, "unitcell verify --user u-linked.netns");
    assert_eq!(verified.code, Some(1), "{verified:?}");
    assert!(verified.stdout.contains("reaches into another network"), "{verified:?}");
    assert!(verified.stdout.contains("publish ports by [Publish]"), "{verified:?}");
    // The system's would be another one.
    assert!(!case.sh("test -e /run/netns/u-linked").success());
}

fn user_netns_beside_other_directives(case: &Case) {
    netns(case, "u-beside", LOW_PORTS);
    let unit = case.user_service(
        "all",
        "",
        "NetworkNamespace=u-beside\nPrivateIPC=yes\nInit=yes\nHostname=web\nProtectControlGroups=strict\n\
         TimeOffsetBoottime=1d",
    );
    let dump = unit.dump();
    for kind in ["user", "net", "ipc", "mnt", "pid", "uts", "cgroup", "time"] {
        assert_ne!(dump.ns(kind), case.manager_ns(kind), "{kind}");
    }
    assert_eq!((dump.hostname(), dump.get("uid")[0].as_i64()), ("web", Some(1000)));
    assert_eq!(dump.ns("net"), inside(case, "net", "u-beside", "readlink /proc/self/ns/net").trim_end());
    for (name, service, cell, told) in [
        ("users", "", "PrivateUsers=self", "ask for the user namespace in more than one way"),
        ("unit", "", "NamespacesOf=other.service uts", "ask for the namespaces of two units"),
        ("mounts", "ProtectSystem=strict", "", "has systemd make a user namespace"),
    ] {
        let unit = case.user_service(name, service, &format!("NetworkNamespace=u-beside\n{cell}"));
        unit.assert_never_ran();
        assert!(unit.journal().contains(told), "{}", unit.journal());
    }
}

fn user_netns_is_shown_and_judged(case: &Case) {
    start_users_bus(case);
    let holder = netns(case, "u-shown", LOW_PORTS);
    let web = web(case, "web", "u-shown", "");
    let inode = namespace(case, &holder, "net");
    let user = |command: &str| case.user_sh(USER, command).ok().to_owned();
    assert!(user("unitcell netns list --user").lines().any(|line| line.split(' ').next() == Some("u-shown")));
    let long = user("unitcell netns list --long --user");
    assert!(long.lines().any(|line| line.starts_with("u-shown ") && line.contains(&inode)), "{long}");
    let shown = user(&format!("unitcell show --user {}", web.name));
    assert!(shown.contains(&inode) && shown.contains("u-shown"), "{shown}");
    let shown = user("unitcell show --user u-shown");
    assert!(shown.contains(&web.name) && shown.contains(&holder.name), "{shown}");
    let explained = user(&format!("unitcell explain --user {}", web.name));
    assert!(explained.contains("a process holds it in a user namespace"), "{explained}");
    assert!(explained.contains("BindsTo=unitcell-netns@u-shown.service"), "{explained}");
    assert!(user("unitcell lsns -t net -o NS,NETNS,UNIT").contains("u-shown"));
    assert!(case.user_sh(USER, &format!("unitcell verify --user {}", web.name)).success());
    assert!(!case.sh("unitcell netns list").ok().contains("u-shown"), "it is no name of the system's");
    stop_users_bus(case);
}

fn user_netns_comes_and_goes_by_hand(case: &Case) {
    start_users_bus(case);
    let holder = netns(case, "u-hand", &format!("{LOW_PORTS}DNS=10.9.9.9\n"));
    let user = |command: &str| case.user_sh(USER, command);
    assert_eq!(
        user("unitcell netns up --user u-hand").ok(),
        "Network namespace u-hand is up, held by unitcell-netns@u-hand.service"
    );
    assert_eq!(holder.state(), "active");
    assert!(holder.show("StatusText").contains("u-hand is up"));
    let reloaded = user("unitcell netns reload --user u-hand --json=short").ok().to_owned();
    schema::check("netns", &serde_json::from_str(&reloaded).expect("JSON"));
    // A command sees what a service sees.
    let seen = user(
        "cd /tmp && unitcell netns --user exec u-hand sh -c \
                     'pwd; id -u; ls /sys/class/net; cat /etc/resolv.conf; readlink /proc/self/ns/net; exit 7'",
    );
    let expected = format!(
        "/tmp\n1000\nlo\n{}nameserver 10.9.9.9\n{}\n",
        "# The name servers of a network namespace, written by unitcell.\n",
        namespace(case, &holder, "net")
    );
    assert_eq!((seen.stdout.as_str(), seen.code), (expected.as_str(), Some(7)), "{seen:?}");
    let inside = user(
        "unitcell netns exec --user u-hand sh -c 'unitcell netns --user identify; unitcell netns --user pids u-hand; echo $$'",
    );
    let inside: Vec<_> = inside.ok().lines().map(str::to_owned).collect();
    assert_eq!((inside[0].as_str(), inside.last()), ("u-hand", inside.get(2)), "{inside:?}");
    assert_eq!(inside[1], holder.main_pid().to_string());
    let slip = user("unitcell netns --user exec u-hend true");
    assert!(!slip.success() && slip.stderr.contains("there is no network namespace u-hend"), "{slip:?}");
    user("unitcell run --user --netns=u-hand --pipe --wait -- ls /sys/class/net").ok();
    assert_eq!(user("unitcell netns down --user u-hand").ok(), "Network namespace u-hand is removed");
    assert!(wait_for(|| holder.state() == "inactive", Duration::from_secs(10)));
    assert_eq!(user("unitcell netns down --user u-hand").ok(), "Network namespace u-hand is not there");
    assert_eq!(user("unitcell netns add --user u-hand").code, Some(255));
    let by_hand = case.sh("XDG_RUNTIME_DIR=/run/x unitcell netns hold u-hand");
    assert!(!by_hand.success() && by_hand.stderr.contains("in the network namespace of the host"), "{by_hand:?}");
    stop_users_bus(case);
}

/// Who has the privilege to make it outside of the user namespace must be able to set it up as well.
fn user_netns_of_root(case: &Case) {
    case.file("/root/.config/unitcell/u-root.netns", &format!("{LOW_PORTS}DNS=10.9.9.9\n"));
    case.file(
        "/root/.config/systemd/user/u-root.service",
        "[Service]\nType=oneshot\nStandardOutput=file:/run/u-root.out\n\
         ExecStart=sh -c 'cat /proc/sys/net/ipv4/ip_unprivileged_port_start; ls /sys/class/net; tail -n1 /etc/resolv.conf'\n\
         [X-Unitcell]\nNetworkNamespace=u-root\n",
    );
    let started = case.sh("systemctl start user@0.service && export XDG_RUNTIME_DIR=/run/user/0 &&
         systemctl --user daemon-reload && systemctl --user start u-root.service; code=$?
         systemctl stop user@0.service; exit $code");
    assert!(started.success(), "{started:?}\n{}", case.sh("journalctl --no-pager -n 20").stdout);
    assert_eq!(case.read("/run/u-root.out"), "0\nlo\nnameserver 10.9.9.9\n");
    case.sh("rm /run/u-root.out").ok();
}
