//! Which systemd a verb speaks to, by systemctl's options.

use super::Error;
use crate::bus::{Address, Place};
use crate::unit::Scope;

/// `--user`, `--system`, `--host=` and `--machine=`.
#[derive(Debug, clap::Args)]
pub struct Whom {
    /// Speak to the user's manager
    #[arg(long)]
    user: bool,
    /// Speak to the system's manager, which is the default
    #[arg(long, conflicts_with = "user")]
    system: bool,
    /// Speak to the manager of another host, by ssh
    #[arg(short = 'H', long, value_name = "[USER@]HOST", value_parser = |text: &str| Place::host(text))]
    host: Option<Place>,
    /// Speak to the manager of a container of this machine
    #[arg(short = 'M', long, value_name = "[USER@]MACHINE", conflicts_with = "host",
        value_parser = |text: &str| Place::machine(text))]
    machine: Option<Place>,
}

impl Whom {
    pub fn address(&self) -> Address {
        let place = self.host.as_ref().or(self.machine.as_ref());
        Address { scope: self.scope(), place: place.cloned().unwrap_or(Place::Here) }
    }

    pub fn scope(&self) -> Scope {
        if self.user { Scope::User } else { Scope::System }
    }

    /// For a verb that reads files or /proc: both are here, and no D-Bus hands them over.
    pub fn must_be_here(&self, verb: &'static str) -> Result<(), Error> {
        match self.elsewhere() {
            None | Some(Place::Here) => Ok(()),
            Some(place) => Err(Error::Elsewhere { verb, place: place.clone() }),
        }
    }

    /// Is another machine meant than the one whose files and processes are in sight?
    pub fn elsewhere(&self) -> Option<&Place> {
        self.host.as_ref().or(self.machine.as_ref())
    }
}
