//! A finding with the line that caused it, and a mark under the text that is meant.

use std::fs;
use std::path::{Path, PathBuf};

use super::style::{self, Palette};
use crate::unit::Location;

/// The files that findings are about, below the root that was asked for.
#[derive(Debug)]
pub struct Sources {
    root: PathBuf,
}

impl Sources {
    pub fn new(root: &Path) -> Sources {
        Sources { root: root.to_owned() }
    }

    /// The text of a file, as systemd would name it or as it was given.
    pub fn read(&self, file: &Path) -> Option<String> {
        let below = self.root.join(file.strip_prefix("/").unwrap_or(file));
        let bytes = fs::read(below).or_else(|_| fs::read(file)).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// The line at `at` with its number, and below it the mark; nothing where there is no such line.
pub fn quote(text: &str, at: &Location, palette: Palette) -> String {
    let number = at.line.to_string();
    let Some(line) = at.line.checked_sub(1).and_then(|n| text.lines().nth(n as usize)) else {
        return String::new();
    };
    // Escape sequences and the like must not reach the terminal.
    let line: String =
        line.chars().map(|char| if char.is_control() && char != '\t' { '\u{fffd}' } else { char }).collect();
    let before = at.column.saturating_sub(1) as usize;
    // A tab stays one, so that the mark stands below its text however wide tabs are.
    let indent: String = line.chars().take(before).map(|char| if char == '\t' { '\t' } else { ' ' }).collect();
    let mark = "^".repeat(marked(&line, before));
    let margin = |label: &str| palette.paint(style::DIM, &format!("{label:>5} |"));
    format!("{} {line}\n{} {indent}{}\n", margin(&number), margin(""), palette.paint(style::ERROR, &mark))
}

/// How many characters are meant: a key up to its equals sign, a value up to the end.
fn marked(line: &str, before: usize) -> usize {
    let is_value = line.chars().take(before).any(|char| char == '=');
    let rest: String = line.chars().skip(before).collect();
    let meant = if is_value { &rest } else { rest.split('=').next().unwrap_or(&rest) };
    meant.trim_end().trim_end_matches('\\').trim_end().chars().count().max(1)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn quoted(text: &str, line: u32, column: u32) -> String {
        quote(text, &Location::new(&Arc::from(Path::new("x")), line, column), Palette::off())
    }

    #[test]
    fn the_mark_is_under_the_value() {
        let text = "[X-Unitcell]\nHostname=a_b  \n";
        assert_eq!(quoted(text, 2, 10), "    2 | Hostname=a_b  \n      |          ^^^\n");
    }

    #[test]
    fn the_mark_is_under_the_key() {
        assert_eq!(quoted("\tHostnam = x\n", 1, 2), "    1 | \tHostnam = x\n      | \t^^^^^^^\n");
    }

    #[test]
    fn a_continued_line_is_marked_without_its_backslash() {
        assert_eq!(quoted("A=b=c \\\n", 1, 3), "    1 | A=b=c \\\n      |   ^^^\n");
    }

    #[test]
    fn odd_places_are_survived() {
        assert_eq!(quoted("", 1, 1), "");
        assert_eq!(quoted("a\n", 7, 1), "");
        assert_eq!(quoted("a\u{1b}[31m\n", 1, 40), "    1 | a\u{fffd}[31m\n      |       ^\n");
    }
}
