//! Any systemd service in its own cell of Linux namespaces, declared in its unit file.
//!
//! Data runs one way: unit text ([`unit`]) → typed cell and plan → drop-ins or system calls.

pub mod cell;
pub mod exec;
pub mod notify;
pub mod sys;
pub mod unit;
