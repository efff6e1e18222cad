//! Paths below a root directory, with the links on the way followed.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};

/// As many links as systemd follows in one path.
const LINKS_MAX: usize = 32;

/// `path`, an absolute path as seen from inside `root`, without links, `.` and `..`.
///
/// Links with absolute targets start over at `root`, so a path never leaves it. The last
/// component is followed only if `follow_last`; parts that don't exist are kept as they are.
pub(super) fn chase(root: &Path, path: &Path, follow_last: bool) -> io::Result<PathBuf> {
    let mut done = PathBuf::from("/");
    let mut todo: VecDeque<OsString> = VecDeque::new();
    push_front(&mut todo, path);
    let mut links = 0;

    while let Some(part) = todo.pop_front() {
        if part == ".." {
            done.pop();
            continue;
        }
        done.push(&part);
        if todo.is_empty() && !follow_last {
            break;
        }
        let Ok(target) = std::fs::read_link(within(root, &done)) else {
            continue;
        };
        links += 1;
        if links > LINKS_MAX {
            return Err(io::Error::from_raw_os_error(libc::ELOOP));
        }
        done.pop();
        if target.is_absolute() {
            done = PathBuf::from("/");
        }
        push_front(&mut todo, &target);
    }
    Ok(done)
}

fn push_front(todo: &mut VecDeque<OsString>, path: &Path) {
    for component in path.components().rev() {
        match component {
            Component::Normal(name) => todo.push_front(name.to_owned()),
            Component::ParentDir => todo.push_front("..".into()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
}

/// The path to open for `path` as seen from inside `root`.
pub(super) fn within(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// Where a path as seen from inside `root` really is.
pub(super) fn real_path(root: &Path, path: &Path) -> io::Result<PathBuf> {
    if root == Path::new("/") { Ok(path.to_owned()) } else { Ok(within(root, &chase(root, path, true)?)) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_stay_below_the_root() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        std::fs::create_dir_all(root.join("usr/lib/x")).unwrap();
        symlink("/usr/lib", root.join("lib")).unwrap();
        symlink("../../../../lib/x", root.join("usr/lib/up")).unwrap();
        symlink("loop2", root.join("loop1")).unwrap();
        symlink("loop1", root.join("loop2")).unwrap();

        let to = |path: &str, follow| chase(root, Path::new(path), follow).unwrap();
        assert_eq!(to("/lib/x/./y", true), Path::new("/usr/lib/x/y"));
        assert_eq!(to("/lib", false), Path::new("/lib"));
        assert_eq!(to("/lib/up", true), Path::new("/usr/lib/x"));
        assert_eq!(to("/lib/up", false), Path::new("/usr/lib/up"));
        assert_eq!(to("/../../none/a", true), Path::new("/none/a"));
        assert!(chase(root, Path::new("/loop1/x"), true).is_err());
    }
}
