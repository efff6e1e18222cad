//! The exec wrapper: sets a cell up and becomes the service.
//!
//! There is no Rust runtime around it: that would ignore SIGPIPE and open descriptors 0 to 2
//! before main, and the payload must get both as systemd set them.
#![no_main]

use std::ffi::{c_char, c_int};

#[expect(unsafe_code, reason = "the C runtime calls it by this name")]
#[unsafe(no_mangle)]
extern "C" fn main(_argc: c_int, _argv: *const *const c_char) -> c_int {
    unitcell::exec::main(std::env::args_os().skip(1)).into()
}
