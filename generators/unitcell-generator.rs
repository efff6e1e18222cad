//! The generator that systemd runs at boot and at every daemon-reload, systemd.generator(7).

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use unitcell::generator::facts::installed_wrapper;
use unitcell::generator::log::{Log, Priority};
use unitcell::generator::{Run, generate};
use unitcell::unit::{Env, Scope};

fn main() -> ExitCode {
    // No directory is called so. It is for `unitcell doctor`.
    if env::args_os().nth(1).is_some_and(|first| first == "--version") {
        println!("unitcell-generator {}", env!("CARGO_PKG_VERSION"));
        return ExitCode::SUCCESS;
    }
    let root = env::var_os("UNITCELL_ROOT").map_or_else(|| PathBuf::from("/"), PathBuf::from);
    let scope = scope();
    // Only the real system's manager has the kernel's log read; a test's output is its own.
    let log = match scope {
        Scope::System if root == Path::new("/") => Log::kernel(),
        _ => Log::standard_error(),
    };
    let mut directories = env::args_os().skip(1);
    let (Some(output), 0 | 2) = (directories.next(), directories.len()) else {
        log.tell(Priority::Error, "takes one or three directories, as systemd.generator(7) tells");
        return ExitCode::FAILURE;
    };
    let run =
        Run { scope, root, env: Env::from_vars(env::vars_os()), output: output.into(), wrapper: installed_wrapper() };
    if generate(&run, &log) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The manager tells; before 251 it did not, and a user's one is never root's.
fn scope() -> Scope {
    match env::var("SYSTEMD_SCOPE").as_deref() {
        Ok("user") => Scope::User,
        Ok(_) => Scope::System,
        Err(_) if env::args_os().nth(1).is_some_and(|output| PathBuf::from(output).starts_with("/run/user")) => {
            Scope::User
        }
        Err(_) => Scope::System,
    }
}
