//! The one table of the keys of a `.netns` file: parser, `verify` and the manual read it.
//!
//! Where systemd-networkd has a key, it has the same name here.

use super::value::{self, Address};
use super::{Families, General, Ipvlan, IpvlanMode, MacAddress, Macvlan, MacvlanMode, Publish, Route, Veth};
use crate::unit::value::{ValueError, parse_boolean, parse_netns_name};

/// A section of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// The namespace as a whole.
    NetworkNamespace,
    /// A pair of interfaces, one inside.
    Veth,
    /// An interface upon one of the host's.
    Macvlan,
    /// The same, with the same hardware address.
    IPVlan,
    /// A route.
    Route,
    /// A port of the host, served inside.
    Publish,
}

impl Section {
    /// All there are, in the order of the manual.
    pub const ALL: [Section; 6] =
        [Section::NetworkNamespace, Section::Veth, Section::Macvlan, Section::IPVlan, Section::Route, Section::Publish];

    /// What stands between the brackets.
    pub fn name(self) -> &'static str {
        match self {
            Section::NetworkNamespace => "NetworkNamespace",
            Section::Veth => "Veth",
            Section::Macvlan => "Macvlan",
            Section::IPVlan => "IPVlan",
            Section::Route => "Route",
            Section::Publish => "Publish",
        }
    }

    /// Is it about links of the host?
    pub fn is_of_host(self) -> bool {
        matches!(self, Section::Veth | Section::Macvlan | Section::IPVlan)
    }

    /// The section of this name.
    pub fn by_name(name: &str) -> Option<Section> {
        Section::ALL.into_iter().find(|section| section.name() == name)
    }
}

type Set<T> = fn(&mut T, &str) -> Result<(), ValueError>;

/// What a key does with its value, and by that in which section it is. An empty value goes back to
/// the default, and takes all of a list away.
#[derive(Clone, Copy)]
#[allow(missing_docs)]
pub enum Meaning {
    General(Set<General>),
    Veth(Set<Veth>),
    Macvlan(Set<Macvlan>),
    Ipvlan(Set<Ipvlan>),
    Route(Set<Route>),
    Publish(Set<Publish>),
}

/// A row of the table.
pub struct Key {
    /// What stands before `=`.
    pub name: &'static str,
    /// The shape of its value; `…` where it takes several, and where it may stand several times.
    pub value: &'static str,
    /// What its value does.
    pub meaning: Meaning,
    /// What it means, in one line.
    pub summary: &'static str,
}

impl Key {
    /// Where it belongs.
    pub fn section(&self) -> Section {
        match self.meaning {
            Meaning::General(_) => Section::NetworkNamespace,
            Meaning::Veth(_) => Section::Veth,
            Meaning::Macvlan(_) => Section::Macvlan,
            Meaning::Ipvlan(_) => Section::IPVlan,
            Meaning::Route(_) => Section::Route,
            Meaning::Publish(_) => Section::Publish,
        }
    }

    /// Is it about the host's links, or its rules?
    pub fn is_of_host(&self) -> bool {
        self.section().is_of_host() || matches!(self.name, "Interface" | "IPMasquerade") && self.is_general()
    }

    fn is_general(&self) -> bool {
        matches!(self.meaning, Meaning::General(_))
    }

    /// The row of this name in a section.
    pub fn find(section: Section, name: &str) -> Option<&'static Key> {
        Key::of(section).find(|key| key.name == name)
    }

    /// All rows of a section.
    pub fn of(section: Section) -> impl Iterator<Item = &'static Key> {
        KEYS.iter().filter(move |key| key.section() == section)
    }
}

type Parse<T> = fn(&str) -> Result<T, ValueError>;

fn one<T: Default>(slot: &mut T, text: &str, parse: Parse<T>) -> Result<(), ValueError> {
    *slot = if text.is_empty() { T::default() } else { parse(text)? };
    Ok(())
}

fn maybe<T>(slot: &mut Option<T>, text: &str, parse: Parse<T>) -> Result<(), ValueError> {
    *slot = if text.is_empty() { None } else { Some(parse(text)?) };
    Ok(())
}

/// Keeps what it is when the value is empty: a name can't be none.
fn name(slot: &mut String, text: &str, parse: Parse<String>) -> Result<(), ValueError> {
    *slot = parse(text)?;
    Ok(())
}

fn list<T>(list: &mut Vec<T>, text: &str, parse: Parse<T>) -> Result<(), ValueError> {
    if text.is_empty() {
        list.clear();
    }
    for word in text.split_whitespace() {
        list.push(parse(word)?);
    }
    Ok(())
}

fn addresses(veth: &mut Veth, text: &str) -> Result<(), ValueError> {
    if text.is_empty() {
        veth.addresses.clear();
        veth.auto = false;
    }
    for word in text.split_whitespace() {
        match Address::parse_or_auto(word)? {
            Address::Given(net) => veth.addresses.push(net),
            Address::Auto => veth.auto = true,
        }
    }
    Ok(())
}

/// A value may have spaces, so that each has a line of its own.
fn sysctl(general: &mut General, text: &str) -> Result<(), ValueError> {
    if text.is_empty() {
        general.sysctls.clear();
        return Ok(());
    }
    let (key, value) = value::parse_sysctl(text)?;
    general.sysctls.retain(|(other, _)| *other != key);
    general.sysctls.push((key, value));
    Ok(())
}

fn boolean(text: &str) -> Result<bool, ValueError> {
    parse_boolean(text).ok_or_else(|| ValueError::new("takes a boolean (yes or no)"))
}

const fn row(name: &'static str, value: &'static str, meaning: Meaning, summary: &'static str) -> Key {
    Key { name, value, meaning, summary }
}

const ADDRESS: &str = "ADDRESS/LENGTH…";
const IP: &str = "ADDRESS…";
const MAC: &str = "XX:XX:XX:XX:XX:XX";

/// Every key there is.
#[rustfmt::skip]
pub static KEYS: &[Key] = &[
    row("DNS", IP, Meaning::General(|it, text| list(&mut it.dns, text, value::parse_ip)),
        "name servers, for the resolv.conf that services in the namespace see"),
    row("Domains", "DOMAIN…", Meaning::General(|it, text| list(&mut it.domains, text, value::parse_domain)),
        "domains to search names in, for the same"),
    row("IPMasquerade", "no|ipv4|ipv6|both", Meaning::General(|it, text| one(&mut it.masquerade, text, Families::parse)),
        "packets from the addresses of `[Veth]` go on under the host's own address"),
    row("Sysctl", "net.KEY=VALUE…", Meaning::General(sysctl),
        "a kernel setting inside, sysctl.d(5); one a line"),
    row("Interface", "NAME…", Meaning::General(|it, text| list(&mut it.interfaces, text, value::parse_interface)),
        "an existing interface, moved in with its addresses, and given back under its name"),
    row("StopWhenUnneeded", "BOOLEAN", Meaning::General(|it, text| one(&mut it.stop_when_unneeded, text, boolean)),
        "remove the namespace when the last service that uses it has stopped"),
    row("AddressPool", "NETWORK…", Meaning::General(|it, text| list(&mut it.pools, text, value::parse_pool)),
        "where `Address=auto` chooses from; default 10.200.0.0/16 and fd63:656c:6c00::/48"),

    row("Name", "NAME", Meaning::Veth(|it, text| name(&mut it.name, text, value::parse_interface)),
        "the interface inside; default eth0"),
    row("HostName", "NAME", Meaning::Veth(|it, text| maybe(&mut it.host_name, text, value::parse_interface)),
        "its other end; default uc- and the name of the namespace, if that is short enough"),
    row("Address", "ADDRESS/LENGTH…|auto", Meaning::Veth(addresses),
        "addresses inside; auto: a free /30 and /126 for both ends, and default routes"),
    row("HostAddress", ADDRESS, Meaning::Veth(|it, text| list(&mut it.host_addresses, text, value::parse_address)),
        "addresses of the other end, or with `Bridge=` of the bridge"),
    row("Gateway", IP, Meaning::Veth(|it, text| list(&mut it.gateways, text, value::parse_ip)),
        "default routes inside"),
    row("Bridge", "NAME", Meaning::Veth(|it, text| maybe(&mut it.bridge, text, value::parse_interface)),
        "make the other end a port of this bridge; the bridge is made if it is missing"),
    row("MTUBytes", "BYTES", Meaning::Veth(|it, text| maybe(&mut it.mtu, text, value::parse_mtu)),
        "the largest packet, at both ends"),
    row("MACAddress", MAC, Meaning::Veth(|it, text| maybe(&mut it.mac, text, MacAddress::parse)),
        "the hardware address inside; default one that is always the same"),
    row("HostMACAddress", MAC, Meaning::Veth(|it, text| maybe(&mut it.host_mac, text, MacAddress::parse)),
        "that of the other end"),
    row("HostNetworkNamespace", "NAME", Meaning::Veth(|it, text| maybe(&mut it.host_namespace, text, parse_netns_name)),
        "the other end is in this named network namespace, which is brought up first"),

    row("Parent", "NAME", Meaning::Macvlan(|it, text| name(&mut it.parent, text, value::parse_interface)),
        "the host's interface that it is upon"),
    row("Mode", "bridge|private|vepa|passthru", Meaning::Macvlan(|it, text| one(&mut it.mode, text, MacvlanMode::parse)),
        "whom it can talk to upon the same parent"),
    row("Name", "NAME", Meaning::Macvlan(|it, text| name(&mut it.name, text, value::parse_interface)),
        "the interface inside; default mv0"),
    row("Address", ADDRESS, Meaning::Macvlan(|it, text| list(&mut it.addresses, text, value::parse_address)),
        "its addresses"),
    row("Gateway", IP, Meaning::Macvlan(|it, text| list(&mut it.gateways, text, value::parse_ip)),
        "default routes inside"),
    row("MTUBytes", "BYTES", Meaning::Macvlan(|it, text| maybe(&mut it.mtu, text, value::parse_mtu)),
        "the largest packet"),
    row("MACAddress", MAC, Meaning::Macvlan(|it, text| maybe(&mut it.mac, text, MacAddress::parse)),
        "its hardware address; default one that is always the same"),

    row("Parent", "NAME", Meaning::Ipvlan(|it, text| name(&mut it.parent, text, value::parse_interface)),
        "the host's interface that it is upon"),
    row("Mode", "L2|L3|L3S", Meaning::Ipvlan(|it, text| one(&mut it.mode, text, IpvlanMode::parse)),
        "on which layer it is told from the parent"),
    row("Name", "NAME", Meaning::Ipvlan(|it, text| name(&mut it.name, text, value::parse_interface)),
        "the interface inside; default ipv0"),
    row("Address", ADDRESS, Meaning::Ipvlan(|it, text| list(&mut it.addresses, text, value::parse_address)),
        "its addresses"),
    row("Gateway", IP, Meaning::Ipvlan(|it, text| list(&mut it.gateways, text, value::parse_ip)),
        "default routes inside"),
    row("MTUBytes", "BYTES", Meaning::Ipvlan(|it, text| maybe(&mut it.mtu, text, value::parse_mtu)),
        "the largest packet"),

    row("Destination", "NETWORK", Meaning::Route(|it, text| maybe(&mut it.destination, text, value::parse_destination)),
        "where to"),
    row("Gateway", "ADDRESS", Meaning::Route(|it, text| maybe(&mut it.gateway, text, value::parse_ip)),
        "by way of whom"),
    row("Interface", "NAME", Meaning::Route(|it, text| maybe(&mut it.interface, text, value::parse_interface)),
        "by which interface inside, where the gateway does not tell"),
    row("Metric", "NUMBER", Meaning::Route(|it, text| maybe(&mut it.metric, text, value::parse_number)),
        "of two routes to the same destination the one with the smaller metric counts"),
    row("PreferredSource", "ADDRESS", Meaning::Route(|it, text| maybe(&mut it.source, text, value::parse_ip)),
        "the address that packets leave with"),

    row("ListenStream", "[ADDRESS:]PORT|PATH|@NAME",
        Meaning::Publish(|it, text| name(&mut it.listen, text, value::parse_listen)),
        "where the host listens, systemd.socket(5)"),
    row("ConnectStream", "[ADDRESS:]PORT|PATH|@NAME",
        Meaning::Publish(|it, text| name(&mut it.connect, text, value::parse_connect)),
        "where it is served inside; a port alone is one at 127.0.0.1"),
];
