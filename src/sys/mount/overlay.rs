//! Overlays: directories laid over each other, and one that is thrown away.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use nix::sys::stat::fchmod;
use rustix::fs::{AtFlags, CWD, Gid, Mode, OFlags, Uid, chownat, mkdirat};
use rustix::mount::MountAttrFlags;
use rustix::process::fchdir;

use super::{attach, make, taken_away};
use crate::sys::namespace;

/// An overlay of these directories, the uppermost first, that is not mounted anywhere yet. Without
/// an upper directory and its work directory it is read-only.
///
/// What the mounts of its layers take away, nosuid and its like, the overlay takes away, too.
pub fn overlay(lower: &[impl AsRef<Path>], upper: Option<(&Path, &Path)>) -> io::Result<OwnedFd> {
    let lower = lower.iter().map(|path| Layer::open(path.as_ref())).collect::<io::Result<Vec<_>>>()?;
    let upper = upper.map(|(upper, work)| io::Result::Ok((Layer::open(upper)?, Layer::open(work)?))).transpose()?;
    let mut options = lower_options(&lower);
    if let Some((upper, work)) = &upper {
        options.extend([("upperdir".to_owned(), upper.text()), ("workdir".to_owned(), work.text())]);
    }
    let mut attributes = MountAttrFlags::empty();
    for layer in lower.iter().chain(upper.iter().map(|(upper, _)| upper)) {
        attributes |= taken_away(&layer.directory)?;
    }
    attributes.set(MountAttrFlags::MOUNT_ATTR_RDONLY, upper.is_none());
    make_overlay(options, attributes)
}

/// An overlay over the file system of the root, whose upper directory is on a tmpfs that nobody else
/// sees.
pub fn throw_away_overlay() -> io::Result<OwnedFd> {
    let root = open(Path::new("/"))?;
    let tmpfs = make("tmpfs", &[("mode".to_owned(), "0700".to_owned())], MountAttrFlags::empty())?;
    for name in ["upper", "work"] {
        mkdirat(&tmpfs, name, Mode::from_raw_mode(0o755))?;
    }
    // The root of an overlay looks as its uppermost layer does.
    let looks = rustix::fs::fstat(&root)?;
    let (uid, gid) = (Uid::from_raw(looks.st_uid), Gid::from_raw(looks.st_gid));
    match chownat(&tmpfs, "upper", Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW) {
        // Whom the user namespace does not map can own nothing in it.
        Ok(()) | Err(rustix::io::Errno::INVAL) => {}
        Err(error) => return Err(error.into()),
    }
    let upper = rustix::fs::openat(&tmpfs, "upper", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    fchmod(&upper, nix::sys::stat::Mode::from_bits_truncate(looks.st_mode))?;

    // Layers must be mounted, until Linux 6.15. Upon the root it covers nothing: who is in the root
    // already does not come by what is mounted there.
    attach(&tmpfs, Path::new("/"))?;
    fchdir(&tmpfs)?;
    let option = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let options = vec![option("lowerdir", "/"), option("upperdir", "upper"), option("workdir", "work")];
    make_overlay(options, taken_away(&root)?)
}

fn make_overlay(mut options: Vec<(String, String)>, attributes: MountAttrFlags) -> io::Result<OwnedFd> {
    // What an overlay notes down of its files it may not note where only the host may.
    if !namespace::is_initial_user()? {
        options.push(("userxattr".to_owned(), String::new()));
    }
    make("overlay", &options, attributes).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput if !namespace::is_initial_user().unwrap_or(true) => io::Error::new(
            error.kind(),
            format!("{error}; in a user namespace, no directory can be a layer that has mounts of the host below it"),
        ),
        _ => error,
    })
}

struct Layer<'p> {
    path: &'p Path,
    directory: OwnedFd,
}

impl Layer<'_> {
    fn open(path: &Path) -> io::Result<Layer<'_>> {
        let told = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        Ok(Layer { path, directory: open(path).map_err(told)? })
    }

    /// What the kernel is told, in words that need no escapes.
    fn text(&self) -> String {
        match self.path.to_str().filter(|path| !path.contains([':', '\\', ',']) && path.len() < LONGEST) {
            Some(path) => path.to_owned(),
            None => format!("/proc/self/fd/{}", self.directory.as_raw_fd()),
        }
    }
}

/// The longest value that fsconfig(2) takes, its NUL included.
const LONGEST: usize = 256;

/// All in one, as every kernel takes them, or one by one, as kernels do from Linux 6.8 on.
fn lower_options(layers: &[Layer<'_>]) -> Vec<(String, String)> {
    let texts: Vec<String> = layers.iter().map(Layer::text).collect();
    let all = texts.join(":");
    match all.len() < LONGEST {
        true => vec![("lowerdir".to_owned(), all)],
        false => texts.into_iter().map(|text| ("lowerdir+".to_owned(), text)).collect(),
    }
}

fn open(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(CWD, path, flags, Mode::empty())?)
}
