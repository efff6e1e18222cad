//! Escaping for unit names, as `systemd-escape(1)` does it.

/// Bytes that a unit name may contain, apart from `@`.
pub(super) fn is_name_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b':' | b'-' | b'_' | b'.' | b'\\')
}

/// Any bytes as part of a unit name: `/` becomes `-`, what a name can't hold becomes `\xHH`.
pub fn escape(text: impl AsRef<[u8]>) -> String {
    let mut out = String::new();
    for (i, &b) in text.as_ref().iter().enumerate() {
        match b {
            b'/' => out.push('-'),
            b'-' | b'\\' => push_hex(&mut out, b),
            b'.' if i == 0 => push_hex(&mut out, b),
            b if is_name_byte(b) => out.push(char::from(b)),
            b => push_hex(&mut out, b),
        }
    }
    out
}

fn push_hex(out: &mut String, b: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push_str("\\x");
    out.push(char::from(HEX[usize::from(b >> 4)]));
    out.push(char::from(HEX[usize::from(b & 15)]));
}

/// The reverse of [`escape`]; `None` where `text` is no outcome of escaping.
pub fn unescape(text: &str) -> Option<Vec<u8>> {
    unescape_bytes(text.as_bytes(), b'/')
}

/// Bytes some of which are written `\xHH`, and in which each `-` stands for `dash`.
pub(super) fn unescape_bytes(text: &[u8], dash: u8) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&b, tail)) = rest.split_first() {
        rest = match (b, tail) {
            (b'-', _) => {
                out.push(dash);
                tail
            }
            (b'\\', [b'x', high, low, tail @ ..]) => {
                out.push(hex_digit(*high)? << 4 | hex_digit(*low)?);
                tail
            }
            (b'\\', _) => return None,
            _ => {
                out.push(b);
                tail
            }
        };
    }
    Some(out)
}

/// The value of a hexadecimal digit.
pub(super) fn hex_digit(b: u8) -> Option<u8> {
    char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

/// A path as part of a unit name, `None` when it has `..` in it.
///
/// Needless slashes and `.` go first; the root directory becomes `-`.
pub fn escape_path(path: impl AsRef<[u8]>) -> Option<String> {
    let parts = path.as_ref().split(|b| *b == b'/');
    let parts: Vec<&[u8]> = parts.filter(|p| !p.is_empty() && *p != b".").collect();
    if parts.contains(&&b".."[..]) {
        return None;
    }
    if parts.is_empty() {
        return Some("-".to_owned());
    }
    Some(escape(parts.join(&b'/')))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn as_systemd_escape_prints_it() {
        assert_eq!(escape("foo/bar baz"), r"foo-bar\x20baz");
        assert_eq!(escape(".hidden.x"), r"\x2ehidden.x");
        assert_eq!(escape("a-b\\c@d"), r"a\x2db\x5cc\x40d");
        assert_eq!(escape("ä"), r"\xc3\xa4");
        assert_eq!(escape_path("/dev//sda/./x/").as_deref(), Some("dev-sda-x"));
        assert_eq!(escape_path("/").as_deref(), Some("-"));
        assert_eq!(escape_path("/a/../b"), None);
        assert_eq!(unescape(r"dev-sd\x2da").as_deref(), Some(&b"dev/sd-a"[..]));
        assert_eq!(unescape(r"a\b"), None);
        assert_eq!(unescape(r"a\x4"), None);
    }

    proptest! {
        #[test]
        fn unescape_undoes_escape(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            prop_assert_eq!(unescape(&escape(&bytes)), Some(bytes));
        }
    }
}
