//! System calls that a sandbox may deny, tried by the payload.

use std::ffi::c_long;
use std::io::Error;
use std::os::fd::AsRawFd;
use std::{fs, mem, ptr};

use serde_json::{Map, Value};

/// For each call, tried in a process of its own, `ok`, the error's name or
/// the signal that it died of. None would change anything outside of that process if it were let.
pub fn tried() -> Value {
    const NONE: c_long = 0;
    let own_uts = fs::File::open("/proc/self/ns/uts").ok();
    let uts = own_uts.as_ref().map_or(-1, |file| c_long::from(file.as_raw_fd()));
    let call =
        |number: c_long, a: c_long, b: c_long, c: c_long| unsafe { libc::syscall(number, a, b, c, NONE, NONE, NONE) };
    let flags = [
        ("mnt", libc::CLONE_NEWNS),
        ("uts", libc::CLONE_NEWUTS),
        ("ipc", libc::CLONE_NEWIPC),
        ("net", libc::CLONE_NEWNET),
        ("pid", libc::CLONE_NEWPID),
        ("user", libc::CLONE_NEWUSER),
        ("cgroup", libc::CLONE_NEWCGROUP),
        ("time", libc::CLONE_NEWTIME),
    ];
    let mut found = Map::new();
    for (kind, flag) in flags {
        let flag = c_long::from(flag);
        found.insert(format!("unshare {kind}"), attempt(|| call(libc::SYS_unshare, flag, NONE, NONE)));
        found.insert(format!("setns {kind}"), attempt(|| call(libc::SYS_setns, uts, flag, NONE)));
    }
    for (name, number, a) in [
        ("setns any", libc::SYS_setns, uts),
        ("clone3", libc::SYS_clone3, NONE),
        ("mount", libc::SYS_mount, NONE),
        ("umount2", libc::SYS_umount2, NONE),
        ("pivot_root", libc::SYS_pivot_root, NONE),
        ("open_tree", libc::SYS_open_tree, -1),
        ("move_mount", libc::SYS_move_mount, -1),
        ("fsopen", libc::SYS_fsopen, NONE),
        ("sethostname", libc::SYS_sethostname, NONE),
        ("setdomainname", libc::SYS_setdomainname, NONE),
        ("clock_settime", libc::SYS_clock_settime, NONE),
        ("adjtimex", libc::SYS_adjtimex, NONE),
        ("settimeofday", libc::SYS_settimeofday, NONE),
        ("setgroups", libc::SYS_setgroups, 1),
        ("setresuid", libc::SYS_setresuid, -1),
        ("setresgid", libc::SYS_setresgid, -1),
        ("capset", libc::SYS_capset, NONE),
        ("prctl", libc::SYS_prctl, -1),
        ("seccomp", libc::SYS_seccomp, 99),
        ("ptrace", libc::SYS_ptrace, -1),
        ("bpf", libc::SYS_bpf, -1),
        ("add_key", libc::SYS_add_key, NONE),
        ("syslog", libc::SYS_syslog, -1),
        ("init_module", libc::SYS_init_module, NONE),
        ("reboot", libc::SYS_reboot, NONE),
        ("swapon", libc::SYS_swapon, NONE),
        ("personality", libc::SYS_personality, 0x0040_0000),
        ("sched_setscheduler", libc::SYS_sched_setscheduler, -1),
        ("socket unix", libc::SYS_socket, libc::AF_UNIX.into()),
        ("socket inet", libc::SYS_socket, libc::AF_INET.into()),
        ("socket netlink", libc::SYS_socket, libc::AF_NETLINK.into()),
        ("socket packet", libc::SYS_socket, libc::AF_PACKET.into()),
    ] {
        let kind = match name {
            // Names of no length at all would be set.
            "sethostname" | "setdomainname" => -1,
            "sched_setscheduler" => libc::SCHED_FIFO.into(),
            _ if name.starts_with("socket") => libc::SOCK_DGRAM.into(),
            _ => NONE,
        };
        found.insert(name.into(), attempt(|| call(number, a, kind, NONE)));
    }
    found.insert("chmod suid".into(), attempt(|| call(libc::SYS_fchmod, -1, 0o4755, NONE)));
    found.insert(
        "mmap exec".into(),
        attempt(|| unsafe {
            let rights = libc::PROT_WRITE | libc::PROT_EXEC;
            libc::mmap(ptr::null_mut(), 4096, rights, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0) as c_long
        }),
    );
    Value::Object(found)
}

fn attempt(call: impl FnOnce() -> c_long) -> Value {
    unsafe {
        let child = libc::fork();
        if child == 0 {
            let none: libc::rlimit = mem::zeroed();
            libc::setrlimit(libc::RLIMIT_CORE, &none);
            libc::_exit(if call() == -1 { Error::last_os_error().raw_os_error().unwrap_or(255) } else { 0 });
        }
        let mut status = 0;
        if child < 0 || libc::waitpid(child, &mut status, 0) != child {
            return Error::last_os_error().to_string().into();
        }
        match (libc::WIFSIGNALED(status), libc::WEXITSTATUS(status)) {
            (true, _) => format!("signal {}", libc::WTERMSIG(status)).into(),
            (false, 0) => "ok".into(),
            (false, errno) => format!("error {errno}").into(),
        }
    }
}
