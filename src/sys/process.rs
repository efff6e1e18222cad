//! Fork, wait and exec, and the environment as the process got it.

use std::convert::Infallible;
use std::ffi::{CStr, CString, c_char};
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// Which side of a fork this is.
pub enum Fork {
    /// The one that called; the child's process id as it sees it.
    Parent(Pid),
    /// The new one.
    Child,
}

/// Splits the process in two.
pub fn fork() -> io::Result<Fork> {
    // SAFETY: the wrapper and the tool's callers have one thread alone, so the child has all
    // that the parent had, locks included.
    match unsafe { nix::unistd::fork()? } {
        nix::unistd::ForkResult::Parent { child } => Ok(Fork::Parent(child)),
        nix::unistd::ForkResult::Child => Ok(Fork::Child),
    }
}

/// Splits the process in two that have the same parent, which so gets word of the new one's end.
pub fn fork_as_sibling() -> io::Result<Fork> {
    // The exit signal is the caller's own, with CLONE_PARENT; clone(2).
    let flags = libc::CLONE_PARENT as libc::c_ulong;
    // SAFETY: without CLONE_VM and a stack of its own this is a fork, and as above there is one
    // thread alone. The C library does not hear of it; what it keeps of a process in memory, a
    // thread id, serves functions that are not called on the way to exec.
    match unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Fork::Child),
        child => Ok(Fork::Parent(Pid::from_raw(child as i32))),
    }
}

/// Makes the process the leader of a session of its own, as every service is of its, and takes the
/// terminal on standard input, if there is one, along from the session before.
pub fn lead_session() -> io::Result<()> {
    // SAFETY: tcgetsid takes a descriptor, and fails where it is no terminal of this session.
    let has_terminal = unsafe { libc::tcgetsid(libc::STDIN_FILENO) } == nix::unistd::getsid(None)?.as_raw();
    nix::unistd::setsid()?;
    if has_terminal {
        const STEAL: libc::c_int = 1;
        // SAFETY: TIOCSCTTY takes an integer.
        if unsafe { libc::ioctl(libc::STDIN_FILENO, libc::TIOCSCTTY, STEAL) } != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// Ends the process at once: no destructor runs, nothing is flushed.
pub fn exit(status: u8) -> ! {
    // SAFETY: _exit(2) takes any status and does not return.
    unsafe { libc::_exit(i32::from(status)) }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By exit, with this status.
    Exited(u8),
    /// By a signal.
    Killed(Signal),
}

/// Waits for the end of a child.
pub fn wait(child: Pid) -> io::Result<End> {
    loop {
        match waitpid(child, None) {
            Ok(WaitStatus::Exited(_, status)) => return Ok(End::Exited(status as u8)),
            Ok(WaitStatus::Signaled(_, signal, _)) => return Ok(End::Killed(signal)),
            Ok(_) | Err(nix::Error::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Keeps all signals for [`wait_forwarding`], that of a child's end among them: to be called before
/// the child can end, and after it was made, as it inherits none of this.
pub fn hold_signals() -> io::Result<()> {
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::all()), None)?;
    // Who ignores SIGCHLD, as this process may have been started, never learns how a child ended.
    // SAFETY: the handler is the default one, which needs no code of ours.
    match unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) } {
        libc::SIG_ERR => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Waits for the end of a child, and passes on every signal since [`hold_signals`].
pub fn wait_forwarding(child: Pid) -> io::Result<End> {
    let all = SigSet::all();
    loop {
        match all.wait()? {
            Signal::SIGCHLD => match waitpid(child, Some(WaitPidFlag::WNOHANG))? {
                WaitStatus::Exited(_, status) => return Ok(End::Exited(status as u8)),
                WaitStatus::Signaled(_, signal, _) => return Ok(End::Killed(signal)),
                _ => {}
            },
            // A child that has just ended is told of by SIGCHLD.
            signal => drop(nix::sys::signal::kill(child, signal)),
        }
    }
}

/// Ends this process the way a child of it ended.
pub fn end_like(end: End) -> ! {
    if let End::Killed(signal) = end {
        // No second core dump for the one death.
        let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: setrlimit only reads `none`; the handler is the default one, which needs no code of ours.
        unsafe {
            libc::setrlimit(libc::RLIMIT_CORE, &raw const none);
            libc::signal(signal as libc::c_int, libc::SIG_DFL);
        }
        let _ = sigprocmask(SigmaskHow::SIG_UNBLOCK, Some(&SigSet::from(signal)), None);
        let _ = nix::sys::signal::raise(signal);
        exit(128 + signal as u8);
    }
    let End::Exited(status) = end else { unreachable!() };
    exit(status)
}

/// The environment as it was handed over: every entry, also one without `=`.
pub fn environment() -> Vec<CString> {
    unsafe extern "C" {
        static environ: *const *const c_char;
    }
    let mut entries = Vec::new();
    // SAFETY: the C library keeps `environ` an array of NUL-terminated strings that ends with a
    // null pointer, and nobody changes it: there is one thread, and it never calls setenv.
    unsafe {
        let mut next = environ;
        while !next.is_null() && !(*next).is_null() {
            entries.push(CStr::from_ptr(*next).to_owned());
            next = next.add(1);
        }
    }
    entries
}

/// Becomes the program at `path`; returns only if it can't.
pub fn execute(path: &CStr, arguments: &[CString], environment: &[CString]) -> io::Error {
    let failed: Result<Infallible, nix::Error> = nix::unistd::execve(path, arguments, environment);
    match failed {
        Err(error) => error.into(),
        Ok(never) => match never {},
    }
}

/// The process id in the process's own PID namespace.
pub fn id() -> i32 {
    nix::unistd::getpid().as_raw()
}

/// The number that tells this process from all others since boot: the inode of a pidfd of it
/// (pidfs, Linux 6.9).
pub fn pidfd_inode() -> io::Result<u64> {
    // SAFETY: pidfd_open takes two integers, and returns a new descriptor or -1.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, id(), 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just given us this descriptor, and nobody else owns it.
    let fd = unsafe { OwnedFd::from_raw_fd(fd as i32) };
    Ok(nix::sys::stat::fstat(fd.as_fd())?.st_ino)
}

/// How many bytes of what was sent over a UNIX socket its reader has not read yet, unix(7).
pub fn unread(socket: impl AsFd) -> io::Result<i32> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: SIOCOUTQ, which is TIOCOUTQ, writes one integer through the pointer.
    match unsafe { libc::ioctl(socket.as_fd().as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) } {
        0 => Ok(bytes),
        _ => Err(io::Error::last_os_error()),
    }
}
