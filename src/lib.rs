//! Any systemd service in its own cell of Linux namespaces, declared in its unit file.
//!
//! Data runs one way: unit text ([`unit`]) → typed cell and plan ([`cell`]) → drop-ins
//! (`generator`) or system calls (`exec`).

#[cfg(feature = "tool")]
pub mod bus;
pub mod cell;
#[cfg(feature = "tool")]
pub mod cli;
#[cfg(feature = "tool")]
pub mod enter;
pub mod exec;
pub mod generator;
pub mod inspect;
pub mod netlink;
pub mod netns;
pub mod notify;
pub mod probe;
pub mod sys;
pub mod unit;
