//! Reading small files without being held up by what is no file.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags};

use super::ErrorKind;

/// Larger than this is no unit file; one line of systemd's may have 1 MiB.
const SIZE_MAX: usize = 16 << 20;

/// What a name in a directory listing is already known to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// The listing calls it a regular file, so that need not be asked again.
    Regular,
    /// A link, or a file system that doesn't tell.
    Nothing,
}

/// What was found under a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'b> {
    /// The text of a regular file, not empty.
    Text(&'b [u8]),
    /// An empty file or a device, usually `/dev/null`: systemd takes it for masked.
    Masked,
}

/// Reads files one after the other into the same memory.
pub(super) struct Reader {
    buffer: Vec<u8>,
}

impl Reader {
    pub(super) fn new() -> Self {
        // One read, and no second one to see the end, for all but the largest of unit files.
        Self { buffer: vec![0; 64 << 10] }
    }

    /// Reads `path`, relative to `dir`.
    pub(super) fn read_at<P: rustix::path::Arg>(
        &mut self,
        dir: BorrowedFd<'_>,
        path: P,
        known: Known,
    ) -> Result<Found<'_>, ErrorKind> {
        // Without O_NONBLOCK, a pipe among the units would stop the scan until somebody writes.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
        let file = match rustix::fs::openat(dir, path, flags, Mode::empty()) {
            Ok(file) => file,
            // A socket, or a device without a driver.
            Err(rustix::io::Errno::NXIO) => return Err(ErrorKind::NotRegular),
            Err(error) => return Err(ErrorKind::from_io(error.into())),
        };
        if known == Known::Nothing {
            let stat = rustix::fs::fstat(&file).map_err(io::Error::from).map_err(ErrorKind::Io)?;
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::RegularFile => {}
                FileType::CharacterDevice | FileType::BlockDevice => return Ok(Found::Masked),
                _ => return Err(ErrorKind::NotRegular),
            }
        }
        self.read_all(file)
    }

    /// Reads the file at `path`.
    pub(super) fn read(&mut self, path: &Path) -> Result<Found<'_>, ErrorKind> {
        self.read_at(rustix::fs::CWD, path, Known::Nothing)
    }

    fn read_all(&mut self, file: OwnedFd) -> Result<Found<'_>, ErrorKind> {
        let mut filled = 0;
        loop {
            let space = &mut self.buffer[filled..];
            let room = space.len();
            match rustix::io::read(file.as_fd(), space) {
                Ok(count) => {
                    filled += count;
                    // Regular files give less than asked for only at their end.
                    if count < room {
                        break;
                    }
                }
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(ErrorKind::from_io(error.into())),
            }
            if filled > SIZE_MAX {
                return Err(ErrorKind::FileTooLarge(SIZE_MAX as u64));
            }
            self.buffer.resize((self.buffer.len() * 4).min(SIZE_MAX + 1), 0);
            if filled == self.buffer.len() {
                return Err(ErrorKind::FileTooLarge(SIZE_MAX as u64));
            }
        }
        match filled {
            0 => Ok(Found::Masked),
            _ => Ok(Found::Text(&self.buffer[..filled])),
        }
    }
}
