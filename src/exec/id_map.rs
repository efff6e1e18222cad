//! Making a user namespace whose maps this process may not write once it is inside.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;

use crate::cell::{IdRange, Kind};
use crate::sys::namespace::{self, Namespace};
use crate::sys::process::{self, Fork};

/// The maps of a user namespace.
#[derive(Debug)]
pub struct Maps {
    /// Its uid_map.
    pub uids: Vec<IdRange>,
    /// Its gid_map.
    pub gids: Vec<IdRange>,
    /// Must setgroups(2) be denied in it? So the kernel wants it where the maps are written
    /// without privilege.
    pub deny_setgroups: bool,
}

/// Makes a user namespace with these maps and returns it, ready to be entered.
///
/// A child makes it and stays in it while this process, still outside, writes the maps; the
/// namespace's file then keeps it, and the child is gone.
pub fn make(maps: &Maps) -> io::Result<Namespace> {
    let (from_child, to_parent) = pipe()?;
    let (from_parent, to_child) = pipe()?;
    match process::fork()? {
        Fork::Child => {
            drop((from_child, to_child));
            let made = namespace::make(Kind::User.clone_flag());
            let errno = made.err().map_or(0, |error| error.raw_os_error().unwrap_or(libc::EIO));
            let told = File::from(to_parent).write_all(&errno.to_ne_bytes());
            if told.is_ok() && errno == 0 {
                // Until the parent closes its end, or dies.
                let _ = File::from(from_parent).read(&mut [0]);
            }
            process::exit(0);
        }
        Fork::Parent(child) => {
            drop((to_parent, from_parent));
            let namespace = await_child(from_child).and_then(|()| write(maps, child.as_raw()));
            drop(to_child);
            match process::wait(child) {
                // Gone already: so it goes where SIGCHLD is ignored.
                Err(error) if error.raw_os_error() == Some(libc::ECHILD) => {}
                end => _ = end?,
            }
            namespace
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

fn write(maps: &Maps, child: i32) -> io::Result<Namespace> {
    let file = |name: &str| format!("/proc/{child}/{name}");
    if maps.deny_setgroups {
        fs::write(file("setgroups"), "deny")?;
    }
    // The kernel takes a map in one write only.
    fs::write(file("uid_map"), text(&maps.uids))?;
    fs::write(file("gid_map"), text(&maps.gids))?;
    Namespace::open(file("ns/user"))
}

fn text(ranges: &[IdRange]) -> String {
    ranges.iter().map(|range| format!("{} {} {}\n", range.inside, range.outside, range.count)).collect()
}
