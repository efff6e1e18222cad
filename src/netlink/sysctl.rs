//! Settings of a network namespace that netlink can't change: the files of /proc/sys/net, which show
//! the namespace of whoever opens them, sysctl(8).

use std::fs;
use std::io;
use std::path::PathBuf;

use crate::sys::namespace::{Namespace, within};

/// Does several reads and writes in a namespace.
pub fn inside<T>(namespace: &Namespace, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    within(namespace, libc::CLONE_NEWNET.cast_unsigned(), work)
}

/// A setting, without the end of its line.
pub fn read(key: &str) -> io::Result<String> {
    let path = path(key)?;
    let value = fs::read_to_string(&path).map_err(|error| told("read", key, error))?;
    Ok(value.trim_end_matches('\n').to_owned())
}

/// Changes a setting.
pub fn write(key: &str, value: &str) -> io::Result<()> {
    // One write(2): a value in two parts would be two values.
    fs::write(path(key)?, format!("{value}\n")).map_err(|error| told("set", key, error))
}

/// The file of a setting. Its parts are separated by what separates the first two of them, as in
/// sysctl.d(5): `net/ipv4/conf/eth0.1/forwarding` and `net.ipv4.conf.eth0/1.forwarding` are the same.
pub fn path(key: &str) -> io::Result<PathBuf> {
    let swapped: String = match key.find(['.', '/']) {
        Some(first) if key.as_bytes()[first] == b'.' => key
            .chars()
            .map(|c| {
                if c == '.' {
                    '/'
                } else if c == '/' {
                    '.'
                } else {
                    c
                }
            })
            .collect(),
        _ => key.to_owned(),
    };
    if !swapped.starts_with("net/") || swapped.split('/').any(|part| matches!(part, "" | "." | "..")) {
        let reason = format!("{key} is no setting of a network namespace: those begin with net.");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
    }
    Ok(PathBuf::from("/proc/sys").join(swapped))
}

/// The file on which it depends whether packets that come in by a link leave by another.
pub fn forwarding(v6: bool, link: &str) -> String {
    format!("net/{}/conf/{link}/forwarding", if v6 { "ipv6" } else { "ipv4" })
}

fn told(action: &str, key: &str, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("can't {action} {key}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_separator_will_do() {
        for key in ["net.ipv4.ip_forward", "net/ipv4/ip_forward"] {
            assert_eq!(path(key).unwrap(), PathBuf::from("/proc/sys/net/ipv4/ip_forward"));
        }
        for key in ["net.ipv4.conf.eth0/1.forwarding", &forwarding(false, "eth0.1")] {
            assert_eq!(path(key).unwrap(), PathBuf::from("/proc/sys/net/ipv4/conf/eth0.1/forwarding"));
        }
    }

    #[test]
    fn nothing_outside_net_is_reached() {
        for key in ["kernel.hostname", "net", "", "net/../kernel/hostname", "net.ipv4..x", "/net/ipv4/ip_forward"] {
            assert!(path(key).is_err(), "{key}");
        }
    }
}
