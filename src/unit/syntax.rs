//! From the text of one file to its assignments: `systemd.syntax(7)`.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::{Error, ErrorKind, Location};

/// The longest line, alone or with its continuations, that systemd reads.
pub const LINE_MAX: usize = 1 << 20;

/// What systemd strips and skips. Vertical tab and form feed do not count.
pub(super) const WHITESPACE: &[u8] = b" \t\n\r";

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// `Key=value` in a section, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The section, without brackets.
    pub section: String,
    /// The key, without white space around it.
    pub key: String,
    /// The value with its continuations joined, without white space around it.
    pub value: String,
    /// Where the key stands.
    pub at: Location,
    /// Where the value starts (or would start, when it is empty).
    pub value_at: Location,
    /// Where continuation lines start in `value`, in order.
    breaks: Vec<Break>,
}

/// A place in a value from which on its text comes from another line of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Break {
    offset: usize,
    line: u32,
    column: u32,
}

impl Assignment {
    /// An assignment that stands on one line, for text that does not come from [`parse`].
    pub fn new(section: &str, key: &str, value: &str, at: Location, value_at: Location) -> Self {
        Self {
            section: section.to_owned(),
            key: key.to_owned(),
            value: value.to_owned(),
            at,
            value_at,
            breaks: Vec::new(),
        }
    }

    /// Where the byte at `offset` of the value stands in the file, also across continuations.
    pub fn locate(&self, offset: usize) -> Location {
        let last = self.breaks.partition_point(|b| b.offset <= offset);
        let (start, line, column) = match last.checked_sub(1).map(|i| self.breaks[i]) {
            Some(b) => (b.offset, b.line, b.column),
            None => (0, self.value_at.line, self.value_at.column),
        };
        let end = offset.min(self.value.len());
        let between = self.value.as_bytes().get(start..end).unwrap_or_default();
        Location::new(&self.value_at.file, line, column.saturating_add(count_chars(between)))
    }
}

/// A line that systemd ignores, and so do we.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The line.
    pub at: Location,
    /// The section that it stands in, if any.
    pub section: Option<String>,
    /// Why it is ignored.
    pub kind: WarningKind,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

/// Why a line is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WarningKind {
    /// Neither a section header, a comment nor an assignment.
    MissingEquals,
    /// Nothing before the equals sign.
    MissingKey,
    /// No section header came before.
    OutsideSection,
}

impl fmt::Display for WarningKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MissingEquals => "the line has no '=' and is ignored",
            Self::MissingKey => "the line has no key before '=' and is ignored",
            Self::OutsideSection => "the assignment stands before any section and is ignored",
        })
    }
}

/// `[Section]`, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The section, without brackets.
    pub section: String,
    /// Where the bracket stands.
    pub at: Location,
}

/// What a file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parsed {
    /// Where sections begin, in the order of the file.
    pub headers: Vec<Header>,
    /// In the order of the file.
    pub assignments: Vec<Assignment>,
    /// Lines that were ignored.
    pub warnings: Vec<Warning>,
}

/// Reads the text of `file`.
pub fn parse(file: &Arc<Path>, text: &[u8]) -> Result<Parsed, Error> {
    let mut parser = Parser { file, section: None, parsed: Parsed::default() };
    let mut lines = Lines { rest: text, number: 0 };
    let mut pending: Option<Logical<'_>> = None;
    let mut bom_seen = false;

    while let Some((number, mut line)) = lines.next_line() {
        if line.len() >= LINE_MAX {
            return Err(parser.error(number, 1, ErrorKind::LineTooLong));
        }
        if let Some(i) = memchr::memchr(0, line) {
            let column = 1 + count_chars(&line[..i]);
            return Err(parser.error(number, column, ErrorKind::Nul));
        }
        // A comment is looked for on every physical line: inside a continuation it is skipped
        // and the continuation goes on.
        if matches!(strip_start(line).first(), Some(b'#' | b';')) {
            continue;
        }
        if !bom_seen && let Some(rest) = line.strip_prefix(BYTE_ORDER_MARK) {
            line = rest;
            bom_seen = true;
        }
        let continues = ends_escaped(line);
        let body = if continues { &line[..line.len() - 1] } else { line };

        match &mut pending {
            Some(logical) => {
                if logical.text.len() + line.len() > LINE_MAX {
                    return Err(parser.error(number, 1, ErrorKind::LineTooLong));
                }
                logical.append(number, body);
            }
            None => pending = Some(Logical::new(number, body)),
        }
        if continues {
            if let Some(logical) = &mut pending {
                logical.text.to_mut().push(b' ');
            }
        } else if let Some(logical) = pending.take() {
            parser.line(&logical)?;
        }
    }
    // A backslash at the end of the file continues into nothing.
    if let Some(logical) = pending {
        parser.line(&logical)?;
    }
    Ok(parser.parsed)
}

/// Physical lines, ended by `\n`, `\r`, or both in either order, as systemd's reader does it.
struct Lines<'a> {
    rest: &'a [u8],
    number: u32,
}

impl<'a> Lines<'a> {
    fn next_line(&mut self) -> Option<(u32, &'a [u8])> {
        if self.rest.is_empty() {
            return None;
        }
        self.number = self.number.saturating_add(1);
        let Some(end) = memchr::memchr2(b'\n', b'\r', self.rest) else {
            return Some((self.number, std::mem::take(&mut self.rest)));
        };
        let line = &self.rest[..end];
        let width = match self.rest.get(end + 1) {
            Some(next @ (b'\n' | b'\r')) if *next != self.rest[end] => 2,
            _ => 1,
        };
        self.rest = &self.rest[end + width..];
        Some((self.number, line))
    }
}

/// A line with its continuations joined.
struct Logical<'a> {
    text: Cow<'a, [u8]>,
    line: u32,
    breaks: Vec<Break>,
}

impl<'a> Logical<'a> {
    fn new(line: u32, text: &'a [u8]) -> Self {
        Self { text: Cow::Borrowed(text), line, breaks: Vec::new() }
    }

    fn append(&mut self, line: u32, text: &[u8]) {
        self.breaks.push(Break { offset: self.text.len(), line, column: 1 });
        self.text.to_mut().extend_from_slice(text);
    }

    /// Line and column of the byte at `offset`.
    fn position(&self, offset: usize) -> (u32, u32) {
        let last = self.breaks.partition_point(|b| b.offset <= offset);
        let (start, line) = match last.checked_sub(1).map(|i| self.breaks[i]) {
            Some(b) => (b.offset, b.line),
            None => (0, self.line),
        };
        (line, 1 + count_chars(&self.text[start..offset]))
    }
}

struct Parser<'f> {
    file: &'f Arc<Path>,
    section: Option<String>,
    parsed: Parsed,
}

impl Parser<'_> {
    fn error(&self, line: u32, column: u32, kind: ErrorKind) -> Error {
        Error::new(Location::new(self.file, line, column), kind)
    }

    fn line(&mut self, logical: &Logical<'_>) -> Result<(), Error> {
        let start = logical.text.len() - strip_start(&logical.text).len();
        let text = strip(&logical.text);
        if text.is_empty() {
            return Ok(());
        }
        let place = |offset| {
            let (line, column) = logical.position(offset);
            Location::new(self.file, line, column)
        };
        let warn = |section: Option<&String>, kind| Warning { at: place(start), section: section.cloned(), kind };

        let Some(text) = valid_utf8(text) else {
            // systemd gives up on the file here, and of a drop-in keeps what came before.
            return Err(Error::new(place(start), ErrorKind::InvalidUtf8));
        };
        if let Some(header) = text.strip_prefix('[') {
            let Some(name) = header.strip_suffix(']') else {
                return Err(Error::new(place(start), ErrorKind::UnclosedSection));
            };
            let unsafe_byte = |b: u8| b < b' ' || matches!(b, b'"' | b'\'' | b'\\' | 0x7f);
            if name.bytes().any(unsafe_byte) {
                return Err(Error::new(place(start), ErrorKind::BadSectionName));
            }
            self.parsed.headers.push(Header { section: name.to_owned(), at: place(start) });
            self.section = Some(name.to_owned());
            return Ok(());
        }
        let Some(section) = &self.section else {
            self.parsed.warnings.push(warn(None, WarningKind::OutsideSection));
            return Ok(());
        };
        let Some((key, value)) = text.split_once('=') else {
            self.parsed.warnings.push(warn(Some(section), WarningKind::MissingEquals));
            return Ok(());
        };
        if key.is_empty() {
            self.parsed.warnings.push(warn(Some(section), WarningKind::MissingKey));
            return Ok(());
        }

        let after_equals = start + key.len() + 1;
        let value_start = after_equals + value.len() - strip_start(value.as_bytes()).len();
        let value = strip_str(value);
        let inside = value_start + 1..value_start + value.len();
        let breaks = logical.breaks.iter().filter(|b| inside.contains(&b.offset));
        let breaks = breaks.map(|b| Break { offset: b.offset - value_start, ..*b }).collect();
        self.parsed.assignments.push(Assignment {
            section: section.clone(),
            key: strip_str(key).to_owned(),
            value: value.to_owned(),
            at: place(start),
            value_at: place(value_start),
            breaks,
        });
        Ok(())
    }
}

/// Whether the last byte is a backslash that is not itself escaped.
fn ends_escaped(line: &[u8]) -> bool {
    line.iter().rev().take_while(|b| **b == b'\\').count() % 2 == 1
}

/// systemd's notion of UTF-8 leaves out the noncharacters, so such a line is skipped, too.
fn valid_utf8(text: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(text).ok()?;
    (text.is_ascii() || !text.chars().any(is_noncharacter)).then_some(text)
}

/// Code points that systemd does not accept in UTF-8 text.
pub(super) fn is_noncharacter(c: char) -> bool {
    let c = u32::from(c);
    (0xfdd0..=0xfdef).contains(&c) || c & 0xfffe == 0xfffe
}

fn count_chars(text: &[u8]) -> u32 {
    let count = text.iter().filter(|b| **b & 0xc0 != 0x80).count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn is_whitespace(b: &u8) -> bool {
    WHITESPACE.contains(b)
}

/// Without systemd's white space at its start.
pub(super) fn strip_start(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|b| !is_whitespace(b)).unwrap_or(text.len());
    &text[start..]
}

/// Without systemd's white space at both ends.
pub(super) fn strip(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|b| !is_whitespace(b)).map_or(0, |i| i + 1);
    strip_start(&text[..end])
}

/// [`strip`] for a string.
pub(super) fn strip_str(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\r'])
}

#[cfg(test)]
#[path = "tests/syntax.rs"]
mod tests;
