//! From options to the settings of a unit.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::Run;
use crate::bus::transient;
use crate::cell::SECTION;
use crate::sys::tty::Pty;
use crate::unit::words::quote;

/// A setting: section, key and value.
pub type Setting = (&'static str, String, String);

/// Options that can't be had, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// One of them is no setting.
    #[error("--property={0}: write NAME=VALUE")]
    NoAssignment(String),
    /// systemd may know it, but nothing is known here of its type.
    #[error("--property={name}=: no setting of this name is known{}", .similar.map(|name| format!("; did you mean {name}=?")).unwrap_or_default())]
    UnknownSetting {
        /// As it was given.
        name: String,
        /// One that is known.
        similar: Option<&'static str>,
    },
    /// A value that only a unit file could have.
    #[error("--{flag}={value}: '%' is for specifiers, which unit files have and transient units have not")]
    Specifier {
        /// Its option.
        flag: &'static str,
        /// Its value.
        value: String,
    },
    /// The command could not be found.
    #[error("there is no program {0} to execute")]
    NoProgram(String),
    /// D-Bus carries text.
    #[error("{0:?} is no text in UTF-8, and D-Bus carries no other")]
    NotText(OsString),
    /// There is no such directory any more.
    #[error("--same-dir: there is no current directory: {0}")]
    NoDirectory(std::io::Error),
    /// Several that don't go together, or one that lacks another.
    #[error("{0}")]
    Combination(&'static str),
}

fn text(word: &OsStr) -> Result<String, Unusable> {
    word.to_str().map(str::to_owned).ok_or_else(|| Unusable::NotText(word.to_owned()))
}

/// All settings that the options come to.
pub fn settings(run: &Run, pty: Option<&Pty>) -> Result<Vec<Setting>, Unusable> {
    let mut settings: Vec<Setting> = Vec::new();
    let command = command(run)?;
    let words: Vec<String> = command.iter().map(quote).collect();
    let mut add = |section, key: &str, value: String| settings.push((section, key.to_owned(), value));

    add("Unit", "Description", run.description.clone().unwrap_or_else(|| words.join(" ")));
    if run.collect || run.shell {
        add("Unit", "CollectMode", "inactive-or-failed".to_owned());
    }
    // Not when it is forked but when it is executed, or the cell is set up, it counts as started.
    add("Service", "Type", run.service_type.clone().unwrap_or_else(|| "exec".to_owned()));
    let directory = match run.same_dir || run.shell {
        true => Some(text(env::current_dir().map_err(Unusable::NoDirectory)?.as_os_str())?),
        false => run.working_directory.clone(),
    };
    let optional = [
        ("User", &run.uid),
        ("Group", &run.gid),
        ("Slice", &run.slice),
        ("Nice", &run.nice),
        ("WorkingDirectory", &directory),
    ];
    for (key, value) in optional {
        if let Some(value) = value {
            add("Service", key, value.clone());
        }
    }
    for (set, key) in [(run.remain_after_exit, "RemainAfterExit"), (run.send_sighup, "SendSIGHUP")] {
        if set {
            add("Service", key, "yes".to_owned());
        }
    }
    if let Some(pty) = pty {
        for key in ["StandardInput", "StandardOutput", "StandardError"] {
            add("Service", key, "tty".to_owned());
        }
        add("Service", "TTYPath", pty.path.clone());
        // What a terminal can do is told by these.
        for name in ["TERM", "COLORTERM", "NO_COLOR"] {
            if let Ok(value) = env::var(name) {
                add("Service", "Environment", quote(format!("{name}={value}")));
            }
        }
    }
    for variable in &run.setenv {
        let assignment = match (variable.contains('='), env::var(variable)) {
            (true, _) => variable.clone(),
            (false, Ok(value)) => format!("{variable}={value}"),
            // What we have not got we can't hand on.
            (false, Err(_)) => continue,
        };
        add("Service", "Environment", quote(assignment));
    }
    for property in &run.property {
        let (name, value) = property.split_once('=').ok_or_else(|| Unusable::NoAssignment(property.clone()))?;
        let section = transient::section_of(name)
            .ok_or_else(|| Unusable::UnknownSetting { name: name.to_owned(), similar: transient::nearest(name) })?;
        add(section, name, value.to_owned());
    }
    for (directive, value) in &run.cell.0 {
        if value.contains('%') {
            return Err(Unusable::Specifier { flag: directive.flag, value: value.clone() });
        }
        add(SECTION, directive.name, value.clone());
    }
    let prefix = if run.expand_environment { "" } else { ":" };
    let mut line = quote(format!("{prefix}{}", command[0]));
    for word in &words[1..] {
        line.push(' ');
        line.push_str(word);
    }
    add("Service", "ExecStart", line);
    Ok(settings)
}

/// The command, its program found.
fn command(run: &Run) -> Result<Vec<String>, Unusable> {
    let mut words: Vec<String> = run.command.iter().map(|word| text(word)).collect::<Result<_, _>>()?;
    if words.is_empty() && run.shell {
        words.push(env::var("SHELL").unwrap_or_else(|_| "/bin/sh".to_owned()));
    }
    let Some(program) = words.first_mut() else {
        return Err(Unusable::Combination("there is no command to run; --shell would run a shell"));
    };
    if run.whom.elsewhere().is_none() {
        *program = text(find(program).ok_or_else(|| Unusable::NoProgram(program.clone()))?.as_os_str())?;
    }
    Ok(words)
}

/// Where a program is, by our own idea of where to look, as systemd-run has it.
fn find(program: &str) -> Option<PathBuf> {
    if program.contains('/') {
        return std::path::absolute(program).ok().filter(|path| path.exists());
    }
    let search_path = env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/local/bin:/usr/bin:/bin"));
    let executable =
        |path: &PathBuf| nix::unistd::access(path, nix::unistd::AccessFlags::X_OK).is_ok() && path.is_file();
    env::split_paths(&search_path)
        .filter(|directory| directory.is_absolute() && !directory.as_os_str().as_bytes().is_empty())
        .map(|directory| directory.join(Path::new(program)))
        .find(executable)
}
