//! `nsenter`: a command in namespaces that are there.

use std::convert::Infallible;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::unistd::{chroot, fchdir};

use super::opened::Opened;
use super::{Error, Target, child, credentials, payload};
use crate::cell::Kind;
use crate::sys::namespace::Namespace;
use crate::sys::nsfs::{self, Relation};
use crate::sys::process;

/// What is asked for.
#[derive(Debug)]
pub struct Nsenter {
    /// The process that everything comes from which is given no other source.
    pub target: Option<Target>,
    /// Every namespace that differs from the caller's.
    pub all: bool,
    /// Single ones, and where they come from.
    pub namespaces: Vec<(Kind, Source)>,
    /// The user namespace above the one that is asked for, or above that of another namespace.
    pub user_parent: bool,
    /// The network namespace of this socket of the target.
    pub net_socket: Option<i32>,
    /// The user to become.
    pub uid: Option<Id>,
    /// The group to become.
    pub gid: Option<Id>,
    /// Does nobody become root in a user namespace by entering it?
    pub preserve_credentials: bool,
    /// Whether capabilities in the user namespace outlive the exec.
    pub keep_capabilities: bool,
    /// The root directory.
    pub root: Option<Place>,
    /// The working directory.
    pub directory: Option<Place>,
    /// The working directory, as it is called inside.
    pub directory_inside: Option<PathBuf>,
    /// Whether the target's environment is taken over.
    pub environment: bool,
    /// Whether to stay the same process even where a PID namespace is entered.
    pub no_fork: bool,
    /// Whether to become a member of the target's control group.
    pub join_cgroup: bool,
    /// Whether the target's SELinux context is taken over.
    pub follow_context: bool,
    /// Has the command a terminal of its own, where all that is typed is for it alone?
    pub own_terminal: bool,
    /// The command; none is a shell.
    pub command: Vec<OsString>,
}

/// Where a namespace comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The target has it.
    Target,
    /// This is its file, or a pin of it.
    File(PathBuf),
}

/// A directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The target's own.
    Target,
    /// One of the caller's.
    Directory(PathBuf),
}

/// A user or a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Id {
    /// This one.
    Number(u32),
    /// The target's.
    Follow,
}

impl Nsenter {
    /// Does it all; returns only where the command was not executed.
    pub fn run(&self) -> Result<Infallible, Error> {
        // All is opened before anything changes, and for this process alone.
        let namespaces = self.open_namespaces()?;
        let root = self.root.as_ref().map(|place| self.open(place, "root")).transpose()?;
        let directory = self.directory.as_ref().map(|place| self.open(place, "cwd")).transpose()?;
        let environment = self.environment.then(|| self.read("environ")).transpose()?;
        let (uid, gid) = (self.number(self.uid, |ids| ids.0)?, self.number(self.gid, |ids| ids.1)?);
        let cgroup = self.join_cgroup.then(|| self.open_cgroup()).transpose()?;
        if self.follow_context {
            self.take_context()?;
        }

        // What is inside may be hostile: no process there gets to see this one's files meanwhile.
        process::hide_from_debuggers().map_err(Error::system("hide from debuggers"))?;
        let kinds = namespaces.kinds();
        let becomes_root = kinds.contains(Kind::User) && !self.preserve_credentials;
        // Either here or inside it may be forbidden.
        let gave_up_groups = becomes_root && nix::unistd::setgroups(&[]).is_ok();
        namespaces.enter(self.target.as_ref())?;
        self.change_directories(root, directory)?;
        if let Some(environment) = environment {
            process::replace_environment(environment.split(|&byte| byte == 0));
        }
        if let Some(mut cgroup) = cgroup {
            cgroup.write_all(b"0").map_err(Error::system("join the control group"))?;
        }
        if kinds.contains(Kind::Pid) && !self.no_fork {
            child::fork_nsenter(self.own_terminal)?;
        }
        let default = becomes_root.then_some(0);
        if let Some(gid) = gid.or(default) {
            credentials::set_group(gid, gave_up_groups)?;
        }
        if let Some(uid) = uid.or(default) {
            credentials::set_user(uid)?;
        }
        if self.keep_capabilities && kinds.contains(Kind::User) {
            credentials::keep_capabilities()?;
        }
        payload::execute(&self.command)
    }

    fn target(&self) -> Result<&Target, Error> {
        self.target.as_ref().ok_or_else(|| Error::Request("no target is given; --target names one".to_owned()))
    }

    fn open_namespaces(&self) -> Result<Opened, Error> {
        let mut opened = Opened::default();
        for (kind, source) in &self.namespaces {
            match source {
                Source::Target => opened.of_target.insert(*kind),
                Source::File(file) => {
                    let namespace = Namespace::open(file).map_err(Error::of_file("open", file))?;
                    opened.put(*kind, namespace);
                }
            }
        }
        if self.all {
            let target = self.target()?;
            for kind in Kind::ALL {
                if !opened.kinds().contains(kind) && is_usable(target, kind)? {
                    opened.of_target.insert(kind);
                }
            }
        }
        if !opened.of_target.is_empty() || self.user_parent || self.net_socket.is_some() {
            self.target()?;
        }
        if self.user_parent {
            self.replace_user_by_parent(&mut opened)?;
        }
        if let Some(number) = self.net_socket {
            let socket = self
                .target()?
                .socket(number)
                .map_err(Error::system(format!("get descriptor {number} of the target")))?;
            let namespace = nsfs::of_socket(&socket)
                .map_err(Error::system(format!("get the network namespace of descriptor {number}")))?;
            opened.put(Kind::Network, Namespace::from(namespace));
        }
        if opened.kinds().is_empty() {
            return Err(Error::Request("no namespace is given; --all stands for every one of the target".to_owned()));
        }
        Ok(opened)
    }

    fn replace_user_by_parent(&self, opened: &mut Opened) -> Result<(), Error> {
        let of_file =
            |wanted: Option<Kind>| opened.files.iter().find(|(kind, _)| wanted == Some(*kind) || wanted.is_none());
        let of_target = opened.of_target.contains(Kind::User);
        let below = match of_file(Some(Kind::User)).or_else(|| of_file(None).filter(|_| !of_target)) {
            Some((_, namespace)) => nsfs::related(namespace, Relation::Owner),
            None => self.target()?.namespace(Kind::User).and_then(|user| nsfs::related(&user, Relation::Owner)),
        };
        let parent = below.map_err(Error::system("open the parent user namespace"))?;
        let parent = parent.ok_or_else(|| Error::Request("the parent user namespace is out of reach".to_owned()))?;
        opened.put(Kind::User, Namespace::from(parent));
        Ok(())
    }

    fn open(&self, place: &Place, name: &str) -> Result<File, Error> {
        match place {
            Place::Target => {
                let target = self.target()?;
                target.file(name).map_err(Error::system(format!("open {name} of process {}", target.pid())))
            }
            Place::Directory(path) => File::open(path).map_err(Error::of_file("open", path)),
        }
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, Error> {
        let target = self.target()?;
        let mut content = Vec::new();
        let read = target.file(name).and_then(|mut file| file.read_to_end(&mut content));
        read.map_err(Error::system(format!("read {name} of process {}", target.pid())))?;
        Ok(content)
    }

    fn number(&self, id: Option<Id>, of: impl FnOnce((u32, u32)) -> u32) -> Result<Option<u32>, Error> {
        match id {
            Some(Id::Number(number)) => Ok(Some(number)),
            Some(Id::Follow) => {
                let ids = self.target()?.ids().map_err(Error::system("find out who the target is"))?;
                Ok(Some(of(ids)))
            }
            None => Ok(None),
        }
    }

    /// The list of members of the target's control group, to be written to.
    fn open_cgroup(&self) -> Result<File, Error> {
        let text = self.read("cgroup")?;
        let unified = text.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(b"0::/"));
        let path = unified.filter(|_| Path::new("/sys/fs/cgroup/cgroup.procs").exists()).ok_or_else(|| {
            Error::Request("--join-cgroup needs the unified hierarchy of control groups at /sys/fs/cgroup".to_owned())
        })?;
        let file = Path::new("/sys/fs/cgroup").join(OsStr::from_bytes(path)).join("cgroup.procs");
        OpenOptions::new().write(true).open(&file).map_err(Error::of_file("open", &file))
    }

    /// As setexeccon(3) does it; without SELinux there is nothing to follow.
    fn take_context(&self) -> Result<(), Error> {
        let target = self.target()?;
        if !Path::new("/sys/fs/selinux/enforce").exists() {
            return Ok(());
        }
        let context = self.read("attr/current")?;
        fs::write("/proc/self/attr/exec", context)
            .map_err(Error::system(format!("take the SELinux context of process {}", target.pid())))
    }

    fn change_directories(&self, root: Option<File>, directory: Option<File>) -> Result<(), Error> {
        let to = |directory: &File, what: &str| {
            fchdir(directory).map_err(|error| Error::system(format!("change to the {what} directory"))(error.into()))
        };
        let inside = self.directory_inside.as_deref();
        if let Some(root) = &root {
            let before = File::open(".").map_err(Error::system("open the working directory"))?;
            to(root, "root")?;
            chroot(".").map_err(|error| Error::system("change the root directory")(error.into()))?;
            // The working directory stays where it was only if the new root has it.
            to(&before, "working")?;
            if !env::current_dir().is_ok_and(|path| path.is_absolute()) {
                env::set_current_dir("/").map_err(Error::of_file("change the directory to", Path::new("/")))?;
            }
        }
        if let Some(inside) = inside {
            env::set_current_dir(inside).map_err(Error::of_file("change the directory to", inside))?;
        }
        match &directory {
            Some(directory) => to(directory, "working"),
            None => Ok(()),
        }
    }
}

/// Has this kernel such namespaces, and may the target's be entered? The caller's own user namespace
/// may not, lest it give back capabilities that were dropped.
fn is_usable(target: &Target, kind: Kind) -> Result<bool, Error> {
    if !Path::new("/proc/self/ns").join(kind.proc_name()).exists() {
        return Ok(false);
    }
    if kind != Kind::User {
        return Ok(true);
    }
    let shared = target
        .shares(kind)
        .map_err(Error::system(format!("look at the user namespace of process {}", target.pid())))?;
    Ok(!shared)
}
