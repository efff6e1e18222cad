//! What was made for a name, in the words of ip, sysctl and nft: commands that do the same by hand.

use super::desired::accept_ra;
use super::ledger::Ledger;
use super::scene::table;
use super::thing::{Side, Thing};
use super::{Error, Places};

/// The commands, in order.
pub fn commands(places: &Places, name: &str) -> Result<Vec<String>, Error> {
    let ledger = Ledger::open(places, name)?;
    let mut commands = vec![format!("ip netns add {name}"), format!("ip -n {name} link set lo up")];
    for made in ledger.made() {
        commands.extend(words(&made.thing, name));
    }
    Ok(commands)
}

fn words(thing: &Thing, name: &str) -> Vec<String> {
    let ip = |side: &Side| match side {
        Side::Inside => format!("ip -n {name}"),
        Side::Host => "ip".to_owned(),
        Side::Named(other) => format!("ip -n {other}"),
    };
    let within = |side: &Side| match side {
        Side::Inside => format!("ip netns exec {name} "),
        Side::Host => String::new(),
        Side::Named(other) => format!("ip netns exec {other} "),
    };
    let sysctl = |side: &Side, key: &str, value: &str| {
        let quote = if value.contains([' ', '\t']) { "'" } else { "" };
        format!("{}sysctl -w {key}={quote}{value}{quote}", within(side))
    };
    vec![match thing {
        Thing::Sysctl { side, key, value } => sysctl(side, key, value),
        Thing::Forwarding { side, ipv6 } => {
            sysctl(side, if *ipv6 { "net/ipv6/conf/all/forwarding" } else { "net/ipv4/ip_forward" }, "1")
        }
        Thing::NoDetection { side, link } => sysctl(side, &format!("net/ipv6/conf/{link}/accept_dad"), "0"),
        Thing::NoRouters { side, link } => sysctl(side, &accept_ra(link), "0"),
        Thing::Bridge { side, name: bridge, .. } => {
            let ip = ip(side);
            return vec![format!("{ip} link add {bridge} type bridge"), format!("{ip} link set {bridge} up")];
        }
        Thing::Veth { name: link, side, host_name, .. } => {
            format!("{} link add {host_name} type veth peer name {link} netns {name}", ip(side))
        }
        Thing::Macvlan { name: link, parent, mode, .. } => {
            let mode = format!("{mode:?}").to_lowercase();
            format!("ip link add link {parent} name {link} netns {name} type macvlan mode {mode}")
        }
        Thing::Ipvlan { name: link, parent, mode } => {
            let mode = format!("{mode:?}").to_lowercase();
            format!("ip link add link {parent} name {link} netns {name} type ipvlan mode {mode}")
        }
        Thing::Moved { name: link } => format!("ip link set {link} netns {name}"),
        Thing::Mtu { side, link, bytes } => format!("{} link set {link} mtu {bytes}", ip(side)),
        Thing::Port { side, link, bridge } => format!("{} link set {link} master {bridge}", ip(side)),
        Thing::Address { side, link, address, detect, .. } => {
            let nodad = if *detect || address.addr().is_ipv4() { "" } else { " nodad" };
            format!("{} address add {address} dev {link}{nodad}", ip(side))
        }
        Thing::Up { side, link } => format!("{} link set {link} up", ip(side)),
        Thing::Route { destination, gateway, link, metric, source } => {
            let ip = if destination.addr().is_ipv4() { format!("ip -n {name}") } else { format!("ip -6 -n {name}") };
            let mut words = match destination.prefix_len() {
                0 => format!("{ip} route add default"),
                _ => format!("{ip} route add {destination}"),
            };
            for (key, value) in [
                ("via", gateway.map(|gateway| gateway.to_string())),
                ("dev", link.clone()),
                ("metric", metric.map(|metric| metric.to_string())),
                ("src", source.map(|source| source.to_string())),
            ] {
                words.extend(value.map(|value| format!(" {key} {value}")));
            }
            words
        }
        Thing::Nat { side, sources } => {
            let (within, table) = (within(side), table(name));
            let chain = "{ type nat hook postrouting priority srcnat; }";
            let mut all = vec![
                format!("{within}nft add table inet {table}"),
                format!("{within}nft 'add chain inet {table} postrouting {chain}'"),
            ];
            all.extend(sources.iter().map(|source| {
                let family = if source.addr().is_ipv4() { "ip" } else { "ip6" };
                let rule = format!("{family} saddr {source} {family} daddr != {source} masquerade");
                format!("{within}nft add rule inet {table} postrouting {rule}")
            }));
            return all;
        }
    }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_told_as_it_would_be_typed() {
        let named = Side::Named("hub".to_owned());
        let link = || "eth0".to_owned();
        for (thing, command) in [
            (
                Thing::Veth { name: link(), mac: [2; 6], side: named, host_name: "uc-web".into(), host_mac: [2; 6] },
                "ip -n hub link add uc-web type veth peer name eth0 netns web",
            ),
            (
                Thing::Address {
                    side: Side::Inside,
                    link: link(),
                    address: "fd00::2/64".parse().unwrap(),
                    detect: false,
                    shared: false,
                },
                "ip -n web address add fd00::2/64 dev eth0 nodad",
            ),
            (
                Thing::Route {
                    destination: "0.0.0.0/0".parse().unwrap(),
                    gateway: Some("10.1.0.1".parse().unwrap()),
                    link: Some(link()),
                    metric: None,
                    source: None,
                },
                "ip -n web route add default via 10.1.0.1 dev eth0",
            ),
            (
                Thing::Sysctl { side: Side::Inside, key: "net/ipv4/x".into(), value: "0 1".into() },
                "ip netns exec web sysctl -w net/ipv4/x='0 1'",
            ),
        ] {
            assert_eq!(words(&thing, "web"), [command]);
        }
        let nat = Thing::Nat { side: Side::Host, sources: vec!["10.1.0.0/30".parse().unwrap()] };
        assert_eq!(words(&nat, "web").len(), 3);
    }
}
