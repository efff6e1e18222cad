//! Colours, when and which.

use std::env;
use std::io::{IsTerminal, stderr, stdout};

use clap::builder::styling::{AnsiColor, Style};

/// What refuses a start.
pub const ERROR: Style = AnsiColor::Red.on_default().bold();
/// What only warns.
pub const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// What to do.
pub const HELP: Style = AnsiColor::Cyan.on_default();
/// What a service has for itself.
pub const OWN: Style = AnsiColor::Green.on_default().bold();
/// What is beside the point.
pub const DIM: Style = Style::new().dimmed();
/// The names that the eye looks for.
pub const HEADING: Style = Style::new().bold();
/// As it is.
pub const PLAIN: Style = Style::new();

/// Whether text has colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    on: bool,
}

impl Palette {
    /// For standard output.
    pub fn for_stdout() -> Palette {
        Palette::by_environment(stdout().is_terminal())
    }

    /// For standard error.
    pub fn for_stderr() -> Palette {
        Palette::by_environment(stderr().is_terminal())
    }

    /// Without colours.
    #[cfg(test)]
    pub fn off() -> Palette {
        Palette { on: false }
    }

    fn by_environment(terminal: bool) -> Palette {
        let variable = |name| env::var(name).ok();
        let on = wanted(variable("SYSTEMD_COLORS"), variable("NO_COLOR"), variable("TERM"), terminal);
        Palette { on }
    }

    pub fn is_on(self) -> bool {
        self.on
    }

    /// The text in a style.
    pub fn paint(self, style: Style, text: &str) -> String {
        if self.on && !style.is_plain() && !text.is_empty() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}

/// SYSTEMD_COLORS= decides if it is set, as in systemd's own tools: a boolean, or a number of
/// colours.
fn wanted(systemd: Option<String>, no_color: Option<String>, term: Option<String>, terminal: bool) -> bool {
    match systemd.as_deref().map(|value| (crate::unit::value::parse_boolean(value), value)) {
        Some((Some(on), _)) => return on,
        Some((None, "16" | "256" | "24bit")) => return true,
        _ => {}
    }
    no_color.is_none_or(|value| value.is_empty()) && term.as_deref() != Some("dumb") && terminal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systemd_colors_wins_over_no_color_and_the_terminal() {
        let some = |text: &str| Some(text.to_owned());
        assert!(wanted(None, None, some("xterm"), true));
        assert!(!wanted(None, None, some("xterm"), false));
        assert!(!wanted(None, None, some("dumb"), true));
        assert!(!wanted(None, some("1"), None, true));
        assert!(wanted(None, some(""), None, true));
        assert!(wanted(some("256"), some("1"), None, false));
        assert!(!wanted(some("0"), None, None, true));
        assert!(wanted(some("auto-16"), None, None, true));
    }
}
