//! `unshare`: a command in new namespaces.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Uid};

use super::child::{self, Impatience, Parent};
use super::id_map::IdMap;
use super::pins::Pinner;
use super::{Error, credentials, payload};
use crate::cell::{Kind, Kinds};
use crate::sys::id_map::{GROUPS, IdRange, Ids, Maps, USERS, control_setgroups};
use crate::sys::mount::{self, Propagation};
use crate::sys::{identity, namespace, signal, user_namespace};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unshare {
    /// The types of the namespaces to make.
    pub kinds: Kinds,
    /// Where to pin some of them.
    pub pins: Vec<(Kind, PathBuf)>,
    /// The user ids there.
    pub users: IdMap,
    /// The group ids there.
    pub groups: IdMap,
    /// Who is to own the user namespace, a user and a group.
    pub owner: Option<(u32, u32)>,
    /// Whether setgroups(2) is denied in it.
    pub deny_setgroups: Option<bool>,
    /// What becomes of all mounts in the mount namespace; none leaves them as they are.
    pub propagation: Option<Propagation>,
    /// Where to mount a new /proc.
    pub proc: Option<PathBuf>,
    /// Programs for foreign formats.
    pub binfmt: Option<Binfmt>,
    /// The root directory.
    pub root: Option<PathBuf>,
    /// The working directory.
    pub directory: Option<PathBuf>,
    /// The user to become.
    pub uid: Option<u32>,
    /// The group to become.
    pub gid: Option<u32>,
    /// Whether capabilities in the user namespace outlive the exec.
    pub keep_capabilities: bool,
    /// Seconds to shift the monotonic clock by.
    pub monotonic: Option<i64>,
    /// Seconds to shift the boot-time clock by.
    pub boottime: Option<i64>,
    /// Goes on in a child, if at all.
    pub child: Option<Child>,
    /// The command; none is a shell.
    pub command: Vec<OsString>,
}

/// How to go on in a child.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Child {
    /// The number of the signal that it gets when its parent ends.
    pub die_with: Option<i32>,
    /// Whether SIGINT and SIGTERM are passed on to it.
    pub forward_signals: bool,
}

/// A binfmt_misc of the user namespace's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binfmt {
    /// Where it is mounted.
    pub target: PathBuf,
    /// What is registered in it.
    pub interpreter: Option<OsString>,
}

impl Unshare {
    /// Does it all; returns only where the command was not executed.
    pub fn run(&self) -> Result<Infallible, Error> {
        signal::keep_children().map_err(Error::system("wait for children"))?;
        let pinner = Pinner::prepare(&self.pins, self.kinds)?;
        self.make_namespaces()?;
        self.shift_clocks()?;
        let parent = match self.child {
            Some(child) => Some((self.fork(child, pinner)?, child)),
            None => {
                pinner.pin(&self.pins)?;
                None
            }
        };
        self.arrange_mounts()?;
        self.become_somebody()?;
        if let Some((parent, Child { die_with: Some(signal), .. })) = &parent {
            parent.die_with(*signal)?;
        }
        payload::execute(&self.command)
    }

    fn make_namespaces(&self) -> Result<(), Error> {
        let (uid, gid) = (Uid::effective().as_raw(), Gid::effective().as_raw());
        let whose = || match self.owner {
            Some((uid, gid)) => identity::set_groups(Some(gid), Some(&[])).and_then(|()| identity::set_user(uid)),
            None => Ok(()),
        };
        let beyond_oneself = self.owner.is_some() || !(self.users.ranges.is_empty() && self.groups.ranges.is_empty());
        if !beyond_oneself {
            make(self.kinds)?;
            return self.map_oneself(uid, gid);
        }
        let maps = Maps {
            uids: self.users.resolve(uid),
            gids: self.groups.resolve(gid),
            deny_setgroups: self.denies_setgroups()?,
        };
        let made = user_namespace::make(whose, &maps);
        let made = made.map_err(Error::of_namespaces("make the user namespace and its maps"))?;
        whose().map_err(Error::system("become the owner of the user namespace"))?;
        made.enter(Kind::User.clone_flag()).map_err(Error::of_namespaces("enter the user namespace"))?;
        make(self.kinds.without(Kinds::from_iter([Kind::User])))
    }

    /// The maps that everybody may write: those that map nobody but the caller.
    fn map_oneself(&self, uid: u32, gid: u32) -> Result<(), Error> {
        let map = |ids: Ids, single: Option<u32>, outside| match single {
            Some(inside) => {
                let range = IdRange { inside, outside, count: 1 };
                ids.write("self", &[range]).map_err(Error::system("map the caller's own id"))
            }
            None => Ok(()),
        };
        map(USERS, self.users.single, uid)?;
        if let Some(deny) = self.denies_setgroups()? {
            control_setgroups("self", deny).map_err(Error::system("write /proc/self/setgroups"))?;
        }
        map(GROUPS, self.groups.single, gid)
    }

    /// Where the caller's own group alone is mapped, the kernel wants it denied.
    fn denies_setgroups(&self) -> Result<Option<bool>, Error> {
        let only_own_group = self.groups.single.is_some() && self.groups.ranges.is_empty() && self.owner.is_none();
        match self.deny_setgroups {
            Some(false) if only_own_group => Err(Error::Request(
                "--setgroups=allow and --map-group exclude each other: map more groups, too".to_owned(),
            )),
            asked => Ok(asked.or(only_own_group.then_some(true))),
        }
    }

    fn shift_clocks(&self) -> Result<(), Error> {
        if !self.kinds.contains(Kind::Time) {
            return Ok(());
        }
        let failed = || Error::system("set the clocks of the time namespace");
        let nanoseconds = |seconds: Option<i64>| {
            let nanoseconds = seconds.unwrap_or(0).checked_mul(1_000_000_000);
            nanoseconds.ok_or_else(|| failed()(io::Error::from_raw_os_error(libc::ERANGE)))
        };
        match (self.monotonic, self.boottime) {
            (None, None) => namespace::enter_time_for_children(),
            (monotonic, boottime) => namespace::enter_new_time(nanoseconds(monotonic)?, nanoseconds(boottime)?),
        }
        .map_err(failed())
    }

    fn fork(&self, child: Child, pinner: Pinner) -> Result<Parent, Error> {
        let impatience = if child.forward_signals { Impatience::Forwarded } else { Impatience::Ignored };
        child::fork_unshare(impatience, || pinner.pin(&self.pins))
    }

    fn arrange_mounts(&self) -> Result<(), Error> {
        if let Some(propagation) = self.propagation
            && self.kinds.contains(Kind::Mount)
        {
            mount::propagate(Path::new("/"), propagation).map_err(Error::system("change the propagation of mounts"))?;
        }
        let registered_outside = self.register_before_root()?;
        let directory = self.directory.as_deref().or(self.root.as_ref().map(|_| Path::new("/")));
        if let Some(root) = &self.root {
            nix::unistd::chroot(root)
                .map_err(|error| Error::of_file("change the root directory to", root)(error.into()))?;
        }
        if let Some(directory) = directory {
            std::env::set_current_dir(directory).map_err(Error::of_file("change the directory to", directory))?;
        }
        if let Some(target) = &self.proc {
            self.mount_proc(target)?;
        }
        if let Some(binfmt) = &self.binfmt {
            mount::over("binfmt_misc", &binfmt.target)
                .map_err(Error::of_file("mount binfmt_misc at", &binfmt.target))?;
            if let (Some(interpreter), false) = (&binfmt.interpreter, registered_outside) {
                register(&binfmt.target, interpreter)?;
            }
        }
        Ok(())
    }

    fn mount_proc(&self, target: &Path) -> Result<(), Error> {
        // With the whole tree private, it is, too.
        if self.root.is_none() && self.propagation != Some(Propagation::Private) {
            match mount::propagate(target, Propagation::Private) {
                // No mount point.
                Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {}
                other => other.map_err(Error::of_file("make private the mount at", target))?,
            }
        }
        mount::over("proc", target).map_err(Error::of_file("mount /proc at", target))
    }

    /// With the flag F the kernel opens the interpreter at once, and its path is one of the root
    /// directory before.
    fn register_before_root(&self) -> Result<bool, Error> {
        let (Some(binfmt), Some(_)) = (&self.binfmt, &self.root) else { return Ok(false) };
        let Some(interpreter) = &binfmt.interpreter else { return Ok(false) };
        let flags = interpreter.as_bytes().rsplit(|&byte| byte == b':').next().unwrap_or_default();
        if !flags.contains(&b'F') {
            return Ok(false);
        }
        let target = Path::new(BINFMT);
        mount::over("binfmt_misc", target).map_err(Error::of_file("mount binfmt_misc at", target))?;
        register(target, interpreter)?;
        Ok(true)
    }

    fn become_somebody(&self) -> Result<(), Error> {
        if let Some(gid) = self.gid {
            credentials::set_group(gid, false)?;
        }
        if let Some(uid) = self.uid {
            credentials::set_user(uid)?;
        }
        if self.keep_capabilities && self.kinds.contains(Kind::User) {
            credentials::keep_capabilities()?;
        }
        Ok(())
    }
}

/// Where binfmt_misc usually is.
pub const BINFMT: &str = "/proc/sys/fs/binfmt_misc";

fn make(kinds: Kinds) -> Result<(), Error> {
    if kinds.is_empty() {
        return Ok(());
    }
    namespace::make(kinds.clone_flags()).map_err(Error::of_namespaces(format!("make namespaces ({kinds})")))
}

fn register(binfmt: &Path, interpreter: &OsString) -> Result<(), Error> {
    let file = binfmt.join("register");
    OpenOptions::new()
        .write(true)
        .open(&file)
        .and_then(|mut file: File| file.write_all(interpreter.as_bytes()))
        .map_err(Error::of_file("register the interpreter in", &file))
}
