//! The table of directives as options, and options that are left to others.

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};

use crate::cell::{DIRECTIVES, Directive};

/// The cell that the command line asks for, in the order in which it does.
#[derive(Debug, Default)]
pub struct CellOptions(pub Vec<(&'static Directive, String)>);

/// How people know an option from elsewhere.
const SHORT_FOR: [(&str, &str); 1] = [("network-namespace", "netns")];

impl Args for CellOptions {
    fn augment_args(command: Command) -> Command {
        let option = |directive: &'static Directive| {
            let arg = Arg::new(directive.name)
                .long(directive.flag)
                .value_name(directive.value)
                .value_parser(something)
                .help(capitalized(directive.summary))
                .help_heading("The cell, as in [X-Unitcell]")
                .action(ArgAction::Append);
            let arg = match SHORT_FOR.iter().find(|(flag, _)| *flag == directive.flag) {
                Some((_, alias)) => arg.visible_alias(*alias),
                None => arg,
            };
            match directive.is_switch() {
                true => arg.num_args(0..=1).require_equals(true).default_missing_value("yes"),
                // A value may well begin with a dash, such as a shift of a clock.
                false => arg.allow_hyphen_values(true),
            }
        };
        command.args(DIRECTIVES.iter().map(option))
    }

    fn augment_args_for_update(command: Command) -> Command {
        CellOptions::augment_args(command)
    }
}

/// In a unit file nothing goes back to the default. Here it is a variable that was not set.
pub fn something(text: &str) -> Result<String, &'static str> {
    if text.is_empty() { Err("it takes a value that is not empty") } else { Ok(text.to_owned()) }
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

impl FromArgMatches for CellOptions {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut given: Vec<(usize, &Directive, &String)> = Vec::new();
        for directive in DIRECTIVES {
            let places = matches.indices_of(directive.name).into_iter().flatten();
            let values = matches.get_many::<String>(directive.name).into_iter().flatten();
            given.extend(places.zip(values).map(|(place, value)| (place, directive, value)));
        }
        given.sort_by_key(|(place, ..)| *place);
        Ok(CellOptions(given.into_iter().map(|(_, directive, value)| (directive, value.clone())).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        CellOptions::from_arg_matches(matches).map(|options| *self = options)
    }
}

/// Options of systemd-run that are not for a cell, each with where to turn to.
#[derive(Debug)]
pub struct LeftToOthers;

const TIMER: &str = "timers are left to systemd-run: let one start a service that has its cell in a unit file";
const PATH_OR_SOCKET: &str =
    "path and socket units are left to systemd-run: let one start a service that has its cell in a unit file";

/// Their names.
const LEFT: [(&str, &str); 13] = [
    (
        "scope",
        "a scope is run by whoever calls, not by systemd, which has nothing to set up a cell with: \
         leave --scope away, or let `systemd-run --scope` run `unitcell-exec`",
    ),
    ("on-active", TIMER),
    ("on-boot", TIMER),
    ("on-startup", TIMER),
    ("on-unit-active", TIMER),
    ("on-unit-inactive", TIMER),
    ("on-calendar", TIMER),
    ("on-timezone-change", TIMER),
    ("on-clock-change", TIMER),
    ("timer-property", TIMER),
    ("path-property", PATH_OR_SOCKET),
    ("socket-property", PATH_OR_SOCKET),
    ("pty-late", "--pty is always so here: the terminal is handed over when the cell is set up"),
];

impl Args for LeftToOthers {
    fn augment_args(command: Command) -> Command {
        let option = |(name, _): &(&'static str, &str)| {
            Arg::new(*name).long(*name).hide(true).num_args(0..=1).action(ArgAction::Append)
        };
        command.args(LEFT.iter().map(option))
    }

    fn augment_args_for_update(command: Command) -> Command {
        LeftToOthers::augment_args(command)
    }
}

impl FromArgMatches for LeftToOthers {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        match LEFT.iter().find(|(name, _)| matches.contains_id(name)) {
            Some((name, why)) => Err(Error::raw(ErrorKind::UnknownArgument, format!("--{name}: {why}\n"))),
            None => Ok(LeftToOthers),
        }
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        LeftToOthers::from_arg_matches(matches).map(drop)
    }
}
