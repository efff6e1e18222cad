//! Finding the command's file.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, access};

/// The path to execute for `command`: itself if it has a slash, else the first executable file of
/// its name in the directories of `search_path`.
pub fn find(command: &OsStr, search_path: &OsStr) -> io::Result<PathBuf> {
    if command.as_bytes().contains(&b'/') {
        return Ok(command.into());
    }
    let directories = search_path.as_bytes().split(|&byte| byte == b':');
    let candidates = directories.map(|directory| Path::new(OsStr::from_bytes(directory)).join(command));
    candidates
        .filter(|path| path.is_absolute())
        .find(|path| is_executable(path).is_ok())
        .ok_or_else(|| io::Error::from_raw_os_error(libc::ENOENT))
}

/// May this process execute the file at `path`?
pub fn is_executable(path: &Path) -> io::Result<()> {
    access(path, AccessFlags::X_OK)?;
    if path.is_dir() { Err(io::Error::from_raw_os_error(libc::EACCES)) } else { Ok(()) }
}

/// Where a shell looks when nobody says otherwise.
pub fn default_search_path() -> OsString {
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into()
}
