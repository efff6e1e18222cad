//! Fork, wait and exec, and the environment as the process got it.

use std::convert::Infallible;
use std::ffi::{CStr, CString, c_char};
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, SigmaskHow, sigprocmask};
use nix::unistd::Pid;
use rustix::process::{WaitOptions, WaitStatus};

use super::signal::{keep_children, uninterrupted};

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
    /// By the signal of this number, which may be a real-time one.
    Killed(i32),
}

impl End {
    /// None where the process has only stopped.
    fn of(status: WaitStatus) -> Option<End> {
        let exited = status.exit_status().map(|status| End::Exited(status as u8));
        exited.or(status.terminating_signal().map(End::Killed))
    }
}

/// Takes note of what has happened to a child, or to any; None where there is nothing yet.
fn waitpid(child: Option<Pid>, options: WaitOptions) -> rustix::io::Result<Option<(Pid, WaitStatus)>> {
    let seen = match child.and_then(|child| rustix::process::Pid::from_raw(child.as_raw())) {
        // To waitpid(2) itself, none would mean those of this process group.
        None => rustix::process::wait(options)?,
        child => rustix::process::waitpid(child, options)?,
    };
    Ok(seen.map(|(child, status)| (Pid::from_raw(child.as_raw_pid()), status)))
}

/// Waits for the end of a child.
pub fn wait(child: Pid) -> io::Result<End> {
    wait_stopping(child, WaitOptions::empty(), || {})
}

/// The same, and each time that the child stops, so that `with_it` can be done.
pub fn wait_with_stops(child: Pid, with_it: impl FnMut()) -> io::Result<End> {
    wait_stopping(child, WaitOptions::UNTRACED, with_it)
}

fn wait_stopping(child: Pid, options: WaitOptions, mut with_it: impl FnMut()) -> io::Result<End> {
    loop {
        match waitpid(Some(child), options) {
            Ok(Some((_, status))) => match End::of(status) {
                Some(end) => return Ok(end),
                None => with_it(),
            },
            Ok(None) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Keeps all signals for [`wait_forwarding`], that of a child's end among them: to be called before
/// the child can end, and after it was made, as it inherits none of this.
pub fn hold_signals() -> io::Result<()> {
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::all()), None)?;
    keep_children()
}

/// Waits for the end of all of these children, in whatever order they end.
pub fn wait_for_all(mut children: Vec<Pid>) {
    while !children.is_empty() {
        match waitpid(None, WaitOptions::empty()) {
            Ok(seen) => children.retain(|child| seen.is_none_or(|(ended, _)| *child != ended)),
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
    }
}

/// Waits for the end of a child, and passes these signals on, which are held, as SIGCHLD is. Others that
/// end meanwhile are no longer among the `others` then: they are not left to wait for, as the first process
/// of a PID namespace ends after everybody else in it was waited for.
pub fn wait_forwarding(child: Pid, others: &mut Vec<Pid>, mut signals: SigSet) -> io::Result<End> {
    signals.add(nix::sys::signal::SIGCHLD);
    loop {
        match next_of(&signals)? {
            libc::SIGCHLD => {
                while let Some((ended, status)) = waitpid(None, WaitOptions::NOHANG)? {
                    match End::of(status) {
                        Some(end) if ended == child => return Ok(end),
                        _ => others.retain(|other| *other != ended),
                    }
                }
            }
            // A child that has just ended is told of by SIGCHLD.
            // SAFETY: kill(2) takes any numbers.
            number => drop(unsafe { libc::kill(child.as_raw(), number) }),
        }
    }
}

/// The next of these signals, which are held.
fn next_of(signals: &SigSet) -> io::Result<i32> {
    let mut number = 0;
    // SAFETY: sigwait(3) reads the set, and writes one integer.
    match unsafe { libc::sigwait(signals.as_ref(), &raw mut number) } {
        0 => Ok(number),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

/// Ends this process the way a child of it ended.
pub fn end_like(end: End) -> ! {
    match end {
        End::Exited(status) => exit(status),
        End::Killed(number) => {
            // No second core dump for the one death.
            let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
            // SAFETY: all of these take plain numbers, or a set or limit that lives here; an all-zero set is one.
            // The handler is the default one, which needs no code of ours.
            unsafe {
                libc::setrlimit(libc::RLIMIT_CORE, &raw const none);
                libc::signal(number, libc::SIG_DFL);
                let mut only: libc::sigset_t = std::mem::zeroed();
                libc::sigaddset(&raw mut only, number);
                libc::sigprocmask(libc::SIG_UNBLOCK, &raw const only, std::ptr::null_mut());
                libc::raise(number);
            }
            exit(128 + number as u8)
        }
    }
}

/// Lets the kernel send this process a signal when its parent has ended.
pub fn die_with_parent(number: i32) -> io::Result<()> {
    // SAFETY: prctl(2) takes an integer.
    match unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, number) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Has this process, which a pidfd stands for, ended?
pub fn has_ended(process: impl AsFd) -> io::Result<bool> {
    let mut look = [PollFd::new(process.as_fd(), PollFlags::POLLIN)];
    Ok(uninterrupted(|| poll(&mut look, PollTimeout::ZERO))? != 0)
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

/// Gives the process this environment, entries of the form `NAME=VALUE`, in the place of its own.
pub fn replace_environment<'e>(entries: impl Iterator<Item = &'e [u8]>) {
    // SAFETY: there is one thread, and no reference into the old environment lives on.
    unsafe { libc::clearenv() };
    for entry in entries.filter(|entry| entry.contains(&b'=')) {
        let Ok(entry) = CString::new(entry) else { continue };
        // SAFETY: the string is NUL-terminated, and lives on, as it has to: it is never freed.
        unsafe { libc::putenv(entry.into_raw()) };
    }
}

/// Becomes the program at `path`; returns only if it can't.
pub fn execute(path: &CStr, arguments: &[CString], environment: &[CString]) -> io::Error {
    let failed: Result<Infallible, nix::Error> = nix::unistd::execve(path, arguments, environment);
    match failed {
        Err(error) => error.into(),
        Ok(never) => match never {},
    }
}

/// Becomes the program that a shell would find by this name, with the environment as it is; returns
/// only if it can't.
pub fn execute_by_name(name: &CStr, arguments: &[CString]) -> io::Error {
    let failed: Result<Infallible, nix::Error> = nix::unistd::execvp(name, arguments);
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
    Ok(nix::sys::stat::fstat(pidfd(nix::unistd::getpid())?.as_fd())?.st_ino)
}

/// A descriptor of a process, which can be read once that has ended, pidfd_open(2).
pub fn pidfd(process: Pid) -> io::Result<OwnedFd> {
    // SAFETY: pidfd_open takes two integers, and returns a new descriptor or -1.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, process.as_raw(), 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just given us this descriptor, and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// Sends a signal by its number, real-time ones included, to the process that a pidfd stands for.
pub fn signal(process: impl AsFd, number: i32) -> io::Result<()> {
    let (fd, no_info) = (process.as_fd().as_raw_fd(), std::ptr::null::<libc::siginfo_t>());
    // SAFETY: pidfd_send_signal takes a null pointer for "as kill(2) does".
    match unsafe { libc::syscall(libc::SYS_pidfd_send_signal, fd, number, no_info, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Takes the process out of the session that it was forked in, and out of reach of its user's
/// debuggers: no terminal signals it, and its end by a signal leaves no core. What its own children
/// leave behind becomes its, and not that of the first process in the PID namespace.
pub fn withdraw() -> io::Result<()> {
    match nix::unistd::setsid() {
        // It leads one already.
        Ok(_) | Err(nix::Error::EPERM) => {}
        Err(error) => return Err(error.into()),
    }
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    hide_from_debuggers()
}

/// Keeps its files, its memory and its program from other processes of its user, until the next exec.
pub fn hide_from_debuggers() -> io::Result<()> {
    Ok(rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?)
}

/// Takes note of the end of all children that have ended. Are there others?
pub fn reap() -> bool {
    loop {
        match waitpid(None, WaitOptions::NOHANG) {
            Ok(None) => return true,
            Ok(Some(_)) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return false,
        }
    }
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
