//! The netlink room and a kernel, in network namespaces of their own. Needs root.
//!
//! Each test's thread leaves the namespace of the machine before it does anything else.

use std::fs;
use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use unitcell::netlink::address::{self, Detection};
use unitcell::netlink::link::{self, Change, End, IpvlanMode, Kind, MacvlanMode, Which};
use unitcell::netlink::nat::Nat;
use unitcell::netlink::route::{self, Route};
use unitcell::netlink::settle::{Awaited, Settled, Watch};
use unitcell::netlink::{Request, Socket, nsid, sysctl};
use unitcell::sys::namespace::{Namespace, aside, make, within};
use unitcell::sys::network::loopback_up;

const OWN: &str = "/proc/thread-self/ns/net";

const NETWORK: u32 = libc::CLONE_NEWNET.cast_unsigned();

/// Another network namespace, with lo up.
fn another() -> Namespace {
    let made: io::Result<Namespace> = aside(NETWORK, || {
        make(NETWORK)?;
        loopback_up()?;
        Namespace::open(OWN)
    });
    made.expect("a network namespace needs root")
}

/// Does the work in a new network namespace.
fn apart(work: impl FnOnce()) {
    let worked = within(&another(), NETWORK, || {
        work();
        Ok(())
    });
    worked.unwrap();
}

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn up(index: u32) -> Request<'static> {
    link::set(Which::Index(index), &Change { up: Some(true), ..Change::default() })
}

/// A pair: `outer` here, number 10, and `eth0` there, number 2.
fn pair<'a>(outer: &'a End<'a>, inner: &'a End<'a>) -> Request<'a> {
    link::add(outer, Kind::Veth(inner), None)
}

fn outer(name: &str, index: u32) -> End<'_> {
    End { name, index, ..End::default() }
}

fn inner(namespace: &Namespace) -> End<'_> {
    End { name: "eth0", index: 2, namespace: Some(namespace.as_fd()), ..End::default() }
}

fn settle(namespace: Option<&Namespace>, links: &[u32]) -> Settled {
    let mut watch = namespace.map_or_else(Watch::open, Watch::open_in).unwrap();
    watch.settle(links, Instant::now() + Duration::from_secs(60), |_| {}).unwrap()
}

#[test]
fn a_thread_comes_home_whatever_its_work_comes_to() {
    let here = || fs::metadata(OWN).unwrap().ino();
    let home = here();
    apart(|| assert_ne!(here(), home));
    assert_eq!(here(), home);
    let failed: io::Result<()> = within(&another(), NETWORK, || Err(io::ErrorKind::Other.into()));
    assert!(failed.is_err());
    assert_eq!(here(), home);
    assert!(std::panic::catch_unwind(|| apart(|| panic!("as a test does"))).is_err());
    assert_eq!(here(), home);
    let never_back: io::Result<()> = aside(libc::CLONE_NEWNS.cast_unsigned(), || unreachable!());
    assert_eq!(never_back.unwrap_err().kind(), io::ErrorKind::InvalidInput);
}

#[test]
fn a_pair_is_born_in_two_namespaces() {
    apart(|| {
        let (mut here, blue) = (Socket::route().unwrap(), another());
        let mut there = Socket::route_in(&blue).unwrap();
        let mac = [2, 0, 0, 0, 0, 1];
        let ends = (outer("ve-blue", 10), End { mtu: Some(1400), mac: Some(mac), ..inner(&blue) });
        here.carry_out(&[
            pair(&ends.0, &ends.1),
            address::add(10, net("10.1.0.1/24"), Detection::Usual),
            address::add(10, net("fd00::1/64"), Detection::Never),
            up(10),
        ])
        .unwrap();
        there
            .carry_out(&[
                address::add(2, net("10.1.0.2/24"), Detection::Usual),
                address::add(2, net("fd00::2/64"), Detection::Usual),
                up(2),
                route::add(&Route::default_by(ip("10.1.0.1"))),
                route::add(&Route::default_by(ip("fd00::1"))),
            ])
            .unwrap();

        let links = link::list(&mut there).unwrap();
        assert_eq!(links.iter().map(|link| link.name.as_str()).collect::<Vec<_>>(), ["lo", "eth0"]);
        let eth0 = &links[1];
        assert_eq!((eth0.kind.as_deref(), eth0.mtu, eth0.mac), (Some("veth"), 1400, Some(mac)));
        assert!(eth0.is_up());
        assert_eq!((eth0.peer, eth0.peer_nsid.is_some()), (Some(10), true), "its peer is elsewhere");
        let number = nsid::of(&mut here, blue.as_fd()).unwrap();
        assert_eq!(link::find(&mut here, Which::Name("ve-blue")).unwrap().unwrap().peer_nsid, number);

        // Not ready before the address is known to be free, and that is told.
        let mut told = Vec::new();
        let mut watch = Watch::open_in(&blue).unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        let settled = watch.settle(&[2], deadline, |awaited| told.extend(awaited.to_vec())).unwrap();
        assert_eq!(settled, Settled::Ready);
        assert!(told.contains(&Awaited::Address(ip("fd00::2"))), "{told:?}");
        let addresses = address::list(&mut there).unwrap();
        assert!(addresses.iter().any(|address| address.net == net("fd00::2/64") && !address.is_tentative()));

        let mut routes = route::list(&mut there).unwrap();
        routes.retain(|route| route.gateway.is_some());
        assert_eq!(routes.len(), 2);
        assert_eq!((routes[0].destination, routes[0].link), (net("0.0.0.0/0"), Some(2)));
        assert_eq!((routes[1].destination, routes[1].gateway), (net("::/0"), Some(ip("fd00::1"))));

        // With one end goes the other.
        here.carry_out(&[link::delete(Which::Index(10))]).unwrap();
        assert_eq!(link::find(&mut there, Which::Name("eth0")).unwrap(), None);
    });
}

#[test]
fn a_request_that_failed_is_told_and_the_others_are_not_held_up() {
    apart(|| {
        let mut here = Socket::route().unwrap();
        let mut requests = vec![link::delete(Which::Name("nothing"))];
        let names: Vec<String> = (0..250).map(|n| format!("br{n}")).collect();
        let ends: Vec<End<'_>> = names.iter().map(|name| outer(name, 0)).collect();
        requests.extend(ends.iter().map(|end| link::add(end, Kind::Bridge, None)));
        requests.push(link::add(&ends[7], Kind::Bridge, None));
        let error = here.carry_out(&requests).unwrap_err();
        let told: Vec<_> = error.refusals().iter().map(|refusal| (refusal.index, refusal.errno)).collect();
        assert_eq!(told, [(0, libc::ENODEV), (251, libc::EEXIST)]);
        assert!(error.to_string().contains("can't add bridge link br7: File exists"), "{error}");
        assert_eq!(link::list(&mut here).unwrap().len(), 251, "all of them and lo");

        // Every single one refused, and the kernel's own words.
        let wrong = Route { onlink: true, ..Route::default_by(ip("10.1.0.1")) };
        let error = here.carry_out(&vec![route::add(&wrong); 300]).unwrap_err();
        assert_eq!(error.refusals().len(), 300);
        assert!(error.refusals()[299].text.is_some(), "{}", error.refusals()[299]);
        here.carry_out(&[]).unwrap();
    });
}

#[test]
fn links_on_a_parent_and_ports_of_a_bridge() {
    apart(|| {
        let (mut here, blue) = (Socket::route().unwrap(), another());
        let mut there = Socket::route_in(&blue).unwrap();
        let ends = (outer("p0", 10), outer("p1", 11));
        let far = |name, index| End { name, index, ..inner(&blue) };
        here.carry_out(&[
            pair(&ends.0, &ends.1),
            link::add(&outer("br0", 20), Kind::Bridge, None),
            link::set(Which::Index(10), &Change { master: Some(20), alias: Some("a port"), ..Change::default() }),
            link::add(&far("mv0", 2), Kind::Macvlan(MacvlanMode::Bridge), Some(11)),
            up(10),
            up(11),
            up(20),
        ])
        .unwrap();
        let port = link::find(&mut here, Which::Name("p0")).unwrap().unwrap();
        assert_eq!((port.master, port.peer, port.peer_nsid), (Some(20), Some(11), None));
        assert_eq!(port.alias.as_deref(), Some("a port"));
        assert_eq!(settle(None, &[10, 11, 20]), Settled::Ready);
        let mv0 = link::find(&mut there, Which::Index(2)).unwrap().unwrap();
        assert_eq!((mv0.kind.as_deref(), mv0.name.as_str(), mv0.peer), (Some("macvlan"), "mv0", Some(11)));

        // What is a macvlan's parent can't be an ipvlan's: the other end of a new pair.
        let ends = (outer("q0", 12), outer("q1", 13));
        here.carry_out(&[pair(&ends.0, &ends.1)]).unwrap();
        match here.carry_out(&[link::add(&far("iv0", 3), Kind::Ipvlan(IpvlanMode::L2), Some(13))]) {
            Ok(()) => {
                let iv0 = link::find(&mut there, Which::Index(3)).unwrap().unwrap();
                assert_eq!((iv0.kind.as_deref(), iv0.peer), (Some("ipvlan"), Some(13)));
            }
            // A kernel without CONFIG_IPVLAN.
            Err(error) => {
                assert_eq!(
                    error.to_string(),
                    "can't add ipvlan link iv0: Operation not supported on transport endpoint (Unknown device type)"
                );
            }
        }

        // Moved there under another name, and back.
        let own = Namespace::open(OWN).unwrap();
        let to = |namespace, name| Change { namespace: Some(namespace), name: Some(name), ..Change::default() };
        here.carry_out(&[link::set(Which::Name("q0"), &Change { up: Some(true), ..Change::default() })]).unwrap();
        here.carry_out(&[link::set(Which::Index(12), &to(blue.as_fd(), "wg0"))]).unwrap();
        let moved = link::find(&mut there, Which::Name("wg0")).unwrap().unwrap();
        there.carry_out(&[link::set(Which::Index(moved.index), &to(own.as_fd(), "q0"))]).unwrap();
        assert!(link::find(&mut here, Which::Name("q0")).unwrap().is_some());
    });
}

#[test]
fn a_duplicate_address_is_found() {
    apart(|| {
        let (mut here, blue) = (Socket::route().unwrap(), another());
        let mut there = Socket::route_in(&blue).unwrap();
        here.carry_out(&[pair(&outer("ve-blue", 10), &inner(&blue)), up(10)]).unwrap();
        here.carry_out(&[address::add(10, net("fd00::2/64"), Detection::Never)]).unwrap();
        there.carry_out(&[up(2), address::add(2, net("fd00::2/64"), Detection::Usual)]).unwrap();
        assert_eq!(settle(Some(&blue), &[2]), Settled::Duplicate(vec![ip("fd00::2")]));

        // And a link whose other end is down carries nothing, which is no reason to wait for ever.
        here.carry_out(&[link::set(Which::Index(10), &Change { up: Some(false), ..Change::default() })]).unwrap();
        there.carry_out(&[address::delete(2, net("fd00::2/64"))]).unwrap();
        let late = Watch::open_in(&blue).unwrap().settle(&[2], Instant::now(), |_| {}).unwrap();
        let awaited = Awaited::Link("eth0".to_owned());
        assert!(matches!(&late, Settled::Late(all) if all.contains(&awaited)), "{late:?}");
    });
}

#[test]
fn a_pair_goes_with_the_namespace_of_one_end() {
    apart(|| {
        let (mut here, blue) = (Socket::route().unwrap(), another());
        here.carry_out(&[pair(&outer("ve-blue", 10), &inner(&blue)), up(10)]).unwrap();
        let mut watch = Watch::open().unwrap();
        assert!(!watch.gone(10, Instant::now()).unwrap(), "it is there as long as both are");
        drop(blue);
        assert!(watch.gone(10, Instant::now() + Duration::from_secs(20)).unwrap());
        assert_eq!(link::find(&mut here, Which::Name("ve-blue")).unwrap(), None);
    });
}

#[test]
fn routes_are_replaced_and_removed() {
    apart(|| {
        let mut here = Socket::route().unwrap();
        let ends = (outer("a", 10), outer("b", 11));
        here.carry_out(&[
            pair(&ends.0, &ends.1),
            address::add(10, net("10.1.0.1/24"), Detection::Usual),
            up(10),
            up(11),
        ])
        .unwrap();
        let far = Route { link: Some(10), gateway: Some(ip("192.0.2.1")), ..Route::to(net("10.9.0.0/16")) };
        let error = here.carry_out(&[route::add(&far)]).unwrap_err();
        assert_eq!(error.errno(), Some(libc::ENETUNREACH), "{error}");
        let onlink = Route { onlink: true, metric: Some(7), ..far };
        let over_v6 = Route { gateway: Some(ip("fe80::1")), link: Some(10), ..Route::to(net("10.8.0.0/16")) };
        let direct = Route { link: Some(10), source: Some(ip("10.1.0.1")), ..Route::to(net("10.7.0.0/16")) };
        here.carry_out(&[route::add(&onlink), route::add(&over_v6), route::add(&direct)]).unwrap();
        let all = route::list(&mut here).unwrap();
        for route in [onlink, over_v6, direct] {
            assert!(all.contains(&route), "{route:?} is not in {all:?}");
        }
        assert_eq!(here.carry_out(&[route::add(&onlink)]).unwrap_err().errno(), Some(libc::EEXIST));
        let other = Route { gateway: Some(ip("10.1.0.9")), onlink: false, ..onlink };
        here.carry_out(&[route::replace(&other)]).unwrap();
        let all = route::list(&mut here).unwrap();
        assert!(all.contains(&other) && !all.contains(&onlink));
        here.carry_out(&[route::delete(&other), route::delete(&over_v6), route::delete(&direct)]).unwrap();
        assert_eq!(here.carry_out(&[route::delete(&other)]).unwrap_err().errno(), Some(libc::ESRCH));
    });
}

#[test]
fn numbers_of_namespaces() {
    apart(|| {
        let (mut here, blue) = (Socket::route().unwrap(), another());
        assert_eq!(nsid::of(&mut here, blue.as_fd()).unwrap(), None);
        here.carry_out(&[nsid::assign(blue.as_fd(), 42)]).unwrap();
        assert_eq!(nsid::of(&mut here, blue.as_fd()).unwrap(), Some(42));
        assert_eq!(nsid::list(&mut here, None).unwrap().iter().map(|number| number.nsid).collect::<Vec<_>>(), [42]);
        let error = here.carry_out(&[nsid::assign(blue.as_fd(), 43)]).unwrap_err();
        assert_eq!(error.errno(), Some(libc::EEXIST));
        let red = another();
        here.carry_out(&[nsid::assign(red.as_fd(), nsid::NONE)]).unwrap();
        assert_eq!(nsid::of(&mut here, red.as_fd()).unwrap(), Some(0), "the kernel takes the first that is free");
    });
}

#[test]
fn settings_are_those_of_the_namespace() {
    apart(|| {
        let blue = another();
        let key = sysctl::forwarding(false, "lo");
        sysctl::inside(&blue, || sysctl::write(&key, "1")).unwrap();
        assert_eq!(sysctl::inside(&blue, || sysctl::read(&key)).unwrap(), "1");
        assert_eq!(sysctl::read(&key).unwrap(), "0");
        let error = sysctl::write("net.ipv4.conf.nothing.forwarding", "1").unwrap_err();
        assert!(error.to_string().starts_with("can't set net.ipv4.conf.nothing.forwarding: "), "{error}");
    });
}

/// cell 10.1.0.2 — 10.1.0.1 host 192.0.2.1 — 192.0.2.2 internet, which has no way back to the cell.
#[test]
fn who_is_masqueraded_comes_from_the_address_of_the_link() {
    apart(|| {
        let (mut here, cell, internet) = (Socket::route().unwrap(), another(), another());
        for (name, index, namespace, net4, net6) in
            [("ve-cell", 10, &cell, "10.1.0", "fd00:1:"), ("uplink", 11, &internet, "192.0.2", "fd00:2:")]
        {
            let (v4, v6) = (|n| net(&format!("{net4}.{n}/24")), |n| net(&format!("{net6}:{n}/64")));
            let detection = Detection::Never;
            here.carry_out(&[
                pair(&outer(name, index), &inner(namespace)),
                address::add(index, v4(1), Detection::Usual),
                address::add(index, v6(1), detection),
                up(index),
            ])
            .unwrap();
            let mut there = Socket::route_in(namespace).unwrap();
            let address = [address::add(2, v4(2), Detection::Usual), address::add(2, v6(2), detection), up(2)];
            there.carry_out(&address).unwrap();
            for v6 in [false, true] {
                sysctl::write(&sysctl::forwarding(v6, name), "1").unwrap();
            }
        }
        // IPv6 forwards by the whole machine alone.
        sysctl::write(&sysctl::forwarding(true, "all"), "1").unwrap();
        let defaults = [ip("10.1.0.1"), ip("fd00:1::1")].map(|gateway| route::add(&Route::default_by(gateway)));
        Socket::route_in(&cell).unwrap().carry_out(&defaults).unwrap();
        assert_eq!(settle(Some(&internet), &[2]), Settled::Ready);

        let mut nat = Nat::open().unwrap();
        let caller = |address: &str| {
            let listener = sysctl::inside(&internet, || TcpListener::bind((ip(address), 0))).unwrap();
            let port = listener.local_addr().unwrap().port();
            let target = SocketAddr::new(ip(address), port);
            let patience = Duration::from_secs(1);
            let stream = sysctl::inside(&cell, || TcpStream::connect_timeout(&target, patience));
            stream.ok().map(|stream| {
                let (mut accepted, peer) = listener.accept().unwrap();
                drop(stream);
                assert_eq!(accepted.read(&mut [0]).unwrap(), 0);
                peer.ip()
            })
        };
        assert_eq!(caller("192.0.2.2"), None, "without NAT there is no way back");

        assert_eq!(nat.tables().unwrap(), [""; 0]);
        nat.masquerade("somebody", &[]).unwrap();
        for _ in 0..2 {
            nat.masquerade("unitcell-cell", &[net("10.1.0.2/24"), net("fd00:1::/64")]).unwrap();
        }
        assert_eq!(caller("192.0.2.2"), Some(ip("192.0.2.1")));
        assert_eq!(caller("fd00:2::2"), Some(ip("fd00:2::1")));
        nat.masquerade("unitcell-cell", &[net("fd00:1::/64")]).unwrap();
        assert_eq!(caller("192.0.2.2"), None, "the table is another one now");

        assert!(nat.remove("unitcell-cell").unwrap());
        assert!(!nat.remove("unitcell-cell").unwrap());
        assert_eq!(nat.tables().unwrap(), ["somebody"], "which was none of our business");
        let error = nat.masquerade(&"x".repeat(300), &[net("10.1.0.0/24")]).unwrap_err();
        assert!(error.to_string().starts_with("can't add table inet xxx"), "{error}");
        assert_eq!(nat.tables().unwrap(), ["somebody"]);
    });
}
