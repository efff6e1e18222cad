//! Why the command was not executed.

use std::fmt;
use std::io;
use std::path::Path;

/// An error that ends `unshare` or `nsenter`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The kernel refused something.
    #[error("can't {doing}: {source}")]
    System {
        /// What was to be done.
        doing: String,
        /// Why it was not.
        source: io::Error,
        /// What most likely helps.
        remedy: Option<&'static str>,
    },
    /// It can't be done as it was asked for.
    #[error("{0}")]
    Request(String),
    /// The command itself could not be executed.
    #[error("can't execute {program}: {source}")]
    Execute {
        /// The command.
        program: String,
        /// Why not.
        source: io::Error,
    },
}

impl Error {
    /// For `map_err`: what was to be done when the kernel refused.
    pub(super) fn system(doing: impl fmt::Display) -> impl FnOnce(io::Error) -> Error {
        move |source| Error::System { doing: doing.to_string(), source, remedy: None }
    }

    /// The same of a file.
    pub(super) fn of_file(doing: &str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        Error::system(format!("{doing} {}", path.display()))
    }

    /// The same of namespaces, which have few reasons to fail.
    pub(super) fn of_namespaces(doing: impl fmt::Display) -> impl FnOnce(io::Error) -> Error {
        move |source| {
            let remedy = match source.raw_os_error() {
                Some(libc::EPERM) => Some("be root, or make a user namespace first, which --map-root-user does"),
                Some(libc::ENOSPC | libc::EUSERS) => Some("see the limits in /proc/sys/user"),
                Some(libc::EINVAL) => {
                    Some("this kernel has no namespaces of that type, or can't enter this one from here")
                }
                _ => None,
            };
            Error::System { doing: doing.to_string(), source, remedy }
        }
    }

    /// The exit status: a shell's where the command could not be executed.
    pub fn exit_status(&self) -> u8 {
        match self {
            Error::Execute { source, .. } if source.kind() == io::ErrorKind::NotFound => 127,
            Error::Execute { .. } => 126,
            Error::System { .. } | Error::Request(_) => 1,
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> Option<&'static str> {
        match self {
            Error::System { remedy, .. } => *remedy,
            Error::Request(_) | Error::Execute { .. } => None,
        }
    }
}
