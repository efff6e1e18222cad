//! A `NAME.netns` file out of a few words, for the everyday case.

use std::fmt::Write;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;

use ipnet::IpNet;

use super::{Error, Places};

/// What tells a file of ours from an administrator's.
const MARK: &str = "# Made by `unitcell netns add`, and removed by `unitcell netns delete`.\n";

/// What is wanted.
#[derive(Debug, Clone, Default)]
pub struct Sketch {
    /// A pair of links, also where no address is told.
    pub veth: bool,
    /// The host's address for what leaves it.
    pub nat: bool,
    /// Addresses inside; chosen where there are none.
    pub addresses: Vec<IpNet>,
    /// Addresses outside, which are the gateways inside.
    pub host_addresses: Vec<IpNet>,
    /// The bridge that the outer end is a port of.
    pub bridge: Option<String>,
    /// Name servers.
    pub dns: Vec<IpAddr>,
}

impl Sketch {
    /// Is there anything in it, or is a plain namespace meant?
    pub fn is_empty(&self) -> bool {
        !self.has_veth() && self.dns.is_empty()
    }

    fn has_veth(&self) -> bool {
        let told = !self.addresses.is_empty() || !self.host_addresses.is_empty() || self.bridge.is_some();
        self.veth || self.nat || told
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let mut text = format!("{MARK}[NetworkNamespace]\n");
        line(&mut text, "DNS", &self.dns);
        if self.nat {
            text.push_str("IPMasquerade=both\n");
        }
        if !self.has_veth() {
            return text;
        }
        text.push_str("\n[Veth]\n");
        let gateways = self.gateways();
        if self.addresses.is_empty() && self.bridge.is_none() {
            text.push_str("Address=auto\n");
        }
        line(&mut text, "Address", &self.addresses);
        line(&mut text, "HostAddress", &gateways);
        line(&mut text, "Gateway", &gateways.iter().map(IpNet::addr).collect::<Vec<_>>());
        line(&mut text, "Bridge", self.bridge.as_slice());
        text
    }

    /// The addresses outside: where none is told, the first of each network that is free, so that what
    /// is inside has somebody to send to. A bridge may have a router of its own.
    fn gateways(&self) -> Vec<IpNet> {
        if !self.host_addresses.is_empty() || self.bridge.is_some() {
            return self.host_addresses.clone();
        }
        let first = |net: &IpNet| {
            let free = net.hosts().find(|address| *address != net.addr() && Some(*address) != anycast(net))?;
            IpNet::new(free, net.prefix_len()).ok()
        };
        self.addresses.iter().filter_map(first).collect()
    }

    /// Writes the file, unless the name is described already.
    pub fn write(&self, places: &Places, name: &str) -> Result<PathBuf, Error> {
        let path = places.sketch(name);
        if let Some(there) = places.descriptions.main(name) {
            return Err(Error::AlreadyDescribed(there));
        }
        let temporary = path.with_extension("netns.new");
        fs::create_dir_all(path.parent().unwrap_or(&path)).map_err(Error::system("make the directory of", &path))?;
        fs::write(&temporary, self.text()).map_err(Error::system("write", &temporary))?;
        fs::rename(&temporary, &path).map_err(Error::system("write", &path))?;
        Ok(path)
    }
}

/// Removes the file of a name, if [`Sketch::write`] made it; false if there is none of that kind.
pub fn remove(places: &Places, name: &str) -> Result<bool, Error> {
    let path = places.sketch(name);
    match fs::read_to_string(&path) {
        Ok(text) if text.starts_with(MARK) => {
            fs::remove_file(&path).map_err(Error::system("remove", &path))?;
            Ok(true)
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::system("read", &path)(error)),
        _ => Ok(false),
    }
}

/// A key and its values, if there are any.
fn line<T: ToString>(text: &mut String, key: &str, values: &[T]) {
    if !values.is_empty() {
        let values: Vec<String> = values.iter().map(T::to_string).collect();
        let _ = writeln!(text, "{key}={}", values.join(" "));
    }
}

/// The subnet-router anycast address, which no host has: the first one of an IPv6 network.
fn anycast(net: &IpNet) -> Option<IpAddr> {
    (net.addr().is_ipv6() && net.prefix_len() < 127).then(|| net.network())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn nets(text: &str) -> Vec<IpNet> {
        text.split_whitespace().map(|net| net.parse().unwrap()).collect()
    }

    fn text(sketch: &Sketch) -> String {
        sketch.text().strip_prefix(MARK).unwrap().to_owned()
    }

    #[test]
    fn the_everyday_case_chooses_its_addresses() {
        let sketch = Sketch { veth: true, nat: true, dns: vec!["9.9.9.9".parse().unwrap()], ..Sketch::default() };
        assert_eq!(text(&sketch), "[NetworkNamespace]\nDNS=9.9.9.9\nIPMasquerade=both\n\n[Veth]\nAddress=auto\n");
        assert!(Sketch::default().is_empty());
    }

    #[test]
    fn the_host_takes_the_first_address_that_is_free() {
        for (inside, outside) in [
            ("10.1.0.2/24", "10.1.0.1/24"),
            ("10.1.0.1/24", "10.1.0.2/24"),
            ("10.1.0.0/31", "10.1.0.1/31"),
            ("fd00::2/64", "fd00::1/64"),
            ("fd00::1/127", "fd00::/127"),
        ] {
            let sketch = Sketch { addresses: nets(inside), ..Sketch::default() };
            assert_eq!(sketch.gateways(), nets(outside), "{inside}");
        }
        let told = Sketch { host_addresses: nets("10.1.0.9/24"), ..Sketch::default() };
        assert_eq!(told.gateways(), nets("10.1.0.9/24"));
        let bridged = Sketch { addresses: nets("10.1.0.2/24"), bridge: Some("br0".into()), ..Sketch::default() };
        assert!(bridged.gateways().is_empty(), "a bridge may have a router of its own");
    }

    #[test]
    fn what_is_written_reads_without_a_finding() {
        let directory = tempfile::tempdir().unwrap();
        let places = Places::below(directory.path());
        for (number, sketch) in [
            Sketch { veth: true, ..Sketch::default() },
            Sketch { addresses: nets("10.1.0.2/24 fd00::2/64"), nat: true, ..Sketch::default() },
            Sketch { bridge: Some("br0".into()), addresses: nets("10.1.0.2/24"), ..Sketch::default() },
            Sketch { dns: vec!["::1".parse().unwrap()], ..Sketch::default() },
        ]
        .into_iter()
        .enumerate()
        {
            let name = format!("n{number}");
            let path = sketch.write(&places, &name).unwrap();
            let (description, findings) = places.descriptions.read(&name);
            assert!(description.is_some() && findings.is_empty(), "{findings:?}\n{}", sketch.text());
            assert!(matches!(sketch.write(&places, &name), Err(Error::AlreadyDescribed(_))));
            assert!(remove(&places, &name).unwrap());
            assert!(!path.exists() && !remove(&places, &name).unwrap());
            fs::write(&path, "[Veth]\n").unwrap();
            assert!(!remove(&places, &name).unwrap(), "an administrator's file stays");
            assert!(Path::new(&path).exists());
        }
    }
}
