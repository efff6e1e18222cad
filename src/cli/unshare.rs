//! `unitcell unshare`: a command in new namespaces, with the options of unshare(1).

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use nix::sys::signal::Signal;
use nix::unistd::{Gid, Group, Uid, User};

use super::Error;
use crate::cell::{Kind, Kinds};
use crate::enter::{self, BINFMT, Binfmt, Child, IdMap, Ranges, all_of, own_subids, parse_range};
use crate::sys::id_map::IdRange;
use crate::sys::mount::Propagation;

/// Run a command in new namespaces, with the options of unshare(1)
///
/// Without a command a shell is run. A FILE makes the namespace last: it is mounted upon that file.
#[derive(Debug, clap::Args)]
#[command(version, args_override_self = true, infer_long_args = true, next_help_heading = "Namespaces")]
pub struct Unshare {
    /// A new mount namespace
    #[arg(short, long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    mount: Option<Option<PathBuf>>,
    /// A new UTS namespace: the host name
    #[arg(short, long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    uts: Option<Option<PathBuf>>,
    /// A new IPC namespace
    #[arg(short, long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    ipc: Option<Option<PathBuf>>,
    /// A new network namespace
    #[arg(short, long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    net: Option<Option<PathBuf>>,
    /// A new PID namespace, for children: --fork goes on in it
    #[arg(short, long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    pid: Option<Option<PathBuf>>,
    /// A new user namespace
    #[arg(short = 'U', long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    user: Option<Option<PathBuf>>,
    /// A new cgroup namespace
    #[arg(short = 'C', long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    cgroup: Option<Option<PathBuf>>,
    /// A new time namespace
    #[arg(short = 'T', long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    time: Option<Option<PathBuf>>,
    /// Shift the monotonic clock of the time namespace
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true)]
    monotonic: Option<i64>,
    /// Shift the boot-time clock of the time namespace
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true)]
    boottime: Option<i64>,

    /// Be this user in the user namespace; implies --user
    #[arg(long, value_name = "UID|NAME", help_heading = "User namespace")]
    map_user: Option<String>,
    /// Be this group in the user namespace; implies --user and --setgroups=deny
    #[arg(long, value_name = "GID|NAME", help_heading = "User namespace")]
    map_group: Option<String>,
    /// Be root in the user namespace: --map-user=0 --map-group=0
    #[arg(short = 'r', long, help_heading = "User namespace", overrides_with = "map_current_user")]
    map_root_user: bool,
    /// Be oneself in the user namespace
    #[arg(short = 'c', long, help_heading = "User namespace")]
    map_current_user: bool,
    /// Map these user ids; auto: those of /etc/subuid from 0 on, subids: the same as themselves, all: every one as itself
    #[arg(long, value_name = "INSIDE:OUTSIDE:COUNT|auto|subids|all", help_heading = "User namespace")]
    map_users: Vec<String>,
    /// Map these group ids, likewise by /etc/subgid
    #[arg(long, value_name = "INSIDE:OUTSIDE:COUNT|auto|subids|all", help_heading = "User namespace")]
    map_groups: Vec<String>,
    /// Both of --map-users=auto --map-groups=auto
    #[arg(long, help_heading = "User namespace")]
    map_auto: bool,
    /// Both of --map-users=subids --map-groups=subids
    #[arg(long, help_heading = "User namespace")]
    map_subids: bool,
    /// Let this user and group own the user namespace; implies --user
    #[arg(long, value_name = "UID:GID", help_heading = "User namespace")]
    owner: Option<String>,
    /// Let setgroups(2) be allowed or denied in the user namespace
    #[arg(long, value_name = "allow|deny", help_heading = "User namespace")]
    setgroups: Option<SetGroups>,
    /// Let the capabilities in the user namespace outlive the exec of the command
    #[arg(long, help_heading = "User namespace")]
    keep_caps: bool,

    /// What mounts in the mount namespace pass on to others
    #[arg(long, value_name = "MODE", default_value = "private", help_heading = "Files")]
    propagation: Mode,
    /// Mount a new /proc, at /proc if not told otherwise; implies --mount
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true, help_heading = "Files")]
    mount_proc: Option<Option<PathBuf>>,
    /// Mount a new binfmt_misc, at /proc/sys/fs/binfmt_misc if not told otherwise; implies --mount and --user
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true, help_heading = "Files")]
    mount_binfmt: Option<Option<PathBuf>>,
    /// Register an interpreter in the new binfmt_misc, which this implies
    #[arg(short = 'l', long, value_name = "STRING", help_heading = "Files")]
    load_interp: Option<OsString>,
    /// Change the root directory
    #[arg(short = 'R', long, value_name = "DIR", help_heading = "Files")]
    root: Option<PathBuf>,
    /// Change the working directory
    #[arg(short, long, value_name = "DIR", help_heading = "Files")]
    wd: Option<PathBuf>,

    /// Go on in a child, and wait for it
    #[arg(short, long, help_heading = "Process")]
    fork: bool,
    /// Send the child this signal, else SIGKILL, when the waiting process ends; implies --fork
    #[arg(long, value_name = "SIGNAL", num_args = 0..=1, require_equals = true, help_heading = "Process")]
    kill_child: Option<Option<String>>,
    /// Pass SIGTERM and SIGINT on to the child; implies --fork
    #[arg(long, help_heading = "Process")]
    forward_signals: bool,
    /// Become this user inside
    #[arg(short = 'S', long, value_name = "UID", help_heading = "Process")]
    setuid: Option<u32>,
    /// Become this group inside, and leave all others
    #[arg(short = 'G', long, value_name = "GID", help_heading = "Process")]
    setgid: Option<u32>,

    /// The command and its arguments
    #[arg(value_name = "COMMAND", trailing_var_arg = true, help_heading = None::<&str>)]
    command: Vec<OsString>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum SetGroups {
    Allow,
    Deny,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Mode {
    Private,
    Shared,
    Slave,
    Unchanged,
}

impl Unshare {
    pub fn run(self) -> Result<ExitCode, Error> {
        match self.request()?.run()? {}
    }

    fn request(self) -> Result<enter::Unshare, Error> {
        let clocks = self.monotonic.is_some() || self.boottime.is_some();
        if clocks && self.time.is_none() {
            return Err(wrong("--monotonic and --boottime shift the clocks of a time namespace: add --time"));
        }
        let (mut kinds, pins) = self.namespaces();
        let binfmt = self.binfmt();
        let proc = match &self.mount_proc {
            Some(target) => Some(target.clone().unwrap_or_else(|| "/proc".into())),
            // The usual place of binfmt_misc is below it; the old one shows other processes.
            None if binfmt.as_ref().is_some_and(|binfmt| binfmt.target == Path::new(BINFMT)) => {
                self.pid.as_ref().map(|_| "/proc".into())
            }
            None => None,
        };
        if proc.is_some() || binfmt.is_some() {
            kinds.insert(Kind::Mount);
        }
        let users = self.users()?;
        let groups = self.groups()?;
        let owner = self.owner.as_deref().map(owner).transpose()?;
        let unmapped = users == IdMap::default() && groups == IdMap::default();
        if binfmt.is_some() || owner.is_some() || !unmapped {
            kinds.insert(Kind::User);
        }
        let forks = self.fork || self.kill_child.is_some() || self.forward_signals;
        let die_with = self.kill_child.as_ref().map(|signal| signal.as_deref().map_or(Ok(libc::SIGKILL), signal_named));
        Ok(enter::Unshare {
            kinds,
            pins,
            users,
            groups,
            owner,
            deny_setgroups: self.setgroups.map(|setgroups| setgroups == SetGroups::Deny),
            propagation: match self.propagation {
                Mode::Private => Some(Propagation::Private),
                Mode::Shared => Some(Propagation::Shared),
                Mode::Slave => Some(Propagation::Slave),
                Mode::Unchanged => None,
            },
            proc,
            binfmt,
            root: self.root,
            directory: self.wd,
            uid: self.setuid,
            gid: self.setgid,
            keep_capabilities: self.keep_caps,
            monotonic: self.monotonic,
            boottime: self.boottime,
            child: forks.then_some(Child { die_with: die_with.transpose()?, forward_signals: self.forward_signals }),
            command: self.command,
        })
    }

    fn namespaces(&self) -> (Kinds, Vec<(Kind, PathBuf)>) {
        let asked = [
            (Kind::User, &self.user),
            (Kind::Cgroup, &self.cgroup),
            (Kind::Ipc, &self.ipc),
            (Kind::Uts, &self.uts),
            (Kind::Network, &self.net),
            (Kind::Pid, &self.pid),
            (Kind::Mount, &self.mount),
            (Kind::Time, &self.time),
        ];
        let asked = asked.into_iter().filter_map(|(kind, option)| Some((kind, option.as_ref()?)));
        let pins = asked.clone().filter_map(|(kind, file)| Some((kind, file.clone()?))).collect();
        (asked.map(|(kind, _)| kind).collect(), pins)
    }

    fn binfmt(&self) -> Option<Binfmt> {
        let target = match &self.mount_binfmt {
            Some(target) => target.clone(),
            None => self.load_interp.as_ref().map(|_| None)?,
        };
        Some(Binfmt { target: target.unwrap_or_else(|| BINFMT.into()), interpreter: self.load_interp.clone() })
    }

    fn users(&self) -> Result<IdMap, Error> {
        let given = self.map_user.as_deref().map(user).transpose()?;
        let own = Uid::effective().as_raw();
        let files = ("/etc/subuid", "/proc/self/uid_map");
        Ok(IdMap { single: self.single(given, own), ranges: self.ranges(&self.map_users, files)? })
    }

    fn groups(&self) -> Result<IdMap, Error> {
        let given = self.map_group.as_deref().map(group).transpose()?;
        let own = Gid::effective().as_raw();
        let files = ("/etc/subgid", "/proc/self/gid_map");
        Ok(IdMap { single: self.single(given, own), ranges: self.ranges(&self.map_groups, files)? })
    }

    fn single(&self, given: Option<u32>, own: u32) -> Option<u32> {
        given.or(self.map_root_user.then_some(0)).or(self.map_current_user.then_some(own))
    }

    fn ranges(&self, given: &[String], (subids, map): (&str, &str)) -> Result<Vec<Ranges>, Error> {
        let own = || own_subids(Path::new(subids), Uid::effective().as_raw());
        let mut ranges = Vec::new();
        let switches = [("auto", self.map_auto), ("subids", self.map_subids)];
        let implied = switches.into_iter().filter(|(_, on)| *on).map(|(word, _)| word);
        for word in given.iter().map(String::as_str).chain(implied) {
            match word {
                "auto" => {
                    let (outside, count) = own()?;
                    ranges.push(Ranges::Auto { outside, count });
                }
                "subids" => {
                    let (first, count) = own()?;
                    ranges.push(Ranges::Given(IdRange { inside: first, outside: first, count }));
                }
                "all" => ranges.extend(all_of(map)?.into_iter().map(Ranges::Given)),
                text => match parse_range(text) {
                    Some(range) => ranges.push(Ranges::Given(range)),
                    None => {
                        return Err(wrong(&format!(
                            "{text:?} is no map: it takes INSIDE:OUTSIDE:COUNT, auto, subids or all"
                        )));
                    }
                },
            }
        }
        Ok(ranges)
    }
}

fn wrong(message: &str) -> Error {
    Error::Enter(enter::Error::Request(message.to_owned()))
}

fn user(text: &str) -> Result<u32, Error> {
    let named = || User::from_name(text).ok().flatten().map(|user| user.uid.as_raw());
    text.parse().ok().or_else(named).ok_or_else(|| wrong(&format!("there is no user {text}")))
}

fn group(text: &str) -> Result<u32, Error> {
    let named = || Group::from_name(text).ok().flatten().map(|group| group.gid.as_raw());
    text.parse().ok().or_else(named).ok_or_else(|| wrong(&format!("there is no group {text}")))
}

fn owner(text: &str) -> Result<(u32, u32), Error> {
    let ids = text.split_once(':').and_then(|(uid, gid)| Some((uid.parse().ok()?, gid.parse().ok()?)));
    ids.ok_or_else(|| wrong(&format!("--owner={text}: it takes UID:GID, two numbers")))
}

/// The number of a signal by its name, with or without SIG.
fn signal_named(text: &str) -> Result<i32, Error> {
    let name = text.to_ascii_uppercase();
    let name = name.strip_prefix("SIG").unwrap_or(&name);
    let number = match name {
        "POLL" => Some(libc::SIGPOLL),
        "CLD" => Some(libc::SIGCHLD),
        "IOT" => Some(libc::SIGIOT),
        _ => real_time(name).or_else(|| format!("SIG{name}").parse().ok().map(|signal: Signal| signal as i32)),
    };
    number.ok_or_else(|| wrong(&format!("there is no signal {text}")))
}

/// `RTMIN+3` and `RTMAX-3`.
fn real_time(name: &str) -> Option<i32> {
    let (first, last) = (libc::SIGRTMIN(), libc::SIGRTMAX());
    let offset = |text: &str, sign: char| match text {
        "" => Some(0),
        _ => text.strip_prefix(sign).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok(),
    };
    let number = match (name.strip_prefix("RTMIN"), name.strip_prefix("RTMAX")) {
        (Some(rest), _) => first.checked_add(offset(rest, '+')?)?,
        (_, Some(rest)) => last.checked_sub(offset(rest, '-')?)?,
        _ => return None,
    };
    (first..=last).contains(&number).then_some(number)
}
