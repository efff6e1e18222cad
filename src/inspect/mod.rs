//! `/proc`: which namespaces a process is in, and what it sees of the system from there.
#![forbid(unsafe_code)]

pub mod clock;
pub mod extent;
pub mod process;
pub mod view;

pub use clock::Offsets;
pub use extent::Extent;
pub use process::Process;
pub use view::{View, Visible};
