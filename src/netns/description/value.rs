//! The types behind the values of a `.netns` file, each with the one parser of its text.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;

use ipnet::IpNet;

use crate::netlink::sysctl;
use crate::unit::value::{self, ValueError};

/// Replaces `%i` by the name of the namespace and `%%` by `%`.
pub fn expand(text: &str, name: &str) -> Result<String, ValueError> {
    let mut parts = text.split('%');
    let mut expanded = parts.next().unwrap_or_default().to_owned();
    while let Some(part) = parts.next() {
        match part.chars().next() {
            Some('i') => expanded.extend([name, &part[1..]]),
            // `%%`: between the two there is nothing.
            None => expanded.extend(["%", parts.next().ok_or_else(bad_specifier)?]),
            Some(_) => return Err(bad_specifier()),
        }
    }
    Ok(expanded)
}

fn bad_specifier() -> ValueError {
    ValueError::new("takes %i for the name of the namespace and %% for a percent sign, and no other specifier")
}

/// IPv4, IPv6, both or neither.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Families {
    /// IPv4?
    pub ipv4: bool,
    /// IPv6?
    pub ipv6: bool,
}

impl Families {
    /// `no`, `ipv4`, `ipv6` or `both`.
    pub fn parse(text: &str) -> Result<Families, ValueError> {
        match text {
            "ipv4" => Ok(Families { ipv4: true, ipv6: false }),
            "ipv6" => Ok(Families { ipv4: false, ipv6: true }),
            "both" => Ok(Families { ipv4: true, ipv6: true }),
            _ if value::parse_boolean(text) == Some(false) => Ok(Families::default()),
            _ => Err(ValueError::new("takes ipv4, ipv6, both or no")),
        }
    }

    /// Is the address of one of them?
    pub fn have(self, address: IpAddr) -> bool {
        if address.is_ipv4() { self.ipv4 } else { self.ipv6 }
    }
}

/// A hardware address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MacAddress(pub [u8; 6]);

impl MacAddress {
    /// Six hexadecimal bytes with colons or dashes between them, of one interface.
    pub fn parse(text: &str) -> Result<MacAddress, ValueError> {
        let expected = || ValueError::new("takes a hardware address of six bytes, such as 02:00:5e:10:00:01");
        let separator = if text.contains('-') { '-' } else { ':' };
        let mut bytes = [0; 6];
        let mut parts = text.split(separator);
        for byte in &mut bytes {
            let part = parts.next().filter(|part| part.len() == 2).ok_or_else(expected)?;
            *byte = u8::from_str_radix(part, 16).map_err(|_| expected())?;
        }
        if parts.next().is_some() {
            return Err(expected());
        }
        if bytes[0] & 1 == 1 || bytes == [0; 6] {
            return Err(ValueError::new("takes the hardware address of one interface, not that of a group"));
        }
        Ok(MacAddress(bytes))
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        #[cfg_attr(feature = "tool", derive(serde::Serialize, serde::Deserialize))]
        pub enum $name { $($(#[$word_doc])* #[cfg_attr(feature = "tool", serde(rename = $text))] $word),* }

        impl $name {
            /// One of its words.
            pub fn parse(text: &str) -> Result<$name, ValueError> {
                match text {
                    $($text => Ok($name::$word),)*
                    _ => Err(ValueError::new(concat!("takes one of", $(" ", $text),*))),
                }
            }
        }
    };
}

words! {
    /// Whom a macvlan interface can talk to.
    MacvlanMode {
        /// The others upon the same parent, too.
        #[default]
        Bridge = "bridge",
        /// Nobody upon the same parent.
        Private = "private",
        /// Them by way of the switch outside.
        Vepa = "vepa",
        /// It is the only one.
        Passthru = "passthru",
    }
}

words! {
    /// On which layer an ipvlan interface is told from the others.
    IpvlanMode {
        /// By its address on the link.
        #[default]
        L2 = "L2",
        /// By routing.
        L3 = "L3",
        /// By routing, and the host's netfilter sees it.
        L3s = "L3S",
    }
}

/// What [`Address=`](super::Veth::addresses) takes.
pub enum Address {
    /// This one.
    Given(IpNet),
    /// One that is free.
    Auto,
}

impl Address {
    /// An address with its prefix length, or `auto`.
    pub fn parse_or_auto(text: &str) -> Result<Address, ValueError> {
        if text == "auto" { Ok(Address::Auto) } else { parse_address(text).map(Address::Given) }
    }
}

/// An address with its prefix length.
pub fn parse_address(text: &str) -> Result<IpNet, ValueError> {
    let net: IpNet = text
        .parse()
        .map_err(|_| ValueError::new("takes an address with its prefix length, such as 10.200.0.2/24 or fd00::2/64"))?;
    let address = net.addr();
    if address.is_unspecified() || address.is_multicast() || address.is_loopback() {
        return Err(ValueError::new("takes the address of one interface"));
    }
    if let IpNet::V4(net) = net
        && net.prefix_len() < 31
        && (net.addr() == net.network() || net.addr() == net.broadcast())
    {
        return Err(ValueError::new("takes an address of an interface, not that of the network or its broadcast"));
    }
    Ok(net)
}

/// An address of a host.
pub fn parse_ip(text: &str) -> Result<IpAddr, ValueError> {
    let expected = || ValueError::new("takes an IPv4 or IPv6 address");
    text.parse::<IpAddr>().ok().filter(|ip| !ip.is_unspecified() && !ip.is_multicast()).ok_or_else(expected)
}

/// A network, or a family's `default`.
pub fn parse_destination(text: &str) -> Result<IpNet, ValueError> {
    let expected = "takes a network such as 10.9.0.0/16, or 0.0.0.0/0 or ::/0 for everything";
    let net: IpNet = text.parse().map_err(|_| ValueError::new(expected))?;
    if net != net.trunc() {
        return Err(ValueError::new(format!("{expected}; that of this address is {}", net.trunc())));
    }
    Ok(net)
}

/// A network to choose from, with room for two addresses at least.
pub fn parse_pool(text: &str) -> Result<IpNet, ValueError> {
    let net = parse_destination(text)?;
    if net.max_prefix_len() - net.prefix_len() < 2 || net.prefix_len() < 8 {
        return Err(ValueError::new("takes networks from /8 to /30 (IPv6: to /126)"));
    }
    Ok(net)
}

/// The name of an interface, as the kernel and systemd take it.
pub fn parse_interface(text: &str) -> Result<String, ValueError> {
    let allowed = |byte: u8| byte.is_ascii_graphic() && !b"/:%".contains(&byte);
    let valid = (1..=15).contains(&text.len())
        && text.bytes().all(allowed)
        && !text.bytes().all(|byte| byte.is_ascii_digit())
        && !matches!(text, "." | ".." | "all" | "default" | "lo");
    if !valid {
        return Err(ValueError::new(
            "takes the name of an interface: 1 to 15 characters without spaces, '/', ':' and '%', not digits alone, \
             not lo, all or default",
        ));
    }
    Ok(text.to_owned())
}

/// The size of a packet.
pub fn parse_mtu(text: &str) -> Result<u32, ValueError> {
    let expected = || ValueError::new("takes a number of bytes from 68 to 65535");
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|mtu| digits && (68..=65535).contains(mtu)).ok_or_else(expected)
}

/// A number.
pub fn parse_number(text: &str) -> Result<u32, ValueError> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or_else(|| ValueError::new("takes a number"))
}

/// `net.ipv4.ip_default_ttl=32`; the key comes back with slashes between its parts.
pub fn parse_sysctl(text: &str) -> Result<(String, String), ValueError> {
    let expected = || ValueError::new("takes KEY=VALUE with a key below net, such as net.ipv4.ip_default_ttl=32");
    let (key, value) = text.split_once('=').ok_or_else(expected)?;
    let (key, value) = (key.trim(), value.trim());
    let path = sysctl::path(key).map_err(|_| expected())?;
    let key = path.strip_prefix("/proc/sys").ok().and_then(Path::to_str).ok_or_else(expected)?;
    if key.contains(char::is_whitespace) || value.is_empty() {
        return Err(expected());
    }
    Ok((key.to_owned(), value.to_owned()))
}

/// A domain to search names in.
pub fn parse_domain(text: &str) -> Result<String, ValueError> {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let name = text.strip_suffix('.').unwrap_or(text);
    if name.len() > 253 || !name.split('.').all(label) {
        return Err(ValueError::new("takes domains such as example.test"));
    }
    Ok(name.to_owned())
}

/// `PORT`, `ADDRESS:PORT`, `[IPV6]:PORT`, an absolute path or `@ABSTRACT`, as in systemd.socket(5).
pub fn parse_listen(text: &str) -> Result<String, ValueError> {
    let expected = "takes PORT, ADDRESS:PORT, [IPV6]:PORT, a path or @NAME, such as 127.0.0.1:8080";
    let path = |text: &str| text.starts_with(['/', '@']) && (2..=107).contains(&text.len());
    let valid = parse_port(text) || text.parse::<std::net::SocketAddr>().is_ok_and(|at| at.port() != 0) || path(text);
    if valid && !text.contains(char::is_whitespace) { Ok(text.to_owned()) } else { Err(ValueError::new(expected)) }
}

/// The same, a port alone being one of the namespace's own lo.
pub fn parse_connect(text: &str) -> Result<String, ValueError> {
    if parse_port(text) { Ok(format!("127.0.0.1:{text}")) } else { parse_listen(text) }
}

fn parse_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port != 0)
}
