//! `unitcell explain`: what becomes of each directive, and why.

use std::fmt::Write;
use std::process::ExitCode;

use serde::Serialize;

use super::Error;
use super::output::Output;
use super::snippet::Sources;
use super::style;
use super::subject::{Judge, Options, Subject};
use super::table::Table;
use super::verify::findings_text;
use crate::cell::Decision;
use crate::cell::{Maker, SECTION};

/// Show what becomes of each directive: native or wrapper, why, and the drop-in that results
#[derive(Debug, clap::Args)]
pub struct Explain {
    /// A unit of the search path, or a unit file or drop-in by its path
    #[arg(value_name = "UNIT|FILE")]
    subject: String,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Serialize)]
struct Explanation {
    unit: String,
    systemd: u32,
    refused: bool,
    directives: Vec<Row>,
    findings: Vec<String>,
    dropin: Option<File>,
    steps: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Row {
    directive: &'static str,
    value: String,
    by: Option<&'static str>,
    why: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
}

#[derive(Debug, Serialize)]
struct File {
    path: String,
    text: String,
}

impl From<&Decision> for Row {
    fn from(decision: &Decision) -> Row {
        Row {
            directive: decision.directive,
            value: decision.text.clone(),
            by: decision.maker.map(|maker| match maker {
                Maker::Native => "native",
                Maker::Wrapper => "wrapper",
            }),
            why: decision.why.clone(),
            at: decision.at.as_ref().map(ToString::to_string),
        }
    }
}

impl Explain {
    pub fn run(self, output: &Output) -> Result<ExitCode, Error> {
        self.options.must_be_here("explain")?;
        let judge = Judge::new(&self.options)?;
        let sources = Sources::new(&self.options.root());
        let subject = judge.argument(&self.subject)?;
        let explanation = explain(&subject, judge.manager.version);
        output.print(&explanation, |explanation| {
            let findings = findings_text(&subject, &sources, output.terminal());
            render(explanation, &findings, output)
        })?;
        Ok(if subject.plan.is_refused() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

fn explain(subject: &Subject, systemd: u32) -> Explanation {
    let plan = &subject.plan;
    // One that only executes the command is a wrapper that is not there at all.
    let steps = if plan.is_refused() || plan.steps.len() < 2 { &[][..] } else { &plan.steps[..] };
    Explanation {
        unit: subject.name.to_string(),
        systemd,
        refused: plan.is_refused(),
        directives: plan.decisions.iter().map(Row::from).collect(),
        findings: plan.findings.iter().map(ToString::to_string).collect(),
        dropin: subject
            .dropin
            .as_ref()
            .map(|(path, text)| File { path: path.display().to_string(), text: text.clone() }),
        steps: steps.iter().map(ToString::to_string).collect(),
    }
}

fn render(explanation: &Explanation, findings: &str, output: &Output) -> String {
    let palette = output.palette;
    let heading = |text: &str| palette.paint(style::HEADING, text);
    let mut text = format!("{} under systemd {}", heading(&explanation.unit), explanation.systemd);
    if explanation.refused {
        let _ = write!(text, ": {}", palette.paint(style::ERROR, "it does not start"));
    }
    text.push('\n');
    if explanation.dropin.is_none() && findings.is_empty() {
        let _ = writeln!(text, "It asks for nothing in [{SECTION}]: systemd runs it as it is.");
    }
    if !findings.is_empty() {
        let _ = write!(text, "\n{findings}");
    }
    if !explanation.directives.is_empty() {
        let _ = write!(text, "\n{}", output.table(directives(&explanation.directives)));
    }
    if let Some(file) = &explanation.dropin {
        let _ = write!(text, "\n{}\n{}", palette.paint(style::DIM, &format!("# {}", file.path)), file.text);
    }
    if !explanation.steps.is_empty() {
        let _ = writeln!(text, "\n{}", heading("What the wrapper does:"));
        for (n, step) in explanation.steps.iter().enumerate() {
            let _ = writeln!(text, "{:>4}. {step}", n + 1);
        }
    }
    text
}

fn directives(rows: &[Row]) -> Table {
    let mut table = Table::with_heading(&["DIRECTIVE", "VALUE", "BY", "WHY"]).prose();
    for row in rows {
        let by = match row.by {
            Some("wrapper") => (style::WARNING, "wrapper"),
            Some(by) => (style::OWN, by),
            None => (style::DIM, "-"),
        };
        table.row(vec![
            (style::PLAIN, row.directive.to_owned()),
            (style::PLAIN, row.value.clone()),
            (by.0, by.1.to_owned()),
            (style::DIM, row.why.clone()),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explanation_reads_from_directive_to_step() {
        let explanation = Explanation {
            unit: "web.service".to_owned(),
            systemd: 252,
            refused: false,
            directives: vec![Row {
                directive: "Hostname",
                value: "web".to_owned(),
                by: Some("wrapper"),
                why: "systemd 252 has it not".to_owned(),
                at: None,
            }],
            findings: Vec::new(),
            dropin: Some(File { path: "/run/x.conf".to_owned(), text: "[Service]\n".to_owned() }),
            steps: vec!["make namespaces: uts".to_owned(), "execute the command".to_owned()],
        };
        assert_eq!(
            render(&explanation, "", &Output::plain(Some(80))),
            "web.service under systemd 252\n\n\
             DIRECTIVE  VALUE  BY       WHY\n\
             Hostname   web    wrapper  systemd 252 has it not\n\n\
             # /run/x.conf\n[Service]\n\n\
             What the wrapper does:\n   1. make namespaces: uts\n   2. execute the command\n"
        );
    }
}
