//! The numbers of the system calls that a filter of ours may name.
//!
//! A process can make the calls of more than one architecture, each with numbers of its own, and a
//! filter that knew those of its own alone would be no filter.

/// A system call by its name, as systemd.exec(5) spells it.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Call {
    /// Its name.
    pub name: &'static str,
    /// Its numbers on x86-64, i386, on those with the kernel's generic table (arm64, riscv64), and
    /// on 32-bit Arm; negative where it is none.
    numbers: [i16; 4],
}

impl Call {
    /// One of these numbers, which are those on x86-64, i386, the others with the generic table, and 32-bit Arm.
    pub const fn new(name: &'static str, numbers: [i16; 4]) -> Call {
        Call { name, numbers }
    }

    /// The call of this name.
    pub fn find(name: &str) -> Option<&'static Call> {
        CALLS.binary_search_by(|call| call.name.cmp(name)).ok().map(|found| &CALLS[found])
    }

    /// What the kernel may know this call by.
    pub fn numbers(&self) -> Vec<Number> {
        let [x86_64, i386, generic, arm] = self.numbers.map(|number| u32::try_from(number).ok());
        let plain =
            |architecture, number: Option<u32>| number.map(|number| Number { architecture, number, first: None });
        let among = |list: &[(&str, u32)]| list.iter().find(|(name, _)| *name == self.name).map(|(_, number)| *number);
        let found = if cfg!(target_arch = "x86_64") {
            let x32 = among(X32).or(x86_64).map(|number| number | X32_BIT);
            let multiplexed = among(SOCKETCALLS).map(|first| Number {
                architecture: AUDIT_ARCH_I386,
                number: SOCKETCALL,
                first: Some(first),
            });
            vec![
                plain(AUDIT_ARCH_X86_64, x86_64),
                plain(AUDIT_ARCH_X86_64, x32),
                plain(AUDIT_ARCH_I386, i386),
                multiplexed,
            ]
        } else if cfg!(target_arch = "aarch64") {
            vec![plain(AUDIT_ARCH_AARCH64, generic), plain(AUDIT_ARCH_ARM, arm)]
        } else {
            vec![plain(AUDIT_ARCH_RISCV64, generic)]
        };
        found.into_iter().flatten().collect()
    }
}

/// What the kernel knows a call by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number {
    /// The architecture, an `AUDIT_ARCH_…` of linux/audit.h.
    pub architecture: u32,
    /// The number on that.
    pub number: u32,
    /// What its first argument must be, where one number stands for many calls.
    pub first: Option<u32>,
}

/// The architectures whose calls a process on this one can make.
pub const ARCHITECTURES: &[u32] = if cfg!(target_arch = "x86_64") {
    &[AUDIT_ARCH_X86_64, AUDIT_ARCH_I386]
} else if cfg!(target_arch = "aarch64") {
    &[AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM]
} else {
    &[AUDIT_ARCH_RISCV64]
};

const AUDIT_ARCH_X86_64: u32 = 0xc000_003e;
const AUDIT_ARCH_I386: u32 = 0x4000_0003;
const AUDIT_ARCH_AARCH64: u32 = 0xc000_00b7;
const AUDIT_ARCH_ARM: u32 = 0x4000_0028;
const AUDIT_ARCH_RISCV64: u32 = 0xc000_00f3;

/// What marks a number as one of the x32 ABI, which shares its architecture with x86-64.
const X32_BIT: u32 = 0x4000_0000;

/// Where the x32 ABI has a number of its own, not that of x86-64 (asm/unistd_x32.h).
const X32: &[(&str, u32)] = &[
    ("getsockopt", 542),
    ("ioctl", 514),
    ("recvfrom", 517),
    ("recvmsg", 519),
    ("rt_sigaction", 512),
    ("rt_sigtimedwait", 523),
    ("sendmsg", 518),
    ("setsockopt", 541),
    ("sigaltstack", 525),
    ("waitid", 529),
    ("writev", 516),
];

/// i386's one call for all that sockets do, by its first argument (linux/net.h).
const SOCKETCALL: u32 = 102;
const SOCKETCALLS: &[(&str, u32)] = &[
    ("bind", 2),
    ("connect", 3),
    ("getsockname", 6),
    ("getsockopt", 15),
    ("recvfrom", 12),
    ("recvmsg", 17),
    ("sendmsg", 16),
    ("sendto", 11),
    ("setsockopt", 14),
    ("socket", 1),
    ("socketpair", 8),
];

const fn call(name: &'static str, numbers: [i16; 4]) -> Call {
    Call::new(name, numbers)
}

/// All of them, in the order of their names.
pub static CALLS: &[Call] = &[
    call("access", [21, 33, -1, 33]),
    call("adjtimex", [159, 124, 171, 124]),
    call("bind", [49, 361, 200, 282]),
    call("capget", [125, 184, 90, 184]),
    call("capset", [126, 185, 91, 185]),
    call("chdir", [80, 12, 49, 12]),
    call("clock_adjtime", [305, 343, 266, 372]),
    call("clock_adjtime64", [-1, 405, 405, 405]),
    call("clock_settime", [227, 264, 112, 262]),
    call("clock_settime64", [-1, 404, 404, 404]),
    call("clone", [56, 120, 220, 120]),
    call("clone3", [435, 435, 435, 435]),
    call("close", [3, 6, 57, 6]),
    call("close_range", [436, 436, 436, 436]),
    call("connect", [42, 362, 203, 283]),
    call("dup", [32, 41, 23, 41]),
    call("dup2", [33, 63, -1, 63]),
    call("dup3", [292, 330, 24, 358]),
    call("faccessat", [269, 307, 48, 334]),
    call("faccessat2", [439, 439, 439, 439]),
    call("fchdir", [81, 133, 50, 133]),
    call("fchmod", [91, 94, 52, 94]),
    call("fchmodat", [268, 306, 53, 333]),
    call("fchown", [93, 95, 55, 95]),
    call("fchownat", [260, 298, 54, 325]),
    call("fcntl", [72, 55, 25, 55]),
    call("fsconfig", [431, 431, 431, 431]),
    call("fsmount", [432, 432, 432, 432]),
    call("fsopen", [430, 430, 430, 430]),
    call("fspick", [433, 433, 433, 433]),
    call("fstat", [5, 108, 80, 108]),
    call("fstatfs", [138, 100, 44, 100]),
    call("getcwd", [79, 183, 17, 183]),
    call("getdents64", [217, 220, 61, 217]),
    call("getsockname", [51, 367, 204, 286]),
    call("getsockopt", [55, 365, 209, 295]),
    call("inotify_add_watch", [254, 292, 27, 317]),
    call("inotify_init1", [294, 332, 26, 360]),
    call("ioctl", [16, 54, 29, 54]),
    call("kill", [62, 37, 129, 37]),
    call("lseek", [8, 19, 62, 19]),
    call("madvise", [28, 219, 233, 220]),
    call("mkdir", [83, 39, -1, 39]),
    call("mkdirat", [258, 296, 34, 323]),
    call("mknodat", [259, 297, 33, 324]),
    call("mount", [165, 21, 40, 21]),
    call("mount_setattr", [442, 442, 442, 442]),
    call("move_mount", [429, 429, 429, 429]),
    call("mremap", [25, 163, 216, 163]),
    call("newfstatat", [262, -1, 79, -1]),
    call("open", [2, 5, -1, 5]),
    call("open_tree", [428, 428, 428, 428]),
    call("openat", [257, 295, 56, 322]),
    call("openat2", [437, 437, 437, 437]),
    call("pidfd_open", [434, 434, 434, 434]),
    call("pidfd_send_signal", [424, 424, 424, 424]),
    call("pipe", [22, 42, -1, 42]),
    call("pipe2", [293, 331, 59, 359]),
    call("pivot_root", [155, 217, 41, 218]),
    call("poll", [7, 168, -1, 168]),
    call("ppoll", [271, 309, 73, 336]),
    call("prctl", [157, 172, 167, 172]),
    call("pread64", [17, 180, 67, 180]),
    call("read", [0, 3, 63, 3]),
    call("readlink", [89, 85, -1, 85]),
    call("readlinkat", [267, 305, 78, 332]),
    call("recvfrom", [45, 371, 207, 292]),
    call("recvmsg", [47, 372, 212, 297]),
    call("rmdir", [84, 40, -1, 40]),
    call("rt_sigaction", [13, 174, 134, 174]),
    call("rt_sigprocmask", [14, 175, 135, 175]),
    call("rt_sigtimedwait", [128, 177, 137, 177]),
    call("sendmsg", [46, 370, 211, 296]),
    call("sendto", [44, 369, 206, 290]),
    call("setdomainname", [171, 121, 162, 121]),
    call("setgroups", [116, 81, 159, 81]),
    call("sethostname", [170, 74, 161, 74]),
    call("setns", [308, 346, 268, 375]),
    call("setresgid", [119, 170, 149, 170]),
    call("setresuid", [117, 164, 147, 164]),
    call("setsid", [112, 66, 157, 66]),
    call("setsockopt", [54, 366, 208, 294]),
    call("settimeofday", [164, 79, 170, 79]),
    call("sigaltstack", [131, 186, 132, 186]),
    call("signalfd4", [289, 327, 74, 355]),
    call("socket", [41, 359, 198, 281]),
    call("socketpair", [53, 360, 199, 288]),
    call("stat", [4, 106, -1, 106]),
    call("statfs", [137, 99, 43, 99]),
    call("statx", [332, 383, 291, 397]),
    call("symlinkat", [266, 304, 36, 331]),
    call("tgkill", [234, 270, 131, 268]),
    call("umask", [95, 60, 166, 60]),
    call("umount2", [166, 52, 39, 52]),
    call("unlink", [87, 10, -1, 10]),
    call("unlinkat", [263, 301, 35, 328]),
    call("unshare", [272, 310, 97, 337]),
    call("vfork", [58, 190, -1, 190]),
    call("wait4", [61, 114, 260, 114]),
    call("waitid", [247, 284, 95, 280]),
    call("write", [1, 4, 64, 4]),
    call("writev", [20, 146, 66, 146]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_found_by_their_names() {
        for row in CALLS {
            assert_eq!(Call::find(row.name), Some(row));
        }
        assert_eq!(Call::find("execve"), None);
    }

    #[test]
    fn numbers_are_those_of_this_machine() {
        let own = |name| Call::find(name).unwrap().numbers()[0].number;
        for (name, number) in [
            ("unshare", libc::SYS_unshare),
            ("setns", libc::SYS_setns),
            ("clone3", libc::SYS_clone3),
            ("mount", libc::SYS_mount),
            ("mount_setattr", libc::SYS_mount_setattr),
            ("sethostname", libc::SYS_sethostname),
            ("clock_settime", libc::SYS_clock_settime),
            ("setresuid", libc::SYS_setresuid),
            ("statx", libc::SYS_statx),
        ] {
            assert_eq!(i64::from(own(name)), number, "{name}");
        }
    }
}
