//! The wrapper's command line, read by the table of directives.

mod by_hand;
mod control;
mod escaped;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::cell::identity::{SETTINGS, Setting};
use crate::cell::{DIRECTIVES, Directive, Finding};

use super::request::Action;
use by_hand::BY_HAND;
use control::{CONTROLS, Control, Parsed};

/// One option, found in whichever table has it.
enum Known {
    Directive(&'static Directive),
    Setting(&'static Setting),
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
            // In a unit file that goes back to the default. Here it is a variable that was not set.
            Known::Directive(_) if text.is_empty() => Err("needs a value".to_owned()),
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
    let error = |message: String| vec![Finding::error(None, message, "see unitcell-exec --help")];
    let mut arguments = escaped::read(arguments.into_iter().collect()).map_err(error)?.into_iter();
    let mut parsed = Parsed::default();
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
mod tests;
