//! Why systemd could not be asked.

use std::io;
use std::process::ExitStatus;

use zbus::DBusError;

use super::address::Place;
use crate::unit::Scope;

/// A question that got no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// systemd is not PID 1 here.
    #[error("this machine was not booted with systemd, so it has no units")]
    NotBooted,
    /// There is no bus, or it lets nobody in.
    #[error("can't reach the {} bus{}: {source}", whose(.scope), at(.place))]
    Connect {
        /// Whose.
        scope: Scope,
        /// Where.
        place: Place,
        /// Why not.
        source: Box<zbus::Error>,
    },
    /// The way to the bus could not be opened.
    #[error("can't reach {place}: {what}: {source}")]
    Bridge {
        /// Where to.
        place: Place,
        /// What failed.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// The program that was to speak with the bus ended, and has told why.
    #[error("can't reach {place}: {program} ended with {status}")]
    Ended {
        /// Where to.
        place: Place,
        /// Its name.
        program: String,
        /// How.
        status: ExitStatus,
    },
    /// No container of this name is registered.
    #[error("there is no machine {0}")]
    NoSuchMachine(String),
    /// systemd gave an error, or no answer in time.
    #[error("systemd {what}: {}", text(.source))]
    Call {
        /// What it would not do: `did not tell about a.service`.
        what: String,
        /// Its answer.
        source: Box<zbus::Error>,
    },
    /// systemd knows no such unit.
    #[error("there is no unit {0}")]
    NoSuchUnit(String),
    /// It is not systemd that answers, or another one than is known.
    #[error("systemd calls its version {0:?}, which nobody can make sense of")]
    Version(String),
    /// The bus has gone.
    #[error("the connection to systemd was lost")]
    Lost,
}

fn whose(scope: &Scope) -> &'static str {
    match scope {
        Scope::System => "system",
        Scope::User => "user's",
    }
}

fn at(place: &Place) -> String {
    match place {
        Place::Here => String::new(),
        place => format!(" of {place}"),
    }
}

/// The words of the answer, without the name that D-Bus has for it.
fn text(error: &zbus::Error) -> String {
    match error {
        zbus::Error::MethodError(_, Some(words), _) => words.clone(),
        zbus::Error::FDO(error) => error.description().unwrap_or_default().to_owned(),
        error => error.to_string(),
    }
}

impl Error {
    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Error::NotBooted => "units are only there where systemd was started first",
            Error::Ended { place: Place::Host(_), .. } => {
                "see that you may log in by ssh, and that systemd-stdio-bridge and dbus are there"
            }
            Error::Connect { place: Place::Host(_) | Place::Machine { .. }, .. } | Error::Ended { .. } => {
                "see that it runs systemd with dbus, and that you may log in"
            }
            Error::Connect { scope: Scope::System, .. } => "install dbus and `systemctl start dbus.socket`",
            Error::Connect { scope: Scope::User, .. } => {
                "install dbus-user-session, and see that XDG_RUNTIME_DIR is set and the user's manager runs \
                 (`loginctl enable-linger`)"
            }
            Error::Bridge { place: Place::Host(_), .. } => "install ssh, or name another one in $SYSTEMD_SSH",
            Error::Bridge { .. } => "entering a container takes root",
            Error::NoSuchMachine(_) => "`machinectl list` lists those that systemd-machined knows",
            Error::Call { source, .. } if is_denied(source) => "try it as root, or with --user",
            Error::Call { source, .. } if is_named(source, "org.freedesktop.systemd1.UnitExists") => {
                "give it another name, or `systemctl reset-failed` it if it is left from before"
            }
            Error::Call { source, .. } if is_invalid(source) => "correct the value",
            Error::Call { .. } => "see `systemctl status`",
            Error::NoSuchUnit(_) => "`systemctl list-units` lists what there is",
            Error::Version(_) | Error::Lost => "see `systemctl status`, and that dbus runs",
        }
    }
}

/// Has systemd answered with the error of this name?
pub(super) fn is_named(error: &zbus::Error, name: &str) -> bool {
    matches!(error, zbus::Error::MethodError(given, ..) if given.as_str() == name)
}

fn is_invalid(error: &zbus::Error) -> bool {
    matches!(error, zbus::Error::FDO(error) if matches!(**error, zbus::fdo::Error::InvalidArgs(_)))
        || is_named(error, "org.freedesktop.DBus.Error.InvalidArgs")
}

fn is_denied(error: &zbus::Error) -> bool {
    match error {
        zbus::Error::FDO(error) => matches!(
            **error,
            zbus::fdo::Error::AccessDenied(_)
                | zbus::fdo::Error::AuthFailed(_)
                | zbus::fdo::Error::InteractiveAuthorizationRequired(_)
        ),
        _ => false,
    }
}
