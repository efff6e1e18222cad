//! Standard output, as text or as JSON.

use std::io::{self, Write, stderr, stdout};

use serde::Serialize;

use super::style::Palette;

/// systemd's three ways with JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Json {
    /// On one line
    Short,
    /// Indented
    Pretty,
    /// Text instead
    Off,
}

/// Where a verb writes what it found.
#[derive(Debug)]
pub struct Output {
    json: Json,
    /// The colours of text.
    pub palette: Palette,
}

impl Output {
    pub fn new(json: Json) -> Output {
        Output { json, palette: Palette::for_stdout() }
    }

    /// Writes `value` if JSON is asked for, else what `text` makes of it.
    pub fn print<T: Serialize>(&self, value: &T, text: impl FnOnce(&T) -> String) -> io::Result<()> {
        let mut text = match self.json {
            Json::Short => serde_json::to_string(value)?,
            Json::Pretty => serde_json::to_string_pretty(value)?,
            Json::Off => text(value),
        };
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        let mut stdout = stdout().lock();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()
    }
}

/// Writes to standard error; there is nowhere to complain about one that is gone.
pub fn to_stderr(text: &str) {
    let _ = stderr().write_all(text.as_bytes());
}
