//! `/proc`: which namespaces there are, who is in them, and what it sees of the system from there.
#![forbid(unsafe_code)]

#[cfg(feature = "tool")]
pub mod clock;
pub mod control_group;
#[cfg(feature = "tool")]
pub mod network;
pub mod pins;
pub mod process;
#[cfg(feature = "tool")]
pub mod scan;
#[cfg(feature = "tool")]
pub mod topology;
pub mod unit;
#[cfg(feature = "tool")]
pub mod view;

#[cfg(feature = "tool")]
pub use clock::Offsets;
pub use process::Process;
#[cfg(feature = "tool")]
pub use scan::Scan;
pub use unit::{HIERARCHY, MainProcess};
#[cfg(feature = "tool")]
pub use view::{View, Visible};
