//! `unitcell netns`: named network namespaces.

mod add;
mod exec;
mod hold;
mod lifecycle;
mod names;
mod numbers;
mod of_user;
mod processes;

use std::ffi::OsString;
use std::process::ExitCode;

use super::Error;
use super::output::Output;
use crate::netns::{self, Places};

/// Make, list and use named network namespaces, as `ip netns` does, and those of .netns files
#[derive(Debug, clap::Args)]
#[command(infer_subcommands = true)]
pub struct Netns {
    /// All of them: for exec and delete
    #[arg(short, long)]
    all: bool,
    /// Go into this one first, and do there what is asked for
    #[arg(short, long, value_name = "NAME")]
    netns: Option<String>,
    /// Those of the user's manager, which processes hold: for up, reload, down, list,
    /// identify, pids and exec
    #[arg(long, global = true)]
    user: bool,
    #[command(subcommand)]
    verb: Option<Verb>,
}

// The aliases are those short forms that stand for several verbs, and that `ip` knows one for.
#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Make the network namespace be there, lo up, with what NAME.netns describes; wait until it is ready
    ///
    /// One that somebody else made is used as it is, and gets what is described as well.
    Up {
        /// Its name, as in /run/netns
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
    /// Change a network namespace that is up to what NAME.netns describes now; what stays is not touched
    Reload {
        /// Its name, as in /run/netns
        name: String,
    },
    /// Remove what `up` made, and nothing else
    Down {
        /// Its name, as in /run/netns
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
    /// Set up the namespaces that this process is in, and hold them
    #[command(hide = true)]
    Hold {
        /// The name
        name: String,
        /// The process that holds them already
        #[arg(long = "for", value_name = "PID")]
        holder: Option<u32>,
    },
    /// Make a network namespace: plain, or with --veth --nat ready for everyday use, and tell how
    #[command(alias = "a")]
    Add(add::Add),
    /// Give the network namespace of a process a name
    Attach {
        /// The name
        name: String,
        /// The process
        pid: u32,
    },
    /// Remove the name of a network namespace, and all that `up` made for it
    #[command(alias = "d")]
    Delete {
        /// Its name, as in /run/netns, unless --all is given
        name: Option<String>,
    },
    /// List the network namespaces that have a name, with the numbers that they have here
    #[command(aliases = ["l", "li", "lis", "ls", "lst", "s", "sh", "sho", "show"])]
    List {
        /// Tell whose each is instead
        #[arg(short, long)]
        long: bool,
    },
    /// Give a network namespace a number that this one knows it by
    Set {
        /// Its name, as in /run/netns
        name: String,
        /// The number, or auto
        #[arg(value_name = "NSID", allow_hyphen_values = true)]
        number: String,
    },
    /// List the numbers that this network namespace has for others
    ListId {
        /// `target-nsid N`: those that the one with this number has; `nsid N`: this one alone
        #[arg(value_name = "target-nsid N|nsid N", allow_hyphen_values = true)]
        words: Vec<String>,
    },
    /// Tell the name of the network namespace that a process is in
    Identify {
        /// The process; by default this one
        pid: Option<u32>,
    },
    /// List the processes in a network namespace
    Pids {
        /// Its name, as in /run/netns
        name: String,
    },
    /// Become a command in a network namespace, with /sys and /etc as they are meant there
    Exec {
        /// The name of the network namespace, unless --all is given; then the command
        #[arg(value_name = "NAME COMMAND", trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<OsString>,
    },
    /// Tell of names that come and go, until interrupted
    Monitor,
}

impl Netns {
    pub fn run(self, output: &Output) -> Result<ExitCode, Error> {
        if self.user {
            return self.of_user(output).map(|()| ExitCode::SUCCESS);
        }
        let places = Places::system();
        if let Some(name) = &self.netns {
            exec::go_into(&places, name)?;
        }
        match self.verb.unwrap_or(Verb::List { long: false }) {
            Verb::Up { names } => lifecycle::up(&places, names, output)?,
            Verb::Reload { name } => lifecycle::reload(&places, name, output)?,
            Verb::Down { names } => lifecycle::down(&places, names, output)?,
            Verb::Hold { name, holder } => hold::hold(&of_user()?, name, holder)?,
            Verb::Add(add) => add.run(&places, output)?,
            Verb::Attach { name, pid } => names::attach(&places, &name, pid)?,
            Verb::Delete { .. } if self.all => names::delete_all(&places)?,
            Verb::Delete { name } => {
                names::delete(
                    &places,
                    &name.ok_or(Error::NetnsMissing("delete takes the name of a network namespace"))?,
                )?;
            }
            Verb::List { long: false } => names::list(&places, output)?,
            Verb::List { long: true } => names::list_long(&places, output)?,
            Verb::Set { name, number } => numbers::set(&places, &name, &number)?,
            Verb::ListId { words } => numbers::list(&places, &words, output)?,
            Verb::Identify { pid } => processes::identify(&places, pid, output)?,
            Verb::Pids { name } => processes::pids(&places, &name, output)?,
            Verb::Exec { words } if self.all => exec::exec_in_all(&places, &words)?,
            Verb::Exec { words } => exec::exec(&places, &words)?,
            Verb::Monitor => return Err(names::monitor(&places, output)?),
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Netns {
    fn of_user(self, output: &Output) -> Result<(), Error> {
        if self.all || self.netns.is_some() {
            return Err(usage("--user goes with neither --all nor --netns".to_owned()));
        }
        match self.verb.unwrap_or(Verb::List { long: false }) {
            Verb::Up { names } => of_user::up(names, output),
            Verb::Reload { name } => of_user::reload(name, output),
            Verb::Down { names } => of_user::down(names, output),
            Verb::List { long: false } => names::list(&of_user()?, output),
            Verb::List { long: true } => names::list_long(&of_user()?, output),
            Verb::Identify { pid } => processes::identify(&of_user()?, pid, output),
            Verb::Pids { name } => processes::pids(&of_user()?, &name, output),
            Verb::Exec { words } => exec::exec_of_user(&of_user()?, &words),
            _ => Err(usage("--user is for up, reload, down, list, identify, pids and exec".to_owned())),
        }
    }
}

fn of_user() -> Result<Places, Error> {
    Places::of_caller().map_err(Error::NetnsList)
}

/// The exit status of `ip` for a command line that is no good.
pub fn usage_status(error: &clap::Error) -> u8 {
    match error.kind() {
        clap::error::ErrorKind::InvalidSubcommand => 255,
        _ => 1,
    }
}

fn failed(name: &str) -> impl FnOnce(netns::Error) -> Error {
    move |source| Error::Netns { name: name.to_owned(), source }
}

/// All outcomes: it was gone on after an error, and each is told.
fn all(outcomes: impl IntoIterator<Item = Result<(), Error>>) -> Result<(), Error> {
    let mut last = Ok(());
    for outcome in outcomes.into_iter().filter(Result::is_err) {
        if let Err(before) = std::mem::replace(&mut last, outcome) {
            before.tell();
        }
    }
    last
}

fn usage(text: String) -> Error {
    Error::NetnsUsage(text)
}

/// What `ip` takes for a name. It is wider than what a unit can be named after, since what `ip` has
/// made is to be listed, used and deleted as well.
fn valid_for_ip(name: &str) -> Result<&str, Error> {
    if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']) || name.len() > 255 {
        return Err(usage(format!("{name:?} is no name of a network namespace: it is to be that of a file")));
    }
    Ok(name)
}
