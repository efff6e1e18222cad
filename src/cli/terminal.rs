//! What is said to a person: how wide the lines may be, and whether they have colours.

use std::env;
use std::io::{IsTerminal, stderr, stdout};
use std::os::fd::AsFd;

use clap::builder::styling::Style;
use rustix::termios::tcgetwinsize;

use super::style::{self, Palette};
use super::wrap::hanging;

/// A stream that a person may read.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// Its colours.
    pub palette: Palette,
    /// Its width, if it is a terminal; what reads a pipe minds where lines end.
    pub width: Option<usize>,
}

impl Terminal {
    /// Standard output.
    pub fn stdout() -> Terminal {
        Terminal { palette: Palette::for_stdout(), width: size(stdout()).map(|(width, _)| width) }
    }

    /// Standard error.
    pub fn stderr() -> Terminal {
        Terminal { palette: Palette::for_stderr(), width: size(stderr()).map(|(width, _)| width) }
    }

    /// `PLACE: WORD: TEXT`
    pub fn message(self, place: Option<&str>, (style, word): (Style, &str), text: &str) -> String {
        const INDENT: usize = 4;
        let place = place.map(|place| format!("{place}: ")).unwrap_or_default();
        let column = place.chars().count() + word.len() + ": ".len();
        let text = hanging(text, column, INDENT, self.width);
        format!("{}{}: {text}\n", self.palette.paint(style::HEADING, &place), self.palette.paint(style, word))
    }

    /// What to do about it: `  help: TEXT`
    pub fn help(self, text: &str) -> String {
        const LABEL: &str = "  help: ";
        let text = hanging(text, LABEL.len(), LABEL.len(), self.width);
        format!("  {}: {text}\n", self.palette.paint(style::HELP, "help"))
    }
}

/// Columns and lines of a terminal, if it is one.
pub fn size(stream: impl AsFd + IsTerminal) -> Option<(usize, usize)> {
    if !stream.is_terminal() {
        return None;
    }
    let size = tcgetwinsize(stream).ok();
    let variable = |name: &str| env::var(name).ok()?.parse().ok();
    let side = |name: &str, value: Option<u16>, usual: usize| {
        let value = variable(name).or(value.map(usize::from));
        value.filter(|&value| value > 0).unwrap_or(usual)
    };
    Some((side("COLUMNS", size.map(|size| size.ws_col), 80), side("LINES", size.map(|size| size.ws_row), 24)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_messages_hang_at_a_terminal_alone() {
        let at = |width| Terminal { palette: Palette::off(), width };
        let message = |width| at(width).message(Some("/a:1:2"), (style::ERROR, "error"), "one two three");
        assert_eq!(message(None), "/a:1:2: error: one two three\n");
        assert_eq!(message(Some(22)), "/a:1:2: error: one two\n    three\n");
        assert_eq!(message(Some(9)), "/a:1:2: error: one\n    two\n    three\n");
        assert_eq!(at(None).message(None, (style::WARNING, "warning"), "so"), "warning: so\n");
        assert_eq!(at(Some(13)).help("one two"), "  help: one\n        two\n");
    }
}
