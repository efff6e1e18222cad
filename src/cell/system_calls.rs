//! System call filters: which calls a unit's own denies to the wrapper, and lists of calls to deny.
//!
//! The wrapper runs under the unit's filter as the service does. Where that denies what setting up a
//! cell takes, the drop-in allows those calls, and the wrapper denies them again when it is done.

use std::fmt;

use super::finding::Finding;
use super::value::ValueError;
use crate::sys::seccomp::Action;
use crate::sys::system_call::{CALLS, Call};
use crate::unit::Unit;
use crate::unit::value::split_inversion;

/// Calls, and what becomes of each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeniedCalls(pub Vec<(&'static Call, Action)>);

/// The groups of calls of systemd.exec(5), as far as the wrapper makes them, from systemd's exec to
/// the service's. (It makes those of `@default`, too, which every list of allowed calls has.) So
/// `systemd-analyze syscall-filter` shows them, 252 to 262.
const GROUPS: [(&str, &str); 14] = [
    ("@basic-io", "close close_range dup dup2 dup3 lseek pread64 read write writev"),
    ("@chown", "fchown fchownat"),
    ("@clock", "adjtimex clock_adjtime clock_adjtime64 clock_settime clock_settime64 settimeofday"),
    (
        "@file-system",
        "access chdir close faccessat faccessat2 fchdir fchmod fchmodat fcntl fstat fstatfs getcwd getdents64 \
         inotify_add_watch inotify_init1 mkdir mkdirat mknodat newfstatat open openat openat2 readlink readlinkat rmdir stat statfs statx symlinkat unlink unlinkat",
    ),
    ("@io-event", "poll ppoll"),
    ("@ipc", "pipe pipe2"),
    ("@mount", "fsconfig fsmount fsopen fspick mount mount_setattr move_mount pivot_root umount2"),
    ("@network-io", "bind connect getsockname getsockopt recvfrom recvmsg sendmsg sendto setsockopt socket socketpair"),
    ("@privileged", "@chown @clock capset pivot_root setdomainname setgroups sethostname setresuid"),
    ("@process", "capget clone clone3 kill pidfd_open pidfd_send_signal prctl setns tgkill unshare vfork wait4 waitid"),
    ("@setuid", "setgroups setresgid setresuid"),
    ("@signal", "rt_sigaction rt_sigprocmask rt_sigtimedwait sigaltstack signalfd4"),
    (
        "@system-service",
        "@basic-io @chown @file-system @io-event @ipc @network-io @process @setuid @signal \
         capset ioctl madvise mremap setsid umask",
    ),
    ("@known", "@basic-io @clock @mount @privileged @system-service open_tree"),
];

/// Where open_tree(2) is: systemd 258 has moved it.
fn group_of_open_tree(version: u32) -> &'static [&'static str] {
    if version < 258 { &["@mount"] } else { &["@file-system", "@system-service"] }
}

/// What setting a cell up takes, and nothing that comes after it.
const FOR_SET_UP: [&str; 10] = [
    "@chown",
    "@mount",
    "fchmod",
    "fchmodat",
    "open_tree",
    "openat2",
    "setdomainname",
    "sethostname",
    "setns",
    "unshare",
];

fn members(name: &str, version: u32) -> Vec<&'static Call> {
    if !name.starts_with('@') {
        return Call::find(name).into_iter().collect();
    }
    // A group that is not here has none of them.
    let words = GROUPS.iter().find(|(group, _)| *group == name).map_or("", |(_, words)| *words);
    let mut found: Vec<&Call> = words.split_ascii_whitespace().flat_map(|word| members(word, version)).collect();
    if group_of_open_tree(version).contains(&name) {
        found.extend(Call::find("open_tree"));
    }
    found
}

/// Those of the calls that the wrapper makes which the unit's SystemCallFilter= denies.
pub fn denied_to_wrapper(unit: &Unit, version: u32, sets_up: bool) -> Result<DeniedCalls, Finding> {
    let clock = members("@clock", version);
    let set_up: Vec<&Call> = FOR_SET_UP.iter().flat_map(|name| members(name, version)).collect();
    let needed = CALLS.iter().filter(|call| !clock.contains(call) && (sets_up || !set_up.contains(call)));
    denied(unit, version, needed)
}

/// Those of `calls` that the unit's SystemCallFilter= denies.
fn denied(unit: &Unit, version: u32, calls: impl Iterator<Item = &'static Call>) -> Result<DeniedCalls, Finding> {
    let lines = unit.list("Service", "SystemCallFilter");
    let Some(first) = lines.first() else { return Ok(DeniedCalls::default()) };
    let allow_list = !split_inversion(&first.value).0;
    let default = default_action(unit)?;
    let mut entries: Vec<(&Call, Option<Action>)> = Vec::new();
    for line in &lines {
        let (inverted, words) = split_inversion(&line.value);
        for word in words.split_ascii_whitespace() {
            let (name, action) = match word.split_once(':') {
                // systemd passes over what a call that is allowed should return.
                Some(_) if !inverted => continue,
                Some((name, action)) => (
                    name,
                    Some(parse_action(action).ok_or_else(|| {
                        Finding::of_line(line, &format!("has {action}, which is no error number"), "correct the value")
                    })?),
                ),
                None => (word, None),
            };
            for call in members(name, version) {
                entries.retain(|(other, _)| *other != call);
                if inverted != allow_list || action.is_some() {
                    entries.push((call, action));
                }
            }
        }
    }
    let denied = calls.filter_map(|call| match entries.iter().find(|(other, _)| *other == call) {
        Some((_, Some(action))) => Some((call, *action)),
        listed => (listed.is_some() != allow_list).then_some((call, default)),
    });
    Ok(DeniedCalls(denied.collect()))
}

/// SystemCallErrorNumber=.
fn default_action(unit: &Unit) -> Result<Action, Finding> {
    let Some(line) = unit.last("Service", "SystemCallErrorNumber") else { return Ok(Action::Kill) };
    parse_action(&line.value).ok_or_else(|| Finding::of_line(line, "is no error number", "correct the value"))
}

/// The calls that ProtectClock= denies. Of two filters the one that was loaded last has the say over
/// the error number, and systemd's last one is the unit's own.
pub fn clock_calls(unit: &Unit, version: u32) -> Result<DeniedCalls, Finding> {
    let calls = members("@clock", version);
    let by_unit = denied(unit, version, calls.iter().copied())?;
    let action = |call| {
        let own = by_unit.0.iter().find(|(other, _)| *other == call);
        own.map_or(Action::Errno(nix::errno::Errno::EPERM as u16), |(_, action)| *action)
    };
    Ok(DeniedCalls(calls.into_iter().map(|call| (call, action(call))).collect()))
}

fn parse_action(text: &str) -> Option<Action> {
    let number = |number: &u16| (1..=MAX_ERRNO).contains(number);
    match text {
        "kill" => Some(Action::Kill),
        _ => text
            .parse()
            .ok()
            .or_else(|| (1..=MAX_ERRNO).find(|number| name(*number) == text))
            .filter(number)
            .map(Action::Errno),
    }
}

/// The largest error number that a filter can make a call return, and systemd takes.
const MAX_ERRNO: u16 = 4095;

fn name(number: u16) -> String {
    format!("{:?}", nix::errno::Errno::from_raw(number.into()))
}

impl DeniedCalls {
    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Is the call of this name among them?
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(call, _)| call.name == name)
    }

    /// Their names, as SystemCallFilter= takes them.
    pub fn names(&self) -> String {
        self.0.iter().map(|(call, _)| call.name).collect::<Vec<_>>().join(" ")
    }

    /// Reads a list of denied calls: `~CALL[:ERRNO] …`.
    pub fn parse(text: &str) -> Result<DeniedCalls, ValueError> {
        let (true, words) = split_inversion(text) else {
            return Err(ValueError::new("takes a list of denied calls, such as ~mount:EPERM"));
        };
        let read = |word: &str| {
            let (name, action) = word.split_once(':').unwrap_or((word, "kill"));
            let (call, action) = (Call::find(name), parse_action(action));
            call.zip(action).ok_or_else(|| ValueError::new("has a call or an error number that is not known"))
        };
        Ok(DeniedCalls(words.split_ascii_whitespace().map(read).collect::<Result<_, _>>()?))
    }
}

/// Text that [`DeniedCalls::parse`] reads.
impl fmt::Display for DeniedCalls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "~";
        for (call, action) in &self.0 {
            write!(f, "{separator}{}", call.name)?;
            match action {
                Action::Kill => f.write_str(":kill")?,
                Action::Errno(number) if name(*number) == "UnknownErrno" => write!(f, ":{number}")?,
                Action::Errno(number) => write!(f, ":{}", name(*number))?,
            }
            separator = " ";
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "tests/system_calls.rs"]
mod tests;
