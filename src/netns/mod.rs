//! Named network namespaces: pins in `/run/netns`, which `ip netns` sees as we see its own, and the
//! `NAME.netns` files that describe what is in them.
//!
//! Text becomes a [`description`], that the list of things which are `desired`, and the difference
//! to those that were made before the changes. `up` and `reload` carry them out and `down` takes back
//! what `up` made; records in `/run/unitcell/netns` tell what that is. All of them look first and
//! then act, so each can be called again after any crash.
#![forbid(unsafe_code)]

pub mod description;

// The generator reads descriptions alone.
#[cfg(feature = "tool")]
mod tool {
    pub use super::down::{Down, down};
    pub use super::error::Error;
    pub use super::lifecycle::{Up, hold, reload, up};
    pub use super::list::{Named, held, list};
    pub use super::places::Places;
}
#[cfg(feature = "tool")]
pub use tool::*;

#[cfg(feature = "tool")]
mod addresses;
#[cfg(feature = "tool")]
mod at_once;
#[cfg(feature = "tool")]
mod carry;
#[cfg(feature = "tool")]
mod change;
#[cfg(feature = "tool")]
pub mod decide;
#[cfg(feature = "tool")]
mod desired;
#[cfg(feature = "tool")]
mod directory;
#[cfg(feature = "tool")]
mod dns;
#[cfg(feature = "tool")]
mod down;
#[cfg(feature = "tool")]
pub mod enter;
#[cfg(feature = "tool")]
pub mod error;
#[cfg(feature = "tool")]
mod facts;
#[cfg(feature = "tool")]
mod hash;
#[cfg(feature = "tool")]
mod ledger;
#[cfg(feature = "tool")]
pub mod lifecycle;
#[cfg(feature = "tool")]
pub mod list;
#[cfg(feature = "tool")]
pub mod monitor;
#[cfg(feature = "tool")]
mod pin;
#[cfg(feature = "tool")]
mod place;
#[cfg(feature = "tool")]
pub mod places;
#[cfg(feature = "tool")]
pub mod plain;
#[cfg(feature = "tool")]
mod pool;
#[cfg(feature = "tool")]
mod record;
#[cfg(feature = "tool")]
mod scene;
#[cfg(feature = "tool")]
mod settle;
#[cfg(feature = "tool")]
mod shared;
#[cfg(feature = "tool")]
pub mod sketch;
#[cfg(feature = "tool")]
mod thing;
#[cfg(feature = "tool")]
pub mod words;

/// What tells one network namespace from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "tool", derive(serde::Serialize, serde::Deserialize))]
pub struct Identity {
    /// The inode number, which a later namespace may get again.
    pub inode: u64,
    /// The number that none gets again, where the kernel has it.
    pub cookie: Option<u64>,
}
