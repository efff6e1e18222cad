//! What a test service runs: it writes down all that it can see of itself, then acts.
//!
//! `payload step …` is another program: see `step.rs`.
//! `payload FILE [exit N | signal N | sleep | sleep-handled | notify | notify-reload] [calls]`
//!
//! With `calls` at the end it also tries system calls that a sandbox may deny.
//!
//! There is no Rust runtime in it (`no_main`): the runtime would ignore SIGPIPE, and the point is
//! to see signal dispositions, descriptors and limits exactly as they were handed over.
#![no_main]
// The dump asks the kernel directly, and a crate for every call would hide what is asked.
#![allow(unsafe_code, clippy::undocumented_unsafe_blocks, missing_docs)]

#[path = "payload/act.rs"]
mod act;
#[path = "calls.rs"]
mod calls;
#[path = "payload/found.rs"]
mod found;
#[path = "payload/seen.rs"]
mod seen;
mod step;

use std::ffi::{CStr, c_char, c_int};

use serde_json::json;

#[unsafe(no_mangle)]
extern "C" fn main(argc: c_int, argv: *const *const c_char) -> c_int {
    // Before anything else: every later step may open a descriptor of its own.
    let fds = found::open_fds();
    let args: Vec<String> =
        (0..argc as usize).map(|i| unsafe { CStr::from_ptr(*argv.add(i)) }.to_string_lossy().into_owned()).collect();

    if let Some((_, rest)) = args.get(1..).and_then(<[String]>::split_first).filter(|(first, _)| *first == "step") {
        return step::run(rest);
    }
    let mut dump = seen::Dump::default();
    dump.put("fds", fds);
    dump.put("argv", Ok(json!(args)));
    dump.fill();
    if args.last().is_some_and(|word| word == "calls") {
        dump.put("calls", Ok(calls::tried()));
    }

    let file = args.get(1).map_or("-", String::as_str);
    if let Err(error) = dump.write(file) {
        eprintln!("payload: {file}: {error}");
        return 99;
    }
    act::act(&args[2.min(args.len())..])
}
