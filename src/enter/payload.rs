//! The command, or a shell.

use std::convert::Infallible;
use std::env;
use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::Error;
use crate::sys::{process, signal};

/// Becomes the command, else the user's shell as a login shell; returns only if it can't.
pub fn execute(command: &[OsString]) -> Result<Infallible, Error> {
    let words =
        |words: &[&OsStr]| words.iter().map(|word| CString::new(word.as_bytes())).collect::<Result<Vec<_>, _>>();
    let (program, arguments) = match command {
        [program, ..] => (program.clone(), command.iter().map(OsString::as_os_str).collect::<Vec<_>>()),
        [] => {
            let shell = env::var_os("SHELL").unwrap_or_else(|| "/bin/sh".into());
            let mut name = OsString::from("-");
            name.push(Path::new(&shell).file_name().unwrap_or(&shell));
            return become_program(&shell, &words(&[&name]).map_err(|error| cannot(&shell, error.into()))?);
        }
    };
    let arguments = words(&arguments).map_err(|error| cannot(&program, error.into()))?;
    become_program(&program, &arguments)
}

fn become_program(program: &OsStr, arguments: &[CString]) -> Result<Infallible, Error> {
    let name = CString::new(program.as_bytes()).map_err(|error| cannot(program, error.into()))?;
    signal::give_broken_pipe_back().map_err(Error::system("give SIGPIPE back"))?;
    Err(cannot(program, process::execute_by_name(&name, arguments)))
}

fn cannot(program: &OsStr, source: std::io::Error) -> Error {
    Error::Execute { program: program.to_string_lossy().into_owned(), source }
}
