//! Runs a program up to its Nth change to the system, and kills it there: what a crash leaves can be
//! looked at for every point at which one may happen.
//!
//! `payload step N PROGRAM [ARGUMENT…]`: exit status 0 if it was killed, 100 if it ended well before
//! that, 101 if it ended otherwise.

use std::ffi::{CString, c_int, c_long, c_void};
use std::{mem, ptr};

pub fn run(args: &[String]) -> c_int {
    let last: u32 = args[0].parse().expect("a number");
    let words: Vec<CString> = args[1..].iter().map(|word| CString::new(word.as_str()).expect("no NUL")).collect();
    let mut argv: Vec<_> = words.iter().map(|word| word.as_ptr()).collect();
    argv.push(ptr::null());
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        unsafe {
            libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0);
            libc::raise(libc::SIGSTOP);
            libc::execvp(argv[0], argv.as_ptr());
            libc::_exit(127);
        }
    }
    let mut status = 0;
    unsafe { libc::waitpid(pid, &raw mut status, 0) };
    let options = libc::PTRACE_O_TRACESYSGOOD | libc::PTRACE_O_TRACECLONE | libc::PTRACE_O_EXITKILL;
    unsafe { libc::ptrace(libc::PTRACE_SETOPTIONS, pid, 0, c_long::from(options)) };
    resume(pid, 0);
    let mut changes = 0;
    loop {
        let task = unsafe { libc::waitpid(-1, &raw mut status, libc::__WALL) };
        if libc::WIFEXITED(status) && task == pid {
            return if libc::WEXITSTATUS(status) == 0 { 100 } else { 101 };
        }
        if libc::WIFSIGNALED(status) && task == pid {
            return 101;
        }
        if !libc::WIFSTOPPED(status) {
            continue;
        }
        let signal = libc::WSTOPSIG(status);
        if signal == libc::SIGTRAP | 0x80 {
            if is_change(task) {
                changes += 1;
                if changes == last {
                    unsafe {
                        libc::kill(pid, libc::SIGKILL);
                        while libc::waitpid(-1, &raw mut status, libc::__WALL) > 0 {}
                    }
                    return 0;
                }
            }
            resume(task, 0);
        } else {
            // Events, and the stop that each new thread begins with, are no signals of its own.
            let own = !matches!(signal, libc::SIGTRAP | libc::SIGSTOP);
            resume(task, if own { signal } else { 0 });
        }
    }
}

fn resume(task: i32, signal: c_int) {
    unsafe { libc::ptrace(libc::PTRACE_SYSCALL, task, 0, c_long::from(signal)) };
}

/// Is the task about to call what changes something outside of it?
fn is_change(task: i32) -> bool {
    let mut info: libc::ptrace_syscall_info = unsafe { mem::zeroed() };
    let size = mem::size_of_val(&info);
    unsafe { libc::ptrace(libc::PTRACE_GET_SYSCALL_INFO, task, size, &raw mut info) };
    if info.op != libc::PTRACE_SYSCALL_INFO_ENTRY {
        return false;
    }
    let entry = unsafe { info.u.entry };
    match entry.nr as c_long {
        libc::SYS_openat => entry.args[2] & (libc::O_CREAT | libc::O_TRUNC) as u64 != 0,
        libc::SYS_write => entry.args[0] > 2,
        libc::SYS_sendto | libc::SYS_sendmsg => !is_question(task, entry.args[1]),
        libc::SYS_mkdir
        | libc::SYS_rmdir
        | libc::SYS_rename
        | libc::SYS_renameat2
        | libc::SYS_unlink
        | libc::SYS_unlinkat
        | libc::SYS_symlink
        | libc::SYS_symlinkat
        | libc::SYS_mount
        | libc::SYS_umount2
        | libc::SYS_unshare
        | libc::SYS_ioctl => true,
        _ => false,
    }
}

/// Does the netlink message at the address only ask?
fn is_question(task: i32, address: u64) -> bool {
    let word = unsafe { libc::ptrace(libc::PTRACE_PEEKDATA, task, address as *mut c_void, 0) };
    let kind = (word as u64 >> 32) as u16;
    matches!(kind, 18 | 22 | 26)
}
