//! The framing of netlink messages and their attributes, netlink(7).

use std::marker::PhantomData;
use std::os::fd::{AsRawFd, BorrowedFd};

/// A refusal, or with code 0 an acknowledgement.
pub const ERROR: u16 = 2;
/// The last message of a dump.
pub const DONE: u16 = 3;

/// Flags of a request; which ones mean what depends on its verb.
pub mod flag {
    /// Every request has it.
    pub const REQUEST: u16 = 0x1;
    /// An answer is wanted also where nothing went wrong.
    pub const ACK: u16 = 0x4;
    /// All there are, instead of one.
    pub const DUMP: u16 = 0x300;
    /// In place of what is there.
    pub const REPLACE: u16 = 0x100;
    /// Not if it is there already.
    pub const EXCLUSIVE: u16 = 0x200;
    /// Make it if it is not there.
    pub const CREATE: u16 = 0x400;
    /// After what is there.
    pub const APPEND: u16 = 0x800;
    /// Of an answer: what was dumped changed meanwhile.
    pub const INTERRUPTED: u16 = 0x10;
    /// Of an error: the request is not repeated in it.
    pub const CAPPED: u16 = 0x100;
    /// Of an error: attributes follow.
    pub const HAS_ATTRIBUTES: u16 = 0x200;
}

/// Of struct nlmsghdr.
pub const HEADER: usize = 16;
/// A bit of an attribute's type: its value is attributes again.
const NESTED: u16 = 0x8000;
/// The bits of an attribute's type that are its number.
const NUMBER: u16 = 0x3fff;

/// One request to the kernel, with what it is in words, for whoever has to read that it failed.
///
/// It lives no longer than the descriptors that it names, for the kernel gets their bare numbers.
#[derive(Debug, Clone)]
pub struct Request<'fd> {
    /// What it asks for: `add link ve-blue`.
    pub what: String,
    /// The type of the message.
    pub kind: u16,
    /// Its flags, but for [`flag::REQUEST`] and [`flag::ACK`].
    pub flags: u16,
    /// What comes after the header.
    pub body: Body<'fd>,
}

/// The body of a message: a fixed part, and attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body<'fd> {
    bytes: Vec<u8>,
    descriptors: PhantomData<BorrowedFd<'fd>>,
}

impl<'fd> Body<'fd> {
    /// A body that begins with the fixed part of its family.
    pub fn new(fixed: &[u8]) -> Body<'fd> {
        let mut body = Body { bytes: fixed.to_vec(), descriptors: PhantomData };
        body.pad();
        body
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Adds an attribute.
    pub fn put(&mut self, kind: u16, value: &[u8]) -> &mut Self {
        self.bytes.extend(((4 + value.len()) as u16).to_ne_bytes());
        self.bytes.extend(kind.to_ne_bytes());
        self.bytes.extend(value);
        self.pad();
        self
    }

    /// Adds an integer in the byte order of the machine.
    pub fn put_u32(&mut self, kind: u16, value: u32) -> &mut Self {
        self.put(kind, &value.to_ne_bytes())
    }

    /// Adds text that ends with NUL.
    pub fn put_text(&mut self, kind: u16, text: &str) -> &mut Self {
        self.put(kind, &[text.as_bytes(), b"\0"].concat())
    }

    /// Adds a descriptor.
    pub fn put_fd(&mut self, kind: u16, fd: BorrowedFd<'fd>) -> &mut Self {
        self.put(kind, &fd.as_raw_fd().to_ne_bytes())
    }

    /// Adds an attribute that is attributes, after a fixed part of its own where it has one.
    pub fn put_nested(&mut self, kind: u16, inner: &Body<'fd>) -> &mut Self {
        self.put(kind | NESTED, &inner.bytes)
    }

    fn pad(&mut self) {
        self.bytes.resize(align(self.bytes.len()), 0);
    }
}

/// Appends a message to others.
pub fn append(bytes: &mut Vec<u8>, kind: u16, flags: u16, sequence: u32, body: &[u8]) {
    bytes.resize(align(bytes.len()), 0);
    bytes.extend(((HEADER + body.len()) as u32).to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend(sequence.to_ne_bytes());
    bytes.extend([0; 4]);
    bytes.extend(body);
}

/// A message, as it was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'b> {
    /// Its type.
    pub kind: u16,
    /// Its flags.
    pub flags: u16,
    /// That of the request which it answers.
    pub sequence: u32,
    /// What comes after the header.
    pub body: &'b [u8],
}

/// The messages of a datagram.
pub fn messages(datagram: &[u8]) -> impl Iterator<Item = Message<'_>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        let length = u32_at(rest, 0)? as usize;
        let body = rest.get(HEADER..length)?;
        let message = Message { kind: u16_at(rest, 4)?, flags: u16_at(rest, 6)?, sequence: u32_at(rest, 8)?, body };
        rest = rest.get(align(length)..).unwrap_or_default();
        Some(message)
    })
}

/// The attributes of a message: their number and value.
pub fn attributes(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let length = usize::from(u16_at(rest, 0)?);
        let (kind, value) = (u16_at(rest, 2)? & NUMBER, rest.get(4..length)?);
        rest = rest.get(align(length)..).unwrap_or_default();
        Some((kind, value))
    })
}

/// Text up to its NUL.
pub fn text(value: &[u8]) -> String {
    let end = value.iter().position(|&byte| byte == 0).unwrap_or(value.len());
    String::from_utf8_lossy(&value[..end]).into_owned()
}

/// An integer in the byte order of the machine.
pub fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(offset..offset + 4)?.try_into().ok()?))
}

fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(offset..offset + 2)?.try_into().ok()?))
}

/// A length, rounded up to where the next message or attribute begins.
pub const fn align(length: usize) -> usize {
    (length + 3) & !3
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn messages_read_back() {
        let mut two = Vec::new();
        append(&mut two, 20, flag::REQUEST | flag::DUMP, 7, &[9]);
        append(&mut two, DONE, 0, 8, &[1, 2, 3, 4]);
        assert_eq!(two.len(), 40, "the second one begins aligned");
        assert_eq!(
            messages(&two).collect::<Vec<_>>(),
            [
                Message { kind: 20, flags: 0x301, sequence: 7, body: &[9] },
                Message { kind: DONE, flags: 0, sequence: 8, body: &[1, 2, 3, 4] }
            ]
        );
    }

    #[test]
    fn attributes_read_back() {
        let mut inner = Body::new(&[]);
        inner.put_text(1, "veth");
        let mut body = Body::new(&[1]);
        body.put(11, &[1]).put_u32(4, 1500).put_nested(18, &inner);
        let read: Vec<_> = attributes(&body.bytes()[4..]).collect();
        assert_eq!(read[..2], [(11, [1].as_slice()), (4, 1500u32.to_ne_bytes().as_slice())]);
        assert_eq!(read[2].0, 18, "without the bit that says what it is");
        assert_eq!(
            attributes(read[2].1).map(|(kind, value)| (kind, text(value))).collect::<Vec<_>>(),
            [(1, "veth".to_owned())]
        );
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(messages(&bytes).count() <= 200 / HEADER + 1);
            prop_assert!(attributes(&bytes).count() <= 200 / 4 + 1);
        }
    }
}
