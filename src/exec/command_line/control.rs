//! Options that are neither a directive nor a part of the identity: what goes on beside the cell.

use std::ffi::OsStr;

use crate::cell::steps::Step;
use crate::cell::{Finding, Kind};
use crate::exec::request::{Action, Request};
use crate::notify::Access;

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
pub(super) static CONTROLS: &[Control] = &[
    Control { flag: "escaped", value: Some("expand|keep"),
        set: |_, _| Err("stands before all others".to_owned()),
        summary: "before all others: what follows has escapes, \\xHH; expand its $VARIABLES, or keep them" },
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
    Control { flag: "held", value: None,
        set: |parsed, _| { parsed.request.cell.held = true; Ok(()) },
        summary: "--network-namespace= means one that a process of this user's manager holds" },
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

impl Parsed {
    /// What it comes to.
    pub fn action(self) -> Result<Action, Vec<Finding>> {
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
