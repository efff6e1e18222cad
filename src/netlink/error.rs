//! What the kernel had against a request.

use std::fmt;
use std::io;

use super::message::{HEADER, Message, Request, align, attributes, flag, text, u32_at};

/// Of the attributes of an error: why, in words.
const MESSAGE: u16 = 1;

/// One request that the kernel refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Its place among those that were sent.
    pub index: usize,
    /// What it asked for.
    pub what: String,
    /// The number of the error.
    pub errno: i32,
    /// The kernel's own words, where it has any.
    pub text: Option<String>,
}

impl Refusal {
    /// What an [`ERROR`](super::message::ERROR) message says of a request; none if it acknowledges it.
    pub(super) fn of(request: &Request<'_>, index: usize, message: &Message<'_>) -> Option<Refusal> {
        let errno = u32_at(message.body, 0)?.cast_signed().wrapping_neg();
        (errno != 0).then(|| Refusal { index, what: request.what.clone(), errno, text: words(message) })
    }

    /// The same in a list that has `places` before it.
    pub(super) fn after(self, places: usize) -> Refusal {
        Refusal { index: self.index + places, ..self }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = nix::errno::Errno::from_raw(self.errno);
        write!(f, "can't {}: {}", self.what, error.desc())?;
        match &self.text {
            Some(text) => write!(f, " ({text})"),
            None => Ok(()),
        }
    }
}

/// Why a request did not do what it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The socket failed.
    #[error("netlink: {0}")]
    Socket(#[from] io::Error),
    /// The kernel refused; there is one at least.
    #[error("{}", .0.iter().map(Refusal::to_string).collect::<Vec<_>>().join("; "))]
    Refused(Vec<Refusal>),
}

impl Error {
    /// The number of the (first) error.
    pub fn errno(&self) -> Option<i32> {
        match self {
            Error::Socket(error) => error.raw_os_error(),
            Error::Refused(all) => all.first().map(|refusal| refusal.errno),
        }
    }

    /// What the kernel refused, in the order of the requests.
    pub fn refusals(&self) -> &[Refusal] {
        match self {
            Error::Socket(_) => &[],
            Error::Refused(all) => all,
        }
    }
}

impl From<nix::Error> for Error {
    fn from(error: nix::Error) -> Error {
        Error::Socket(error.into())
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        match error {
            Error::Socket(error) => error,
            refused => match refused.errno() {
                Some(errno) if refused.refusals().iter().all(|refusal| refusal.text.is_none()) => {
                    io::Error::from_raw_os_error(errno)
                }
                _ => io::Error::other(refused),
            },
        }
    }
}

/// They come after the header of the request, and all of that unless the socket wants it capped.
fn words(message: &Message<'_>) -> Option<String> {
    if message.flags & flag::HAS_ATTRIBUTES == 0 {
        return None;
    }
    let request = match message.flags & flag::CAPPED {
        0 => align(u32_at(message.body, 4)? as usize),
        _ => HEADER,
    };
    attributes(message.body.get(4 + request..)?).find(|(kind, _)| *kind == MESSAGE).map(|(_, value)| text(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::message::{Body, ERROR};

    fn read(flags: u16, body: &[u8]) -> Option<(i32, Option<String>)> {
        let request = Request { what: "add link eth0".into(), kind: 16, flags: 0, body: Body::new(&[]) };
        let refusal = Refusal::of(&request, 3, &Message { kind: ERROR, flags, sequence: 1, body })?;
        assert_eq!((refusal.index, refusal.what.as_str()), (3, "add link eth0"));
        Some((refusal.errno, refusal.text))
    }

    fn error(flags: u16, repeated: &[u8]) -> Option<(i32, Option<String>)> {
        let mut attributes = Body::new(&[]);
        attributes.put_text(MESSAGE, "Unknown device type").put_u32(2, 0);
        let request = [&((HEADER + repeated.len()) as u32).to_ne_bytes(), [0; 12].as_slice(), repeated].concat();
        let repeated = if flags & flag::CAPPED == 0 { request.len() } else { HEADER };
        let code = (-libc::EOPNOTSUPP).to_ne_bytes();
        read(flags, &[&code, &request[..repeated], attributes.bytes()].concat())
    }

    #[test]
    fn the_kernels_words_are_found_wherever_they_are() {
        let words = Some((libc::EOPNOTSUPP, Some("Unknown device type".to_owned())));
        assert_eq!(error(flag::CAPPED | flag::HAS_ATTRIBUTES, &[1; 8]), words);
        assert_eq!(error(flag::HAS_ATTRIBUTES, &[1; 8]), words);
        assert_eq!(error(flag::CAPPED, &[]), Some((libc::EOPNOTSUPP, None)));
    }

    #[test]
    fn an_acknowledgement_is_no_refusal_and_a_stub_is_nothing() {
        for body in [[0u8; 20].as_slice(), &[0; 4], &[]] {
            assert_eq!(read(flag::HAS_ATTRIBUTES, body), None);
        }
    }

    #[test]
    fn it_reads_well() {
        let refused = |text: Option<&str>| {
            let text = text.map(str::to_owned);
            Error::Refused(vec![Refusal { index: 0, what: "add link eth0".into(), errno: libc::EEXIST, text }])
        };
        assert_eq!(refused(None).to_string(), "can't add link eth0: File exists");
        assert_eq!(refused(Some("Name in use")).to_string(), "can't add link eth0: File exists (Name in use)");
        assert_eq!(io::Error::from(refused(None)).kind(), io::ErrorKind::AlreadyExists);
    }
}
