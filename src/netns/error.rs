//! What can go wrong with a named network namespace.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;

use super::thing::Side;
use crate::netlink;
use crate::unit::Finding;

/// A step that failed, and on what.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system did not do as it was told with a file.
    #[error("can't {action} {}: {source}", path.display())]
    System {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It did not do as it was told otherwise; the words say what that was.
    #[error(transparent)]
    Other(#[from] io::Error),
    /// The kernel refused a change to links, addresses, routes or rules.
    #[error(transparent)]
    Netlink(#[from] netlink::Error),
    /// Something that is no pin has the pin's name.
    #[error("{} is neither a network namespace nor an empty file", .0.display())]
    Occupied(PathBuf),
    /// The pin is there for this process alone.
    #[error("{} is not seen by PID 1: this process has mounts of its own", .0.display())]
    Hidden(PathBuf),
    /// What describes the namespace is wrong.
    #[error("{}", .0.iter().map(Finding::to_string).collect::<Vec<_>>().join(" | "))]
    Described(Vec<Finding>),
    /// There is a file for the name, and another one is not to be made.
    #[error("{} describes it", .0.display())]
    AlreadyDescribed(PathBuf),
    /// Another namespace that is needed is not there.
    #[error("there is no network namespace {0}")]
    NoNamespace(String),
    /// There is no link of this name.
    #[error("there is no interface {name} {}", place(side))]
    NoLink {
        /// Its name.
        name: String,
        /// Where it should be.
        side: Side,
    },
    /// Somebody else's link has the name.
    #[error("there is an interface {name} {} already, and it is not ours", place(side))]
    LinkTaken {
        /// Its name.
        name: String,
        /// Where it is.
        side: Side,
    },
    /// `Address=auto` has nothing left to choose from.
    #[error("no network of {} is free", .0.iter().map(IpNet::to_string).collect::<Vec<_>>().join(", "))]
    PoolUsedUp(Vec<IpNet>),
    /// Somebody else on the link has these addresses.
    #[error("somebody else has the address {}", .0.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(", "))]
    Duplicate(Vec<IpAddr>),
    /// Waiting did not help.
    #[error("not ready in time: {}", .0.join(", "))]
    Late(Vec<String>),
    /// Nobody says where what belongs to a user's session is kept.
    #[error("XDG_RUNTIME_DIR is not set")]
    NoRuntimeDirectory,
    /// There is no namespace of its own to set up.
    #[error("this process is in the network namespace of the host")]
    OfHost,
    /// Several steps failed; it went on after each.
    #[error("{}", .0.iter().map(Error::to_string).collect::<Vec<_>>().join("; "))]
    Several(Vec<Error>),
}

impl Error {
    pub(super) fn system(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        move |source| Error::System { action, path: path.to_owned(), source }
    }

    /// Nothing, the one error that there is, or all of them.
    pub(super) fn of_all(mut errors: Vec<Error>) -> Result<(), Error> {
        match errors.len() {
            0 => Ok(()),
            1 => Err(errors.remove(0)),
            _ => Err(Error::Several(errors)),
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> Option<&'static str> {
        match self {
            Error::System { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Some("named network namespaces need root (CAP_SYS_ADMIN)")
            }
            Error::Netlink(error) if error.errno() == Some(libc::EPERM) => {
                Some("named network namespaces need root (CAP_NET_ADMIN)")
            }
            Error::System { .. } | Error::Other(_) | Error::Netlink(_) => None,
            Error::Occupied(_) => Some("move it away, or choose another name"),
            Error::Hidden(_) => Some(
                "run it without PrivateMounts=, ProtectSystem= and other sandboxing, and outside of `ip netns exec`",
            ),
            // Each finding has its own.
            Error::Described(_) => None,
            Error::AlreadyDescribed(_) => Some("`unitcell netns up` makes what it describes"),
            Error::NoNamespace(_) => Some("`unitcell netns up` it first"),
            Error::NoLink { .. } => Some("correct the name, or see that it is there before"),
            Error::LinkTaken { .. } => Some("give one of the two another name"),
            Error::PoolUsedUp(_) => Some("give another AddressPool="),
            Error::Duplicate(_) => Some("choose another address"),
            Error::Late(_) => Some("see what is at the other end of the link"),
            Error::NoRuntimeDirectory => Some("run it in a session or a service of the user"),
            Error::OfHost => Some("`systemctl --user start unitcell-netns@NAME` makes one"),
            Error::Several(all) => all.iter().find_map(Error::remedy),
        }
    }
}

fn place(side: &Side) -> String {
    match side {
        Side::Inside => "inside".to_owned(),
        Side::Host => "on the host".to_owned(),
        Side::Named(name) => format!("in network namespace {name}"),
    }
}
