//! Waiting for a path to exist, inotify(7).

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};

/// What wakes the watcher when a path may have come to be.
#[derive(Debug)]
pub struct PathWatch(OwnedFd);

impl PathWatch {
    /// Watches nothing yet.
    pub fn new() -> io::Result<PathWatch> {
        Ok(PathWatch(inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?))
    }

    /// Does the path exist? If not, an event comes when it, or a directory on the way, is made.
    pub fn exists(&self, path: &Path) -> bool {
        let mut watched = None;
        loop {
            if path.exists() {
                return true;
            }
            // The nearest directory; it may have been made since the look before.
            let nearest = path.ancestors().skip(1).find(|ancestor| ancestor.is_dir());
            if nearest == watched {
                return false;
            }
            let events = WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::DELETE_SELF | WatchFlags::MOVE_SELF;
            // One that can't be watched is looked at when the watcher wakes for its status.
            let _ = nearest.map(|directory| inotify::add_watch(&self.0, directory, events));
            watched = nearest;
        }
    }

    /// Forgets the events so far.
    pub fn drain(&self) {
        let mut buffer = [0; 4096];
        while matches!(rustix::io::read(&self.0, &mut buffer), Ok(1..)) {}
    }
}

impl AsFd for PathWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

    fn woken(watch: &PathWatch) -> bool {
        let mut fds = [PollFd::new(watch.as_fd(), PollFlags::POLLIN)];
        let woken = poll(&mut fds, PollTimeout::ZERO).unwrap() > 0;
        watch.drain();
        woken
    }

    #[test]
    fn each_directory_on_the_way_wakes() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a/b/c");
        let watch = PathWatch::new().unwrap();
        assert!(!watch.exists(&path) && !woken(&watch));
        std::fs::create_dir(root.path().join("a")).unwrap();
        assert!(woken(&watch) && !watch.exists(&path));
        std::fs::create_dir(root.path().join("a/b")).unwrap();
        assert!(woken(&watch) && !watch.exists(&path));
        std::fs::write(root.path().join("moved"), "").unwrap();
        watch.drain();
        std::fs::rename(root.path().join("moved"), &path).unwrap();
        assert!(woken(&watch) && watch.exists(&path));
    }
}
