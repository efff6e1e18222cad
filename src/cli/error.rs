//! Why a verb could not do its work, told in one place.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use super::style;
use super::terminal::Terminal;
use super::{guess, journal, output};
use crate::bus::Place;
use crate::unit::NameError;
use crate::{bus, enter, netlink, netns};

/// An error that ends the tool.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Neither a unit nor a file.
    #[error("{text} is no unit: {source}")]
    NotAUnit {
        /// As it was given.
        text: String,
        /// What is wrong with it as a name.
        source: NameError,
    },
    /// Not in the search path.
    #[error("there is no unit {0} in the search path")]
    NoSuchUnit(String),
    /// It has no process to look at.
    #[error("{unit} has no process to look at: it is {active}")]
    NotRunning {
        /// The unit.
        unit: String,
        /// Its state.
        active: String,
    },
    /// There is no such process.
    #[error("there is no process {0}")]
    NoSuchProcess(u32),
    /// Not a name for a network namespace.
    #[error("{name:?} {reason}")]
    NetnsName {
        /// As it was given.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A network namespace could not be had.
    #[error("network namespace {name}: {source}")]
    Netns {
        /// Its name.
        name: String,
        /// What went wrong.
        source: netns::Error,
    },
    /// Something that `ip netns` does not take either.
    #[error("{0}")]
    NetnsUsage(String),
    /// A word is missing.
    #[error("{0}")]
    NetnsMissing(&'static str),
    /// There is no way into a network namespace.
    #[error("network namespace {name}: {source}")]
    NetnsEnter {
        /// Its name.
        name: String,
        /// What went wrong.
        source: netns::Error,
    },
    /// The kernel refused, in its own words.
    #[error(transparent)]
    Netlink(netlink::Error),
    /// A process could not be looked at.
    #[error("can't look at process {pid}: {source}")]
    Process {
        /// Its number.
        pid: u32,
        /// Why not.
        source: io::Error,
    },
    /// A program could not be executed.
    #[error("can't execute {program}: {source}")]
    Execute {
        /// As it was given.
        program: String,
        /// Why not.
        source: io::Error,
    },
    /// The network namespaces could not be listed.
    #[error(transparent)]
    NetnsList(netns::Error),
    /// A verb that is for this machine.
    #[error("unitcell {verb} reads files and /proc of this machine, not of {place}")]
    Elsewhere {
        /// The verb.
        verb: &'static str,
        /// Where it was to look.
        place: Place,
    },
    /// A command could not be run.
    #[error(transparent)]
    Run(#[from] super::run::RunError),
    /// The command of `unshare` or `nsenter` was not executed.
    #[error(transparent)]
    Enter(#[from] enter::Error),
    /// A terminal of its own could not be had, or not be attended.
    #[error("can't pass on what is typed and printed: {0}")]
    Terminal(io::Error),
    /// systemd could not be asked.
    #[error(transparent)]
    Bus(#[from] bus::Error),
    /// There is no such root directory.
    #[error("can't look at the root directory {}: {source}", path.display())]
    Root {
        /// As it was given.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// What the classic tool does not take either.
    #[error("{0}")]
    BadOption(String),
    /// The command line asks for what there is not.
    #[error("{0}")]
    Usage(String),
    /// It is nowhere but in the host's namespaces, or not running.
    #[error("{0} has no namespace of its own, and shares none but the host's")]
    NothingToDraw(String),
    /// A file that should be a namespace's.
    #[error("{} is no namespace: {reason}", path.display())]
    NotANamespace {
        /// As it was given.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// There is no namespace of this inode number, or it is out of sight.
    #[error("there is no namespace {0} in sight")]
    NoSuchNamespace(u64),
    /// /proc could not be read.
    #[error("can't read /proc: {0}")]
    Proc(io::Error),
    /// The output could not be written.
    #[error("can't write the output: {0}")]
    Output(#[from] io::Error),
}

fn ask_systemctl(name: &str) -> String {
    format!("`systemctl status {name}` tells whether it runs, `unitcell lsns` who has namespaces")
}

fn did_you_mean(other: &str) -> String {
    format!("did you mean {other}?")
}

fn another_unit(name: &str) -> Option<String> {
    guess::unit_like(name).map(|other| did_you_mean(&other))
}

impl Error {
    /// Where systemctl has an exit status for it, that one.
    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            // Whoever reads through `head` has seen enough.
            Error::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            Error::NotRunning { .. } => ExitCode::from(3),
            Error::NoSuchUnit(_) | Error::Bus(bus::Error::NoSuchUnit(_)) => ExitCode::from(4),
            Error::Enter(error) => ExitCode::from(error.exit_status()),
            Error::NotAUnit { .. } | Error::NetnsName { .. } | Error::Usage(_) | Error::Elsewhere { .. } => {
                ExitCode::from(2)
            }
            // And those of `ip netns`.
            Error::Netlink(_) => ExitCode::from(2),
            Error::NetnsUsage(_) | Error::NetnsEnter { .. } => ExitCode::from(255),
            _ => ExitCode::FAILURE,
        }
    }

    fn remedy(&self) -> Option<String> {
        match self {
            Error::NotAUnit { .. } => Some("a path with a slash in it is taken for a file".to_owned()),
            Error::NoSuchUnit(name) => Some(another_unit(name).unwrap_or_else(|| {
                "a path with a slash in it is taken for a file, --user looks at user units".to_owned()
            })),
            Error::Bus(bus::Error::NoSuchUnit(name)) if another_unit(name).is_some() => another_unit(name),
            Error::NotRunning { active, .. } if active == "active" => {
                Some("such a unit has no processes of its own: name the service that it is for".to_owned())
            }
            Error::NotRunning { unit, .. } => Some(format!("`systemctl start {unit}`, then look again")),
            Error::Netns { name, source } | Error::NetnsEnter { name, source } => {
                source.remedy().map(str::to_owned).or_else(|| guess::netns_like(name).map(|other| did_you_mean(&other)))
            }
            Error::NetnsList(source) => source.remedy().map(str::to_owned),
            Error::Run(error) => error.remedy(),
            Error::Elsewhere { verb, place: Place::Host(host) } => {
                Some(format!("`ssh {} unitcell {verb} …`", host.destination))
            }
            Error::Elsewhere { verb, place } => Some(format!("`systemd-run -M {place} --pipe unitcell {verb} …`")),
            Error::Bus(bus::Error::NotBooted) => {
                Some("give the process id instead of a unit: that needs no systemd".to_owned())
            }
            Error::Bus(error @ bus::Error::Connect { place: Place::Here, .. }) => {
                Some(format!("{}, or give the process id: that needs no bus", error.remedy()))
            }
            Error::Enter(error) => error.remedy().map(str::to_owned),
            Error::Bus(error) => Some(error.remedy().to_owned()),
            Error::NoSuchNamespace(_) => Some("`unitcell lsns` lists those there are; root sees all".to_owned()),
            Error::NothingToDraw(name) => Some(ask_systemctl(name)),
            Error::NotANamespace { .. } => Some("`unitcell lsns -P` lists those that are mounted".to_owned()),
            Error::NoSuchProcess(_)
            | Error::Root { .. }
            | Error::Usage(_)
            | Error::BadOption(_)
            | Error::Proc(_)
            | Error::NetnsName { .. }
            | Error::NetnsUsage(_)
            | Error::NetnsMissing(_)
            | Error::Netlink(_)
            | Error::Process { .. }
            | Error::Execute { .. }
            | Error::Terminal(_)
            | Error::Output(_) => None,
        }
    }

    /// Tells it to the journal where standard error leads there, else to standard error.
    pub(super) fn tell(&self) {
        if matches!(self, Error::Output(error) if error.kind() == io::ErrorKind::BrokenPipe) {
            return;
        }
        if let Error::Netns { name, .. } = self
            && journal::connected()
            && journal::netns(journal::Entry::Failed, name, &self.to_string()).is_ok()
        {
            return;
        }
        let terminal = Terminal::stderr();
        let remedy = self.remedy().map(|remedy| terminal.help(&remedy));
        let text = terminal.message(None, (style::ERROR, "error"), &self.to_string());
        output::to_stderr(&(text + &remedy.unwrap_or_default()));
    }
}
