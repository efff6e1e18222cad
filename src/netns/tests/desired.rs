use std::path::Path;
use std::sync::Arc;

use super::super::description::Descriptions;
use super::*;
use crate::unit::files::ReadFile;
use crate::unit::{Env, Scope, syntax};

fn things(name: &str, text: &str, facts: &Facts) -> Vec<Thing> {
    let path: Arc<Path> = Arc::from(Path::new("/etc/unitcell/x.netns"));
    let parsed = Some(syntax::parse(&path, text.as_bytes()).unwrap());
    let (description, findings) = Descriptions::new(Scope::System, Path::new("/"), &Env::default())
        .read_files(name, &[ReadFile { path, parsed }]);
    assert!(findings.is_empty(), "{findings:?}");
    desired(name, &description, facts)
}

fn position(things: &[Thing], is: impl Fn(&Thing) -> bool) -> usize {
    things.iter().position(is).unwrap_or_else(|| panic!("it is not in {things:#?}"))
}

fn ipv6() -> Facts {
    Facts { ipv6: true, ..Facts::default() }
}

const BRIDGED: &str = "\
[NetworkNamespace]
Sysctl=net.ipv4.conf.default.rp_filter=2
Sysctl=net.ipv4.conf.eth0.forwarding=1
[Veth]
Bridge=br0
Address=10.0.0.2/24 fd00::2/64
HostAddress=10.0.0.1/24
Gateway=10.0.0.1
MTUBytes=1400
";

#[test]
fn each_thing_comes_after_what_it_needs() {
    let things = things("blue", BRIDGED, &ipv6());
    let defaults = position(&things, |it| matches!(it, Thing::Sysctl { key, .. } if key.contains("default")));
    let bridge = position(&things, |it| matches!(it, Thing::Bridge { .. }));
    let veth = position(&things, |it| matches!(it, Thing::Veth { host_name, .. } if host_name == "uc-blue"));
    let port = position(&things, |it| matches!(it, Thing::Port { link, .. } if link == "uc-blue"));
    let of_link = position(&things, |it| matches!(it, Thing::Sysctl { key, .. } if key.contains("eth0")));
    let address = position(&things, |it| matches!(it, Thing::Address { link, .. } if link == "eth0"));
    let up = position(&things, |it| matches!(it, Thing::Up { link, .. } if link == "eth0"));
    let route = position(&things, |it| matches!(it, Thing::Route { .. }));
    let order = [defaults, bridge, veth, port, of_link, address, up, route];
    assert!(order.is_sorted(), "{order:?}");
    assert!(!things.iter().any(|it| matches!(it, Thing::NoDetection { .. })), "others on the bridge are asked");
    let on_bridge =
        |it: &Thing| matches!(it, Thing::Address { link, shared: true, side: Side::Host, .. } if link == "br0");
    assert!(things.iter().any(on_bridge), "the address of the host is the bridge's");
}

#[test]
fn nobody_is_asked_on_a_link_of_our_own() {
    for text in ["[Veth]\nAddress=fd00::2/64\n", "[Veth]\nBridge=br0\nAddress=10.0.0.2/24\n"] {
        let things = things("blue", text, &ipv6());
        let quiet = things.iter().filter(|it| matches!(it, Thing::NoDetection { .. })).count();
        assert_eq!(quiet, 2, "{things:?}");
    }
}

#[test]
fn chosen_addresses_come_with_a_default_route() {
    let facts = Facts { chosen: vec![("eth0".into(), Ends::of("10.200.0.4/30".parse().unwrap()))], ..ipv6() };
    let things = things("blue", "[Veth]\nAddress=auto\n", &facts);
    let addresses: Vec<String> = things
        .iter()
        .filter_map(|it| match it {
            Thing::Address { side, address, .. } => Some(format!("{side:?} {address}")),
            _ => None,
        })
        .collect();
    assert_eq!(addresses, ["Host 10.200.0.5/30", "Inside 10.200.0.6/30"]);
    position(
        &things,
        |it| matches!(it, Thing::Route { gateway: Some(gateway), .. } if gateway.to_string() == "10.200.0.5"),
    );
}

#[test]
fn only_what_must_be_is_forwarded() {
    const TEXT: &str = "[NetworkNamespace]\nIPMasquerade=both\n[Veth]\nAddress=10.0.0.2/24 fd00::2/64\n";
    let with = |uplinks: [&[&str]; 2], force_forwarding| {
        let uplinks = uplinks.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        let outside = Outside { uplinks, force_forwarding, listening: vec!["up0".to_owned()] };
        let facts = Facts { outside: vec![(Side::Host, outside)], ..ipv6() };
        let things = things("blue", TEXT, &facts);
        let nat = position(&things, |it| matches!(it, Thing::Nat { sources, .. } if sources.len() == 2));
        things[nat + 1..]
            .iter()
            .map(|it| match it {
                Thing::Sysctl { side: Side::Host, key, value } => format!("{key}={value}"),
                Thing::Forwarding { ipv6, .. } => format!("all, ipv6 {ipv6}"),
                other => panic!("{other:?}"),
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(
        with([&["up0"], &["up0"]], true),
        [
            "net/ipv4/conf/uc-blue/forwarding=1",
            "net/ipv4/conf/up0/forwarding=1",
            "net/ipv6/conf/uc-blue/force_forwarding=1",
            "net/ipv6/conf/up0/force_forwarding=1",
        ]
    );
    assert_eq!(with([&["up0"], &["up0"]], false)[2..], ["net/ipv6/conf/up0/accept_ra=2", "all, ipv6 true"]);
    assert_eq!(with([&[], &[]], true)[0], "all, ipv6 false", "nobody knows yet by which link answers will come");
}

#[test]
fn names_outside_fit_and_differ() {
    assert_eq!(host_name("blue", "eth0"), "uc-blue");
    assert_eq!(host_name("blue", "eth1").len(), "uc-blue-1234567".len());
    let mut names: Vec<String> = (0..1000).map(|number| host_name(&format!("a-long-name-{number}"), "eth0")).collect();
    assert!(names.iter().all(|name| name.len() <= 15 && name.starts_with("uc-alon-")));
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 1000);
    assert_ne!(mac("blue", "eth0"), mac("red", "eth0"));
    assert_eq!(mac("blue", "eth0")[0] & 3, 2, "one interface's, and not assigned to anybody");
}
