//! User namespaces seen from outside: whose maps this process may not write, or not see as they are, once it
//! is inside.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;

use super::id_map::{self, IdRange, Maps};
use super::namespace::{self, Namespace};
use super::process::{self, Fork};

/// Makes a user namespace and returns it, ready to be entered.
///
/// A child does what has to come `before`, makes the namespace and stays in it while this process,
/// still outside, writes its maps. The namespace's file then keeps it, and the child is gone.
pub fn make(before: impl FnOnce() -> io::Result<()>, maps: &Maps) -> io::Result<Namespace> {
    let make = || before().and_then(|()| namespace::make(libc::CLONE_NEWUSER.cast_unsigned()));
    with_child(make, |child| {
        maps.write_for(child)?;
        Namespace::open(format!("/proc/{child}/ns/user"))
    })
}

/// The uid_map and the gid_map of a user namespace, in ids of this process's own.
pub fn maps_of(namespace: &Namespace) -> io::Result<(Vec<IdRange>, Vec<IdRange>)> {
    let enter = || {
        // Whoever is root in there may look into all others.
        process::hide_from_debuggers()?;
        namespace.enter(libc::CLONE_NEWUSER.cast_unsigned())
    };
    with_child(enter, |child| {
        let map = |name: &str| {
            let text = fs::read_to_string(format!("/proc/{child}/{name}"))?;
            id_map::parse(&text).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
        };
        Ok((map("uid_map")?, map("gid_map")?))
    })
}

/// Forks a child that gets into a user namespace and stays there, and looks at it by its number.
fn with_child<T>(get_in: impl FnOnce() -> io::Result<()>, look: impl FnOnce(i32) -> io::Result<T>) -> io::Result<T> {
    let (from_child, to_parent) = pipe()?;
    let (from_parent, to_child) = pipe()?;
    match process::fork()? {
        Fork::Child => {
            drop((from_child, to_child));
            let errno = get_in().err().map_or(0, |error| error.raw_os_error().unwrap_or(libc::EIO));
            let told = File::from(to_parent).write_all(&errno.to_ne_bytes());
            if told.is_ok() && errno == 0 {
                // Until the parent closes its end, or dies.
                let _ = File::from(from_parent).read(&mut [0]);
            }
            process::exit(0);
        }
        Fork::Parent(child) => {
            drop((to_parent, from_parent));
            let found = await_child(from_child).and_then(|()| look(child.as_raw()));
            drop(to_child);
            match process::wait(child) {
                // Gone already: so it goes where SIGCHLD is ignored.
                Err(error) if error.raw_os_error() == Some(libc::ECHILD) => {}
                end => _ = end?,
            }
            found
        }
    }
}

fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?)
}

fn await_child(from_child: OwnedFd) -> io::Result<()> {
    let mut errno = [0; 4];
    File::from(from_child).read_exact(&mut errno)?;
    match i32::from_ne_bytes(errno) {
        0 => Ok(()),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}
