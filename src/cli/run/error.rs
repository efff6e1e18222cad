//! Why a command was not run, and what to do about it.

use super::settings::Unusable;
use crate::bus::transient::Untranslatable;
use crate::bus::{self, Place};
use crate::unit::NameError;

/// Why a command was not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The options.
    #[error(transparent)]
    Options(#[from] Unusable),
    /// A setting that can't be handed to systemd.
    #[error(transparent)]
    Setting(#[from] Untranslatable),
    /// The name of the unit.
    #[error("--unit={text}: {source}")]
    Name {
        /// As it was given.
        text: String,
        /// What is wrong with it.
        source: NameError,
    },
    /// systemd could not be reached.
    #[error(transparent)]
    Bus(bus::Error),
    /// The wrapper is not there.
    #[error("unitcell-exec, which sets the cell up, is not installed at {0}")]
    NoWrapper(String),
    /// It could not be executed without systemd.
    #[error("can't execute {program}: {source}")]
    Direct {
        /// What.
        program: String,
        /// Why not.
        source: std::io::Error,
    },
}

impl RunError {
    /// What to do about it.
    pub fn remedy(&self) -> Option<String> {
        Some(match self {
            RunError::Bus(bus::Error::NotBooted) => {
                "--no-systemd sets the cell up without one, and becomes the command".to_owned()
            }
            RunError::Bus(error @ bus::Error::Connect { place: Place::Here, .. }) => {
                format!("{}; --no-systemd does without systemd", error.remedy())
            }
            RunError::Bus(error) => error.remedy().to_owned(),
            RunError::NoWrapper(_) => "`make install` puts it there".to_owned(),
            RunError::Options(Unusable::UnknownSetting { .. }) => {
                "give it to the unit with `systemctl set-property`, or write a unit file".to_owned()
            }
            _ => return None,
        })
    }
}
