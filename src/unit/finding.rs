//! What is wrong with what a file says, told once: generator, `verify` and those who carry it out
//! show the same words.

use std::fmt;

use super::{Assignment, Location};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It goes on, but perhaps not as was meant.
    Warning,
    /// Nothing is started.
    Error,
}

/// One thing to say about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// Where the text stands that caused it.
    pub at: Option<Location>,
    /// What is wrong, directive first: `Hostname=: …`.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl Finding {
    /// A finding that refuses the start.
    pub fn error(at: Option<Location>, message: impl Into<String>, remedy: impl Into<String>) -> Finding {
        Finding { severity: Severity::Error, at, message: message.into(), remedy: remedy.into() }
    }

    /// One that refuses the start for what a line of the unit says: `KEY=VALUE MESSAGE`.
    pub fn of_line(line: &Assignment, message: &str, remedy: &str) -> Finding {
        Finding::error(Some(line.value_at.clone()), format!("{}={} {message}", line.key, line.value), remedy)
    }

    /// A finding that only warns.
    pub fn warning(at: Option<Location>, message: impl Into<String>, remedy: impl Into<String>) -> Finding {
        Finding { severity: Severity::Warning, at, message: message.into(), remedy: remedy.into() }
    }

    /// Does it refuse the start?
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// `FILE:LINE:COLUMN: MESSAGE; REMEDY`, on one line.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = &self.at {
            write!(f, "{at}: ")?;
        }
        f.write_str(&self.message)?;
        if !self.remedy.is_empty() {
            write!(f, "; {}", self.remedy)?;
        }
        Ok(())
    }
}
