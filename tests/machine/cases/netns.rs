//! Named network namespaces that `.netns` files describe: their links, who reaches whom, and that
//! nothing is left of them.

use super::cases;
use crate::case::{Case, Scope, Unit};
use crate::machine::wait_for;

use std::time::Duration;

cases![
    netns_cells_on_a_bridge_reach_each_other_and_the_host,
    netns_links_of_every_kind_come_and_go: alone,
    netns_reload_changes_what_changed_and_nothing_else,
    netns_services_follow_their_namespace,
    netns_outer_link_goes_though_somebody_stays_inside,
    netns_each_of_many_names_has_an_outcome_of_its_own,
    netns_delete_stops_the_unit_that_owns_it: alone,
    netns_port_is_published,
    netns_internet_is_reached_by_nat: alone,
    netns_forwarding_leaves_lo_alone: alone,
    netns_no_question_for_a_name_leaves_the_cell: alone,
    netns_two_hundred_services_share_fifty_namespaces: alone,
    netns_killed_at_any_step_it_converges(257..=257): alone,
    netns_reload_killed_at_any_step_it_converges(262..=262): alone,
];

/// A description, and the unit that owns what it describes.
fn netns<'c>(case: &'c Case, name: &str, text: &str) -> Unit<'c> {
    case.file(&format!("/etc/unitcell/{name}.netns"), text);
    case.daemon_reload();
    case.unit(Scope::System, &format!("unitcell-netns@{name}.service"))
}

/// A web server that serves its own name, ready when it listens.
fn web<'c>(case: &'c Case, name: &str, netns: &str) -> Unit<'c> {
    let directory = format!("/run/web/{name}");
    case.sh(&format!("mkdir -p {directory} && echo {name} >{directory}/index.html")).ok();
    let unit = case.service(
        name,
        &format!("ExecStart=/bin/busybox httpd -f -p 80 -h {directory}"),
        &format!("NetworkNamespace={netns}\nReadyWhen=tcp:80"),
    );
    unit.assert_state("active");
    unit
}

/// What is there of links, addresses, rules and settings, but for numbers that are never the same. A
/// link that goes while it is looked at is no failure: who waits for that looks again.
fn state(case: &Case) -> String {
    case.sh(STATE).ok().to_owned()
}

const STATE: &str = "\
ip -o link show | sed -E 's/^[0-9]*: //; s/@[^:]*//; s/<[^>]*>//; s/ (state|link-netnsid) [^ ]*//g' | sort
ip -o address show | grep -v 'inet6 fe80:' | sed -E 's/^[0-9]*: //; s/ tentative//; s/ brd [0-9.]*//' | sort
ip route | sed 's, linkdown,,'; nft list ruleset
find /run/netns /run/unitcell/netns -mindepth 1 ! -name .shared ! -name .leases 2>&- | sort
grep -r . /proc/sys/net/ipv4/conf/*/forwarding /proc/sys/net/ipv6/conf/*/forwarding /proc/sys/net/ipv6/conf/*/force_forwarding || :";

fn netns_cells_on_a_bridge_reach_each_other_and_the_host(case: &Case) {
    let names = ["brda", "brdb", "brdc"];
    let owners: Vec<_> = (1..)
        .zip(names)
        .map(|(number, name)| {
            netns(
                case,
                name,
                &format!(
                    "[Veth]\nBridge=br-cells\nAddress=10.77.0.{number}/24 fd77::{number}/64\n\
                     HostAddress=10.77.0.254/24 fd77::fe/64\nGateway=10.77.0.254\n"
                ),
            )
        })
        .collect();
    // The same port in two of them.
    let _servers = (web(case, "a", "brda"), web(case, "b", "brdb"));
    owners[2].systemctl(&["start", &owners[2].name]).ok();
    for (address, answer) in [("10.77.0.1", "a"), ("10.77.0.2", "b"), ("[fd77::1]", "a"), ("[fd77::2]", "b")] {
        for from in ["", "ip netns exec brdc "] {
            let got = case.sh(&format!("{from}curl -gsS --max-time 10 http://{address}/"));
            assert_eq!(got.ok(), answer, "{from}{address}");
        }
    }
    // They are ready: no address is being asked about any more.
    for name in names {
        assert_eq!(case.sh(&format!("ip -n {name} -6 address show tentative")).ok(), "");
    }
    owners[0].stop().ok();
    owners[1].stop().ok();
    assert!(case.sh("ip -o address show dev br-cells").ok().contains("10.77.0.254"), "one still needs it");
    owners[2].stop().ok();
    let left = case.sh("ip -o link show; ls /run/unitcell/netns/.shared");
    assert!(!left.ok().contains("br-cells") && !left.ok().contains("uc-brd"), "{}", left.stdout);
}

fn netns_links_of_every_kind_come_and_go(case: &Case) {
    case.sh(
        "ip link add kinds-br address 02:00:00:00:78:09 type bridge && ip link set kinds-br addrgenmode none && ip link set kinds-br up && ip address add 10.78.9.1/24 dev kinds-br &&
         ip link add kinds-mv type veth peer name kinds-peer && ip link set kinds-peer up &&
         ip address add 10.78.8.1/24 dev kinds-mv && ip link set kinds-mv up &&
         ip link add kinds-par type veth peer name kinds-pp && ip link set kinds-par up && ip link set kinds-pp up",
    )
    .ok();
    let before = state(case);
    let other = netns(case, "kindsb", "[Veth]\nName=inner\nHostName=ve-kindsb\nAddress=10.78.5.2/24\n");
    let owner = netns(
        case,
        "kindsa",
        "[NetworkNamespace]\nInterface=kinds-mv\nSysctl=net.ipv4.ip_unprivileged_port_start=81\n\
         Sysctl=net.ipv4.conf.to-b.rp_filter=2\n\
         [Veth]\nName=to-b\nHostName=to-a\nHostNetworkNamespace=kindsb\nAddress=10.78.6.1/24\n\
         HostAddress=10.78.6.2/24\nMTUBytes=1400\nMACAddress=02:00:00:00:78:01\n\
         [Veth]\nName=bare\n\
         [Veth]\nName=ported\nBridge=kinds-br\nAddress=10.78.9.2/24\n\
         [Macvlan]\nParent=kinds-par\nAddress=10.78.7.2/24\n\
         [Route]\nDestination=10.99.0.0/16\nGateway=10.78.6.2\nMetric=7\n",
    );
    let started = owner.start();
    assert!(started.success(), "{started:?}\n{}", owner.journal());
    // What it needs was brought up first, by what the generator wrote.
    other.assert_state("active");
    let inside = case.sh("ip -n kindsa -d -o link show; ip -n kindsa -o address show; ip -n kindsa route");
    for words in [
        "to-b@",
        "bare@",
        "ported@",
        "mv0@",
        "kinds-mv",
        "mtu 1400",
        "02:00:00:00:78:01",
        "macvlan mode bridge",
        "10.78.8.1/24",
        "10.99.0.0/16 via 10.78.6.2 dev to-b proto static metric 7",
    ] {
        assert!(inside.ok().contains(words), "{words:?} is not in:\n{}", inside.stdout);
    }
    case.sh("ip netns exec kindsa ping -c1 -W5 10.78.6.2 && ip netns exec kindsa ping -c1 -W5 10.78.9.1").ok();
    let settings = "cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/conf/to-b/rp_filter";
    assert_eq!(case.sh(&format!("ip netns exec kindsa sh -c '{settings}'")).ok(), "81\n2");
    // A link of its name is somebody else's: nothing starts, and that one stays.
    case.sh("ip link add uc-kindsc type bridge").ok();
    let refused = netns(case, "kindsc", "[Veth]\nAddress=10.78.3.2/24\n");
    assert!(!refused.start().success());
    assert!(refused.journal().contains("there is an interface uc-kindsc on the host already"), "{}", refused.journal());
    case.sh("ip link delete uc-kindsc && ! ip netns exec kindsc true 2>/dev/null").ok();
    // Not every kernel has ipvlan: then that is said, and nothing is left.
    let ipvlan = netns(case, "kindsd", "[IPVlan]\nParent=kinds-par\nMode=L3\nAddress=10.78.4.2/24\n");
    if ipvlan.start().success() {
        assert!(case.sh("ip -n kindsd -d -o link show ipv0").ok().contains("ipvlan  mode l3"));
        ipvlan.stop().ok();
    } else {
        assert!(ipvlan.journal().contains("can't add ipvlan link ipv0"), "{}", ipvlan.journal());
    }
    owner.stop().ok();
    assert!(!case.sh("ip -n kindsb -o link show").ok().contains("to-a"), "the end in the other one is gone, too");
    other.stop().ok();
    let after = state(case);
    assert_eq!(after, before, "what was there before is as it was, and nothing else is there");
    case.sh("ip link delete kinds-br; ip link delete kinds-mv; ip link delete kinds-par").ok();
}

fn netns_reload_changes_what_changed_and_nothing_else(case: &Case) {
    let veth = "[Veth]\nAddress=10.79.0.2/24\nHostAddress=10.79.0.1/24\n";
    let file = "/etc/unitcell/reloaded.netns";
    let owner = netns(case, "reloaded", &format!("{veth}MTUBytes=1400\n[Veth]\nName=eth1\nAddress=10.79.1.2/24\n"));
    let server = web(case, "reload-web", "reloaded");
    let inode = |case: &Case| case.sh("stat -c %i /run/netns/reloaded").ok().to_owned();
    let before = (inode(case), case.sh("cat /sys/class/net/uc-reloaded/ifindex").ok().to_owned(), server.main_pid());
    // A connection that lives through it.
    let echo = "import socket; c=socket.create_server((\"10.79.0.2\",7000)).accept()[0]; \
                [c.sendall(x) for x in iter(lambda:c.recv(99),b\"\")]";
    let echo = case.service(
        "echo",
        &format!("ExecStart=/usr/bin/python3 -c '{echo}'"),
        "NetworkNamespace=reloaded\nReadyWhen=tcp:7000",
    );
    echo.assert_state("active");
    // Open for both from the first: a pipe that has had no writer for a moment is at its end for nc.
    case.sh("mkfifo /run/said && : >/run/heard; exec 9<>/run/said; busybox nc 10.79.0.2 7000 <&9 >/run/heard & echo before >&9").ok();
    let heard = |word: &str| wait_for(|| case.read("/run/heard").contains(word), Duration::from_secs(20));
    assert!(heard("before"));
    case.file(
        file,
        &format!("{veth}Gateway=10.79.0.1\n[Veth]\nName=eth2\nAddress=10.79.2.2/24\nHostAddress=10.79.2.1/24\n"),
    );
    let reloaded = owner.reload();
    assert!(reloaded.success(), "{reloaded:?}\n{}", owner.journal());
    let inside = case.sh("ip -n reloaded -o address show; ip -n reloaded link; ip -n reloaded route").ok().to_owned();
    assert!(inside.contains("10.79.2.2/24") && inside.contains("default via 10.79.0.1"), "{inside}");
    assert!(!inside.contains("eth1") && !inside.contains("mtu 1400"), "{inside}");
    let after = (inode(case), case.sh("cat /sys/class/net/uc-reloaded/ifindex").ok().to_owned(), server.main_pid());
    assert_eq!(after, before, "the namespace, the link and the service are the same");
    case.sh("echo after >/run/said").ok();
    assert!(heard("after"), "the connection is open still");
    assert!(case.sh("curl -sS --max-time 10 http://10.79.2.2/").success());
    // What is wrong changes nothing, and says why.
    case.file(file, "[Veth]\nAdress=10.79.0.2/24\n");
    assert!(!owner.reload().success());
    let told = || owner.journal().contains("reloaded.netns:2:1: Adress= is no key of [Veth]; did you mean Address=?");
    assert!(wait_for(told, Duration::from_secs(20)), "{}", owner.journal());
    owner.assert_state("active");
    assert!(case.sh("curl -sS --max-time 10 http://10.79.2.2/").success());
    let verified = case.sh("unitcell verify /etc/unitcell/reloaded.netns");
    assert_eq!(verified.code, Some(1));
    assert!(verified.stdout.contains("reloaded.netns:2:1: error: Adress= is no key of [Veth]"), "{verified:?}");
}

fn netns_services_follow_their_namespace(case: &Case) {
    let owner = netns(case, "followed", "[NetworkNamespace]\nStopWhenUnneeded=yes\n[Veth]\nAddress=auto\n");
    let (one, two) = (web(case, "follow-1", "followed"), case.service("follow-2", "", "NetworkNamespace=followed"));
    let namespace = two.dump().ns("net").to_owned();
    one.restart().ok();
    two.restart().ok();
    assert_eq!(two.dump().ns("net"), namespace, "the restart of a service leaves the namespace alone");
    let before = one.main_pid();
    two.forget_dump();
    owner.restart().ok();
    // Its number may be the old one's: the kernel gives it again.
    two.dump();
    one.assert_state("active");
    assert_ne!(one.main_pid(), before, "the restart of the namespace restarts what is in it");
    one.stop().ok();
    owner.assert_state("active");
    two.stop().ok();
    owner.assert_state("inactive");
    assert!(!case.sh("test -e /run/netns/followed || ip link show uc-followed 2>/dev/null").success());
}

fn netns_outer_link_goes_though_somebody_stays_inside(case: &Case) {
    let owner = netns(case, "held", "[Veth]\nAddress=auto\n");
    owner.start();
    owner.assert_state("active");
    let stays = case.service("stays", "", "NetworkNamespacePath=/run/netns/held");
    assert!(stays.dump().interfaces().contains(&"eth0".to_owned()));
    owner.stop().ok();
    stays.assert_state("active");
    let left = case.sh("ip -o link show; find /run/netns /run/unitcell/netns");
    assert!(!left.ok().contains("held"), "{}", left.stdout);
}

fn netns_each_of_many_names_has_an_outcome_of_its_own(case: &Case) {
    case.file("/etc/unitcell/several2.netns", "[Veth]\nAdress=auto\n");
    let names = "several1 several2 several3 several1";
    let up = case.sh(&format!("unitcell netns up {names}"));
    assert_eq!(up.code, Some(1), "{up:?}");
    let told: Vec<_> = up.stdout.lines().collect();
    assert_eq!(
        told,
        [1, 3].map(|n| format!("Network namespace several{n} is up, at /run/netns/several{n}")),
        "each once, in order"
    );
    assert!(up.stderr.contains("several2.netns:2:1: Adress= is no key of [Veth]"), "{up:?}");
    assert_eq!(case.sh("ls /run/netns | grep several").ok(), "several1\nseveral3");
    assert!(case.sh("ip -n several3 -o link show lo").ok().contains("LOOPBACK,UP"));
    assert!(case.sh(&format!("unitcell netns down {names}")).success());
    assert!(!case.sh("find /run/netns /run/unitcell/netns | grep several").success());
}

fn netns_delete_stops_the_unit_that_owns_it(case: &Case) {
    let owner = netns(case, "owned", "[Veth]\nAddress=auto\n");
    let service = case.service("bound", "", "NetworkNamespace=owned");
    assert!(service.dump().interfaces().contains(&"eth0".to_owned()));
    owner.assert_state("active");
    case.sh("unitcell netns delete owned").ok();
    assert_eq!((owner.state(), service.state()), ("inactive".to_owned(), "inactive".to_owned()));
    assert!(!case.sh("ip -o link show; find /run/netns /run/unitcell").ok().contains("owned"));
    assert_eq!(case.sh("unitcell netns delete owned").code, Some(1), "there is none any more");
    // One of the same name that the unit does not own goes as `ip` has it.
    case.sh("ip netns add owned && unitcell netns delete owned && ! test -e /run/netns/owned").ok();
    // And with all of them.
    owner.start();
    case.sh("unitcell netns add beside && unitcell -all netns delete").ok();
    assert_eq!((owner.state(), case.sh("ls /run/netns").ok()), ("inactive".to_owned(), ""));
}

fn netns_port_is_published(case: &Case) {
    let owner = netns(
        case,
        "published",
        "[NetworkNamespace]\n[Publish]\nListenStream=127.0.0.1:18080\nConnectStream=80\n\
         [Publish]\nListenStream=/run/published.sock\nConnectStream=127.0.0.1:80\n",
    );
    web(case, "publish-web", "published");
    let proxy = case.unit(Scope::System, "unitcell-publish-published-127.0.0.1:18080.service");
    assert_eq!(proxy.state(), "inactive", "it is started by the first connection");
    let get = "curl -sS --max-time 10 http://127.0.0.1:18080/";
    assert_eq!(case.sh(get).ok(), "publish-web");
    proxy.assert_state("active");
    let inode = case.sh("stat -c %i /run/netns/published").ok().to_owned();
    let of_proxy = case.sh(&format!("readlink /proc/{}/ns/net", proxy.main_pid()));
    assert_eq!(of_proxy.ok(), format!("net:[{inode}]"));
    assert!(case.sh("curl -sS --max-time 10 --unix-socket /run/published.sock http://x/").success());
    owner.stop().ok();
    proxy.assert_state("inactive");
    assert!(!case.sh(get).success(), "nobody listens any more");
}

fn netns_internet_is_reached_by_nat(case: &Case) {
    // An "internet": it knows the host's own addresses, and none of those behind it.
    case.sh("ip netns add internet && ip link add uplink type veth peer name eth0 netns internet &&
         ip address add 192.0.2.1/24 dev uplink && ip -6 address add 2001:db8::1/64 dev uplink nodad &&
         ip link set uplink up && ip -n internet link set lo up && ip -n internet link set eth0 up &&
         ip -n internet address add 192.0.2.2/24 dev eth0 && ip -n internet address add 198.51.100.1/32 dev lo &&
         ip -n internet -6 address add 2001:db8::2/64 dev eth0 nodad &&
         ip -n internet -6 address add 2001:db8:1::1/128 dev lo nodad &&
         ip route add default via 192.0.2.2 && ip -6 route add default via 2001:db8::2 &&
         nft add table ip theirs && nft add chain ip theirs c && nft add rule ip theirs c accept")
        .ok();
    case.file("/run/who.py", WHO);
    let internet =
        case.service("internet", "ExecStart=/usr/bin/python3 /run/who.py", "NetworkNamespacePath=/run/netns/internet");
    internet.assert_state("active");
    let before = state(case);
    let owner = netns(case, "natted", "[NetworkNamespace]\nIPMasquerade=both\n[Veth]\nAddress=auto\n");
    let started = owner.start();
    assert!(started.success(), "{}", owner.journal());
    for (to, from) in [("198.51.100.1", "192.0.2.1"), ("2001:db8:1::1", "2001:db8::1")] {
        let script = format!(
            "import socket; s=socket.create_connection(('{to}',7),timeout=10); print(s.recv(99).decode(),end='')"
        );
        let answer = case.sh(&format!(
            "for i in 1 2 3 4 5; do ip netns exec natted python3 -c \"{script}\" && break; sleep 1; done"
        ));
        assert_eq!(answer.ok(), from, "{answer:?}");
    }
    let forwarding = |link: &str| case.sh(&format!("cat /proc/sys/net/ipv4/conf/{link}/forwarding")).ok().to_owned();
    assert_eq!((forwarding("uc-natted"), forwarding("uplink")), ("1".into(), "1".into()));
    owner.stop().ok();
    assert_eq!(state(case), before);
    internet.stop().ok();
    case.sh("nft delete table ip theirs; ip link delete uplink; ip netns delete internet").ok();
}

fn netns_forwarding_leaves_lo_alone(case: &Case) {
    // Whatever others have left: a machine that forwards already is left as it is.
    case.sh("sysctl -w net.ipv6.conf.all.forwarding=0").ok();
    let before = state(case);
    // Without a default route all links forward, and those that listen to routers go on to do so.
    case.sh("ip link add listens type bridge && sysctl -w net.ipv6.conf.listens.accept_ra=1").ok();
    let owner = netns(case, "unrouted", "[NetworkNamespace]\nIPMasquerade=both\n[Veth]\nAddress=auto\n");
    let started = owner.start();
    assert!(started.success(), "{}", owner.journal());
    let settings = "cd /proc/sys/net/ipv6/conf && cat all/forwarding listens/accept_ra lo/accept_ra";
    assert_eq!(case.sh(settings).ok(), "1\n2\n1");
    // Looked at again, and with a second one, whoever goes first.
    owner.reload().ok();
    assert_eq!(case.sh(settings).ok(), "1\n2\n1");
    let second = netns(case, "unrouted2", "[NetworkNamespace]\nIPMasquerade=both\n[Veth]\nAddress=auto\n");
    second.start().ok();
    owner.stop().ok();
    assert_eq!(case.sh(settings).ok(), "1\n2\n1");
    second.stop().ok();
    assert_eq!(case.sh(settings).ok(), "0\n1\n1");
    case.sh("ip link delete listens").ok();
    assert_eq!(state(case), before);
}

/// Tells everybody the address that they come from.
const WHO: &str = "import socket
s=socket.create_server(('::',7),family=socket.AF_INET6,dualstack_ipv6=True)
while True:
    c,a=s.accept(); c.sendall(a[0].replace('::ffff:','').encode()); c.close()
";

fn netns_no_question_for_a_name_leaves_the_cell(case: &Case) {
    // On the host: a stub resolver behind a link, as systemd-resolved has it, its socket, and nscd's.
    case.file("/run/counting.py", COUNTING);
    case.sh("cp -P /etc/resolv.conf /run/resolv.conf.kept; cp /etc/nsswitch.conf /run/nsswitch.conf.kept
         mkdir -p /run/systemd/resolve /run/nscd && echo nameserver 127.0.0.53 >/run/systemd/resolve/stub-resolv.conf &&
         ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf &&
         sed -i 's/^hosts:.*/hosts: resolve [!UNAVAIL=return] files dns/' /etc/nsswitch.conf")
        .ok();
    let host = case.service(
        "host-dns",
        "ExecStart=/usr/bin/python3 /run/counting.py 127.0.0.53 192.0.2.66 /run/count.host \
         /run/systemd/resolve/io.systemd.Resolve /run/nscd/socket\nType=notify\nNotifyAccess=all",
        "",
    );
    host.assert_state("active");
    let owner =
        netns(case, "dnsed", "[NetworkNamespace]\nDNS=10.80.0.2\nDomains=example.test\n[Veth]\nAddress=10.80.0.2/24\n");
    let inner = case.service(
        "cell-dns",
        "ExecStart=/usr/bin/python3 /run/counting.py 10.80.0.2 10.80.0.77 /run/count.cell\nType=notify\nNotifyAccess=all",
        "NetworkNamespace=dnsed",
    );
    inner.assert_state("active");
    let asks = "Type=oneshot\nExecStart=/usr/bin/python3 -c 'import socket; print(socket.gethostbyname(\"web\"))'";
    let count = |who: &str| case.read(&format!("/run/count.{who}")).lines().count();
    let in_cell = case.service("asks-in-cell", asks, "NetworkNamespace=dnsed");
    assert_eq!(in_cell.result(), "success", "{}", in_cell.journal());
    assert!(in_cell.journal().contains("10.80.0.77"), "{}", in_cell.journal());
    assert!(count("cell") > 0);
    assert_eq!(case.read("/run/count.host"), "", "no packet and no connection reached the host's");
    assert_eq!(case.sh("cat /etc/resolv.conf").ok(), "nameserver 127.0.0.53", "the host's own file is as it was");
    // Nor later on: both are started again, which gives them other sockets.
    let stays = case.service("stays", "ExecStart=/bin/busybox sleep 1000", "NetworkNamespace=dnsed");
    host.restart().ok();
    let seen = "ls -A /run/nscd /run/systemd/resolve; cat /etc/resolv.conf";
    let seen = case.sh(&format!("nsenter -m -t {} sh -c '{seen}'", stays.main_pid()));
    let hidden = !seen.ok().contains("socket") && !seen.ok().contains("io.systemd.Resolve");
    assert!(hidden && seen.ok().contains("nameserver 10.80.0.2"), "{seen:?}");
    assert_eq!(case.read("/run/count.host"), "", "it is started anew");
    // One without name servers of its own has the host's file, which is a link to there.
    netns(case, "undnsed", "[NetworkNamespace]\n");
    let kept = case.service("kept", "Type=oneshot\nExecStart=/bin/cat /etc/resolv.conf", "NetworkNamespace=undnsed");
    assert!(kept.journal().contains("nameserver 127.0.0.53"), "{}", kept.journal());
    // The count does count: the same service without a cell asks there, by way of a socket or packets.
    case.service("asks-on-host", asks, "");
    assert!(count("host") > 0);
    // An administrator's file comes first, as with `ip netns exec`.
    case.file("/etc/netns/dnsed/resolv.conf", "nameserver 10.80.0.99\n");
    owner.reload().ok();
    let sees = case.service("sees", "Type=oneshot\nExecStart=/bin/cat /etc/resolv.conf", "NetworkNamespace=dnsed");
    assert!(sees.journal().contains("nameserver 10.80.0.99"), "{}", sees.journal());
    host.stop().ok();
    case.sh("rm -rf /etc/resolv.conf /run/systemd/resolve /run/nscd /etc/netns/dnsed
         mv /run/resolv.conf.kept /etc/resolv.conf; mv /run/nsswitch.conf.kept /etc/nsswitch.conf")
        .ok();
}

/// `counting.py ADDRESS ANSWER FILE [SOCKET…]`: a name server with one answer, and sockets that answer
/// nothing; whatever reaches it is a line in the file.
const COUNTING: &str = "import os,select,socket,sys
address,answer,path,*paths=sys.argv[1:]
log=open(path,'w')
udp=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); udp.bind((address,53))
streams=[]
for p in paths:
    if os.path.exists(p): os.unlink(p)
    s=socket.socket(socket.AF_UNIX); s.bind(p); s.listen(); os.chmod(p,0o666); streams.append(s)
n=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); n.sendto(b'READY=1',os.environ['NOTIFY_SOCKET'].replace('@','\\0',1))
while True:
    for s in select.select([udp]+streams,[],[])[0]:
        if s is not udp:
            c,_=s.accept(); c.settimeout(5)
            # Of nscd's questions those about hosts: everybody asks it who a user is, too.
            if 'nscd' not in s.getsockname() or c.recv(12)[4] in (4,5,6,7,13,14): print('connection',s.getsockname(),file=log,flush=True)
            c.close(); continue
        q,a=udp.recvfrom(512); print('packet',file=log,flush=True)
        e=q.index(b'\\0',12)+5
        v4=q[e-4:e-2]==b'\\0\\1'
        r=q[:2]+b'\\x81\\x80\\0\\1'+(b'\\0\\1' if v4 else b'\\0\\0')+b'\\0\\0\\0\\0'+q[12:e]
        if v4: r+=b'\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\x3c\\0\\4'+socket.inet_aton(answer)
        udp.sendto(r,a)
";

fn netns_two_hundred_services_share_fifty_namespaces(case: &Case) {
    let before = state(case);
    // A template service for each: many-NAMESPACE-NUMBER.
    case.sh("mkdir -p /etc/unitcell /run/many && for n in $(seq 50); do
            printf '[NetworkNamespace]\\n[Veth]\\nAddress=auto\\n' >/etc/unitcell/many$n.netns
            for s in 1 2 3 4; do
                printf '[Service]\\nExecStart=/bin/busybox sleep 1000\\n[X-Unitcell]\\nNetworkNamespace=many%s\\n' $n \
                    >/etc/systemd/system/many-$n-$s.service
            done
         done; systemctl daemon-reload")
        .ok();
    let names = "$(for n in $(seq 50); do for s in 1 2 3 4; do echo many-$n-$s.service; done; done)";
    case.sh(&format!("systemctl start --no-block {names}")).ok();
    let active = || case.sh(&format!("systemctl is-active {names} | sort | uniq -c")).stdout.trim().to_owned();
    let all_active = wait_for(|| active() == "200 active", Duration::from_secs(120));
    assert!(all_active, "{}", active());
    let wrong = format!(
        "systemctl show -p MainPID -p Id {names} | paste -d' ' - - - | tr -s ' =' ' ' | while read a b c d; do
            case $a in Id) id=$b pid=$d;; *) id=$d pid=$b;; esac; n=${{id#many-}}; n=${{n%%-*}}
            test $(readlink /proc/$pid/ns/net) = \"net:[$(stat -c %i /run/netns/many$n)]\" || echo $id
         done"
    );
    assert_eq!(case.sh(&wrong).ok(), "", "each is in its namespace");
    let addresses =
        "for n in $(seq 50); do ip -n many$n -4 -o address show dev eth0; done | awk '{print $4}' | sort -u | wc -l";
    assert_eq!(case.sh(addresses).ok(), "50");
    // Where `ip netns` has made /run/netns, every pin can be seen through what lies below it as well.
    let copies =
        case.sh("ip netns add one-more; grep -c ' /run/netns/one-more ' /proc/1/mountinfo; ip netns del one-more");
    let copies: usize = copies.ok().parse().expect("a number");
    let mounts = case
        .sh("grep -c ' /run/netns/many' /proc/1/mountinfo; grep -c ' /run/netns ' /proc/1/mountinfo")
        .ok()
        .to_owned();
    assert_eq!(mounts, format!("{}\n1", 50 * copies), "each is mounted once");
    case.sh(&format!("systemctl stop --no-block {names} 'unitcell-netns@many*.service'")).ok();
    let gone = wait_for(|| state(case) == before, Duration::from_secs(60));
    case.sh("rm -f /etc/unitcell/many*.netns /etc/systemd/system/many-*.service; systemctl daemon-reload");
    assert!(gone, "left:\n{}\nbefore:\n{before}", state(case));
    assert_eq!(case.sh("grep -c ' /run/netns/many' /proc/1/mountinfo").stdout.trim(), "0");
}

fn netns_killed_at_any_step_it_converges(case: &Case) {
    case.sh("ip link add killed-mv type veth peer name killed-peer && ip address add 10.81.9.1/24 dev killed-mv && ip link set killed-mv up").ok();
    case.file(
        "/etc/unitcell/killed.netns",
        "[NetworkNamespace]\nDNS=10.81.0.1\nIPMasquerade=ipv4\nInterface=killed-mv\n\
         Sysctl=net.ipv4.ip_unprivileged_port_start=81\n\
         [Veth]\nAddress=auto\nMTUBytes=1400\n[Veth]\nName=eth1\nBridge=br-killed\nHostAddress=10.81.0.1/24\nAddress=10.81.0.2/24\n",
    );
    // Once before, so that what is made once for all names is there.
    case.sh("unitcell netns up killed && unitcell netns down killed").ok();
    kill_at_each_step(case, KILLED);
    case.sh("ip link delete killed-mv").ok();
}

fn netns_reload_killed_at_any_step_it_converges(case: &Case) {
    case.sh("ip link add killed-mv type veth peer name killed-peer && ip address add 10.81.9.1/24 dev killed-mv && ip link set killed-mv up").ok();
    case.file(
        "/run/killed.from",
        "[NetworkNamespace]\nInterface=killed-mv\n[Veth]\nAddress=10.81.1.2/30\nHostAddress=10.81.1.1/30\n\
         [Veth]\nName=eth1\nBridge=br-killed\nHostAddress=10.81.0.1/24\nAddress=10.81.0.2/24\n",
    );
    case.file(
        "/run/killed.to",
        "[NetworkNamespace]\nDNS=10.81.0.1\nIPMasquerade=ipv4\nSysctl=net.ipv4.ip_unprivileged_port_start=81\n\
         [Veth]\nMTUBytes=1400\nAddress=10.81.0.2/24\nHostAddress=10.81.0.1/24\nGateway=10.81.0.1\n",
    );
    case.file("/etc/unitcell/killed.netns", "");
    case.sh("cp /run/killed.to /etc/unitcell/killed.netns && unitcell netns up killed && unitcell netns down killed")
        .ok();
    kill_at_each_step(case, RELOAD_KILLED);
    case.sh("ip link delete killed-mv").ok();
}

fn kill_at_each_step(case: &Case, script: &str) {
    let script = format!("{COMPARING}{script}").replace("@state@", STATE).replace("@payload@", crate::product::PAYLOAD);
    case.file("/run/killed.sh", &script);
    let mut from = 1;
    let steps = loop {
        // In parts, for a command may take a minute at most.
        let part = case.sh(&format!("sh /run/killed.sh {from}"));
        let last = part.ok().lines().last().unwrap_or_default().to_owned();
        match last.split_once(' ') {
            Some(("more", next)) => from = next.parse().unwrap(),
            Some(("done", steps)) => break steps.parse::<u32>().unwrap(),
            _ => panic!("{part:?}"),
        }
    };
    assert!(steps > 40, "only {steps} steps");
}

const COMPARING: &str = "state() {
@state@
}
inside() { ip -n killed -o address show | sed 's/^[0-9]*: //'; ip -n killed route; cat /run/unitcell/netns/killed/resolv.conf; }
differ() { echo \"step $n, $1:\"; diff \"$2\" \"$3\"; exit 1; }
n=$1; end=$((n + 8))
state >/run/killed.before
";

/// From a step on: kill `up` there, go down; kill it there again, go up; kill `down` there, go down.
const KILLED: &str = "unitcell netns up killed >/dev/null && state >/run/killed.up && inside >/run/killed.inside && unitcell netns down killed >/dev/null || exit 1
state | diff /run/killed.before - || exit 1
while [ $n -lt $end ]; do
    @payload@ step $n unitcell netns up killed >/dev/null; killed=$?
    unitcell netns down killed >/dev/null || exit 1
    state >/run/killed.now; cmp -s /run/killed.before /run/killed.now || differ 'down after a crash of up' /run/killed.before /run/killed.now
    if [ $killed = 100 ]; then echo done $n; exit 0; fi
    [ $killed = 0 ] || { echo \"step $n: $killed\"; exit 1; }
    @payload@ step $n unitcell netns up killed >/dev/null
    unitcell netns up killed >/dev/null || exit 1
    state >/run/killed.now; cmp -s /run/killed.up /run/killed.now || differ 'up after a crash of up' /run/killed.up /run/killed.now
    inside >/run/killed.now; cmp -s /run/killed.inside /run/killed.now || differ 'inside' /run/killed.inside /run/killed.now
    @payload@ step $n unitcell netns down killed >/dev/null
    unitcell netns down killed >/dev/null || exit 1
    state >/run/killed.now; cmp -s /run/killed.before /run/killed.now || differ 'down after a crash of down' /run/killed.before /run/killed.now
    n=$((n + 1))
done
echo more $n
";

/// From a step on: kill `reload` there, reload again, go down; kill it there again, go down.
const RELOAD_KILLED: &str = "into() { cp /run/killed.$1 /etc/unitcell/killed.netns; }
into to; unitcell netns up killed >/dev/null && state >/run/killed.up && inside >/run/killed.inside && unitcell netns down killed >/dev/null || exit 1
while [ $n -lt $end ]; do
    into from; unitcell netns up killed >/dev/null || exit 1
    into to; @payload@ step $n unitcell netns reload killed >/dev/null; killed=$?
    unitcell netns reload killed >/dev/null || exit 1
    state >/run/killed.now; cmp -s /run/killed.up /run/killed.now || differ 'reload after a crash of reload' /run/killed.up /run/killed.now
    inside >/run/killed.now; cmp -s /run/killed.inside /run/killed.now || differ 'inside' /run/killed.inside /run/killed.now
    unitcell netns down killed >/dev/null || exit 1
    state >/run/killed.now; cmp -s /run/killed.before /run/killed.now || differ 'down after reload' /run/killed.before /run/killed.now
    if [ $killed = 100 ]; then echo done $n; exit 0; fi
    [ $killed = 0 ] || { echo \"step $n: $killed\"; exit 1; }
    into from; unitcell netns up killed >/dev/null || exit 1
    into to; @payload@ step $n unitcell netns reload killed >/dev/null
    unitcell netns down killed >/dev/null || exit 1
    state >/run/killed.now; cmp -s /run/killed.before /run/killed.now || differ 'down after a crash of reload' /run/killed.before /run/killed.now
    n=$((n + 1))
done
echo more $n
";
