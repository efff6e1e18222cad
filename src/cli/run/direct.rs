//! Without systemd: the wrapper is executed in our place, and then the command in its.

use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::settings::Unusable;
use super::{Run, RunError};
use crate::generator::facts::installed_wrapper;

/// Becomes the command; what it returns is why that failed.
pub fn execute(run: &Run) -> RunError {
    let wrapper = wrapper();
    match command(run, &wrapper) {
        Ok(mut command) => {
            let source = command.exec();
            match source.kind() {
                std::io::ErrorKind::NotFound => RunError::NoWrapper(wrapper.display().to_string()),
                _ => RunError::Direct { program: wrapper.display().to_string(), source },
            }
        }
        Err(error) => error.into(),
    }
}

/// The wrapper beside this program, which need not be installed in a rescue system; else where it is
/// installed.
fn wrapper() -> PathBuf {
    let beside = env::current_exe().ok().and_then(|own| Some(own.parent()?.join("unitcell-exec")));
    beside.filter(|path| path.exists()).unwrap_or_else(|| installed_wrapper().into())
}

fn command(run: &Run, wrapper: &Path) -> Result<Command, Unusable> {
    // What only systemd can do is refused, and not left out.
    let of_systemd = [
        (!run.property.is_empty(), "--no-systemd: --property= is for systemd to carry out"),
        (run.pty || run.shell, "--no-systemd: --pty and --shell need systemd; the command has the terminal as it is"),
        (run.unit.is_some() || run.slice.is_some(), "--no-systemd: without systemd there is neither unit nor slice"),
        (run.service_type.is_some() || run.remain_after_exit, "--no-systemd: without systemd there is no service"),
        (
            run.no_block || run.wait_ready,
            "--no-systemd: the command takes our place, so nobody is left to wait or not to",
        ),
        (run.nice.is_some() || run.send_sighup, "--no-systemd: use nice(1) instead of --nice="),
    ];
    if let Some((_, words)) = of_systemd.into_iter().find(|(asked, _)| *asked) {
        return Err(Unusable::Combination(words));
    }
    if run.command.is_empty() {
        return Err(Unusable::Combination("there is no command to run"));
    }
    let mut command = Command::new(wrapper);
    command.args(run.cell.0.iter().map(|(directive, value)| format!("--{}={value}", directive.flag)));
    for (flag, value) in [("user", &run.uid), ("group", &run.gid)] {
        command.args(value.as_ref().map(|value| format!("--{flag}={value}")));
    }
    if let Some(directory) = &run.working_directory {
        command.current_dir(directory);
    }
    for variable in &run.setenv {
        if let Some((name, value)) = variable.split_once('=') {
            command.env(name, value);
        }
    }
    command.arg("--").args(run.command.iter().map(OsString::as_os_str));
    Ok(command)
}
