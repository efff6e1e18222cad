//! Command lines of `ExecStart=` and its kin: `systemd.service(5)`, COMMAND LINES.

use std::fmt;

use super::words::{UnbalancedQuotes, Words};
pub use super::words::{Word, escape_dollar, escape_specifiers, quote};
use super::{Assignment, Error, ErrorKind};

/// The special characters before an executable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Prefixes {
    /// `-`: failure counts as success.
    pub ignore_failure: bool,
    /// `@`: the second word is what the program gets as `argv[0]`.
    pub argv0: bool,
    /// `:`: variables are not expanded.
    pub no_env: bool,
    /// `+`: full privileges, no sandbox.
    pub full: bool,
    /// `!`: without changing to `User=`, but with the sandbox.
    pub no_setuid: bool,
    /// `!!`: as `!`, but only where ambient capabilities are missing.
    pub ambient: bool,
    /// `|`: by way of a shell, which gets all the words. Older systemds refuse it.
    pub shell: bool,
}

impl fmt::Display for Prefixes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let marks = [
            (self.ignore_failure, "-"),
            (self.argv0, "@"),
            (self.no_env, ":"),
            (self.full, "+"),
            (self.no_setuid, "!"),
            (self.ambient, "!!"),
            (self.shell, "|"),
        ];
        marks.iter().filter(|(set, _)| *set).try_for_each(|(_, mark)| f.write_str(mark))
    }
}

/// One command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecCommand {
    /// What stands before the path.
    pub prefixes: Prefixes,
    /// The executable, without prefixes. With [`Prefixes::shell`] a word for the
    /// shell, perhaps empty.
    pub path: Word,
    /// The program's name for itself; with the prefix `@` only.
    pub argv0: Option<Word>,
    /// All the words that follow.
    pub args: Vec<Word>,
}

impl fmt::Display for ExecCommand {
    /// As it would be written into a unit file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = self.prefixes.to_string().into_bytes();
        first.extend_from_slice(&self.path.bytes);
        f.write_str(&quote(first))?;
        self.argv0.iter().chain(&self.args).try_for_each(|word| write!(f, " {}", quote(word)))
    }
}

/// The commands of one assignment, more than one where `;` stands between them.
///
/// An empty value has no commands: it resets the list, which is for the caller to see.
pub fn parse(assignment: &Assignment) -> Result<Vec<ExecCommand>, Error> {
    let fail = |offset, kind| Error::new(assignment.locate(offset), kind);
    let unbalanced = |error: UnbalancedQuotes| fail(error.offset, ErrorKind::UnbalancedQuotes);
    let mut words = Words::new(&assignment.value);
    let mut commands = Vec::new();

    while let Some(first) = words.next_word().map_err(unbalanced)? {
        if first.bytes == b";" {
            continue;
        }
        let (prefixes, length) = split_prefixes(&first.bytes);
        let path = Word { bytes: first.bytes[length..].to_vec(), offset: first.offset };
        let args = arguments(&mut words).map_err(unbalanced)?;
        if path.bytes.is_empty() && !prefixes.shell {
            return Err(fail(path.offset, ErrorKind::EmptyCommand));
        }
        if !prefixes.shell {
            check_executable(&path.bytes).map_err(|kind| fail(path.offset, kind))?;
        }

        let mut args = args;
        // Together with `|` the prefix asks for a login shell and takes no word.
        let argv0 = match prefixes.argv0 && !prefixes.shell {
            false => None,
            true if args.is_empty() => return Err(fail(path.offset, ErrorKind::MissingArgv0)),
            true => Some(args.remove(0)),
        };
        commands.push(ExecCommand { prefixes, path, argv0, args });
    }
    Ok(commands)
}

/// The words up to the end, or up to a `;` that stands alone and unquoted.
fn arguments(words: &mut Words<'_>) -> Result<Vec<Word>, UnbalancedQuotes> {
    let mut args = Vec::new();
    loop {
        let rest = words.rest();
        if starts_alone(rest, ";") {
            words.skip(1);
            return Ok(args);
        }
        if starts_alone(rest, "\\;") {
            args.push(Word { bytes: b";".to_vec(), offset: words.offset() });
            words.skip(2);
            continue;
        }
        match words.next_word()? {
            Some(word) => args.push(word),
            None => return Ok(args),
        }
    }
}

fn starts_alone(rest: &str, token: &str) -> bool {
    let Some(after) = rest.strip_prefix(token) else {
        return false;
    };
    after.bytes().next().is_none_or(|b| super::syntax::WHITESPACE.contains(&b))
}

/// The prefixes of a first word, and how many bytes they take.
fn split_prefixes(word: &[u8]) -> (Prefixes, usize) {
    let mut p = Prefixes::default();
    let mut length = 0;
    for b in word {
        // Each is taken once, in any order; `+`, `!` and `!!` exclude each other. What is left
        // over is part of the path.
        let flag = match b {
            b'-' => &mut p.ignore_failure,
            b'@' => &mut p.argv0,
            b':' => &mut p.no_env,
            b'|' => &mut p.shell,
            b'+' if !p.no_setuid && !p.ambient => &mut p.full,
            b'!' if p.no_setuid => {
                p.no_setuid = false;
                &mut p.ambient
            }
            b'!' if !p.full && !p.ambient => &mut p.no_setuid,
            _ => break,
        };
        if *flag {
            break;
        }
        *flag = true;
        length += 1;
    }
    (p, length)
}

/// What can be said of an executable before its specifiers are expanded.
fn check_executable(path: &[u8]) -> Result<(), ErrorKind> {
    let bad = || ErrorKind::BadExecutable(String::from_utf8_lossy(path).into_owned());
    let unsafe_byte = |b: &u8| *b < b' ' || matches!(b, b'"' | b'\'' | b'\\' | 0x7f);
    if path.iter().any(unsafe_byte) {
        return Err(bad());
    }
    // A specifier may well bring the slash at the start with it.
    if path[0] != b'/' && path[0] != b'%' && path.contains(&b'/') {
        return Err(bad());
    }
    let last = path.rsplit(|b| *b == b'/').next().unwrap_or_default();
    if matches!(last, b"" | b"." | b"..") { Err(bad()) } else { Ok(()) }
}

#[cfg(test)]
#[path = "tests/exec.rs"]
mod tests;
