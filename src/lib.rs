//! Any systemd service in its own cell of Linux namespaces, declared in its unit file.
//!
//! Data runs one way: unit text ([`unit`]) → typed cell and plan ([`cell`]) → drop-ins
//! (`generator`) or system calls (`exec`).

pub mod cell;
pub mod exec;
pub mod generator;
pub mod netlink;
pub mod notify;
pub mod probe;
pub mod sys;
pub mod unit;
