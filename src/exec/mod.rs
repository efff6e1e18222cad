//! The wrapper: options in, steps carried out, exec last.
#![forbid(unsafe_code)]

pub mod report;
pub mod request;

mod beside;
mod carry;
mod command_line;
mod environment;
mod failure;
mod fork;
mod init;
mod program;
mod relay;
mod session;
mod subordinate;
mod users;
mod watcher;

use std::ffi::OsString;
use std::io::Write;

use crate::cell::steps::{ExitStatus, steps};
use failure::Failure;
use report::{Priority, Report};
use request::{Action, Request};

/// Runs the wrapper; returns, with the status to exit with, only where the payload did not start.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let report = Report::for_this_process();
    let failure = match command_line::parse(arguments).map(Action::for_the_caller) {
        Ok(Action::Run(request)) => match carry::carry_out(&request, &report) {
            Err(failure) => failure,
            Ok(never) => match never {},
        },
        Ok(Action::DryRun(request)) => return print(&dry_run(&request)),
        Ok(Action::Refuse(reason)) => Failure::refusal(reason),
        Ok(Action::Help) => return print(&command_line::help()),
        Ok(Action::Version) => return print(concat!("unitcell-exec ", env!("CARGO_PKG_VERSION"), "\n")),
        Err(findings) => Failure::bad_options(&findings),
    };
    report.tell(Priority::Error, &failure.to_string(), &failure.directives);
    failure.status as u8
}

fn dry_run(request: &Request) -> String {
    let steps = steps(&request.cell, &request.identity, &request.circumstances());
    steps.iter().map(|step| format!("{step}\n")).collect()
}

fn print(text: &str) -> u8 {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => 0,
        Err(_) => ExitStatus::InvalidArgument as u8,
    }
}
