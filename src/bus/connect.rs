//! The ways to the bus of a systemd: its socket, ssh, or the namespaces of a container.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect as connect_socket, socket};
use zbus::Connection;
use zbus::connection::Builder;

use super::Error;
use super::address::{Address, Host, Place};
use crate::cell::Kind;
use crate::sys::identity;
use crate::sys::namespace::Namespace;
use crate::sys::process::{self, End, Fork};
use crate::unit::Scope;

/// As long as systemctl waits for a reply.
const TIMEOUT: Duration = Duration::from_secs(25);

/// The socket of the system's bus.
const SYSTEM_BUS: &str = "/run/dbus/system_bus_socket";

/// Opens the way. Nothing else may run beside: to enter a container takes a fork.
pub async fn connect(address: &Address) -> Result<Connection, Error> {
    let builder = match (&address.place, address.scope) {
        (Place::Here, scope) => here(scope)?,
        (Place::Machine { user: None, name }, Scope::System) if name == ".host" => here(Scope::System)?,
        (Place::Host(host), scope) => bridged(address, over_ssh(host, scope))?,
        (Place::Machine { user: None, name }, Scope::System) => {
            let leader = leader(name)?;
            let what = || format!("the bus of its process {leader}");
            let stream = bus_of(leader).map_err(|source| bridge_error(address, what(), source))?;
            Builder::unix_stream(stream)
        }
        (Place::Machine { user, name }, scope) => bridged(address, as_user(user.as_deref(), name, scope))?,
    };
    builder.method_timeout(TIMEOUT).build().await.map_err(|source| Error::Connect {
        scope: address.scope,
        place: address.place.clone(),
        source: Box::new(source),
    })
}

/// By the bus. systemd's own socket, which systemctl falls back to, puts a name into its messages that
/// D-Bus does not allow there, and zbus takes nobody's word for it.
fn here(scope: Scope) -> Result<Builder<'static>, Error> {
    if !libsystemd::daemon::booted() {
        return Err(Error::NotBooted);
    }
    Ok(match scope {
        Scope::System => Builder::system(),
        Scope::User => Builder::session(),
    })
}

/// sd-bus's own command line for it, so that whoever is let in there is let in here.
fn over_ssh(host: &Host, scope: Scope) -> Vec<OsString> {
    let ssh = env::var_os("SYSTEMD_SSH").filter(|ssh| !ssh.is_empty()).unwrap_or_else(|| "ssh".into());
    let mut words = vec![ssh, "-xT".into()];
    if let Some(port) = host.port {
        words.extend(["-p".into(), port.to_string().into()]);
    }
    words.extend(["--".into(), host.destination.clone().into(), "systemd-stdio-bridge".into()]);
    words.extend((scope == Scope::User).then(|| "--user".into()));
    words.extend(host.container.as_ref().map(|name| format!("--machine={name}").into()));
    words
}

/// sd-bus's, too: a bridge that runs as the user, in a session of its own.
fn as_user(user: Option<&str>, machine: &str, scope: Scope) -> Vec<OsString> {
    let mut words = vec![format!("-M{machine}"), "-PGq".into(), "--wait".into()];
    words.push(format!("-pUser={}", user.unwrap_or("root")));
    words.extend(["-pPAMName=login".into(), "systemd-stdio-bridge".into()]);
    if scope == Scope::User {
        words.push("-punix:path=${XDG_RUNTIME_DIR}/bus".into());
    }
    std::iter::once("systemd-run".into()).chain(words.into_iter().map(OsString::from)).collect()
}

/// A program that speaks D-Bus on its standard input and output; it ends when its input does.
fn bridged(address: &Address, words: Vec<OsString>) -> Result<Builder<'static>, Error> {
    let open = || -> io::Result<UnixStream> {
        let (ours, theirs) = UnixStream::pair()?;
        let output = OwnedFd::from(theirs.try_clone()?);
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).stdin(Stdio::from(OwnedFd::from(theirs))).stdout(Stdio::from(output)).spawn()?;
        Ok(ours)
    };
    let program = words.first().map_or(OsStr::new("?"), |word| word);
    open().map(Builder::unix_stream).map_err(|source| bridge_error(address, program.display().to_string(), source))
}

fn bridge_error(address: &Address, what: String, source: io::Error) -> Error {
    Error::Bridge { place: address.place.clone(), what, source }
}

/// The first process of a container, as systemd-machined has written it down.
fn leader(machine: &str) -> Result<u32, Error> {
    let text = fs::read_to_string(format!("/run/systemd/machines/{machine}")).unwrap_or_default();
    let leader = text.lines().find_map(|line| line.strip_prefix("LEADER=")?.parse().ok());
    leader.ok_or_else(|| Error::NoSuchMachine(machine.to_owned()))
}

/// A socket that is connected to the system's bus of another process's namespaces. A child goes
/// there and connects it, and the socket stays with us.
fn bus_of(leader: u32) -> io::Result<UnixStream> {
    let socket = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    let open = |kind: Kind| Namespace::open(format!("/proc/{leader}/ns/{}", kind.proc_name())).map(|file| (kind, file));
    let (mount, user) = (open(Kind::Mount)?, open(Kind::User)?);
    let user = match fs::read_link(format!("/proc/{leader}/ns/user"))? == fs::read_link("/proc/self/ns/user")? {
        true => None,
        false => Some(user),
    };
    match process::fork()? {
        Fork::Parent(child) => match process::wait(child)? {
            End::Exited(0) => Ok(UnixStream::from(socket)),
            // A child tells by its status which error it had.
            End::Exited(errno) => Err(io::Error::from_raw_os_error(errno.into())),
            End::Killed(signal) => Err(io::Error::other(format!("the helper was killed by {signal}"))),
        },
        Fork::Child => {
            let attempt = || -> io::Result<()> {
                if let Some((kind, file)) = &user {
                    file.enter(kind.clone_flag())?;
                    identity::set_groups(Some(0), None)?;
                    identity::set_user(0)?;
                }
                mount.1.enter(mount.0.clone_flag())?;
                Ok(connect_socket(socket.as_raw_fd(), &UnixAddr::new(SYSTEM_BUS)?)?)
            };
            let errno = |error: io::Error| error.raw_os_error().and_then(|errno| u8::try_from(errno).ok());
            process::exit(attempt().map_or_else(|error| errno(error).unwrap_or(u8::MAX), |()| 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ssh_gets_no_option_from_the_host() {
        let host = Host { destination: "me@web".to_owned(), port: Some(22), container: Some("box".to_owned()) };
        let words = over_ssh(&host, Scope::System);
        let words: Vec<&str> = words[1..].iter().filter_map(|word| word.to_str()).collect();
        assert_eq!(words, ["-xT", "-p", "22", "--", "me@web", "systemd-stdio-bridge", "--machine=box"]);
    }

    #[test]
    fn a_user_is_bridged_in_a_session() {
        let words = as_user(Some("tester"), ".host", Scope::User);
        let words: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
        assert_eq!(words[..5], ["systemd-run", "-M.host", "-PGq", "--wait", "-pUser=tester"]);
        assert_eq!(words.last(), Some(&"-punix:path=${XDG_RUNTIME_DIR}/bus"));
    }
}
