//! `unitcell nsenter`: a command in the namespaces of others, with the options of nsenter(1).

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use super::Error;
use super::{pty, target};
use crate::cell::Kind;
use crate::enter::{self, Id, Place, Source, Target};

/// Run a command in the namespaces of a service or a process, with the options of nsenter(1)
///
/// Without a command a shell is run. For a unit and for a named network namespace --all is meant
/// where no namespace is chosen.
#[derive(Debug, clap::Args)]
#[command(version, args_override_self = true, infer_long_args = true, next_help_heading = "Namespaces")]
pub struct Nsenter {
    /// A process, a unit or a named network namespace: where the namespaces come from
    #[arg(short, long, value_name = "PID|UNIT|NETNS")]
    target: Option<String>,
    /// Enter all namespaces of the target
    #[arg(short, long)]
    all: bool,
    /// Enter the mount namespace
    #[arg(short, long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    mount: Option<Option<PathBuf>>,
    /// Enter the UTS namespace: the host name
    #[arg(short, long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    uts: Option<Option<PathBuf>>,
    /// Enter the IPC namespace
    #[arg(short, long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    ipc: Option<Option<PathBuf>>,
    /// Enter the network namespace
    #[arg(short, long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    net: Option<Option<PathBuf>>,
    /// Enter the network namespace of this socket of the target
    #[arg(short = 'N', long, value_name = "FD")]
    net_socket: Option<i32>,
    /// Enter the PID namespace
    #[arg(short, long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    pid: Option<Option<PathBuf>>,
    /// Enter the user namespace
    #[arg(short = 'U', long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    user: Option<Option<PathBuf>>,
    /// Enter the user namespace above
    #[arg(long)]
    user_parent: bool,
    /// Enter the cgroup namespace
    #[arg(short = 'C', long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    cgroup: Option<Option<PathBuf>>,
    /// Enter the time namespace
    #[arg(short = 'T', long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    time: Option<Option<PathBuf>>,

    /// Change the root directory, to the target's if not told otherwise
    #[arg(short, long, value_name = "DIR", num_args = 0..=1, require_equals = true, help_heading = "Files")]
    root: Option<Option<PathBuf>>,
    /// Change the working directory, to the target's if not told otherwise
    #[arg(short, long, value_name = "DIR", num_args = 0..=1, require_equals = true, help_heading = "Files", conflicts_with = "wdns")]
    wd: Option<Option<PathBuf>>,
    /// Change the working directory to what has this path inside
    #[arg(short = 'W', long, value_name = "DIR", num_args = 0..=1, require_equals = true, help_heading = "Files")]
    wdns: Option<Option<PathBuf>>,

    /// Become this user inside; follow: the target's
    #[arg(short = 'S', long, value_name = "UID|follow", value_parser = id, help_heading = "Process")]
    setuid: Option<Id>,
    /// Become this group inside, and leave all others; follow: the target's
    #[arg(short = 'G', long, value_name = "GID|follow", value_parser = id, help_heading = "Process")]
    setgid: Option<Id>,
    /// Do not become root in a user namespace that is entered
    #[arg(long, help_heading = "Process")]
    preserve_credentials: bool,
    /// Let the capabilities in the user namespace outlive the exec of the command
    #[arg(long, help_heading = "Process")]
    keep_caps: bool,
    /// Take the target's environment over
    #[arg(short, long, help_heading = "Process")]
    env: bool,
    /// Do not go on in a child where a PID namespace is entered
    #[arg(short = 'F', long, help_heading = "Process")]
    no_fork: bool,
    /// Become a member of the target's control group
    #[arg(short = 'c', long, help_heading = "Process")]
    join_cgroup: bool,
    /// Take the target's SELinux context over
    #[arg(short = 'Z', long, help_heading = "Process")]
    follow_context: bool,
    /// Give the command a terminal of its own, out of whose reach yours is; ^] three times within 1s leaves
    #[arg(long, help_heading = "Process")]
    pty: bool,

    /// The command and its arguments
    #[arg(value_name = "COMMAND", trailing_var_arg = true, help_heading = None::<&str>)]
    command: Vec<OsString>,
}

impl Nsenter {
    pub fn run(self) -> Result<ExitCode, Error> {
        let pty = self.pty;
        let request = self.request()?;
        if pty {
            // The child goes on; what it can't do it tells at its terminal.
            pty::fork().map_err(Error::Terminal)?;
        }
        match request.run()? {}
    }

    fn request(self) -> Result<enter::Nsenter, Error> {
        let from = self.target.as_deref().map(From::named).transpose()?;
        let asked = [
            (Kind::User, self.user),
            (Kind::Cgroup, self.cgroup),
            (Kind::Ipc, self.ipc),
            (Kind::Uts, self.uts),
            (Kind::Network, self.net),
            (Kind::Pid, self.pid),
            (Kind::Mount, self.mount),
            (Kind::Time, self.time),
        ];
        let asked = asked.into_iter().filter_map(|(kind, file)| Some((kind, file?)));
        let mut namespaces: Vec<_> =
            asked.map(|(kind, file)| (kind, file.map_or(Source::Target, Source::File))).collect();
        let chosen = self.all || !namespaces.is_empty() || self.net_socket.is_some() || self.user_parent;
        let mut all = self.all;
        let target = match from {
            Some(From::Process(target)) => Some(target),
            Some(From::Unit(target)) => {
                all |= !chosen;
                Some(target)
            }
            Some(From::Pin(kind, file)) => {
                let asked = (kind, Source::Target);
                let wanted = !chosen || all || namespaces.contains(&asked);
                namespaces.retain(|namespace| *namespace != asked);
                namespaces.extend(wanted.then_some((kind, Source::File(file))));
                all = false;
                None
            }
            None => None,
        };
        let place = |directory: Option<PathBuf>| directory.map_or(Place::Target, Place::Directory);
        Ok(enter::Nsenter {
            target,
            all,
            namespaces,
            user_parent: self.user_parent,
            net_socket: self.net_socket,
            uid: self.setuid,
            gid: self.setgid,
            preserve_credentials: self.preserve_credentials,
            keep_capabilities: self.keep_caps,
            root: self.root.map(place),
            directory: self.wd.map(place),
            directory_inside: self.wdns.flatten(),
            environment: self.env,
            no_fork: self.no_fork,
            join_cgroup: self.join_cgroup,
            follow_context: self.follow_context,
            own_terminal: self.pty,
            command: self.command,
        })
    }
}

/// Where namespaces come from.
enum From {
    Process(Target),
    Unit(Target),
    /// A namespace; there is nothing else of it.
    Pin(Kind, PathBuf),
}

impl From {
    fn named(text: &str) -> Result<From, Error> {
        if let Ok(pid) = text.parse() {
            return Ok(From::Process(Target::new(pid)?));
        }
        // Who is not root can't enter what the system runs, but what the own manager does.
        let user = !nix::unistd::geteuid().is_root();
        match target::Target::of(text, user)? {
            target::Target::Namespace { kind, path, .. } => Ok(From::Pin(kind, path)),
            target::Target::Process { unit, process } => {
                let target = Target::new(process.pid)?;
                // Meanwhile it may have ended, and another one have got its number.
                if process.unit() != unit {
                    return Err(Error::NoSuchProcess(process.pid));
                }
                Ok(From::Unit(target))
            }
        }
    }
}

fn id(text: &str) -> Result<Id, std::num::ParseIntError> {
    if text == "follow" { Ok(Id::Follow) } else { text.parse().map(Id::Number) }
}
