//! The framing of netlink messages and their attributes, netlink(7).

/// The last message of a dump.
pub const DONE: u16 = 3;
/// A refusal, or with code 0 an acknowledgement.
pub const ERROR: u16 = 2;

const REQUEST: u16 = 0x1;
const DUMP: u16 = 0x300;
/// Of struct nlmsghdr.
const HEADER: usize = 16;

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// The one that it names.
    One,
    /// All there are, narrowed down by what it names.
    All,
}

/// A request of a type.
pub fn request(ask: Ask, message_type: u16, sequence: u32, body: &[u8]) -> Vec<u8> {
    let flags = match ask {
        Ask::One => REQUEST,
        Ask::All => REQUEST | DUMP,
    };
    let length = (HEADER + body.len()) as u32;
    let mut bytes = Vec::with_capacity(length as usize);
    bytes.extend(length.to_ne_bytes());
    bytes.extend(message_type.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend(sequence.to_ne_bytes());
    bytes.extend([0; 4]);
    bytes.extend(body);
    bytes
}

/// The messages of a datagram: their type, sequence number and body.
pub fn messages(datagram: &[u8]) -> impl Iterator<Item = (u16, u32, &[u8])> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        let length = u32_at(rest, 0)? as usize;
        let body = rest.get(HEADER..length)?;
        let (message_type, sequence) = (u16_at(rest, 4)?, u32_at(rest, 8)?);
        rest = rest.get(align(length)..).unwrap_or_default();
        Some((message_type, sequence, body))
    })
}

/// The attributes of a message: their type and value.
pub fn attributes(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let length = usize::from(u16_at(rest, 0)?);
        let (kind, value) = (u16_at(rest, 2)?, rest.get(4..length)?);
        rest = rest.get(align(length)..).unwrap_or_default();
        Some((kind, value))
    })
}

/// An integer in the byte order of the machine.
pub fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(offset..offset + 4)?.try_into().ok()?))
}

fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(offset..offset + 2)?.try_into().ok()?))
}

const fn align(length: usize) -> usize {
    (length + 3) & !3
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_request_reads_back() {
        let message = request(Ask::All, 20, 7, &[1, 2, 3, 4]);
        assert_eq!(messages(&message).collect::<Vec<_>>(), [(20, 7, [1, 2, 3, 4].as_slice())]);
    }

    #[test]
    fn messages_and_attributes_are_aligned() {
        let mut two = request(Ask::All, 20, 1, &[9]);
        two.extend([0; 3]);
        two.extend(request(Ask::All, DONE, 1, &[0; 4]));
        assert_eq!(messages(&two).map(|(kind, ..)| kind).collect::<Vec<_>>(), [20, DONE]);
        let bytes = [[5u16.to_ne_bytes(), 11u16.to_ne_bytes()].concat(), vec![1, 0, 0, 0]].concat();
        assert_eq!(attributes(&bytes).collect::<Vec<_>>(), [(11, [1].as_slice())]);
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(messages(&bytes).count() <= 200 / HEADER + 1);
            prop_assert!(attributes(&bytes).count() <= 200 / 4 + 1);
        }
    }
}
