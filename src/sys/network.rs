//! The one thing that a new network namespace needs: lo, up; what tells it from all others; and
//! the options of sockets that speak for it.

use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use nix::sys::socket::{AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, sendmsg, socket, socketpair};

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

/// Leaves it to the kernel to close a descriptor, where closing it means to wait.
///
/// It goes to a socket that is nowhere but in its own queue. When one is closed, the kernel looks for
/// such sockets, and since Linux 6.9 a thread of its own clears them away, with all that they hold.
pub fn close_later(fd: OwnedFd) {
    let Ok((from, to)) = socketpair(AddressFamily::Unix, SockType::Datagram, None, SockFlag::SOCK_CLOEXEC) else {
        return;
    };
    let both = [fd.as_raw_fd(), to.as_raw_fd()];
    // What can't be sent is closed here and now.
    let _ = sendmsg::<()>(
        from.as_raw_fd(),
        &[IoSlice::new(&[0])],
        &[ControlMessage::ScmRights(&both)],
        MsgFlags::empty(),
        None,
    );
    // Before the two sockets, or the last one to be closed would be ours after all.
    drop(fd);
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
