//! Netlink: what the kernel has in a network namespace, and having it changed, netlink(7).
//!
//! What is asked for is a value ([`message::Request`]), made by one file a subject; a [`Socket`]
//! carries out many of them with one send, and each failure is told with the kernel's own words.
//!
//! By hand, over plain sockets. The crates that were weighed either bring tokio (rtnetlink), run
//! `nft` (nftables) or a thread (neli), or lack what is needed here: netlink-bindings knows no data
//! of veth, macvlan and ipvlan links, and opens its sockets when they are first used. A socket speaks
//! for the namespace that its thread was in at that moment, so ours are opened where it is told.
#![forbid(unsafe_code)]

pub mod address;
pub mod error;
mod ip;
pub mod link;
pub mod message;
pub mod nat;
pub mod nsid;
pub mod route;
pub mod settle;
pub mod sock_diag;
pub mod socket;
pub mod sysctl;

pub use error::{Error, Refusal};
pub use message::Request;
pub use socket::Socket;
