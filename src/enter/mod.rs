//! Making and entering namespaces by hand: what `unshare` and `nsenter` do, as util-linux does it.
//!
//! Unlike the wrapper this goes by what is typed: nothing is verified against a manager, and the
//! order of things is unshare(1)'s and nsenter(1)'s.
#![forbid(unsafe_code)]

mod child;
mod credentials;
mod error;
mod id_map;
mod nsenter;
mod opened;
mod payload;
mod pins;
mod target;
mod unshare;

pub use error::Error;
pub use id_map::{IdMap, Ranges, all_of, own_subids, parse_range};
pub use nsenter::{Id, Nsenter, Place, Source};
pub use target::Target;
pub use unshare::{BINFMT, Binfmt, Child, Unshare};
