//! Splitting a value into words: quotes and escapes as in `systemd.syntax(7)`.

use super::escape::hex_digit;
use super::syntax::WHITESPACE;

/// A word of a value, with quotes and escapes taken away.
///
/// Bytes, as `\xff` may put any of them into a word.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Word {
    /// What the word says. Specifiers and `$VARIABLES` are as they were written.
    pub bytes: Vec<u8>,
    /// Where in the value the word starts, quotes and all.
    pub offset: usize,
}

impl Word {
    /// The word as text, where it is text.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }
}

impl AsRef<[u8]> for Word {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// A quote that nothing closes, and where in the value it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a quotation mark is opened, but never closed")]
pub struct UnbalancedQuotes {
    /// The byte of the value.
    pub offset: usize,
}

/// The words of a value, one after the other.
#[derive(Debug, Clone)]
pub struct Words<'v> {
    value: &'v str,
    offset: usize,
}

/// How to take an escape that is none.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unknown {
    Refuse,
    Keep,
}

impl<'v> Words<'v> {
    /// From the start of `value`.
    pub fn new(value: &'v str) -> Self {
        let mut words = Self { value, offset: 0 };
        words.skip_whitespace();
        words
    }

    /// What is still to be split, without white space before it.
    pub fn rest(&self) -> &'v str {
        &self.value[self.offset..]
    }

    /// Where [`Self::rest`] starts.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Passes over `count` bytes of the rest and the white space after them.
    pub(super) fn skip(&mut self, count: usize) {
        self.offset += count;
        self.skip_whitespace();
    }

    fn skip_whitespace(&mut self) {
        let rest = &self.value.as_bytes()[self.offset..];
        self.offset += rest.iter().take_while(|b| WHITESPACE.contains(b)).count();
    }

    /// The next word, `None` at the end.
    ///
    /// A word with an escape that does not exist is read a second time with such escapes
    /// taken literally, backslash and all: `"\d"` means just that.
    pub fn next_word(&mut self) -> Result<Option<Word>, UnbalancedQuotes> {
        if self.rest().is_empty() {
            return Ok(None);
        }
        let read = self.extract(Unknown::Refuse).or_else(|_| self.extract(Unknown::Keep));
        let (bytes, end) = read.map_err(|quote| UnbalancedQuotes { offset: quote })?;
        let word = Word { bytes, offset: self.offset };
        self.offset = end;
        self.skip_whitespace();
        Ok(Some(word))
    }

    /// The word at the current place and where it ends, or where something is wrong.
    fn extract(&self, unknown: Unknown) -> Result<(Vec<u8>, usize), usize> {
        let text = self.value.as_bytes();
        let mut word = Vec::new();
        let mut quote: Option<(u8, usize)> = None;
        let mut i = self.offset;
        while let Some(&b) = text.get(i) {
            if b == b'\\' {
                match unescape_one(&text[i + 1..], &mut word) {
                    Some(width) => i += 1 + width,
                    None if unknown == Unknown::Refuse => return Err(i),
                    None => {
                        word.push(b'\\');
                        // Whatever follows is literal, be it a quote or white space.
                        word.extend(text.get(i + 1));
                        i += 2;
                    }
                }
                continue;
            }
            match quote {
                Some((mark, _)) if mark == b => quote = None,
                Some(_) => word.push(b),
                None if matches!(b, b'\'' | b'"') => quote = Some((b, i)),
                None if WHITESPACE.contains(&b) => break,
                None => word.push(b),
            }
            i += 1;
        }
        match quote {
            Some((_, start)) => Err(start),
            None => Ok((word, i.min(text.len()))),
        }
    }
}

/// Appends what the escape after a backslash stands for; gives how long the escape is.
fn unescape_one(text: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let simple = match text.first()? {
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b's' => b' ',
        b @ (b'\\' | b'"' | b'\'') => *b,
        b'x' => {
            let byte = u8::try_from(hex_number(text.get(1..3)?)?).ok()?;
            return (byte != 0).then(|| out.push(byte)).map(|()| 3);
        }
        b'u' => return push_code(hex_number(text.get(1..5)?)?, out).map(|()| 5),
        b'U' => {
            let code = hex_number(text.get(1..9)?)?;
            // The short form may name a noncharacter, this one may not.
            char::from_u32(code).filter(|c| !super::syntax::is_noncharacter(*c))?;
            return push_code(code, out).map(|()| 9);
        }
        b'0'..=b'7' => {
            let digits = text.get(..3)?;
            let mut number = 0;
            for digit in digits {
                number = number * 8 + char::from(*digit).to_digit(8)?;
            }
            let byte = u8::try_from(number).ok()?;
            return (byte != 0).then(|| out.push(byte)).map(|()| 3);
        }
        _ => return None,
    };
    out.push(simple);
    Some(1)
}

fn hex_number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |n: u32, b| Some(n << 4 | u32::from(hex_digit(*b)?)))
}

/// Appends a code point, NUL excepted, in UTF-8 as systemd encodes it.
fn push_code(code: u32, out: &mut Vec<u8>) -> Option<()> {
    match char::from_u32(code) {
        Some('\0') => return None,
        Some(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        // Half a surrogate pair. systemd 252 still encodes it, 262 takes the escape literally.
        None => return None,
    }
    Some(())
}

/// A word that systemd reads back as these bytes, quoted where need be.
///
/// Specifiers and variables are left alone; see [`escape_specifiers`] and [`escape_dollar`].
/// NUL, which no word of systemd's can hold, comes out as the escape that systemd rejects.
pub fn quote(word: impl AsRef<[u8]>) -> String {
    let word = word.as_ref();
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&()*+,-./:<=>?@[]^_`{|}~".contains(b);
    if !word.is_empty() && word.iter().all(plain) {
        return word.iter().copied().map(char::from).collect();
    }
    let mut out = String::with_capacity(word.len() + 2);
    out.push('"');
    for chunk in word.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                c if c.is_control() || super::syntax::is_noncharacter(c) => {
                    push_bytes(&mut out, c.encode_utf8(&mut [0; 4]).as_bytes());
                }
                c => out.push(c),
            }
        }
        push_bytes(&mut out, chunk.invalid());
    }
    out.push('"');
    out
}

fn push_bytes(out: &mut String, bytes: &[u8]) {
    use std::fmt::Write as _;
    for b in bytes {
        // Writing to a String does not fail.
        let _ = write!(out, "\\x{b:02x}");
    }
}

/// `%` doubled, for text that must not be taken for a specifier.
pub fn escape_specifiers(text: &str) -> String {
    text.replace('%', "%%")
}

/// `$` doubled, for text that must not be taken for a variable.
pub fn escape_dollar(text: &str) -> String {
    text.replace('$', "$$")
}

#[cfg(test)]
#[path = "tests/words.rs"]
mod tests;
