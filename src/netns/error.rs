//! What can go wrong with a named network namespace.

use std::io;
use std::path::{Path, PathBuf};

/// A step that failed, and on which file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system did not do as it was told.
    #[error("can't {action} {}: {source}", path.display())]
    System {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Something that is no pin has the pin's name.
    #[error("{} is neither a network namespace nor an empty file", .0.display())]
    Occupied(PathBuf),
    /// The pin is there for this process alone.
    #[error("{} is not seen by PID 1: this process has mounts of its own", .0.display())]
    Hidden(PathBuf),
    /// A `.netns` file asks for more than a plain namespace.
    #[error("{} is not supported yet: only network namespaces without a file can be made", .0.display())]
    Described(PathBuf),
    /// Several steps of a teardown failed; it went on after each.
    #[error("{}", .0.iter().map(Error::to_string).collect::<Vec<_>>().join("; "))]
    Several(Vec<Error>),
}

impl Error {
    pub(super) fn system(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        move |source| Error::System { action, path: path.to_owned(), source }
    }

    /// What to do about it.
    pub fn remedy(&self) -> Option<&'static str> {
        match self {
            Error::System { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Some("named network namespaces need root (CAP_SYS_ADMIN)")
            }
            Error::System { .. } => None,
            Error::Occupied(_) => Some("move it away, or choose another name"),
            Error::Hidden(_) => Some(
                "run it without PrivateMounts=, ProtectSystem= and other sandboxing, and outside of `ip netns exec`",
            ),
            Error::Described(_) => Some("move the file away to get a plain network namespace"),
            Error::Several(all) => all.iter().find_map(Error::remedy),
        }
    }
}
