//! Which descriptors a process goes on with.

use std::io;

/// Closes all descriptors but these, and puts /dev/null in the place of the standard ones.
pub fn keep(kept: &mut [i32], standard_error: bool) -> io::Result<()> {
    let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null")?;
    nix::unistd::dup2_stdin(&null)?;
    nix::unistd::dup2_stdout(&null)?;
    if !standard_error {
        nix::unistd::dup2_stderr(&null)?;
    }
    kept.sort_unstable();
    let mut first = libc::STDERR_FILENO + 1;
    for &fd in kept.iter().filter(|&&fd| fd > libc::STDERR_FILENO) {
        close_range(first, fd - 1)?;
        first = fd + 1;
    }
    // That may be the one of `null`.
    std::mem::forget(null);
    close_range(first, i32::MAX)
}

fn close_range(first: i32, last: i32) -> io::Result<()> {
    if first > last {
        return Ok(());
    }
    // SAFETY: close_range takes three integers. No owner of a closed descriptor lives on: the caller
    // keeps what it uses, and the process ends without running destructors.
    match unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
