//! Standard output, as text or as JSON.

use std::io::{self, Write, stderr, stdout};

use serde::Serialize;

use super::pager;
use super::style::Palette;
use super::table::Table;
use super::terminal::Terminal;

/// systemd's three ways with JSON.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Json {
    /// On one line
    Short,
    /// Indented
    Pretty,
    /// Text instead
    #[default]
    Off,
}

/// How a verb writes what it found.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Output")]
pub struct Looks {
    /// Print JSON instead of text: indented, or in this form
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "short|pretty|off",
        default_value_t = Json::Off,
        default_missing_value = "pretty",
        num_args = 0..=1,
        require_equals = true,
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub(super) json: Json,
    /// Print no headings
    #[arg(long, global = true)]
    no_legend: bool,
    /// Don't show long output in a pager
    #[arg(long, global = true)]
    no_pager: bool,
}

/// Where a verb writes what it found.
#[derive(Debug)]
pub struct Output {
    json: Json,
    /// The colours of text.
    pub palette: Palette,
    /// Are there headings?
    pub legend: bool,
    /// The width of the terminal, if it is one.
    pub width: Option<usize>,
    pager: bool,
}

impl Output {
    pub fn new(looks: &Looks) -> Output {
        let Terminal { palette, width } = Terminal::stdout();
        Output { json: looks.json, palette, legend: !looks.no_legend, width, pager: !looks.no_pager }
    }

    /// For messages between the output.
    pub fn terminal(&self) -> Terminal {
        Terminal { palette: self.palette, width: self.width }
    }

    /// Plain text for a terminal of this width.
    #[cfg(test)]
    pub fn plain(width: Option<usize>) -> Output {
        Output { json: Json::Off, palette: Palette::off(), legend: true, width, pager: false }
    }

    /// Is JSON asked for?
    pub fn is_json(&self) -> bool {
        self.json != Json::Off
    }

    /// Writes `value` if JSON is asked for, else what `text` makes of it.
    pub fn print<T: Serialize>(&self, value: &T, text: impl FnOnce(&T) -> String) -> io::Result<()> {
        if self.is_json() { self.json(value) } else { self.text(&text(value)) }
    }

    /// Writes JSON, pretty unless it is to be short.
    pub fn json<T: Serialize>(&self, value: &T) -> io::Result<()> {
        self.text(&match self.json {
            Json::Short => serde_json::to_string(value)?,
            Json::Pretty | Json::Off => serde_json::to_string_pretty(value)?,
        })
    }

    /// Writes one line of many that come as things happen: no pager, and JSON that is never indented.
    pub fn line<T: Serialize>(&self, value: &T, text: impl FnOnce(&T) -> String) -> io::Result<()> {
        let line = if self.is_json() { serde_json::to_string(value)? } else { text(value) };
        let mut stdout = stdout().lock();
        writeln!(stdout, "{line}").and_then(|()| stdout.flush())
    }

    /// A table as it is to look here.
    pub fn table(&self, table: Table) -> String {
        table.legend(self.legend).fit(self.width).render(self.palette)
    }

    /// Writes text, through a pager where it is more than the terminal shows.
    pub fn text(&self, text: &str) -> io::Result<()> {
        let newline = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        let text = format!("{text}{newline}");
        if self.pager && pager::show(&text)? {
            return Ok(());
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
