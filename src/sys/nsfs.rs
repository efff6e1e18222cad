//! What the kernel tells of a namespace by an open file of it, ioctl_nsfs(2).

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

/// From one namespace to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// To the user namespace that owns it.
    Owner,
    /// To the one that it lies in; only user and PID namespaces do.
    Parent,
}

/// Opens the related namespace; none where there is none, or where it is out of the caller's sight.
pub fn related(namespace: impl AsFd, relation: Relation) -> io::Result<Option<OwnedFd>> {
    let request = match relation {
        Relation::Owner => libc::NS_GET_USERNS,
        Relation::Parent => libc::NS_GET_PARENT,
    };
    // SAFETY: these requests take no argument, and answer with a new descriptor or an error.
    let fd = unsafe { libc::ioctl(namespace.as_fd().as_raw_fd(), request) };
    match owned(fd) {
        Err(error) if matches!(error.raw_os_error(), Some(libc::EPERM | libc::EINVAL)) => Ok(None),
        outcome => outcome.map(Some),
    }
}

/// The type of a namespace, as its `CLONE_NEW…`; none if the file is no namespace's.
pub fn clone_flag(file: impl AsFd) -> Option<u32> {
    // SAFETY: the request takes no argument, and answers with a number or an error.
    let flag = unsafe { libc::ioctl(file.as_fd().as_raw_fd(), libc::NS_GET_NSTYPE) };
    u32::try_from(flag).ok()
}

/// Opens the network namespace that a socket lives in.
pub fn of_socket(socket: impl AsFd) -> io::Result<OwnedFd> {
    const SIOCGSKNS: libc::Ioctl = 0x894c;
    // SAFETY: the request takes no argument, and answers with a new descriptor or an error.
    owned(unsafe { libc::ioctl(socket.as_fd().as_raw_fd(), SIOCGSKNS) })
}

fn owned(fd: libc::c_int) -> io::Result<OwnedFd> {
    match fd {
        // SAFETY: the kernel just made the descriptor for us.
        0.. => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn a_socket_lives_in_the_network_namespace_of_who_opened_it() {
        let socket = std::os::unix::net::UnixDatagram::unbound().unwrap();
        // It takes CAP_NET_ADMIN there.
        if let Ok(namespace) = of_socket(&socket) {
            let inode = File::from(namespace).metadata().unwrap().ino();
            assert_eq!(inode, fs::metadata("/proc/self/ns/net").unwrap().ino());
        }
        let namespace = File::open("/proc/self/ns/net").unwrap();
        assert_eq!(clone_flag(&namespace), Some(libc::CLONE_NEWNET.cast_unsigned()));
        assert_eq!(clone_flag(File::open("/proc/self/status").unwrap()), None);
        assert!(related(&namespace, Relation::Parent).unwrap().is_none(), "only PID and user namespaces have one");
    }
}
