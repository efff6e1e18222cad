//! The one thing that a new network namespace needs: lo, up; what tells it from all others; and
//! the options of sockets that speak for it.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

/// Takes lo up in the network namespace of the process (netdevice(7)). The kernel then gives it
/// 127.0.0.1 and ::1 by itself.
pub fn loopback_up() -> io::Result<()> {
    let socket = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
    // SAFETY: an all-zero ifreq is a valid one: an empty name and no flags.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (slot, byte) in request.ifr_name.iter_mut().zip(b"lo") {
        *slot = (*byte).cast_signed();
    }
    let mut call = |code: libc::Ioctl| {
        // SAFETY: both requests take a pointer to an ifreq, and `request` lives through the call.
        match unsafe { libc::ioctl(socket.as_raw_fd(), code, &raw mut request) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    };
    call(libc::SIOCGIFFLAGS)?;
    // SAFETY: SIOCGIFFLAGS has just filled in the flags, which is what SIOCSIFFLAGS reads.
    unsafe { request.ifr_ifru.ifru_flags |= libc::IFF_UP as libc::c_short };
    // SAFETY: as above.
    match unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Options of a netlink socket, netlink(7): answers that do not repeat the request,
pub const NETLINK_CAP_ACK: libc::c_int = 10;
/// that say in words what was wrong with it,
pub const NETLINK_EXT_ACK: libc::c_int = 11;
/// and a kernel that looks at all fields of a question.
pub const NETLINK_GET_STRICT_CHK: libc::c_int = 12;

/// Turns an option of a netlink socket on.
pub fn set_netlink_option(socket: BorrowedFd<'_>, option: libc::c_int) -> io::Result<()> {
    let on: libc::c_int = 1;
    let length = size_of_val(&on) as libc::socklen_t;
    // SAFETY: the pointer and the length describe `on`, which the kernel only reads.
    match unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_NETLINK, option, (&raw const on).cast(), length) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The number of the thread's network namespace that no other one has until the next boot, which
/// the inode number is not: that is given out again (SO_NETNS_COOKIE, Linux 5.14).
pub fn cookie() -> io::Result<u64> {
    const SO_NETNS_COOKIE: libc::c_int = 71;
    let socket = socket(AddressFamily::Unix, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
    let mut cookie = 0u64;
    let mut length = size_of::<u64>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes, the size of `cookie`.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            SO_NETNS_COOKIE,
            (&raw mut cookie).cast(),
            &raw mut length,
        )
    };
    if result == 0 { Ok(cookie) } else { Err(io::Error::last_os_error()) }
}
