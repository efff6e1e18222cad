//! Words of a command that stay what they are in a transient unit.
//!
//! systemd writes such a unit to a file, and at every daemon-reload it reads that file again, but not what it has
//! written: 252 puts a backslash before each `$` and `;`, and up to 262 a `$` is doubled in a command whose
//! variables are expanded. So the wrapper gets those words hidden, and does with variables what
//! systemd would have done: systemd.service(5), COMMAND LINES.

use super::escape::unescape_bytes;
use super::syntax::WHITESPACE;

/// The option by which the wrapper gets hidden words, before its first one.
pub const OPTION: &str = "--escaped=";

/// What becomes of `$VARIABLES` in hidden words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variables {
    /// They are replaced by their values.
    Expanded,
    /// They are not looked at.
    Kept,
}

impl Variables {
    /// By the name that [`Self::name`] gives.
    pub fn named(name: &[u8]) -> Option<Variables> {
        [Variables::Expanded, Variables::Kept].into_iter().find(|mode| mode.name().as_bytes() == name)
    }

    /// Its name on the wrapper's command line.
    pub fn name(self) -> &'static str {
        match self {
            Variables::Expanded => "expand",
            Variables::Kept => "keep",
        }
    }
}

/// Has it anything that systemd would change?
pub fn needs_hiding(word: &str) -> bool {
    word.contains(['$', ';'])
}

/// The word with an escape, `\xHH`, for each of its characters that has a meaning to systemd.
pub fn hide(word: &str) -> String {
    word.replace('\\', "\\x5c").replace('$', "\\x24").replace(';', "\\x3b")
}

/// The word that was hidden; `None` where this is none.
pub fn reveal(hidden: &[u8]) -> Option<Vec<u8>> {
    unescape_bytes(hidden, b'-')
}

/// The words with the values of variables in their place.
pub fn expand<'v>(words: Vec<Vec<u8>>, value: impl Fn(&[u8]) -> Option<&'v [u8]>) -> Vec<Vec<u8>> {
    let mut expanded = Vec::with_capacity(words.len());
    for word in words {
        match word.as_slice() {
            [b'$', name @ ..] if !matches!(name.first(), Some(b'{' | b'$')) => {
                expanded.extend(value(name).into_iter().flat_map(split));
            }
            word => expanded.push(expand_within(word, &value)),
        }
    }
    expanded
}

/// `${NAME}` and `$$` within a word.
fn expand_within<'v>(word: &[u8], value: impl Fn(&[u8]) -> Option<&'v [u8]>) -> Vec<u8> {
    let mut expanded = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = match (byte, tail) {
            (b'$', [b'$', tail @ ..]) => {
                expanded.push(b'$');
                tail
            }
            (b'$', [b'{', name @ ..]) => match name.iter().position(|byte| matches!(byte, b'}' | b':')) {
                Some(end) if name[end] == b'}' => {
                    expanded.extend(value(&name[..end]).unwrap_or_default());
                    &name[end + 1..]
                }
                _ => {
                    expanded.push(byte);
                    tail
                }
            },
            _ => {
                expanded.push(byte);
                tail
            }
        };
    }
    expanded
}

/// The words of a value: quotes keep white space, a backslash keeps what follows, and nothing is an error.
fn split(value: &[u8]) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quote = None;
    let mut bytes = value.iter().copied();
    while let Some(byte) = bytes.next() {
        match (byte, quote) {
            (b'\\', _) => word.get_or_insert_default().extend(bytes.next()),
            (_, Some(mark)) if mark == byte => quote = None,
            (b'\'' | b'"', None) => {
                quote = Some(byte);
                word.get_or_insert_default();
            }
            (_, None) if WHITESPACE.contains(&byte) => words.extend(word.take()),
            _ => word.get_or_insert_default().push(byte),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn expanded(words: &[&str]) -> Vec<String> {
        let value = |name: &[u8]| match name {
            b"A" => Some("one".as_bytes()),
            b"LIST" => Some(b" a 'b c'  \\\"d 'e".as_slice()),
            b"EMPTY" => Some(b"".as_slice()),
            _ => None,
        };
        let words = words.iter().map(|word| word.as_bytes().to_vec()).collect();
        expand(words, value).into_iter().map(|word| String::from_utf8(word).unwrap()).collect()
    }

    #[test]
    fn variables_are_expanded_as_systemd_does_it() {
        assert_eq!(expanded(&["$A", "x${A}y${NONE}", "a$A", "$$A", "$${A}"]), ["one", "xoney", "a$A", "$A", "${A}"]);
        assert_eq!(expanded(&["$LIST", "${LIST}"]), ["a", "b c", "\"d", "e", " a 'b c'  \\\"d 'e"]);
        assert_eq!(expanded(&["$EMPTY", "$NONE", "$", "$A.b", "${EMPTY}", ""]), ["", ""]);
        assert_eq!(expanded(&["a$", "${A", "${A:-b}", "b$${A}", "${A}$"]), ["a$", "${A", "${A:-b}", "b${A}", "one$"]);
    }

    proptest! {
        #[test]
        fn what_is_hidden_is_revealed(word in any::<String>()) {
            let hidden = hide(&word);
            prop_assert!(!needs_hiding(&hidden));
            prop_assert_eq!(reveal(hidden.as_bytes()), Some(word.into_bytes()));
        }
    }

    #[test]
    fn what_was_not_hidden_is_not_revealed() {
        for text in ["\\", "a\\n", "\\x2", "\\xg0"] {
            assert_eq!(reveal(text.as_bytes()), None, "{text}");
        }
    }
}
