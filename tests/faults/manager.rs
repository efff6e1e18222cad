//! What listens where systemd would: it takes every message, and closes what came along.

use std::io::IoSliceMut;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::thread;

use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};

/// Listens at `path` until the test ends.
pub fn listen(path: &Path) {
    let socket = UnixDatagram::bind(path).expect("a socket");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).expect("a mode");
    thread::spawn(move || {
        let mut text = [0; 4096];
        loop {
            let mut space = nix::cmsg_space!([i32; 16]);
            let mut parts = [IoSliceMut::new(&mut text)];
            let Ok(message) =
                recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(&mut space), MsgFlags::MSG_CMSG_CLOEXEC)
            else {
                return;
            };
            for control in message.cmsgs().expect("room for all") {
                if let ControlMessageOwned::ScmRights(fds) = control {
                    // A barrier is passed when its descriptor is closed.
                    drop(fds.into_iter().map(own).collect::<Vec<_>>());
                }
            }
        }
    });
}

#[expect(unsafe_code, reason = "the kernel has just given it to us")]
fn own(fd: i32) -> OwnedFd {
    // SAFETY: recvmsg has made the descriptor for this process, and nobody else knows it.
    unsafe { OwnedFd::from_raw_fd(fd) }
}
