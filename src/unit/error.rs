//! What can be wrong with unit files.

use std::path::PathBuf;

use super::Location;

/// Something in a unit file, or about it, that stops us from trusting what we read.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct Error {
    /// The text that caused it; line 1, column 1 where it is the file as a whole.
    pub at: Location,
    /// What is wrong there.
    #[source]
    pub kind: ErrorKind,
}

impl Error {
    /// An error at a place.
    pub fn new(at: Location, kind: ErrorKind) -> Self {
        Self { at, kind }
    }
}

/// The kinds of [`Error`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// systemd gives up on a file with such a line.
    #[error("the line, with its continuations, is longer than 1 MiB")]
    LineTooLong,
    /// systemd takes a NUL for the end of a line, which nobody who sees the file expects.
    #[error("the file contains a NUL byte")]
    Nul,
    /// systemd gives up on a file with such a line, unless it is a comment.
    #[error("the line is not valid UTF-8")]
    InvalidUtf8,
    /// A header without the closing bracket.
    #[error("the section header does not end with ']'")]
    UnclosedSection,
    /// Quotes, backslashes or control characters between the brackets.
    #[error("the section name contains a quote, a backslash or a control character")]
    BadSectionName,
    /// The file could not be read.
    #[error("the file cannot be read: {0}")]
    Io(#[source] std::io::Error),
    /// More links than systemd follows, or a circle of them.
    #[error("too many symbolic links, or a loop of them")]
    SymlinkLoop,
    /// A pipe, socket or directory where a file should be.
    #[error("this is not a regular file")]
    NotRegular,
    /// Larger than any unit file has reason to be.
    #[error("the file is larger than {} MiB", .0 >> 20)]
    FileTooLarge(u64),
    /// The file name is not that of a unit or drop-in.
    #[error("{} is not the name of a unit or of a drop-in", .0.display())]
    NotAUnit(PathBuf),
    /// A quote is opened and never closed.
    #[error("a quotation mark is opened, but never closed")]
    UnbalancedQuotes,
    /// Prefixes, or nothing at all, where a command should be.
    #[error("the command line names no executable")]
    EmptyCommand,
    /// Neither an absolute path nor a plain file name.
    #[error("the executable \"{0}\" is neither an absolute path nor a plain file name")]
    BadExecutable(String),
    /// `@` wants one more word.
    #[error("the prefix '@' needs a second word, the name that the program is to see")]
    MissingArgv0,
}

impl ErrorKind {
    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            ErrorKind::Io(error) if error.kind() == std::io::ErrorKind::NotFound => {
                "give the path of a file that is there"
            }
            ErrorKind::Io(_) | ErrorKind::NotRegular => "see that it is a file, and may be read",
            ErrorKind::NotAUnit(_) => {
                "name a unit file, such as web.service, or a drop-in in its directory web.service.d"
            }
            _ => "mend the file",
        }
    }

    /// From the error of a system call on the file.
    pub(super) fn from_io(error: std::io::Error) -> Self {
        if error.raw_os_error() == Some(libc::ELOOP) { Self::SymlinkLoop } else { Self::Io(error) }
    }
}
