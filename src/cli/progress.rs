//! One line on a terminal that tells what is waited for.

use std::io::{IsTerminal, stderr};

use super::output::to_stderr;

/// The line; it goes when this is dropped.
#[derive(Debug)]
pub struct Progress {
    shown: bool,
    wanted: bool,
}

impl Progress {
    /// Nothing yet; and nothing ever where nobody sits at standard error, or somebody wants quiet.
    pub fn new(wanted: bool) -> Progress {
        Progress { shown: false, wanted: wanted && stderr().is_terminal() }
    }

    /// Tells this instead of what it told before.
    pub fn tell(&mut self, text: &str) {
        if self.wanted {
            // Escape sequences and the like must not reach the terminal.
            let text: String = text.chars().filter(|char| !char.is_control()).collect();
            // Without wrapping, for the line is taken back whole.
            to_stderr(&format!("\r\x1b[?7l{text}\x1b[K\x1b[?7h"));
            self.shown = true;
        }
    }

    /// Takes the line back.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            to_stderr("\r\x1b[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
