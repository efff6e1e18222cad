//! The process whose namespaces are entered.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::Pid;
use rustix::fs::{CWD, Mode, OFlags, openat};

use super::Error;
use crate::cell::Kind;
use crate::sys::namespace::Namespace;
use crate::sys::process;

/// A process that is held on to: should it end, no other one takes its place.
#[derive(Debug)]
pub struct Target {
    pid: u32,
    pidfd: OwnedFd,
    directory: OwnedFd,
}

impl Target {
    /// The process of this number.
    pub fn new(pid: u32) -> Result<Target, Error> {
        let failed = |error: io::Error| match error.raw_os_error() {
            Some(libc::ESRCH | libc::ENOENT | libc::EINVAL) => Error::Request(format!("there is no process {pid}")),
            _ => Error::system(format!("look at process {pid}"))(error),
        };
        let number = i32::try_from(pid).map_err(|_| failed(io::Error::from_raw_os_error(libc::ESRCH)))?;
        let path = PathBuf::from(format!("/proc/{pid}"));
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = openat(CWD, &path, flags, Mode::empty()).map_err(|error| failed(error.into()))?;
        let pidfd = process::pidfd(Pid::from_raw(number)).map_err(failed)?;
        let target = Target { pid, pidfd, directory };
        // Had it ended between the two, another one could be meant by the second.
        match target.file("stat").and_then(|_| process::has_ended(&target.pidfd)) {
            Ok(false) => Ok(target),
            Ok(true) => Err(failed(io::Error::from_raw_os_error(libc::ESRCH))),
            Err(error) => Err(failed(error)),
        }
    }

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Its descriptor, pidfd_open(2).
    pub fn pidfd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// Opens one of its files; a directory, or what a link leads to, is opened as well.
    pub fn file(&self, name: &str) -> io::Result<fs::File> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        Ok(openat(&self.directory, name, flags, Mode::empty())?.into())
    }

    /// Its namespace of this type.
    pub fn namespace(&self, kind: Kind) -> io::Result<Namespace> {
        Ok(Namespace::from(OwnedFd::from(self.file(&format!("ns/{}", kind.proc_name()))?)))
    }

    /// The user and the group of it, as the caller's user namespace knows them.
    pub fn ids(&self) -> io::Result<(u32, u32)> {
        // The directory belongs to who the process is.
        let status = rustix::fs::fstat(&self.directory)?;
        Ok((status.st_uid, status.st_gid))
    }

    /// Is it in the caller's own namespace of this type?
    pub fn shares(&self, kind: Kind) -> io::Result<bool> {
        let name = format!("ns/{}", kind.proc_name());
        let own = fs::metadata(Path::new("/proc/self").join(&name))?;
        let status = rustix::fs::statat(&self.directory, &name, rustix::fs::AtFlags::empty())?;
        Ok(own.ino() == status.st_ino && own.dev() == status.st_dev)
    }

    /// A socket of it.
    pub fn socket(&self, number: i32) -> io::Result<OwnedFd> {
        let flags = rustix::process::PidfdGetfdFlags::empty();
        Ok(rustix::process::pidfd_getfd(&self.pidfd, number, flags)?)
    }
}
