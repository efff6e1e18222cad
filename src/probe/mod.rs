//! Readiness and health: conditions of a running service, watched from beside it.
//!
//! The watcher is a process of the service's own identity, in all of its cell's namespaces. What it
//! waits for it learns from the kernel; where that has no event to offer (it tells nobody of a
//! listen(2)), it looks again after a pause that grows with the time that has passed.
#![forbid(unsafe_code)]

pub mod watch;

mod command;
mod path;
mod socket;

pub use watch::{Ended, Watch};
