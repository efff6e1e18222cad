//! Holds the namespaces that it is started in, and does nothing, until a signal ends it: for a user's
//! manager, which can't pin a namespace where others would find it.
#![no_main]

use std::ffi::{c_char, c_int};

#[expect(unsafe_code, reason = "the C runtime calls it by this name")]
#[unsafe(no_mangle)]
extern "C" fn main(_argc: c_int, _argv: *const *const c_char) -> c_int {
    loop {
        nix::unistd::pause();
    }
}
