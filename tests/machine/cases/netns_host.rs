//! What a named network namespace borrows of the host, and what of it the host must not be made to believe.

use super::cases;
use crate::case::{Case, Scope, Unit};
use crate::machine::wait_for;

use std::time::Duration;

cases![
    netns_host_believes_no_router_inside: alone,
    netns_host_link_is_no_container_to_networkd: alone,
    netns_moved_link_comes_back_as_it_was,
    netns_moved_link_goes_with_forwarding_and_is_waited_for: alone,
    netns_chosen_addresses_are_not_the_hosts,
    netns_published_at_every_kind_of_socket,
];

fn netns<'c>(case: &'c Case, name: &str, text: &str) -> Unit<'c> {
    case.file(&format!("/etc/unitcell/{name}.netns"), text);
    case.daemon_reload();
    case.unit(Scope::System, &format!("unitcell-netns@{name}.service"))
}

#[track_caller]
fn start(owner: &Unit<'_>) {
    let started = owner.start();
    assert!(started.success(), "{started:?}\n{}", owner.journal());
}

/// Tells everybody on a link that it is a router, RFC 4861, five times.
const ROUTER: &str = "import socket,struct,sys,time
s=socket.socket(socket.AF_INET6,socket.SOCK_RAW,socket.IPPROTO_ICMPV6); s.setsockopt(socket.IPPROTO_IPV6,18,255)
prefix=struct.pack('!BBBBIII',3,4,64,0xc0,3600,3600,0)+socket.inet_pton(socket.AF_INET6,'2001:db8:bad::')
for n in range(5): s.sendto(struct.pack('!BBHBBHII',134,0,0,64,0,1800,0,0)+prefix,('ff02::1',0,0,socket.if_nametoindex(sys.argv[1])))
";

fn netns_host_believes_no_router_inside(case: &Case) {
    case.file("/run/router.py", ROUTER);
    let believed = |link: &str| case.sh(&format!("ip -6 route show proto ra dev {link}")).ok().to_owned();
    let says = |name: &str, link: &str| {
        let ready = || case.sh(&format!("ip -n {name} -6 address show dev {link} scope link -tentative")).stdout;
        assert!(wait_for(|| ready().contains("fe80"), Duration::from_secs(20)), "{}", ready());
        case.sh(&format!("ip netns exec {name} python3 /run/router.py {link}")).ok();
    };
    // It is to be believed: by a link that nobody has told otherwise.
    case.sh(
        "ip netns add gullible && ip link add gullible0 type veth peer name eth0 netns gullible &&
         sysctl -w net.ipv6.conf.gullible0.accept_dad=0 && ip link set gullible0 up && ip -n gullible link set eth0 up",
    )
    .ok();
    let owners = [
        netns(case, "router", "[Veth]\nAddress=auto\n"),
        netns(case, "routerb", "[Veth]\nBridge=br-router\nAddress=10.90.0.2/24\nHostAddress=10.90.0.1/24\n"),
    ];
    owners.iter().for_each(start);
    says("router", "eth0");
    says("routerb", "eth0");
    says("gullible", "eth0");
    assert!(wait_for(|| believed("gullible0").contains("default via fe80"), Duration::from_secs(20)));
    assert_eq!((believed("uc-router"), believed("br-router")), (String::new(), String::new()));
    case.sh("ip link delete gullible0; ip netns delete gullible").ok();
}

fn netns_host_link_is_no_container_to_networkd(case: &Case) {
    let forwarding = "cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding";
    let before = (case.sh(forwarding).ok().to_owned(), case.sh("nft list ruleset").ok().to_owned());
    case.sh("systemctl start systemd-networkd").ok();
    start(&netns(case, "managed", "[Veth]\nAddress=auto\n"));
    let addresses = case.sh("ip -o -4 address show dev uc-managed").ok().to_owned();
    // Once it has looked at the link, it has left it alone.
    let seen = || case.sh("networkctl --no-pager --no-legend list uc-managed").stdout;
    let unmanaged = wait_for(|| seen().contains("unmanaged"), Duration::from_secs(30));
    let after = (case.sh(forwarding).ok().to_owned(), case.sh("nft list ruleset").ok().to_owned());
    let of_link = case.sh("ip -o -4 address show dev uc-managed").ok().to_owned();
    case.sh("systemctl stop systemd-networkd.socket systemd-networkd.service").ok();
    assert!(unmanaged, "{}", seen());
    assert_eq!((after, of_link), (before, addresses));
}

fn netns_moved_link_comes_back_as_it_was(case: &Case) {
    case.sh(
        "ip link add lent-br type bridge && ip link set lent-br up && ip link add lent0 type veth peer name lent1 &&
         ip link set lent0 master lent-br && ip link set lent0 mtu 1400 && ip address add 10.91.0.1/24 brd + dev lent0 &&
         ip -6 address add fd91::1/64 dev lent0 nodad && ip link set lent0 up && ip link set lent1 up",
    )
    .ok();
    let look = "ip -d -o link show lent0 | grep -oE 'mtu [0-9]+|master [^ ]+|link/ether [^ ]+|,UP'; ip -o address show lent0 | grep -oE '10.91[^ ]*|fd91[^ ]*'";
    let before = case.sh(look).ok().to_owned();
    assert!(before.contains("master lent-br") && before.contains("fd91::1/64"), "{before}");
    let owner = netns(case, "lent", "[NetworkNamespace]\nInterface=lent0\n");
    start(&owner);
    let inside = case.sh("ip -n lent -o address show lent0; ip link show lent0 2>&1").stdout;
    assert!(inside.contains("10.91.0.1/24") && inside.contains("fd91::1/64"), "{inside}");
    owner.stop().ok();
    assert_eq!(case.sh(look).ok(), before);
    // Somebody else has its name now: it stays where it is, and can be had back later.
    start(&owner);
    case.sh("ip link add lent0 type bridge").ok();
    owner.stop();
    let journal = owner.journal();
    assert!(journal.contains("there is an interface lent0 on the host already, and it is not ours"), "{journal}");
    assert!(case.sh("ip -n lent -o address show lent0").ok().contains("10.91.0.1/24"));
    case.sh("ip link delete lent0 && unitcell netns down lent").ok();
    assert_eq!(case.sh(look).ok(), before);
    case.sh("ip link delete lent0; ip link delete lent-br; ! test -e /run/netns/lent").ok();
}

fn netns_moved_link_goes_with_forwarding_and_is_waited_for(case: &Case) {
    case.sh("sysctl -w net.ipv6.conf.all.forwarding=0 &&
         ip link add fwd0 type veth peer name fwd1 && ip -6 address add fd92::1/64 dev fwd0 nodad &&
         ip link set fwd0 up && ip link set fwd1 up &&
         ip tuntap add fwd2 mode tap && ip -6 address add fd93::1/64 dev fwd2 && ip link set fwd2 up")
        .ok();
    let text = "[NetworkNamespace]\nInterface=fwd0 fwd2\nIPMasquerade=both\n[Veth]\nAddress=auto\n";
    let owner = netns(case, "forwarded", text);
    start(&owner);
    // The other one waits for who is to open it.
    let tentative = case.sh("ip -n forwarded -6 -o address show tentative").ok().to_owned();
    assert!(!tentative.contains("fd92::1"), "{tentative}");
    assert!(case.sh("ip -n forwarded -o address").ok().contains("fd93::1"));
    // What was a link of ours before is none that listens to routers.
    for before in ["[Veth]\nBridge=br-fwd\nAddress=10.92.0.2/24\n", "[Veth]\nHostName=fwd-other\nAddress=auto\n"] {
        case.file("/etc/unitcell/forwarded.netns", before);
        owner.reload().ok();
        case.file("/etc/unitcell/forwarded.netns", text);
        let reloaded = owner.reload();
        assert!(reloaded.success(), "{before}{}", owner.journal());
    }
    owner.stop().ok();
    case.sh("ip link delete fwd0 && ip link delete fwd2").ok();
    assert_eq!(case.sh("cat /proc/sys/net/ipv6/conf/all/forwarding").ok(), "0");
}

fn netns_chosen_addresses_are_not_the_hosts(case: &Case) {
    let owner = netns(case, "chosen", "[Veth]\nAddress=auto\n");
    let chosen = || {
        start(&owner);
        let address = case.sh("ip -o -4 address show dev uc-chosen | awk '{print $4}'").ok().to_owned();
        owner.stop().ok();
        address
    };
    let first = chosen();
    assert_eq!(chosen(), first, "the name tells which");
    // No route of the main table tells of this one.
    let taken = first.split('/').next().unwrap_or_default();
    case.sh(&format!("ip address add {taken}/32 dev lo")).ok();
    let second = chosen();
    case.sh(&format!("ip address delete {taken}/32 dev lo")).ok();
    assert_ne!(second, first);
    assert_eq!(chosen(), first);
}

/// A server at every kind of socket that tells which one it was.
const EVERYWHERE: &str = "import os,selectors,socket
sel=selectors.DefaultSelector()
def listen(family,at,name):
    s=socket.socket(family)
    if family==socket.AF_INET6: s.setsockopt(socket.IPPROTO_IPV6,socket.IPV6_V6ONLY,1)
    s.bind(at); s.listen(); sel.register(s,1,name)
if os.path.exists('/run/everywhere.inner'): os.unlink('/run/everywhere.inner')
listen(socket.AF_INET,('0.0.0.0',80),b'ipv4'); listen(socket.AF_INET6,('::',80),b'ipv6')
listen(socket.AF_UNIX,'\\0everywhere',b'abstract'); listen(socket.AF_UNIX,'/run/everywhere.inner',b'path')
while True:
    for key,_ in sel.select():
        c,_=key.fileobj.accept(); c.sendall(key.data); c.close()
";

fn netns_published_at_every_kind_of_socket(case: &Case) {
    case.file("/run/everywhere.py", EVERYWHERE);
    let published = [
        ("18085", "80", "('::1',18085)", "ipv4"),
        ("127.0.0.1:18086", "[::1]:80", "('127.0.0.1',18086)", "ipv6"),
        ("[::1]:18086", "@everywhere", "('::1',18086)", "abstract"),
        ("@everywhere.outer", "/run/everywhere.inner", "'\\0everywhere.outer'", "path"),
        ("/run/everywhere.outer", "80", "'/run/everywhere.outer'", "ipv4"),
    ];
    let text: String = published
        .iter()
        .map(|(listen, connect, ..)| format!("[Publish]\nListenStream={listen}\nConnectStream={connect}\n"))
        .collect();
    let owner = netns(case, "everywhere", &text);
    let server = case.service(
        "server",
        "ExecStart=/usr/bin/python3 /run/everywhere.py",
        "NetworkNamespace=everywhere\nReadyWhen=unix:@everywhere\nReadyWhen=tcp:80\nReadyWhen=unix:/run/everywhere.inner",
    );
    server.assert_state("active");
    for (listen, connect, at, answer) in published {
        let get = format!(
            "import socket; at={at}; s=socket.socket(socket.AF_UNIX if isinstance(at,str) else socket.AF_INET6 if ':' in at[0] else socket.AF_INET); \
             s.settimeout(20); s.connect(at); print(s.recv(99).decode())"
        );
        let got = case.exec(&["python3", "-c", &get]);
        assert_eq!(got.ok(), answer, "{listen} to {connect}");
    }
    owner.stop().ok();
    assert!(!case.sh("test -e /run/everywhere.outer").success(), "what was made is gone");
}
