//! Namespaces that outlive their processes: their files, mounted upon others.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use nix::unistd::Pid;

use super::Error;
use crate::cell::{Kind, Kinds};
use crate::sys::{pin, process};

/// Where to pin which namespace.
pub type Pins = [(Kind, PathBuf)];

/// Who pins.
pub enum Pinner {
    /// The process itself: it still may, and sees the files.
    Oneself,
    /// A child that stays outside of the new mount and user namespace.
    Child(Pid, UnixStream),
}

impl Pinner {
    /// Before any namespace is made: whoever can pin those of `kinds` later.
    pub fn prepare(pins: &Pins, kinds: Kinds) -> Result<Pinner, Error> {
        if pins.is_empty() || !(kinds.contains(Kind::Mount) || kinds.contains(Kind::User)) {
            return Ok(Pinner::Oneself);
        }
        let (line, mut other_end) = UnixStream::pair().map_err(Error::system("make a pair of sockets"))?;
        let parent = process::id();
        match process::fork().map_err(Error::system("fork"))? {
            process::Fork::Parent(child) => Ok(Pinner::Child(child, line)),
            process::Fork::Child => {
                drop(line);
                // Nothing comes where the parent has failed.
                if other_end.read_exact(&mut [0]).is_ok() {
                    let (at, errno) = match pin_all(pins, parent) {
                        Ok(()) => (0, 0),
                        Err((at, error)) => (at, error.raw_os_error().unwrap_or(libc::EIO)),
                    };
                    let _ = other_end.write_all(&[[at as u8; 4], errno.to_ne_bytes()].concat());
                }
                process::exit(0)
            }
        }
    }

    /// Pins the namespaces of this process and its children.
    pub fn pin(self, pins: &Pins) -> Result<(), Error> {
        let pinned = match self {
            Pinner::Oneself => pin_all(pins, process::id()),
            Pinner::Child(child, mut line) => {
                let mut answer = [0; 8];
                let asked = line.write_all(&[1]).and_then(|()| line.read_exact(&mut answer));
                asked.map_err(Error::system("ask for the pins"))?;
                process::wait(child).map_err(Error::system("wait for the pins"))?;
                let [at, _, _, _, errno @ ..] = answer;
                match i32::from_ne_bytes(errno) {
                    0 => Ok(()),
                    errno => Err((usize::from(at), io::Error::from_raw_os_error(errno))),
                }
            }
        };
        pinned.map_err(|(at, source)| failure(&pins[at], source))
    }
}

/// Pins them all or none; which one could not be pinned, and why.
fn pin_all(pins: &Pins, process: i32) -> Result<(), (usize, io::Error)> {
    for (at, (kind, file)) in pins.iter().enumerate() {
        let name = match kind {
            Kind::Pid => "pid_for_children",
            Kind::Time => "time_for_children",
            kind => kind.proc_name(),
        };
        let namespace = format!("/proc/{process}/ns/{name}");
        if let Err(error) = pin::bind(namespace.as_ref(), file) {
            for (_, file) in &pins[..at] {
                let _ = pin::detach(file);
            }
            return Err((at, error));
        }
    }
    Ok(())
}

fn failure((kind, file): &(Kind, PathBuf), source: io::Error) -> Error {
    let remedy = match (kind, source.raw_os_error()) {
        (_, Some(libc::ENOENT)) if *kind == Kind::Pid => Some("a PID namespace has no process before --fork makes one"),
        (_, Some(libc::ENOENT)) => Some("make the file first: an empty one will do"),
        (Kind::Mount, Some(libc::EINVAL)) => {
            Some("the file must be on a private mount: `mount --bind DIR DIR`, then `mount --make-private DIR`")
        }
        _ => None,
    };
    Error::System { doing: format!("pin the {kind} namespace to {}", file.display()), source, remedy }
}
