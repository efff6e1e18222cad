//! The command line of the tool: one file a verb.
#![forbid(unsafe_code)]

mod classic;
mod diff;
mod doctor;
mod error;
mod explain;
mod graph;
mod guess;
mod iproute2;
mod journal;
mod lsns;
mod netns;
mod nsenter;
mod output;
mod pager;
mod progress;
mod pty;
mod run;
mod show;
mod snippet;
mod style;
mod subject;
mod table;
mod target;
mod terminal;
mod unshare;
mod verify;
mod whom;
mod wrap;

use std::env;
use std::process::ExitCode;

use clap::{ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand};

pub use error::Error;
use output::{Looks, Output};
use style::Palette;

/// Where to begin.
const EXAMPLES: &str = "\
Examples:
  unitcell doctor                           Can this machine do it?
  unitcell run -t --hostname=web -- bash    A shell in a cell of its own
  systemctl edit web.service                [X-Unitcell] and Hostname=web in it,
  unitcell verify web.service               and see whether that will do,
  unitcell explain web.service              what becomes of it, and
  unitcell show web.service                 what it sees once it runs";

/// Gives systemd services namespaces of their own, declared in their unit files
#[derive(Debug, Parser)]
#[command(name = "unitcell", version, disable_help_subcommand = true, arg_required_else_help = true, after_help = EXAMPLES)]
pub struct Cli {
    #[command(flatten)]
    looks: Looks,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Run(Box<run::Run>),
    Verify(verify::Verify),
    Explain(explain::Explain),
    Show(show::Show),
    Diff(diff::Diff),
    Doctor(doctor::Doctor),
    Graph(graph::Graph),
    Lsns(lsns::Lsns),
    Netns(netns::Netns),
    Unshare(unshare::Unshare),
    Nsenter(nsenter::Nsenter),
}

/// Runs the tool with the arguments of the process.
pub fn main() -> ExitCode {
    let color = if Palette::for_stdout().is_on() { ColorChoice::Always } else { ColorChoice::Never };
    let outcome = match classic::run(color) {
        Some(outcome) => outcome,
        None => match parse(color) {
            Ok(cli) => cli.run(),
            Err(status) => return status,
        },
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            error.tell();
            error.exit_code()
        }
    }
}

/// Whoever calls the tool in a wrong way gets the status to exit with.
fn parse(color: ColorChoice) -> Result<Cli, ExitCode> {
    let words = iproute2::rewrite(env::args_os());
    let matches = Cli::command().color(color).try_get_matches_from(&words);
    matches.and_then(|matches| Cli::from_arg_matches(&matches)).map_err(|error| {
        if !error.use_stderr() {
            error.exit()
        }
        // What stands in for another tool has its exit statuses.
        let status = match words.get(1).and_then(|verb| verb.to_str()) {
            Some("netns") => netns::usage_status(&error),
            Some("lsns") => classic::BAD_OPTION,
            _ => error.exit(),
        };
        let _ = error.print();
        ExitCode::from(status)
    })
}

impl Cli {
    fn run(self) -> Result<ExitCode, Error> {
        let output = Output::new(&self.looks);
        match self.verb {
            Verb::Run(verb) => verb.run(&output),
            Verb::Verify(verb) => verb.run(&output),
            Verb::Explain(verb) => verb.run(&output),
            Verb::Show(verb) => verb.run(&output),
            Verb::Diff(verb) => verb.run(&output),
            Verb::Doctor(verb) => verb.run(&output),
            Verb::Graph(verb) => verb.run(&output),
            Verb::Lsns(verb) => verb.run(&output),
            Verb::Netns(verb) => verb.run(&output),
            Verb::Unshare(verb) => verb.run(),
            Verb::Nsenter(verb) => verb.run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn json_takes_no_word_for_its_format() {
        for words in [
            ["unitcell", "--json", "netns", "list"],
            ["unitcell", "netns", "--json", "list"],
            ["unitcell", "show", "--json", "web.service"],
            ["unitcell", "--json=pretty", "show", "web.service"],
        ] {
            let matches = Cli::command().try_get_matches_from(words).unwrap();
            assert_eq!(Cli::from_arg_matches(&matches).unwrap().looks.json, output::Json::Pretty, "{words:?}");
        }
    }
}
