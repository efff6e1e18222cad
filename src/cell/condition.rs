//! `ReadyWhen=` and `HealthProbe=`: what must hold for a service to count as ready, or as healthy.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use super::value::{ValueError, has_specifier};
use crate::unit::words::Words;

/// One condition, as it is written and as it is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Its text, by which messages call it.
    pub text: String,
    /// What must hold.
    pub what: What,
}

/// What must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A TCP socket listens.
    Tcp(Endpoint),
    /// A UDP socket is bound.
    Udp(Endpoint),
    /// A UNIX socket listens, or is bound where its type knows no listening.
    Unix(UnixName),
    /// The path exists.
    Path(String),
    /// The command ends with status 0.
    Exec(Vec<Vec<u8>>),
    /// Only systemd's expansion of its specifiers will tell.
    Unexpanded,
}

/// Where an internet socket listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// The address that a client would connect to; any, if none is given.
    pub address: Option<IpAddr>,
    /// The port.
    pub port: u16,
}

/// Where a UNIX socket listens, unix(7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnixName {
    /// A file.
    Path(String),
    /// An abstract name, without the NUL before it.
    Abstract(String),
}

impl Condition {
    /// `tcp:[ADDR:]PORT`, `udp:[ADDR:]PORT`, `unix:PATH`, `path:PATH` or `exec:COMMAND`.
    pub fn parse(text: &str) -> Result<Condition, ValueError> {
        let expected =
            || ValueError::new("takes tcp:[ADDR:]PORT, udp:[ADDR:]PORT, unix:PATH, path:PATH or exec:COMMAND");
        // It becomes a part of messages to systemd, which end at a line's end.
        if text.contains(char::is_control) {
            return Err(ValueError::new("has a character that is none to print"));
        }
        let (kind, rest) = text.split_once(':').ok_or_else(expected)?;
        let parse = match kind {
            "tcp" => |rest: &str| Endpoint::parse(rest).map(What::Tcp),
            "udp" => |rest: &str| Endpoint::parse(rest).map(What::Udp),
            "unix" => |rest: &str| UnixName::parse(rest).map(What::Unix),
            "path" => |rest: &str| absolute(rest).map(What::Path),
            "exec" => |rest: &str| command(rest).map(What::Exec),
            _ => return Err(expected()),
        };
        let what = if has_specifier(rest) { What::Unexpanded } else { parse(rest)? };
        Ok(Condition { text: text.to_owned(), what })
    }

    /// Does it ask the kernel for the sockets that there are?
    pub fn asks_for_sockets(&self) -> bool {
        let sockets = ["tcp:", "udp:", "unix:"];
        sockets.iter().any(|prefix| self.text.starts_with(prefix))
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Endpoint {
    fn parse(text: &str) -> Result<Endpoint, ValueError> {
        let expected = || ValueError::new("takes [ADDR:]PORT, such as 8080, 127.0.0.1:8080 or [::1]:8080");
        let (address, port) = match text.rsplit_once(':') {
            Some((address, port)) => (Some(address), port),
            None => (None, text),
        };
        let address = match address {
            None => None,
            Some(text) => Some(match text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                Some(inner) => IpAddr::V6(inner.parse::<Ipv6Addr>().map_err(|_| expected())?),
                None => IpAddr::V4(text.parse().map_err(|_| expected())?),
            }),
        };
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        let port = port.parse().ok().filter(|&port| digits && port != 0).ok_or_else(expected)?;
        Ok(Endpoint { address, port })
    }
}

impl UnixName {
    fn parse(text: &str) -> Result<UnixName, ValueError> {
        match text.strip_prefix('@') {
            Some("") => Err(ValueError::new("takes an absolute path, or an abstract name after '@'")),
            Some(name) => Ok(UnixName::Abstract(name.to_owned())),
            None => absolute(text).map(UnixName::Path),
        }
    }
}

fn absolute(text: &str) -> Result<String, ValueError> {
    if text.starts_with('/') { Ok(text.to_owned()) } else { Err(ValueError::new("takes an absolute path")) }
}

/// The words of a command, split as systemd splits those of ExecStart=.
fn command(text: &str) -> Result<Vec<Vec<u8>>, ValueError> {
    let mut words = Words::new(text);
    let mut command = Vec::new();
    while let Some(word) = words.next_word().map_err(|_| ValueError::new("has a quote that is not closed"))? {
        command.push(word.bytes);
    }
    if command.first().is_none_or(|program| program.is_empty()) {
        return Err(ValueError::new("takes a command"));
    }
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(text: &str) -> What {
        Condition::parse(text).unwrap().what
    }

    #[test]
    fn each_form_is_read() {
        let endpoint = |address: Option<&str>, port| Endpoint { address: address.map(|a| a.parse().unwrap()), port };
        assert_eq!(what("tcp:8080"), What::Tcp(endpoint(None, 8080)));
        assert_eq!(what("tcp:127.0.0.1:80"), What::Tcp(endpoint(Some("127.0.0.1"), 80)));
        assert_eq!(what("tcp:[::1]:80"), What::Tcp(endpoint(Some("::1"), 80)));
        assert_eq!(what("udp:[::]:53"), What::Udp(endpoint(Some("::"), 53)));
        assert_eq!(what("unix:/run/a.sock"), What::Unix(UnixName::Path("/run/a.sock".into())));
        assert_eq!(what("unix:@a"), What::Unix(UnixName::Abstract("a".into())));
        assert_eq!(what("path:/run/a b"), What::Path("/run/a b".into()));
        assert_eq!(what("exec:/bin/x -c 'a b'"), What::Exec(vec![b"/bin/x".into(), b"-c".into(), b"a b".into()]));
    }

    #[test]
    fn specifiers_wait_for_systemd() {
        assert_eq!(what("tcp:%i"), What::Unexpanded);
        assert_eq!(what("path:%t/x"), What::Unexpanded);
        assert!(Condition::parse("%i:80").is_err());
    }

    #[test]
    fn what_can_not_be_meant_is_refused() {
        for text in [
            "8080",
            "tcp:",
            "tcp:0",
            "tcp:65536",
            "tcp:+80",
            "tcp:::1:80",
            "tcp:localhost:80",
            "tcp:[127.0.0.1]:80",
            "tcp::80",
            "udp:x",
            "unix:run/a",
            "unix:@",
            "unix:",
            "path:a",
            "exec:",
            "exec: ",
            "exec:'a",
            "http:80",
            "path:/a\nREADY=1",
        ] {
            assert!(Condition::parse(text).is_err(), "{text}");
        }
    }
}
