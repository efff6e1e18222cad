//! The command line tool.

use std::process::ExitCode;

use unitcell::sys::signal::remember_broken_pipe;

/// Rust's runtime ignores SIGPIPE before main, and what `unshare` executes must get it as this process
/// did: so it is looked at before that.
#[expect(unsafe_code, reason = "the C runtime calls what this section lists")]
#[used]
#[unsafe(link_section = ".init_array")]
static BEFORE_THE_RUNTIME: extern "C" fn() = remember_broken_pipe;

fn main() -> ExitCode {
    unitcell::cli::main()
}
