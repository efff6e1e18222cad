//! Why systemd could not be asked.

use crate::unit::Scope;

/// A question that got no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// systemd is not PID 1 here.
    #[error("this machine was not booted with systemd, so it has no units")]
    NotBooted,
    /// There is no bus, or it lets nobody in.
    #[error("can't reach the {} bus: {source}", match scope { Scope::System => "system", Scope::User => "user's" })]
    Connect {
        /// Whose.
        scope: Scope,
        /// Why not.
        source: zbus::Error,
    },
    /// systemd gave an error, or no answer in time.
    #[error("systemd did not tell about {unit}: {source}")]
    Call {
        /// What was asked for.
        unit: String,
        /// Its answer.
        source: zbus::Error,
    },
    /// systemd knows no such unit.
    #[error("there is no unit {0}")]
    NoSuchUnit(String),
}

impl Error {
    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Error::NotBooted => "give the process id instead of a unit: that needs no systemd",
            Error::Connect { scope: Scope::System, .. } => {
                "install dbus and `systemctl start dbus.socket`, or give the process id: that needs no bus"
            }
            Error::Connect { scope: Scope::User, .. } => {
                "see that XDG_RUNTIME_DIR is set and the user's manager runs (`loginctl enable-linger`), \
                 or give the process id: that needs no bus"
            }
            Error::Call { .. } => "see `systemctl status`, or give the process id",
            Error::NoSuchUnit(_) => "`systemctl list-units` lists what there is",
        }
    }
}
