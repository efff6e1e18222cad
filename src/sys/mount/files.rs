//! A file system of a few files, for one user.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, Gid, Mode, OFlags, Uid, chownat, fchown, openat};

use super::{Flags, HARMLESS, make, restrict};

/// These files, by their names, and nothing else: read-only, for the owner alone, and never swapped out.
/// It is not mounted anywhere yet.
pub fn read_only_files(files: &[(OsString, Vec<u8>)], uid: u32, gid: u32) -> io::Result<OwnedFd> {
    let tree = make("ramfs", &[("mode".to_owned(), "0500".to_owned())], HARMLESS)?;
    let owner = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
    for (name, content) in files {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(openat(&tree, name, flags, Mode::RUSR)?);
        file.write_all(content)?;
        fchown(file.as_fd(), owner.0, owner.1)?;
    }
    chownat(&tree, "", owner.0, owner.1, AtFlags::EMPTY_PATH)?;
    restrict(&tree, Flags { read_only: true, ..Flags::default() })?;
    Ok(tree)
}
