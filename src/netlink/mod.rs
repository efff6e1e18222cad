//! Netlink sockets: what the kernel tells of a network namespace, netlink(7).
//!
//! By hand over plain sockets: the wrapper asks two questions, and each crate costs more than these.
#![forbid(unsafe_code)]

pub mod message;
pub mod sock_diag;
