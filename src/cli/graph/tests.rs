use super::layout::shape::Rect;
use super::layout::{Picture, lay_out};
use super::*;
use crate::cell::Kind;
use crate::inspect::network::{Interface, Peer};
use crate::inspect::topology::{Namespace, Network, Unit};

const HOST: u64 = 1;

fn interface(index: u32, name: &str, peer: Option<(u64, u32)>) -> Interface {
    Interface {
        index,
        name: name.to_owned(),
        kind: peer.map(|_| "veth".to_owned()),
        up: true,
        peer: peer.map(|(namespace, index)| Peer { index, namespace: Some(namespace) }),
        ..Interface::default()
    }
}

fn namespace(inode: u64, kind: Kind, name: Option<&str>) -> Namespace {
    Namespace { inode, kind, name: name.map(str::to_owned), network: None }
}

/// `services` services with namespaces of their own, every second with a network on a bridge, and
/// every fifth with that of the one before.
fn machine(services: u32) -> Topology {
    let mut topology = Topology { host: "vm".to_owned(), ..Topology::default() };
    let bridge = Interface {
        kind: Some("bridge".to_owned()),
        addresses: vec!["10.200.0.1/24".to_owned()],
        ..interface(3, "br-cells", None)
    };
    let mut host = vec![interface(1, "lo", None), interface(2, "eth0", None), bridge];
    for n in 0..services {
        let inode = |kind: u64| 1000 + u64::from(n) * 10 + kind;
        let mut unit =
            Unit { name: format!("service-{n}.service"), processes: 1, namespaces: vec![inode(1), inode(2)] };
        topology.namespaces.push(namespace(inode(1), Kind::Mount, None));
        topology.namespaces.push(namespace(inode(2), Kind::Uts, Some(&format!("host-{n}"))));
        if n % 2 == 0 {
            let end = Interface { master: Some(3), ..interface(10 + n, &format!("ve-{n}"), Some((inode(0), 2))) };
            host.push(end);
            let mut eth0 = interface(2, "eth0", Some((HOST, 10 + n)));
            eth0.addresses = vec![format!("10.200.0.{}/24", n + 2), "fe80::1/64".to_owned()];
            let interfaces = vec![interface(1, "lo", None), eth0];
            let network = Some(Network { inode: inode(0), interfaces });
            topology
                .namespaces
                .push(Namespace { network, ..namespace(inode(0), Kind::Network, Some(&format!("net-{n}"))) });
            unit.namespaces.push(inode(0));
        } else if n % 5 == 0 {
            unit.namespaces.push(inode(0) - 10);
        }
        topology.units.push(unit);
    }
    topology.host_network = Network { inode: HOST, interfaces: host };
    topology
}

fn overlap(one: &Rect, other: &Rect) -> bool {
    one.x < other.right() && other.x < one.right() && one.y < other.bottom() && other.y < one.bottom()
}

fn boxes(picture: &Picture) -> Vec<Rect> {
    picture.cards.iter().map(|card| card.at).chain(picture.nodes.iter().map(|node| node.at)).collect()
}

#[test]
fn nothing_overlaps_and_all_is_within() {
    for services in [0, 1, 5, 17, 100] {
        let picture = lay_out(&machine(services));
        let boxes = boxes(&picture);
        for (n, one) in boxes.iter().enumerate() {
            assert!(
                one.x >= 0.0 && one.right() <= picture.width && one.bottom() <= picture.height,
                "{services}: {one:?}"
            );
            assert!(boxes[..n].iter().all(|other| !overlap(one, other)), "{services}: {one:?}");
        }
        for card in &picture.cards {
            for badge in &card.badges {
                assert!(badge.at.right() <= card.at.right() && badge.at.bottom() <= card.at.bottom(), "{badge:?}");
            }
        }
        for node in &picture.nodes {
            assert!(node.ports.iter().all(|port| port.y > node.at.y && port.y < node.at.bottom()), "{node:?}");
            assert!(node.ports.windows(2).all(|pair| pair[1].y - pair[0].y > 20.0), "ports are apart");
        }
        // A pair for every second service, and a line for each that is in a network.
        assert_eq!(picture.lines.iter().filter(|line| line.kind.is_none()).count(), services.div_ceil(2) as usize);
    }
}

#[test]
fn wires_of_many_services_hardly_cross() {
    let picture = lay_out(&machine(100));
    let wires: Vec<_> = picture.lines.iter().filter(|line| line.kind.is_none()).collect();
    let crosses = |a: &&&layout::Line, b: &&&layout::Line| (a.from.1 - b.from.1) * (a.to.1 - b.to.1) < 0.0;
    let crossings: usize = wires.iter().map(|one| wires.iter().filter(|other| crosses(&one, other)).count()).sum();
    assert_eq!(crossings, 0);
}

#[test]
fn units_stand_in_the_order_of_their_numbers() {
    let topology = machine(24);
    let groups = group::Groups::of(&topology).groups;
    let number = |unit: &&Unit| unit.name["service-".len()..].trim_end_matches(".service").parse::<u32>().unwrap();
    let numbers = |of: fn(&&Unit) -> bool| -> Vec<u32> {
        groups.iter().flat_map(|group| &group.units).filter(|unit| of(unit)).map(number).collect()
    };
    assert_eq!(numbers(|unit| unit.namespaces.len() == 3), [0, 2, 4, 5, 6, 8, 10, 12, 14, 15, 16, 18, 20, 22]);
    assert_eq!(numbers(|unit| unit.namespaces.len() == 2), [1, 3, 7, 9, 11, 13, 17, 19, 21, 23]);
}

#[test]
fn units_that_share_hang_together() {
    let dot = dot::render(&machine(6));
    assert!(
        dot.contains("\"unit service-5.service\" -> ns1040;") && dot.contains("\"unit service-4.service\" -> ns1040;")
    );
    assert!(dot.contains("subgraph cluster_ns1040"), "{dot}");
    assert!(dot.contains("if1040_2 -> if1_14 [style=bold"), "{dot}");
    assert!(dot.contains("uts host-3, mnt"), "{dot}");
    let mermaid = mermaid::render(&machine(6));
    assert!(mermaid.contains("subgraph ns1040[\"net net-4\"]") && mermaid.contains("if1040_2 === if1_14"), "{mermaid}");
}

#[test]
fn a_part_has_what_belongs_to_it() {
    let part = machine(6).around(&["service-5.service".to_owned()]);
    let names: Vec<&str> = part.units.iter().map(|unit| unit.name.as_str()).collect();
    assert_eq!(names, ["service-4.service", "service-5.service"]);
    let ports: Vec<&str> = part.host_network.interfaces.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(ports, ["lo", "eth0", "br-cells", "ve-4"]);
}

#[test]
fn odd_names_break_no_format() {
    let mut topology = machine(1);
    topology.units[0].name = "a\"b\\<&>#\u{1}.service".to_owned();
    assert!(dot::render(&topology).contains(r#""unit a\"b\\<&>#"#));
    assert!(mermaid::render(&topology).contains("a#quot;b\\#lt;#amp;#gt;#35;"));
    let svg = svg::render(&lay_out(&topology));
    assert!(svg.contains("a&quot;b\\&lt;&amp;&gt;#.service"), "{svg}");
}

/// `UNITCELL_PICTURES=DIR cargo test --lib graph` leaves the pictures there to be looked at.
#[test]
fn pictures_can_be_looked_at() {
    for services in [5, 100] {
        let topology = machine(services);
        let svg = svg::render(&lay_out(&topology));
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        if let Some(directory) = std::env::var_os("UNITCELL_PICTURES") {
            let path = std::path::Path::new(&directory);
            std::fs::write(path.join(format!("{services}.svg")), svg).unwrap();
            std::fs::write(path.join(format!("{services}.dot")), dot::render(&topology)).unwrap();
            std::fs::write(path.join(format!("{services}.mmd")), mermaid::render(&topology)).unwrap();
        }
    }
}
