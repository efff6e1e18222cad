//! `unitcell netns exec`: a command in a named network namespace.

use std::ffi::{OsStr, OsString};
use std::io::{Write, stdout};
use std::os::unix::process::CommandExt;
use std::process::Command;

use super::{failed, usage, valid_for_ip};
use crate::cli::terminal::Terminal;
use crate::cli::{Error, output, style};
use crate::generator::facts::installed;
use crate::netns::{self, Places, enter};

const TAKES: &str = "exec takes a command, and before it the name of a network namespace or --all";

/// Becomes the command.
pub fn exec(places: &Places, words: &[OsString]) -> Result<(), Error> {
    let (name, program, arguments) = split(words)?;
    go_into(places, name)?;
    Err(became(program, arguments))
}

/// Becomes the command in one of the user's, where it sees what a service sees that is bound to it. The wrapper knows
/// how to get there without privilege.
pub fn exec_of_user(places: &Places, words: &[OsString]) -> Result<(), Error> {
    let (name, program, arguments) = split(words)?;
    let namespaces = netns::held(places, name).map_err(failed(name))?;
    let option = |flag: &str, file: &str| format!("--{flag}-namespace-path={}", namespaces.join(file).display());
    let source = Command::new(installed("unitcell-exec"))
        .args([option("user", "user"), option("network", "net"), format!("--resolver={name}")])
        .args(["--sysfs=/sys", "--"])
        .arg(program)
        .args(arguments)
        .exec();
    Err(Error::Execute { program: installed("unitcell-exec"), source })
}

/// The name, the command, and its arguments.
fn split(words: &[OsString]) -> Result<(&str, &OsStr, &[OsString]), Error> {
    let [name, program, arguments @ ..] = words else { return Err(Error::NetnsMissing(TAKES)) };
    let name = name.to_str().ok_or_else(|| usage(format!("{} is no name", name.display())))?;
    Ok((name, program, arguments))
}

/// Runs the command in each of them, one after the other, and goes on if it fails.
pub fn exec_in_all(places: &Places, command: &[OsString]) -> Result<(), Error> {
    if command.is_empty() {
        return Err(Error::NetnsMissing(TAKES));
    }
    for named in netns::list(places).map_err(Error::NetnsList)? {
        let mut stdout = stdout().lock();
        write!(stdout, "\nnetns: {}\n", named.name).and_then(|()| stdout.flush())?;
        let mut own = Command::new("/proc/self/exe");
        own.args(["netns", "exec"]).arg(&named.name).args(command);
        // Whatever is wrong with it, it has told itself.
        own.status()?;
    }
    Ok(())
}

/// Takes this process into it for good.
pub fn go_into(places: &Places, name: &str) -> Result<(), Error> {
    let warnings = enter::enter(places, valid_for_ip(name)?)
        .map_err(|source| Error::NetnsEnter { name: name.to_owned(), source })?;
    for warning in warnings {
        output::to_stderr(&Terminal::stderr().message(None, (style::WARNING, "warning"), &warning.to_string()));
    }
    Ok(())
}

fn became(program: &OsStr, arguments: &[OsString]) -> Error {
    let source = Command::new(program).args(arguments).exec();
    Error::Execute { program: program.display().to_string(), source }
}
