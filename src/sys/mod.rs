//! Every system call that changes the process, and all of the project's `unsafe`.
//!
//! Thin and typed: nothing here knows of units or cells.
#![allow(unsafe_code)]

pub mod capability;
pub mod descriptors;
pub mod id_map;
pub mod identity;
pub mod mount;
pub mod namespace;
pub mod network;
pub mod nsfs;
pub mod own_program;
pub mod pin;
pub mod process;
pub mod regex;
pub mod seccomp;
pub mod signal;
pub mod subid;
pub mod system_call;
pub mod tty;
pub mod user_namespace;
