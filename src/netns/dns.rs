//! The files that a service in the namespace sees in the place of the host's: resolv.conf, hosts and
//! nsswitch.conf, in `/run/unitcell/netns/NAME`.
//!
//! A file of the administrator's in `/etc/netns/NAME` comes first, as with `ip netns exec`.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::description::General;
use super::ledger::remove_file;
use super::{Error, Places};
use crate::cell::resolver::FILES;

/// Writes what there is to say. A file that a service sees already is written in place, so that it
/// sees the new text, too.
pub fn write(places: &Places, name: &str, general: &General) -> Result<(), Error> {
    let directory = places.record(name);
    fs::create_dir_all(&directory).map_err(Error::system("make", &directory))?;
    for file in FILES {
        let path = directory.join(file);
        if let Some(given) = given(places, name, file, general) {
            remove_file(&path)?;
            symlink(&given, &path).map_err(Error::system("make", &path))?;
            continue;
        }
        if path.is_symlink() {
            remove_file(&path)?;
        }
        let text = match file {
            "resolv.conf" if !general.dns.is_empty() => Some(resolv_conf(&general.dns, &general.domains)),
            "nsswitch.conf" => without_resolved(&read(&places.etc.join(file))?),
            _ => None,
        };
        match text {
            Some(text) => fs::write(&path, text).map_err(Error::system("write", &path))?,
            None => remove_file(&path)?,
        }
    }
    Ok(())
}

/// A file that is there already: the administrator's, or the host's own, which may be a link to where
/// services see nothing of the host's.
fn given(places: &Places, name: &str, file: &str, general: &General) -> Option<PathBuf> {
    let host = (file == "resolv.conf" && general.dns.is_empty()).then(|| places.etc.join(file));
    [Some(places.of_administrator(name).join(file)), host].into_iter().flatten().find(|path| path.exists())
}

/// Removes them.
pub fn remove(places: &Places, name: &str) -> Result<(), Error> {
    FILES.iter().try_for_each(|file| remove_file(&places.record(name).join(file)))
}

fn read(path: &Path) -> Result<String, Error> {
    match fs::read(path) {
        Ok(text) => Ok(String::from_utf8_lossy(&text).into_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(Error::system("read", path)(error)),
    }
}

/// resolv.conf(5).
fn resolv_conf(servers: &[IpAddr], domains: &[String]) -> String {
    let mut text = String::from("# The name servers of a network namespace, written by unitcell.\n");
    for server in servers {
        text.push_str(&format!("nameserver {server}\n"));
    }
    if !domains.is_empty() {
        text.push_str(&format!("search {}\n", domains.join(" ")));
    }
    text
}

/// The host's nsswitch.conf(5) without `resolve` and what it says about its outcome: it asks the
/// host's systemd-resolved, over a socket that leads out of any network namespace. None where it
/// does not say so.
fn without_resolved(text: &str) -> Option<String> {
    let mut found = false;
    let lines = text.lines().map(|line| {
        let Some((database, services)) = line.split_once(':').filter(|(database, _)| database.trim() == "hosts") else {
            return line.to_owned();
        };
        let mut kept = Vec::new();
        let mut after_resolve = false;
        // An outcome may be written with spaces in it: `[ !UNAVAIL=return ]`.
        let services = services.replace('[', " [");
        let mut words = services.split_whitespace();
        while let Some(word) = words.next() {
            let mut action = word.to_owned();
            while word.starts_with('[') && !action.ends_with(']') {
                let Some(more) = words.next() else { break };
                action = format!("{action} {more}");
            }
            if word.starts_with('[') {
                kept.extend((!after_resolve).then_some(action));
            } else {
                after_resolve = word == "resolve";
                found |= after_resolve;
                kept.extend((!after_resolve).then_some(action));
            }
        }
        // `resolve` may have been all that asked a name server.
        if found && !kept.iter().any(|word| word == "dns") {
            kept.push("dns".to_owned());
        }
        format!("{database}: {}", kept.join(" "))
    });
    let text: String = lines.map(|line| line + "\n").collect();
    found.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_resolver_is_not_asked() {
        let hosts = |services: &str| {
            without_resolved(&format!("passwd: files systemd\nhosts: {services}\n"))
                .map(|text| text.lines().nth(1).unwrap().to_owned())
        };
        assert_eq!(hosts("files dns"), None);
        assert_eq!(hosts("files resolve [!UNAVAIL=return] dns").unwrap(), "hosts: files dns");
        assert_eq!(
            hosts("mymachines resolve[ !UNAVAIL=return ] files myhostname dns").unwrap(),
            "hosts: mymachines files myhostname dns"
        );
        assert_eq!(hosts("files [SUCCESS=return] resolve").unwrap(), "hosts: files [SUCCESS=return] dns");
        assert_eq!(hosts("files myhostname resolve [!UNAVAIL=return]").unwrap(), "hosts: files myhostname dns");
    }

    #[test]
    fn the_administrators_file_comes_first() {
        let directory = tempfile::tempdir().unwrap();
        let places = Places::below(directory.path());
        fs::create_dir_all(places.of_administrator("blue")).unwrap();
        fs::write(places.of_administrator("blue").join("hosts"), "10.0.0.1 web\n").unwrap();
        let general = General {
            dns: vec!["10.0.0.1".parse().unwrap(), "fd00::1".parse().unwrap()],
            domains: vec!["example.test".to_owned()],
            ..General::default()
        };
        write(&places, "blue", &general).unwrap();
        let text = |file: &str| fs::read_to_string(places.record("blue").join(file)).unwrap();
        assert!(text("resolv.conf").ends_with("nameserver 10.0.0.1\nnameserver fd00::1\nsearch example.test\n"));
        assert_eq!(text("hosts"), "10.0.0.1 web\n");
        assert!(!places.record("blue").join("nsswitch.conf").exists());
        fs::write(places.of_administrator("blue").join("resolv.conf"), "nameserver 10.9.9.9\n").unwrap();
        write(&places, "blue", &general).unwrap();
        assert_eq!(text("resolv.conf"), "nameserver 10.9.9.9\n");
        fs::write(places.etc.join("resolv.conf"), "nameserver 127.0.0.53\n").unwrap();
        fs::remove_file(places.of_administrator("blue").join("resolv.conf")).unwrap();
        write(&places, "blue", &general).unwrap();
        assert!(text("resolv.conf").contains("10.0.0.1"));
        write(&places, "blue", &General::default()).unwrap();
        assert_eq!(text("resolv.conf"), "nameserver 127.0.0.53\n", "where none is given, as the host has it");
        fs::write(places.of_administrator("blue").join("resolv.conf"), "nameserver 10.9.9.9\n").unwrap();
        remove(&places, "blue").unwrap();
        assert_eq!(text_of_administrator(&places), "nameserver 10.9.9.9\n", "only the link is ours");
    }

    fn text_of_administrator(places: &Places) -> String {
        fs::read_to_string(places.of_administrator("blue").join("resolv.conf")).unwrap()
    }
}
