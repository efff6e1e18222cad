//! Addresses of `IPAddressAllow=` and its kin, systemd.resource-control(5).

use std::net::IpAddr;

use ipnet::IpNet;

use super::Property;

/// Family, address, prefix length.
type Prefix = (i32, Vec<u8>, u32);

/// `any`, `localhost`, `10.0.0.0/8` …
pub fn addresses(name: &str, text: &str) -> Result<Vec<Property>, String> {
    let mut prefixes = Vec::new();
    for word in text.split_ascii_whitespace() {
        let named: &[&str] = match word {
            "any" => &["0.0.0.0/0", "::/0"],
            "localhost" => &["127.0.0.0/8", "::1/128"],
            "link-local" => &["169.254.0.0/16", "fe80::/64"],
            "multicast" => &["224.0.0.0/4", "ff00::/8"],
            _ => &[word],
        };
        for text in named {
            prefixes.push(prefix(text).ok_or_else(|| format!("{word} is no address"))?);
        }
    }
    Ok(vec![Property::new(name, prefixes)])
}

fn prefix(text: &str) -> Option<Prefix> {
    let net = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))?;
    let (family, bytes) = match net.addr() {
        IpAddr::V4(address) => (libc::AF_INET, address.octets().to_vec()),
        IpAddr::V6(address) => (libc::AF_INET6, address.octets().to_vec()),
    };
    Some((family, bytes, net.prefix_len().into()))
}
