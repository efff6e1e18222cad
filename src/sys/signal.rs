//! Signals that a program is to get as this process got them, and calls that go on after one.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

/// Was SIGPIPE ignored when the process was started?
static BROKEN_PIPE_IGNORED: AtomicBool = AtomicBool::new(false);

/// Looks what becomes of SIGPIPE, to be called before Rust's runtime, which ignores it.
pub extern "C" fn remember_broken_pipe() {
    // SAFETY: an all-zero sigaction is a valid one, and with no new action given sigaction(2) only
    // writes the old one.
    let ignored = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(libc::SIGPIPE, std::ptr::null(), &raw mut action) == 0 && action.sa_sigaction == libc::SIG_IGN
    };
    BROKEN_PIPE_IGNORED.store(ignored, Ordering::Relaxed);
}

/// Lets what is executed next get SIGPIPE as this process got it.
pub fn give_broken_pipe_back() -> io::Result<()> {
    let action = if BROKEN_PIPE_IGNORED.load(Ordering::Relaxed) { libc::SIG_IGN } else { libc::SIG_DFL };
    // SAFETY: neither action is a handler, which would need code of ours.
    match unsafe { libc::signal(libc::SIGPIPE, action) } {
        libc::SIG_ERR => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Makes a system call until no signal interrupts it, signal(7).
pub fn uninterrupted<T>(mut call: impl FnMut() -> nix::Result<T>) -> nix::Result<T> {
    loop {
        match call() {
            Err(nix::Error::EINTR) => {}
            done => return done,
        }
    }
}

/// Lets the kernel keep children that have ended until they are waited for. Who ignores SIGCHLD, as
/// this process may have been started, never learns how a child ended.
pub fn keep_children() -> io::Result<()> {
    // SAFETY: the default action needs no code of ours.
    match unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) } {
        libc::SIG_ERR => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}
