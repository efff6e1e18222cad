//! `unitcell doctor`: what this machine allows, and what to change where it does not.

mod installed;
mod kernel;
mod manager;
mod users;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;

use super::Error;
use super::output::Output;
use super::style;
use super::wrap::hanging;

/// Check what the kernel and systemd allow here, and tell what to change
///
/// The exit status is 1 if something is wrong that a cell needs.
#[derive(Debug, clap::Args)]
pub struct Doctor {}

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    /// Some cells will not work.
    Warning,
    /// No cell will, or none of a common sort.
    Error,
}

#[derive(Debug, Serialize)]
struct Check {
    area: &'static str,
    state: State,
    /// What was found.
    found: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

#[derive(Debug, Serialize)]
struct Report {
    ok: bool,
    checks: Vec<Check>,
}

impl Check {
    fn ok(area: &'static str, found: impl Into<String>) -> Check {
        Check { area, state: State::Ok, found: found.into(), fix: None }
    }

    fn warning(area: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Check {
        Check { area, state: State::Warning, found: found.into(), fix: Some(fix.into()) }
    }

    fn error(area: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Check {
        Check { area, state: State::Error, found: found.into(), fix: Some(fix.into()) }
    }
}

/// Files of the machine; in tests, of a directory that stands for it.
struct Files {
    root: PathBuf,
}

impl Files {
    fn path(&self, path: &str) -> PathBuf {
        self.root.join(Path::new(path).strip_prefix("/").unwrap_or(Path::new(path)))
    }

    /// The text of a file without white space around it, if it can be read.
    fn read(&self, path: &str) -> Option<String> {
        Some(std::fs::read_to_string(self.path(path)).ok()?.trim().to_owned())
    }
}

impl Doctor {
    pub fn run(self, output: &Output) -> Result<ExitCode, Error> {
        let files = Files { root: "/".into() };
        let mut checks = manager::checks(&files);
        checks.extend(installed::checks(&files));
        checks.extend(kernel::checks(&files));
        checks.extend(users::checks(&files));
        let ok = checks.iter().all(|check| check.state != State::Error);
        output.print(&Report { ok, checks }, |report| render(report, output))?;
        Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn render(report: &Report, output: &Output) -> String {
    let palette = output.palette;
    let mut text = String::new();
    let mut area = "";
    for check in &report.checks {
        if check.area != area {
            area = check.area;
            let gap = if text.is_empty() { "" } else { "\n" };
            let _ = writeln!(text, "{gap}{}", palette.paint(style::HEADING, area));
        }
        let (style, word) = match check.state {
            State::Ok => (style::OWN, "ok"),
            State::Warning => (style::WARNING, "warning"),
            State::Error => (style::ERROR, "error"),
        };
        let gap = " ".repeat(9 - word.len());
        let _ = writeln!(text, "  {}{gap}{}", palette.paint(style, word), indented(&check.found, 11, output));
        if let Some(fix) = &check.fix {
            let fix = indented(fix, 16, output);
            let _ = writeln!(text, "           {}: {fix}", palette.paint(style::HELP, "fix"));
        }
    }
    text
}

/// What stands in this column, as many lines as it takes.
fn indented(text: &str, column: usize, output: &Output) -> String {
    hanging(text, column, column, output.width)
}

#[cfg(test)]
mod tests;
