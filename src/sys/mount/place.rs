//! Where in the root something is to be mounted.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, StatxFlags, mkdirat, openat, openat2, statx};
use rustix::io::Errno;

use super::{attach_upon, mountinfo};

/// The mount points of a process, and the mounts that it has made so far.
#[derive(Debug)]
pub struct Places {
    /// Procfs, which may not be in the root that comes.
    proc: OwnedFd,
    /// The ids of those mounts; in them, mount points that are missing are made.
    made: Vec<u64>,
}

impl Places {
    /// Before another root is entered.
    pub fn new() -> io::Result<Places> {
        Ok(Places { proc: mountinfo::open_proc()?, made: Vec::new() })
    }

    /// Procfs, even where the root has none.
    pub fn proc(&self) -> &OwnedFd {
        &self.proc
    }

    /// Notes that the file system upon `place` is of our making.
    pub fn made(&mut self, mount: impl AsFd) -> io::Result<()> {
        self.made.push(mount_id(mount)?);
        Ok(())
    }

    /// Opens the mount point at `path`: below the root whatever symbolic links say, and never by one
    /// of procfs's magic links. One that is missing is made if that leaves no trace.
    pub fn open(&self, path: &Path, directory: bool) -> io::Result<OwnedFd> {
        if !path.components().any(|part| matches!(part, Component::Normal(_))) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the root itself can't be mounted upon"));
        }
        match in_root(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.make(path, directory),
            place => place,
        }
    }

    /// The path, without symbolic links, of what was opened as `name`.
    pub fn canonical(&self, name: &Path, place: &OwnedFd) -> io::Result<PathBuf> {
        use std::os::unix::ffi::OsStringExt;
        // Procfs makes a directory for each process that looks itself up, which takes its time.
        let goes_down = !name.components().any(|part| part == Component::ParentDir);
        if goes_down && name.is_absolute() && resolve(name, ResolveFlags::NO_SYMLINKS).is_ok() {
            return Ok(name.to_owned());
        }
        let link = format!("self/fd/{}", place.as_raw_fd());
        let path = rustix::fs::readlinkat(&self.proc, link, Vec::new())?;
        Ok(PathBuf::from(std::ffi::OsString::from_vec(path.into_bytes())))
    }

    /// Mounts `tree` at `path`.
    pub fn attach(&mut self, tree: &OwnedFd, path: &Path) -> io::Result<()> {
        let directory = FileType::from_raw_mode(rustix::fs::fstat(tree)?.st_mode).is_dir();
        attach_upon(tree, self.open(path, directory)?)
    }

    fn make(&self, path: &Path, directory: bool) -> io::Result<OwnedFd> {
        let missing = || {
            let message = "there is no such mount point, and it is made in file systems of the cell's own only";
            io::Error::new(io::ErrorKind::NotFound, message)
        };
        let (parent, name) = path.parent().zip(path.file_name()).ok_or_else(missing)?;
        let parent = match in_root(parent) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.make(parent, true)?,
            parent => parent?,
        };
        if !self.made.contains(&mount_id(&parent)?) {
            return Err(missing());
        }
        match directory {
            true => mkdirat(&parent, name, Mode::from_raw_mode(0o755))?,
            false => drop(openat(
                &parent,
                name,
                OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC,
                Mode::from_raw_mode(0o644),
            )?),
        }
        in_root(path)
    }
}

/// How often a path is looked up anew. Whenever a file is renamed or mounted meanwhile, anywhere on the machine,
/// the kernel can't tell whether a `..` has left the root (EAGAIN of openat2(2)).
const DISTURBED: usize = 1000;

fn in_root(path: &Path) -> io::Result<OwnedFd> {
    for _ in 0..DISTURBED {
        match resolve(path, ResolveFlags::NO_MAGICLINKS) {
            Err(Errno::AGAIN) => {}
            // RestrictSUIDSGID=, and so DynamicUser=, hide it: its flags are out of a filter's sight.
            Err(Errno::NOSYS) => return walk(root()?, path),
            place => return Ok(place?),
        }
    }
    Err(Errno::AGAIN.into())
}

fn root() -> rustix::io::Result<OwnedFd> {
    rustix::fs::open("/", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

fn resolve(path: &Path, how: ResolveFlags) -> rustix::io::Result<OwnedFd> {
    openat2(root()?, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), ResolveFlags::IN_ROOT | how)
}

/// The same name by name, where no symbolic link is on the way.
fn walk(root: OwnedFd, path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut place = root;
    for part in path.components() {
        match part {
            Component::Normal(name) => place = openat(&place, name, flags, Mode::empty())?,
            Component::ParentDir => return Err(Errno::INVAL.into()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
        if FileType::from_raw_mode(rustix::fs::fstat(&place)?.st_mode).is_symlink() {
            let message = "a symbolic link is followed by openat2(2) alone, which a filter hides (RestrictSUIDSGID=)";
            return Err(io::Error::new(io::ErrorKind::Unsupported, message));
        }
    }
    Ok(place)
}

/// The number of the mount that a file is seen through.
pub(super) fn mount_id(file: impl AsFd) -> io::Result<u64> {
    Ok(statx(file, "", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID)?.stx_mnt_id)
}

/// The same, of what a path leads to.
pub(super) fn mount_id_at(path: &Path) -> io::Result<u64> {
    mount_id(openat(CWD, path, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renames_beside_do_not_disturb() {
        use std::sync::atomic::{AtomicBool, Ordering};
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        std::fs::create_dir(path("a")).unwrap();
        std::os::unix::fs::symlink("../".repeat(20) + "dev/null", path("a/link")).unwrap();
        std::fs::write(path("one"), "").unwrap();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    std::fs::rename(path("one"), path("two")).unwrap();
                    std::fs::rename(path("two"), path("one")).unwrap();
                }
            });
            let failed = (0..20_000).find_map(|_| in_root(&path("a/link")).err());
            done.store(true, Ordering::Relaxed);
            assert!(failed.is_none(), "{failed:?}");
        });
    }

    #[test]
    fn a_walk_follows_no_link() {
        let directory = tempfile::tempdir().unwrap();
        let inside = directory.path().join("a/b");
        std::fs::create_dir_all(&inside).unwrap();
        std::os::unix::fs::symlink("b", directory.path().join("a/link")).unwrap();
        let root = || OwnedFd::from(std::fs::File::open(directory.path()).unwrap());
        let found = |path: &str| walk(root(), Path::new(path));
        let number = |file: &OwnedFd| rustix::fs::fstat(file).unwrap().st_ino;
        let inside = OwnedFd::from(std::fs::File::open(inside).unwrap());
        assert_eq!(number(&found("/a/./b").unwrap()), number(&inside));
        assert_eq!(found("/a/link").unwrap_err().kind(), io::ErrorKind::Unsupported);
        assert_eq!(found("/a/link/x").unwrap_err().kind(), io::ErrorKind::Unsupported);
        assert_eq!(found("/a/../a").unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert_eq!(found("/a/none").unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
