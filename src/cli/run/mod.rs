//! `unitcell run`: a command as a transient service in a cell.

mod cell_options;
mod direct;
mod ending;
mod error;
mod facts;
mod follow;
mod mailbox;
mod settings;

use std::ffi::OsString;
use std::io::{IsTerminal, stdin, stdout};
use std::path::Path;
use std::process::ExitCode;

use self::cell_options::{CellOptions, LeftToOthers, something};
pub use self::error::RunError;
use self::follow::Follow;
use self::settings::{Setting, Unusable};
use super::output::{Output, to_stderr};
use super::terminal::Terminal;
use super::whom::Whom;
use super::{Error, pty, verify};
use crate::bus::transient::{self, Property};
use crate::bus::{self, Place, Systemd};
use crate::cell::{Plan, plan};
use crate::sys::process;
use crate::sys::tty::Pty;
use crate::unit::{UnitName, UnitType};

/// Run a command as a transient service in a cell
///
/// The cell is asked for by options with the names and values of the directives of [X-Unitcell]; all else is as
/// systemd-run has it. What would be refused in a unit file is refused, and nothing is started.
///
/// Without --wait, --pty and --pipe it returns when the service has started: the cell is set up, and the command
/// executed. With one of them it waits for the end and exits with the command's own status, with 255 where a
/// signal ended it; Ctrl-C stops the service, and a second one leaves it alone.
#[derive(Debug, clap::Args)]
pub struct Run {
    #[command(flatten)]
    whom: Whom,
    /// The name of the unit
    #[arg(short, long, value_name = "UNIT")]
    unit: Option<String>,
    /// A setting of the unit; repeatable
    #[arg(short, long, value_name = "NAME=VALUE")]
    property: Vec<String>,
    /// What it is, for people
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// The slice that it is in
    #[arg(long, value_name = "SLICE")]
    slice: Option<String>,
    /// When it counts as started, instead of when it is executed
    #[arg(long, value_name = "TYPE")]
    service_type: Option<String>,
    /// Become this user
    #[arg(long, value_name = "USER", value_parser = something)]
    uid: Option<String>,
    /// Become a member of this group
    #[arg(long, value_name = "GROUP", value_parser = something)]
    gid: Option<String>,
    /// Be as nice as that
    #[arg(long, value_name = "NICE", allow_hyphen_values = true)]
    nice: Option<String>,
    /// Start in this directory
    #[arg(long, value_name = "PATH")]
    working_directory: Option<String>,
    /// Start in the current directory
    #[arg(short = 'd', long, conflicts_with = "working_directory")]
    same_dir: bool,
    /// Set a variable, or hand one on; repeatable
    #[arg(short = 'E', long, value_name = "NAME[=VALUE]")]
    setenv: Vec<String>,
    /// Let systemd expand $VARIABLES in the command
    #[arg(long, value_name = "BOOL", default_value = "yes", value_parser = boolean, action = clap::ArgAction::Set)]
    expand_environment: bool,
    /// Stay active after the command has ended
    #[arg(short = 'r', long)]
    remain_after_exit: bool,
    /// Send SIGHUP, too, when it is stopped
    #[arg(long)]
    send_sighup: bool,
    /// Connect it with a pseudo terminal of its own
    #[arg(short = 't', long)]
    pty: bool,
    /// Let it have the standard input, output and error
    #[arg(short = 'P', long)]
    pipe: bool,
    /// Run $SHELL if no command is given, with --pty, --same-dir and --collect
    #[arg(short = 'S', long, conflicts_with_all = ["no_block", "pipe"])]
    shell: bool,
    /// Wait until it has ended
    #[arg(long)]
    wait: bool,
    /// Wait until it is ready, tell what is awaited, and why it failed
    #[arg(long)]
    wait_ready: bool,
    /// Do not even wait until it has started
    #[arg(long, conflicts_with_all = ["wait", "wait_ready", "pty", "pipe"])]
    no_block: bool,
    /// Forget the unit when it has ended, even one that failed
    #[arg(short = 'G', long)]
    collect: bool,
    /// Tell nothing but errors
    #[arg(short, long)]
    quiet: bool,
    /// Do without systemd: set the cell up and become the command
    #[arg(long)]
    no_systemd: bool,
    #[command(flatten)]
    cell: CellOptions,
    #[command(flatten)]
    left: LeftToOthers,
    /// The command and its arguments
    #[arg(value_name = "COMMAND", trailing_var_arg = true)]
    command: Vec<OsString>,
}

fn boolean(text: &str) -> Result<bool, &'static str> {
    crate::unit::value::parse_boolean(text).ok_or("neither yes nor no")
}

/// How the service's standard streams are connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Streams {
    /// As its settings say.
    Own,
    Pty,
    Pipe,
}

impl Run {
    pub fn run(self, output: &Output) -> Result<ExitCode, Error> {
        self.check().map_err(RunError::from)?;
        if self.no_systemd {
            return Err(direct::execute(&self).into());
        }
        let streams = self.streams();
        let pty = (streams == Streams::Pty).then(Pty::open).transpose().map_err(Error::Terminal)?;
        if let Some(pty) = &pty {
            pty.resize_like(stdout()).map_err(Error::Terminal)?;
        }
        let settings = settings::settings(&self, pty.as_ref()).map_err(RunError::from)?;
        if self.waits() {
            // Before there are other threads, which are to hold them as well.
            pty::hold_signals().map_err(Error::Terminal)?;
        }
        bus::block_on(self.start(&settings, streams, pty, output))
    }

    /// What a person can only mean one way is refused where it is meant in two.
    fn check(&self) -> Result<(), Unusable> {
        let combination = |wrong: bool, words| if wrong { Err(Unusable::Combination(words)) } else { Ok(()) };
        let remote = matches!(self.whom.elsewhere(), Some(Place::Host(_)));
        let connected = self.pty || self.pipe || self.shell;
        combination(
            remote && connected,
            "--pty, --pipe and --shell hand over open files, which no connection to another host can: \
             use `ssh -t HOST unitcell run --pty …`",
        )?;
        combination(
            self.whom.elsewhere().is_some() && (self.pty || self.shell),
            "--pty and --shell need a terminal that the container has, too: use --pipe",
        )?;
        combination(
            self.whom.elsewhere().is_some() && (self.same_dir || self.shell),
            "--same-dir means a directory of this machine, and the command is to run on another",
        )?;
        let tells = self.cell.0.iter().any(|(directive, _)| directive.name == "ReadyWhen")
            || self.service_type.as_deref().is_some_and(|kind| !matches!(kind, "simple" | "exec"));
        combination(
            self.wait_ready && !tells,
            "--wait-ready: nothing tells when the service is ready; add --ready-when=, such as --ready-when=tcp:8080",
        )?;
        combination(self.no_systemd && self.whom.elsewhere().is_some(), "--no-systemd is for this machine")
    }

    fn streams(&self) -> Streams {
        let terminal = || stdin().is_terminal() && stdout().is_terminal();
        match (self.pty || self.shell, self.pipe) {
            // As systemd-run has it: whichever fits.
            (true, true) if terminal() => Streams::Pty,
            (_, true) => Streams::Pipe,
            (true, false) => Streams::Pty,
            (false, false) => Streams::Own,
        }
    }

    /// Is the end of the service awaited?
    fn waits(&self) -> bool {
        self.wait || self.pty || self.pipe || self.shell
    }

    async fn start(
        &self,
        settings: &[Setting],
        streams: Streams,
        pty: Option<Pty>,
        output: &Output,
    ) -> Result<ExitCode, Error> {
        let address = self.whom.address();
        let systemd = Systemd::connect(&address).await.map_err(RunError::Bus)?;
        let name = self.name(&systemd)?;
        let mut manager = facts::manager(&systemd, &address).await.map_err(RunError::Bus)?;
        if !self.cell.0.is_empty() && manager.namespaces.len() < crate::cell::Kind::ALL.len() {
            let asker = format!("{}-namespaces.service", name.prefix());
            manager.namespaces = facts::ask_for_namespaces(&systemd, &asker).await.map_err(RunError::Bus)?;
        }

        let unit = transient::unit(name.clone(), settings);
        let plan = plan(&unit, &manager);
        let terminal = Terminal::stderr();
        to_stderr(&verify::given_findings(name.as_str(), &plan.findings, terminal));
        if plan.is_refused() {
            return Ok(ExitCode::FAILURE);
        }
        if !plan.steps.is_empty() && self.whom.elsewhere().is_none() && !Path::new(&manager.wrapper).exists() {
            return Err(RunError::NoWrapper(manager.wrapper).into());
        }
        let mut properties = transient::properties(&unit, &lines(&plan)).map_err(RunError::from)?;
        if !self.no_block {
            // It stays known until we have asked how it ended.
            properties.push(Property::new("AddRef", true));
        }
        if streams == Streams::Pipe {
            properties.extend(transient::standard_streams().map_err(Error::Terminal)?);
        }
        if let (Some(_), false) = (&pty, self.quiet) {
            to_stderr(&format!("Running as unit: {name}\nPress ^] three times within 1s to disconnect TTY.\n"));
        }
        Follow { run: self, systemd: &systemd, output, terminal }.start(&name, &properties, pty).await
    }

    /// The name that was asked for, or one that nobody else has: by that of the connection, which the
    /// bus gives out once.
    fn name(&self, systemd: &Systemd) -> Result<UnitName, RunError> {
        let text = match &self.unit {
            Some(text) if text.ends_with(".service") => text.clone(),
            Some(text) => format!("{text}.service"),
            None => match systemd.own_name().and_then(|name| name.strip_prefix(":1.")) {
                Some(number) => format!("run-u{number}.service"),
                // That of this process then, which systemd-run takes as well.
                None => format!("run-p{}-i{}.service", process::id(), process::pidfd_inode().unwrap_or_default()),
            },
        };
        let name = UnitName::new(&text).map_err(|source| RunError::Name { text: text.clone(), source })?;
        debug_assert_eq!(name.type_(), UnitType::Service);
        match name.is_template() {
            true => Err(Unusable::Combination("--unit: a template is no unit, name an instance of it").into()),
            false => Ok(name),
        }
    }
}

/// What the plan says beside the unit.
fn lines(plan: &Plan) -> Vec<(&'static str, &'static str, String)> {
    let unit = plan.unit_lines.iter().map(|(key, value)| ("Unit", *key, value.clone()));
    let service = plan.service_lines.iter().map(|(key, value)| ("Service", *key, value.clone()));
    unit.chain(service).collect()
}
