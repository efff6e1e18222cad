//! The ways to the bus of a systemd: its socket, ssh, or the namespaces of a container.

use std::fs;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::Duration;

use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect as connect_socket, socket};
use zbus::Connection;
use zbus::connection::Builder;

use super::Error;
use super::address::{Address, Place};
use super::bridge::{self, Bridge};
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
    let failed = |what: String, source| Error::Bridge { place: address.place.clone(), what, source };
    let mut bridge = None;
    let mut over = |command: Command| {
        let program = command.get_program().display().to_string();
        let (stream, started) = Bridge::start(command).map_err(|source| failed(program, source))?;
        bridge = Some(started);
        Ok(Builder::unix_stream(stream))
    };
    let builder = match (&address.place, address.scope) {
        (Place::Here, scope) => here(scope)?,
        (Place::Machine { user: None, name }, Scope::System) if name == ".host" => here(Scope::System)?,
        (Place::Host(host), scope) => over(bridge::over_ssh(host, scope))?,
        (Place::Machine { user: None, name }, Scope::System) => {
            let leader = leader(name)?;
            let what = || format!("the bus of its process {leader}");
            Builder::unix_stream(bus_of(leader).map_err(|source| failed(what(), source))?)
        }
        (Place::Machine { user, name }, scope) => over(bridge::as_user(user.as_deref(), name, scope))?,
    };
    builder.method_timeout(TIMEOUT).build().await.map_err(|source| {
        let ended = bridge.and_then(Bridge::ended);
        ended.map_or_else(
            || Error::Connect { scope: address.scope, place: address.place.clone(), source: Box::new(source) },
            |(program, status)| Error::Ended { place: address.place.clone(), program, status },
        )
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
            End::Killed(signal) => Err(io::Error::other(format!("the helper was killed by signal {signal}"))),
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
