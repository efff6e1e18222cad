//! The errors that each call is made to fail with.

/// As a filter or a missing privilege does it, and as an older kernel.
const EVERY: [&str; 2] = ["EPERM", "ENOSYS"];

/// What else a call of each sort is likely to fail with on a machine that is short of something, by its
/// manual page.
const LIKELY: &[(&[&str], &str)] = &[
    // No memory, or no more mounts (fs.mount-max).
    (&["mount", "fsconfig", "fsmount", "mount_setattr", "pivot_root", "seccomp"], "ENOMEM"),
    (&["mount", "move_mount", "open_tree"], "ENOSPC"),
    // No room: of processes, of namespaces (/proc/sys/user), on a file system that a thing is made in.
    (&["clone", "clone3", "fork", "vfork", "setresuid", "setuid"], "EAGAIN"),
    (&["clone", "clone3", "fork", "vfork", "unshare"], "ENOMEM"),
    (&["unshare", "write", "mkdirat", "symlinkat"], "ENOSPC"),
    // No room for another descriptor, in the process or on the machine.
    (
        &[
            "dup",
            "fcntl",
            "fsmount",
            "fsopen",
            "open",
            "open_tree",
            "openat",
            "openat2",
            "pidfd_open",
            "pipe2",
            "signalfd4",
            "socket",
            "socketpair",
        ],
        "EMFILE",
    ),
    (&["fsopen", "openat2", "pidfd_open", "pipe2", "socketpair"], "ENFILE"),
    // Nobody listens, or not fast enough.
    (&["connect", "sendmsg", "sendto"], "ECONNREFUSED"),
    // A file is renamed or mounted meanwhile, anywhere.
    (&["openat2"], "EAGAIN"),
    // A signal comes while it waits.
    (
        &["connect", "poll", "ppoll", "read", "recvfrom", "recvmsg", "sendmsg", "sendto", "wait4", "waitid", "write"],
        "EINTR",
    ),
    // The file is another one by now.
    (&["execve"], "ENOENT"),
    (&["execve", "setgroups"], "ENOMEM"),
    (&["getdents64", "readlink", "readlinkat", "statx", "newfstatat"], "EACCES"),
];

/// All of a call's.
pub fn of(call: &str) -> impl Iterator<Item = &'static str> {
    let likely = LIKELY.iter().filter(move |(calls, _)| calls.contains(&call)).map(|(_, error)| *error);
    EVERY.into_iter().chain(likely)
}
