//! The file of the program that this process runs.
//!
//! Whoever may look at the process finds the file at `/proc/PID/exe`, wherever its own root is, and
//! by the mount through which it was executed: no mount of a cell makes that one read-only.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, StatVfsMountFlags};

use super::mount::{self, Flags};
use super::process;

const OWN: &str = "/proc/self/exe";

/// Sees to it that nobody can write to the file by way of the process: starts the program over, through a
/// read-only mount that is mounted nowhere. In the second start it returns.
pub fn protect(name: &CStr) -> io::Result<()> {
    let file = rustix::fs::openat(CWD, OWN, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    if rustix::fs::fstatvfs(file)?.f_flag.contains(StatVfsMountFlags::RDONLY) {
        // The path that it was started by has another last part.
        return Ok(rustix::thread::set_name(name)?);
    }
    let mount = mount::tree(Path::new(OWN), false)?;
    mount::restrict(&mount, Flags { read_only: true, ..Flags::default() })?;
    let path = CString::new(format!("/proc/self/fd/{}", mount.as_raw_fd()))?;
    let arguments = std::env::args_os().map(|argument| CString::new(argument.into_vec()));
    let arguments = arguments.collect::<Result<Vec<_>, _>>()?;
    Err(process::execute(&path, &arguments, &process::environment()))
}
