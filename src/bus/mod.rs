//! systemd over D-Bus: units, jobs, properties and transient units.
//!
//! One connection a verb, and all of it within one [`block_on`], which starts no thread.
#![forbid(unsafe_code)]

pub mod address;
mod bridge;
pub mod exit_status;
pub mod transient;

mod connect;
mod error;
mod job;
mod next;
mod proxy;
mod started;
mod systemd;

pub use address::{Address, Place};
pub use error::Error;
pub use started::{Change, Outcome, Started};
pub use systemd::{Systemd, UnitState};
pub use zbus::block_on;

/// Asks the manager for a unit.
pub fn unit(address: impl Into<Address>, name: &str) -> Result<UnitState, Error> {
    block_on(async { Systemd::connect(&address.into()).await?.unit(name).await })
}

/// Waits until it answers, which it does not while it reads its files anew, and the drop-ins of generators
/// are away. Where it never answers there is nothing to wait for.
pub fn settle(address: impl Into<Address>) {
    let _ = block_on(async { Systemd::connect(&address.into()).await?.version().await });
}
