//! A minimal /dev: what every program expects, and no device that stores anything.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, mkdirat, openat, symlinkat};

use super::{Flags, Places, attach_upon, make, tmpfs, tree};

/// Devices of the host that hold and tell nothing of it.
const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];

const LINKS: [(&str, &str); 5] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
];

/// The devices, taken from /dev before it is out of sight. They are bound, not made: that needs no
/// privilege, and a user namespace honours no device that was made in it.
#[derive(Debug)]
pub struct Devices(Vec<(&'static str, OwnedFd)>);

impl Devices {
    /// Of the root that the process is in.
    pub fn open() -> io::Result<Devices> {
        let device = |name: &'static str| {
            let path = PathBuf::from(format!("/dev/{name}"));
            let tree = tree(&path, false)
                .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
            Ok((name, tree))
        };
        let mut devices = DEVICES.into_iter().map(device).collect::<io::Result<Vec<_>>>()?;
        if let Some(terminal) = terminal()? {
            devices.push(("console", terminal));
        }
        Ok(Devices(devices))
    }

    /// Makes the directory at `path` a /dev with them.
    pub fn mount(&self, path: &Path, places: &mut Places) -> io::Result<()> {
        let options = [("mode".to_owned(), "0755".to_owned())];
        let dev = tmpfs(&options, Flags { nosuid: true, noexec: true, ..Flags::default() })?;
        for (name, target) in LINKS {
            symlinkat(target, &dev, name)?;
        }
        for (name, mode) in [("pts", 0o755), ("shm", 0o1777)] {
            mkdirat(&dev, name, Mode::from_raw_mode(0o755))?;
            rustix::fs::chmodat(&dev, name, Mode::from_raw_mode(mode), rustix::fs::AtFlags::empty())?;
        }
        places.attach(&dev, path)?;
        for (name, tree) in &self.0 {
            let place =
                openat(&dev, *name, OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC, Mode::from_raw_mode(0o666))?;
            attach_upon(tree, place)?;
        }
        let options = [("ptmxmode", "0666"), ("mode", "0620")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        let pts = make("devpts", &options, Flags { nosuid: true, noexec: true, ..Flags::default() }.attributes())?;
        let place = openat(&dev, "pts", OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        attach_upon(&pts, place)?;
        places.made(&dev)
    }
}

/// The terminal that the process has at one of its standard descriptors.
fn terminal() -> io::Result<Option<OwnedFd>> {
    for number in 0..3 {
        let Ok(path) = std::fs::read_link(format!("/proc/self/fd/{number}")) else { continue };
        let is_terminal = path.parent() == Some(Path::new("/dev/pts"))
            || path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"tty"));
        if path.starts_with("/dev") && is_terminal {
            return tree(&path, false).map(Some);
        }
    }
    Ok(None)
}
