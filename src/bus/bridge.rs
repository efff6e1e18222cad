//! A program that speaks D-Bus with a bus elsewhere on its standard input and output.

use std::env;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, ExitStatus};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::Pid;

use super::address::Host;
use crate::sys::process;
use crate::unit::Scope;

/// How long a program has to end once its input has, in milliseconds.
const PATIENCE: u16 = 2000;

/// One that was started; it ends when its input does.
#[derive(Debug)]
pub struct Bridge {
    name: String,
    child: Child,
}

impl Bridge {
    /// Starts it, and gives the other end.
    pub fn start(mut command: Command) -> io::Result<(UnixStream, Bridge)> {
        let (ours, theirs) = UnixStream::pair()?;
        let output = OwnedFd::from(theirs.try_clone()?);
        let child = command.stdin(OwnedFd::from(theirs)).stdout(output).spawn()?;
        Ok((ours, Bridge { name: command.get_program().display().to_string(), child }))
    }

    /// Its name, and how it ended, if it did; the other end has to be closed.
    pub fn ended(mut self) -> Option<(String, ExitStatus)> {
        let pid = Pid::from_raw(self.child.id().cast_signed());
        let pidfd = process::pidfd(pid).ok()?;
        poll(&mut [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)], PollTimeout::from(PATIENCE)).ok()?;
        Some((self.name, self.child.try_wait().ok()??))
    }
}

/// sd-bus's own command line for it, so that whoever is let in there is let in here.
pub fn over_ssh(host: &Host, scope: Scope) -> Command {
    let ssh = env::var_os("SYSTEMD_SSH").filter(|ssh| !ssh.is_empty()).unwrap_or_else(|| "ssh".into());
    let mut command = Command::new(ssh);
    command.arg("-xT");
    if let Some(port) = host.port {
        command.args(["-p", &port.to_string()]);
    }
    command.args(["--", &host.destination, "systemd-stdio-bridge"]);
    command.args((scope == Scope::User).then_some("--user"));
    command.args(host.container.as_ref().map(|name| format!("--machine={name}")));
    command
}

/// sd-bus's, too: a bridge that runs as the user, in a session of its own.
pub fn as_user(user: Option<&str>, machine: &str, scope: Scope) -> Command {
    let mut command = Command::new("systemd-run");
    command.arg(format!("-M{machine}")).args(["-PGq", "--wait"]);
    command.arg(format!("-pUser={}", user.unwrap_or("root")));
    command.args(["-pPAMName=login", "systemd-stdio-bridge"]);
    command.args((scope == Scope::User).then_some("-punix:path=${XDG_RUNTIME_DIR}/bus"));
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(command: &Command) -> Vec<&str> {
        command.get_args().filter_map(|word| word.to_str()).collect()
    }

    #[test]
    fn ssh_gets_no_option_from_the_host() {
        let host = Host { destination: "me@web".to_owned(), port: Some(22), container: Some("box".to_owned()) };
        let command = over_ssh(&host, Scope::System);
        assert_eq!(words(&command), ["-xT", "-p", "22", "--", "me@web", "systemd-stdio-bridge", "--machine=box"]);
    }

    #[test]
    fn a_user_is_bridged_in_a_session() {
        let command = as_user(Some("tester"), ".host", Scope::User);
        assert_eq!(command.get_program(), "systemd-run");
        let words = words(&command);
        assert_eq!(words[..4], ["-M.host", "-PGq", "--wait", "-pUser=tester"]);
        assert_eq!(words.last(), Some(&"-punix:path=${XDG_RUNTIME_DIR}/bus"));
    }

    #[test]
    fn the_end_of_a_bridge_is_told() {
        let mut command = Command::new("sh");
        command.args(["-c", "cat >/dev/null; exit 3"]);
        let (stream, bridge) = Bridge::start(command).unwrap();
        drop(stream);
        let (name, status) = bridge.ended().unwrap();
        assert_eq!((name.as_str(), status.code()), ("sh", Some(3)));
    }
}
