//! `unitcell verify`: the findings of the generator, before it is too late.

mod advice;
mod netns;

use std::path::Path;
use std::process::ExitCode;

use advice::Surroundings;
use serde::Serialize;

use super::Error;
use super::output::Output;
use super::snippet::{Sources, quote};
use super::style;
use super::subject::{Judge, Options, Subject};
use super::terminal::Terminal;
use crate::cell::Finding;
use crate::unit::Location;

/// Show what is wrong with the cells of units and with .netns files, and how to mend it
///
/// Without an argument, all units with a cell and all .netns files are verified. The exit status is
/// 1 if any of them would be refused, or would start without what its cell asks for.
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// Units or NAME.netns of the search path, or files and drop-ins by their path
    #[arg(value_name = "UNIT|FILE")]
    subjects: Vec<String>,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
    Hint,
}

#[derive(Debug, Serialize)]
struct Report {
    unit: String,
    severity: Severity,
    #[serde(flatten)]
    place: Option<Place>,
    message: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    remedy: String,
    #[serde(skip)]
    at: Option<Location>,
}

#[derive(Debug, Serialize)]
struct Place {
    file: String,
    line: u32,
    column: u32,
}

impl Report {
    fn new(unit: &str, severity: Severity, at: Option<Location>, message: String, remedy: String) -> Report {
        let place =
            at.as_ref().map(|at| Place { file: at.file.display().to_string(), line: at.line, column: at.column });
        Report { unit: unit.to_owned(), severity, place, message, remedy, at }
    }

    fn of_finding(unit: &str, finding: &Finding) -> Report {
        let severity = if finding.is_error() { Severity::Error } else { Severity::Warning };
        Report::new(unit, severity, finding.at.clone(), finding.message.clone(), finding.remedy.clone())
    }
}

impl Verify {
    pub fn run(self, output: &Output) -> Result<ExitCode, Error> {
        self.options.must_be_here("verify")?;
        let judge = Judge::new(&self.options)?;
        let sources = Sources::new(&self.options.root());
        let (described, units): (Vec<&String>, Vec<&String>) =
            self.subjects.iter().partition(|text| netns::is_description(text));
        let subjects = match self.subjects.as_slice() {
            [] => judge.everything(),
            _ => units.into_iter().map(|text| judge.argument(text)).collect::<Result<_, _>>()?,
        };
        let root = self.options.root();
        let descriptions = judge.descriptions();
        let surroundings = Surroundings {
            manager: &judge.manager,
            root: &root,
            descriptions: &descriptions,
            live: self.options.is_live(),
        };
        let described = match self.subjects.as_slice() {
            [] => netns::everything(&descriptions),
            _ => described.into_iter().map(|text| netns::argument(&descriptions, text)).collect(),
        };
        let of_netns = described
            .iter()
            .flat_map(|(name, findings)| findings.iter().map(move |finding| Report::of_finding(name, finding)));
        let of_units = subjects.iter().flat_map(|subject| reports(subject, &surroundings));
        let reports: Vec<Report> = of_units.chain(of_netns).collect();
        output.print(&reports, |reports| {
            reports.iter().map(|report| render(report, &sources, output.terminal())).collect()
        })?;
        let refused = reports.iter().any(|report| report.severity == Severity::Error);
        Ok(if refused { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

/// Findings as they are rendered for people; `explain` shows them, too.
pub fn findings_text(subject: &Subject, sources: &Sources, terminal: Terminal) -> String {
    let reports = subject.plan.findings.iter().map(|finding| Report::of_finding(subject.name.as_str(), finding));
    reports.map(|report| render(&report, sources, terminal)).collect()
}

/// Findings about what was given on the command line, which stands in no file.
pub fn given_findings(name: &str, findings: &[Finding], terminal: Terminal) -> String {
    let report = |finding: &Finding| Report::of_finding(name, &Finding { at: None, ..finding.clone() });
    let sources = Sources::new(Path::new("/"));
    findings.iter().map(|finding| render(&report(finding), &sources, terminal)).collect()
}

fn reports(subject: &Subject, surroundings: &Surroundings) -> Vec<Report> {
    let name = subject.name.as_str();
    let mut reports: Vec<Report> =
        subject.plan.findings.iter().map(|finding| Report::of_finding(name, finding)).collect();
    let Some(unit) = &subject.unit else { return reports };
    reports.extend(
        advice::advice(subject, unit, surroundings)
            .into_iter()
            .map(|one| Report::new(name, one.severity, one.at, one.message, one.remedy)),
    );
    // As one reads the files; what stands nowhere comes last.
    reports.sort_by(|a, b| (a.at.is_none(), &a.at).cmp(&(b.at.is_none(), &b.at)));
    reports
}

/// `FILE:LINE:COLUMN: error: MESSAGE`, the line, and the remedy.
fn render(report: &Report, sources: &Sources, terminal: Terminal) -> String {
    let label = match report.severity {
        Severity::Error => (style::ERROR, "error"),
        Severity::Warning => (style::WARNING, "warning"),
        Severity::Hint => (style::HELP, "hint"),
    };
    let place = report.at.as_ref().map_or_else(|| report.unit.clone(), Location::to_string);
    let mut text = terminal.message(Some(&place), label, &report.message);
    if let Some(at) = &report.at
        && let Some(source) = sources.read(&at.file)
    {
        text.push_str(&quote(&source, at, terminal.palette));
    }
    if !report.remedy.is_empty() {
        text.push_str(&terminal.help(&report.remedy));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::cli::style::Palette;

    #[test]
    fn a_finding_is_shown_with_its_line_and_its_remedy() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("cell.conf"), "[X-Unitcell]\nHostname=a_b\n").unwrap();
        let at = Location::new(&Arc::from(Path::new("/cell.conf")), 2, 10);
        let terminal = Terminal { palette: Palette::off(), width: None };
        let report = Report::of_finding("web.service", &Finding::error(Some(at), "Hostname=a_b: no", "correct it"));
        assert_eq!(
            render(&report, &Sources::new(directory.path()), terminal),
            "/cell.conf:2:10: error: Hostname=a_b: no\n    2 | Hostname=a_b\n      |          ^^^\n  help: correct it\n"
        );
        assert_eq!(
            serde_json::to_string(&report).unwrap(),
            r#"{"unit":"web.service","severity":"error","file":"/cell.conf","line":2,"column":10,"message":"Hostname=a_b: no","remedy":"correct it"}"#
        );
    }
}
