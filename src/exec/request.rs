//! The wrapper's command line, read by the table of directives.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use crate::cell::capability::CAP_SYS_ADMIN;
use crate::cell::identity::{Identity, SETTINGS};
use crate::cell::steps::{Circumstances, Step};
use crate::cell::{Cell, DIRECTIVES, Directive, Finding, Kind, PrivateUsers};
use crate::notify::Access;
use crate::sys;

use super::by_hand::BY_HAND;

/// What the wrapper is to do.
#[derive(Debug)]
pub enum Action {
    /// Set the cell up and become the command.
    Run(Box<Request>),
    /// Print the steps.
    DryRun(Box<Request>),
    /// Fail, with this reason.
    Refuse(String),
    /// Print how it is used.
    Help,
    /// Print the version.
    Version,
}

impl Action {
    /// Whoever may make no namespace and asks for no user namespace gets one to make the others in: its
    /// ids stay the same. Not so in a unit, where systemd makes some of them: those would be
    /// left out of it.
    pub fn for_the_caller(mut self) -> Action {
        if let Action::Run(request) | Action::DryRun(request) = &mut self {
            let by_hand = request.sources.is_empty() && request.verify.is_empty();
            let asks =
                Kind::ALL.into_iter().any(|kind| request.cell.source(kind).is_some()) || request.cell.has_mounts();
            let has_user = request.cell.source(Kind::User).is_some();
            let unprivileged = || !nix::unistd::geteuid().is_root() && !request.circumstances().privileged;
            if by_hand && asks && !has_user && unprivileged() {
                request.cell.private_users = PrivateUsers::SelfOnly;
            }
        }
        self
    }
}

/// A cell to set up and a command to become.
#[derive(Debug, Default)]
pub struct Request {
    /// The namespaces to make and join.
    pub cell: Cell,
    /// Who the payload is.
    pub identity: Identity,
    /// The files that asked for all this.
    pub sources: Vec<String>,
    /// The manager's namespaces, which must have been left.
    pub verify: Vec<Step>,
    /// Hand the main process of the unit over to a process in a PID namespace?
    pub hand_over: bool,
    /// Tell the manager READY=1 right before the command is executed?
    pub ready: bool,
    /// Stand between the command and the manager's notification socket, for whom of its processes?
    pub relay: Option<Access>,
    /// Keep `$NOTIFY_SOCKET` from the command?
    pub hide_notify_socket: bool,
    /// Let all capabilities reach the command?
    pub keep_capabilities: bool,
    /// The command's working directory.
    pub working_directory: Option<String>,
    /// Where the wrapper's own files are mounted, in a root that has none of them.
    pub own_files: Option<PathBuf>,
    /// Where a command without a slash is looked for, instead of `$PATH`.
    pub search_path: Option<OsString>,
    /// What the command gets as its name, instead of its path.
    pub argv0: Option<OsString>,
    /// The command and its arguments.
    pub command: Vec<OsString>,
}

/// An option that is neither a directive nor a part of the identity.
pub(super) struct Control {
    pub flag: &'static str,
    pub value: Option<&'static str>,
    pub set: fn(&mut Parsed, &OsStr) -> Result<(), String>,
    pub summary: &'static str,
}

#[derive(Default)]
pub(super) struct Parsed {
    pub request: Request,
    dry_run: bool,
    refuse: Option<String>,
    help: bool,
    version: bool,
}

#[rustfmt::skip]
static CONTROLS: &[Control] = &[
    Control { flag: "verify", value: Some("TYPE:INODE[:DIRECTIVES]"),
        set: |parsed, text| { parsed.request.verify.push(parse_verify(text)?); Ok(()) },
        summary: "fail unless the process has left this namespace of the manager; repeatable" },
    Control { flag: "hand-over", value: None,
        set: |parsed, _| { parsed.request.hand_over = true; Ok(()) },
        summary: "in a PID namespace: make the child the unit's main process and leave" },
    Control { flag: "ready", value: None,
        set: |parsed, _| { parsed.request.ready = true; Ok(()) },
        summary: "send READY=1 when the cell is set up" },
    Control { flag: "relay", value: Some("main|all"),
        set: |parsed, text| { parsed.request.relay = Some(parse_access(text)?); Ok(()) },
        summary: "pass on what the main process, or every process, of the command tells the manager" },
    Control { flag: "hide-notify-socket", value: None,
        set: |parsed, _| { parsed.request.hide_notify_socket = true; Ok(()) },
        summary: "take NOTIFY_SOCKET out of the command's environment" },
    Control { flag: "own-files", value: Some("DIR"),
        set: |parsed, text| { parsed.request.own_files = Some(text.into()); Ok(()) },
        summary: "in another root: look users up in the files mounted here, and unmount them" },
    Control { flag: "search-path", value: Some("DIR[:DIR…]"),
        set: |parsed, text| { parsed.request.search_path = Some(text.to_owned()); Ok(()) },
        summary: "look here, not in $PATH, for a command without a slash" },
    Control { flag: "argv0", value: Some("NAME"),
        set: |parsed, text| { parsed.request.argv0 = Some(text.to_owned()); Ok(()) },
        summary: "the name that the command gets to see as its own" },
    Control { flag: "source", value: Some("FILE"),
        set: |parsed, text| { parsed.request.sources.push(text.to_string_lossy().into_owned()); Ok(()) },
        summary: "the file that asks for the cell, for messages; repeatable" },
    Control { flag: "refuse", value: Some("REASON"),
        set: |parsed, text| { parsed.refuse = Some(text.to_string_lossy().into_owned()); Ok(()) },
        summary: "do nothing but fail with this reason" },
    Control { flag: "dry-run", value: None,
        set: |parsed, _| { parsed.dry_run = true; Ok(()) },
        summary: "print the steps, carry out none" },
    Control { flag: "help", value: None,
        set: |parsed, _| { parsed.help = true; Ok(()) },
        summary: "print this" },
    Control { flag: "version", value: None,
        set: |parsed, _| { parsed.version = true; Ok(()) },
        summary: "print the version" },
];

fn parse_access(text: &OsStr) -> Result<Access, String> {
    text.to_str().and_then(|text| text.parse().ok()).ok_or_else(|| "takes main or all".to_owned())
}

fn parse_verify(text: &OsStr) -> Result<Step, String> {
    let parse = || {
        let mut fields = text.to_str()?.splitn(3, ':');
        let (kind, manager) = (Kind::from_proc_name(fields.next()?)?, fields.next()?.parse().ok()?);
        Some(Step::Verify { kind, manager, directives: fields.next().unwrap_or_default().to_owned() })
    };
    parse().ok_or_else(|| "takes TYPE:INODE, such as net:4026531840".to_owned())
}

/// One option, found in whichever table has it.
enum Known {
    Directive(&'static Directive),
    Setting(&'static crate::cell::identity::Setting),
    Control(&'static Control),
}

impl Known {
    fn find(flag: &str) -> Option<Known> {
        Directive::by_flag(flag)
            .map(Known::Directive)
            .or_else(|| SETTINGS.iter().find(|setting| setting.flag == flag).map(Known::Setting))
            .or_else(|| BY_HAND.iter().chain(CONTROLS).find(|control| control.flag == flag).map(Known::Control))
    }

    /// Is it complete without a value?
    fn is_switch(&self) -> bool {
        match self {
            Known::Directive(directive) => directive.is_switch(),
            Known::Setting(setting) => setting.value.is_none(),
            Known::Control(control) => control.value.is_none(),
        }
    }

    fn apply(&self, parsed: &mut Parsed, text: &OsStr) -> Result<(), String> {
        let utf8 = || text.to_str().ok_or_else(|| "takes text in UTF-8".to_owned());
        match self {
            Known::Directive(directive) => {
                let assigned = parsed.request.cell.assign(directive, utf8()?, None);
                assigned.map_err(|finding| finding.message)
            }
            Known::Setting(setting) => {
                (setting.set)(&mut parsed.request.identity, utf8()?).map_err(|error| error.to_string())
            }
            Known::Control(control) => (control.set)(parsed, text),
        }
    }
}

/// Reads the command line, without the program's own name.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Action, Vec<Finding>> {
    let mut arguments = arguments.into_iter();
    let mut parsed = Parsed::default();
    let error = |message: String| vec![Finding::error(None, message, "see unitcell-exec --help")];
    while let Some(argument) = arguments.next() {
        let bytes = argument.as_bytes();
        if bytes == b"--" {
            break;
        }
        let Some(option) = bytes.strip_prefix(b"--") else {
            if bytes.starts_with(b"-") && bytes.len() > 1 {
                return Err(error(format!("{} is no option", argument.display())));
            }
            parsed.request.command.push(argument);
            break;
        };
        let (flag, value) = match option.iter().position(|&byte| byte == b'=') {
            Some(equals) => (&option[..equals], Some(OsString::from_vec(option[equals + 1..].to_vec()))),
            None => (option, None),
        };
        let flag = String::from_utf8_lossy(flag).into_owned();
        let Some(known) = Known::find(&flag) else {
            return Err(error(format!("--{flag} is no option")));
        };
        let value = match value {
            Some(value) => value,
            None if known.is_switch() => OsString::from("yes"),
            None => arguments.next().ok_or_else(|| error(format!("--{flag} needs a value")))?,
        };
        known.apply(&mut parsed, &value).map_err(|message| error(format!("--{flag}: {message}")))?;
    }
    parsed.request.command.extend(arguments);
    parsed.action()
}

impl Parsed {
    fn action(self) -> Result<Action, Vec<Finding>> {
        if self.help {
            return Ok(Action::Help);
        }
        if self.version {
            return Ok(Action::Version);
        }
        if let Some(reason) = self.refuse {
            return Ok(Action::Refuse(reason));
        }
        let contradictions = self.request.cell.contradictions();
        if !contradictions.is_empty() {
            return Err(contradictions);
        }
        if self.request.command.is_empty() {
            return Err(vec![Finding::error(None, "no command to execute", "see unitcell-exec --help")]);
        }
        let request = Box::new(self.request);
        Ok(if self.dry_run { Action::DryRun(request) } else { Action::Run(request) })
    }
}

impl Request {
    /// What, beside the cell, shapes the steps.
    pub fn circumstances(&self) -> Circumstances {
        Circumstances {
            verify: self.verify.clone(),
            hand_over: self.hand_over,
            ready: self.ready,
            relay: self.relay,
            own_files: self.own_files.is_some(),
            privileged: sys::capability::has_effective(CAP_SYS_ADMIN).unwrap_or(false),
            keep_capabilities: self.keep_capabilities,
            working_directory: self.working_directory.clone(),
        }
    }

    /// The directives that a step is for.
    pub fn directives_of(&self, step: &Step) -> String {
        if let Step::Verify { directives, .. } = step {
            return directives.clone();
        }
        if let Step::Watch(watch_for) = step {
            let names = [("ReadyWhen=", &watch_for.ready_when), ("HealthProbe=", &watch_for.health_probe)];
            let asked = names.into_iter().filter(|(_, conditions)| !conditions.is_empty()).map(|(name, _)| name);
            return asked.collect::<Vec<_>>().join(", ");
        }
        let kinds = step.kinds();
        let mut names: Vec<String> =
            kinds.iter().map(|kind| self.cell.directives_of(kind)).filter(|names| !names.is_empty()).collect();
        names.dedup();
        names.join(", ")
    }
}

/// The text of `--help`.
pub fn help() -> String {
    use std::fmt::Write;
    let mut text = String::from(
        "Usage: unitcell-exec [OPTION…] [--] COMMAND [ARGUMENT…]\n\n\
         Sets up namespaces and becomes COMMAND. If one can't be had, COMMAND is not executed.\n",
    );
    let mut table = |title: &str, rows: Vec<(String, &str)>| {
        let _ = write!(text, "\n{title}:\n");
        for (option, summary) in rows {
            let _ = match option.len() {
                ..=38 => writeln!(text, "  {option:<38} {summary}"),
                _ => writeln!(text, "  {option}\n  {:38} {summary}", ""),
            };
        }
    };
    let option = |flag: &str, value: Option<&str>| match value {
        Some(value) => format!("--{flag}={value}"),
        None => format!("--{flag}"),
    };
    table(
        "The cell, as in [X-Unitcell]",
        DIRECTIVES
            .iter()
            .map(|row| match row.is_switch() {
                true => (format!("--{}[={}]", row.flag, row.value), row.summary),
                false => (option(row.flag, Some(row.value)), row.summary),
            })
            .collect(),
    );
    table(
        "Who the command is, as in systemd.exec(5)",
        SETTINGS.iter().map(|row| (option(row.flag, row.value), row.summary)).collect(),
    );
    table(
        "By hand only, in this order",
        BY_HAND.iter().map(|row| (option(row.flag, row.value), row.summary)).collect(),
    );
    table("Control", CONTROLS.iter().map(|row| (option(row.flag, row.value), row.summary)).collect());
    text
}

#[cfg(test)]
#[path = "tests/request.rs"]
mod tests;
