//! `/proc`: which namespaces there are, who is in them, and what it sees of the system from there.
#![forbid(unsafe_code)]

pub mod clock;
pub mod control_group;
pub mod extent;
pub mod network;
pub mod pins;
pub mod process;
pub mod scan;
pub mod topology;
pub mod view;

pub use clock::Offsets;
pub use extent::Extent;
pub use process::Process;
pub use scan::Scan;
pub use view::{View, Visible};
