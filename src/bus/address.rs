//! Which systemd is meant: the machine's or a user's, here, on another host, or in a container.

use crate::unit::Scope;

/// A systemd, and the way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The machine's, or a user's.
    pub scope: Scope,
    /// Where it is.
    pub place: Place,
}

/// Where a systemd is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Here.
    Here,
    /// On another host, by ssh.
    Host(Host),
    /// In a container of this machine, or `.host` for the machine itself.
    Machine {
        /// As whom; without one, as root over the container's own bus.
        user: Option<String>,
        /// Its name.
        name: String,
    },
}

/// `[USER@]HOST[:PORT][/CONTAINER]`, as systemctl takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// `[USER@]HOST`.
    pub destination: String,
    /// The port, if not ssh's own.
    pub port: Option<u16>,
    /// A container on that host.
    pub container: Option<String>,
}

/// Text that names no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {shape}")]
pub struct NoPlace {
    text: String,
    shape: &'static str,
}

impl From<Scope> for Address {
    fn from(scope: Scope) -> Address {
        Address { scope, place: Place::Here }
    }
}

impl Place {
    /// Of `--host=`.
    pub fn host(text: &str) -> Result<Place, NoPlace> {
        let wrong = || NoPlace { text: text.to_owned(), shape: "[USER@]HOST[:PORT][/CONTAINER]" };
        let (rest, container) = match text.split_once('/') {
            Some((rest, container)) => (rest, Some(container)),
            None => (text, None),
        };
        // An IPv6 address has colons of its own, and a bracket after them.
        let (destination, port) = match rest.rsplit_once(':') {
            Some((destination, port)) if !destination.contains(':') || destination.ends_with(']') => {
                (destination, Some(port.parse().map_err(|_| wrong())?))
            }
            _ => (rest, None),
        };
        // ssh would take a dash for an option.
        if destination.is_empty() || destination.starts_with('-') || container.is_some_and(|name| !is_machine(name)) {
            return Err(wrong());
        }
        let container = container.map(str::to_owned);
        Ok(Place::Host(Host { destination: destination.to_owned(), port, container }))
    }

    /// Of `--machine=`.
    pub fn machine(text: &str) -> Result<Place, NoPlace> {
        let (user, name) = match text.split_once('@') {
            Some((user, name)) => (Some(user), name),
            None => (None, text),
        };
        // Both may be left out where there is an `@`.
        let user = user.map(|user| if user.is_empty() { "root" } else { user });
        let name = if name.is_empty() && user.is_some() { ".host" } else { name };
        if !is_machine(name) || user.is_some_and(|user| user.starts_with('-')) {
            return Err(NoPlace { text: text.to_owned(), shape: "[USER@]MACHINE" });
        }
        Ok(Place::Machine { user: user.map(str::to_owned), name: name.to_owned() })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Here => f.write_str("this machine"),
            Place::Host(host) => f.write_str(&host.destination),
            Place::Machine { user: None, name } => f.write_str(name),
            Place::Machine { user: Some(user), name } => write!(f, "{user}@{name}"),
        }
    }
}

/// A name that machined takes, or the one for the machine itself.
fn is_machine(name: &str) -> bool {
    let valid = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    name == ".host" || (name.len() <= 64 && name.split('.').all(valid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        let host = |text: &str| match Place::host(text) {
            Ok(Place::Host(host)) => Some((host.destination, host.port, host.container)),
            _ => None,
        };
        let some = |destination: &str, port, container: Option<&str>| {
            Some((destination.to_owned(), port, container.map(str::to_owned)))
        };
        assert_eq!(host("web"), some("web", None, None));
        assert_eq!(host("root@web:2222/box"), some("root@web", Some(2222), Some("box")));
        assert_eq!(host("[::1]:22"), some("[::1]", Some(22), None));
        assert_eq!(host("fe80::1"), some("fe80::1", None, None));
        for wrong in ["", "-oProxyCommand=x", "web:x", "web/", "web/a b"] {
            assert_eq!(host(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn machines() {
        let machine = |user: Option<&str>, name: &str| {
            Ok(Place::Machine { user: user.map(str::to_owned), name: name.to_owned() })
        };
        assert_eq!(Place::machine("box"), machine(None, "box"));
        assert_eq!(Place::machine(".host"), machine(None, ".host"));
        assert_eq!(Place::machine("me@"), machine(Some("me"), ".host"));
        assert_eq!(Place::machine("@box"), machine(Some("root"), "box"));
        for wrong in ["", "a/b", "..", "-M"] {
            assert!(Place::machine(wrong).is_err(), "{wrong}");
        }
    }
}
