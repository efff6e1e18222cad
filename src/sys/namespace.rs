//! Making and entering namespaces, and what belongs to a new one.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::sched::{CloneFlags, setns, unshare};

/// A namespace's file, opened; it can be entered even after its path has gone.
#[derive(Debug)]
pub struct Namespace(OwnedFd);

impl Namespace {
    /// Opens the file at `path`: an entry of `/proc/PID/ns`, or a bind mount of one.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Namespace> {
        // O_NONBLOCK, so that a FIFO in its place is an error of setns(2), not a wait for ever.
        use std::os::unix::fs::OpenOptionsExt;
        let file = fs::OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
        Ok(Namespace(file.into()))
    }

    /// The inode number that tells it from others.
    pub fn inode(&self) -> io::Result<u64> {
        Ok(nix::sys::stat::fstat(&self.0)?.st_ino)
    }

    /// Enters it; it must be of the type that `flag`, a `CLONE_NEW…`, says.
    pub fn enter(&self, flag: u32) -> io::Result<()> {
        Ok(setns(self.0.as_fd(), flags(flag))?)
    }
}

impl AsFd for Namespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl From<OwnedFd> for Namespace {
    fn from(fd: OwnedFd) -> Namespace {
        Namespace(fd)
    }
}

/// Enters the namespaces of these types, several `CLONE_NEW…` at once, of another process, which a
/// pidfd stands for: all of them or none.
pub fn enter_of(process: impl AsFd, clone_flags: u32) -> io::Result<()> {
    Ok(setns(process, flags(clone_flags))?)
}

/// Makes a new namespace of each type in `clone_flags`, and enters it; the PID and the time
/// namespace are for children only (unshare(2)).
pub fn make(clone_flags: u32) -> io::Result<()> {
    Ok(unshare(flags(clone_flags))?)
}

/// Does some work that may take this thread into another namespace of the type that `flag` says, and
/// comes home after it. User, mount, PID and time namespaces can't be left that way.
///
/// No thread is made for it: to wait until that one has had its turn takes longer than most work.
pub fn aside<T, E: From<io::Error>>(flag: u32, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    let own = match flag.cast_signed() {
        libc::CLONE_NEWNET => "/proc/thread-self/ns/net",
        libc::CLONE_NEWUTS => "/proc/thread-self/ns/uts",
        libc::CLONE_NEWIPC => "/proc/thread-self/ns/ipc",
        libc::CLONE_NEWCGROUP => "/proc/thread-self/ns/cgroup",
        _ => return Err(io::Error::from(io::ErrorKind::InvalidInput).into()),
    };
    let home = Namespace::open(own)?;
    // Root of a user namespace may make one to enter, and not come back to what is another one's.
    home.enter(flag)?;
    let _home = Home(home);
    work()
}

/// Does some work in another namespace, of the type that `flag` says.
pub fn within<T>(namespace: &Namespace, flag: u32, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    aside(flag, || {
        namespace.enter(flag)?;
        work()
    })
}

/// Where a thread is to be again.
struct Home(Namespace);

impl Drop for Home {
    fn drop(&mut self) {
        // What would come next is meant for home, and would be done to another one.
        assert!(self.0.enter(0).is_ok(), "a thread left a namespace that it can't get back to");
    }
}

/// nix has no name for CLONE_NEWTIME; the kernel knows what it knows.
fn flags(bits: u32) -> CloneFlags {
    CloneFlags::from_bits_retain(bits.cast_signed())
}

/// The inode number that tells the process's own namespace from others: the N of `net:[N]`.
pub fn own_inode(proc_name: &str) -> io::Result<u64> {
    Ok(fs::metadata(format!("/proc/self/ns/{proc_name}"))?.ino())
}

/// Sets the host name of the UTS namespace.
pub fn set_hostname(name: &str) -> io::Result<()> {
    Ok(nix::unistd::sethostname(name)?)
}

/// Sets the NIS domain name of the UTS namespace.
pub fn set_domainname(name: &str) -> io::Result<()> {
    // SAFETY: the pointer and the length describe `name`, which the kernel only reads.
    match unsafe { libc::setdomainname(name.as_ptr().cast(), name.len()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Writes the offsets of a time namespace that was just made, in nanoseconds, and enters it.
pub fn enter_new_time(monotonic: i64, boottime: i64) -> io::Result<()> {
    let offset = |nanoseconds: i64| {
        const SECOND: i64 = 1_000_000_000;
        (nanoseconds.div_euclid(SECOND), nanoseconds.rem_euclid(SECOND))
    };
    let ((monotonic_s, monotonic_ns), (boottime_s, boottime_ns)) = (offset(monotonic), offset(boottime));
    let text = format!("monotonic {monotonic_s} {monotonic_ns}\nboottime {boottime_s} {boottime_ns}\n");
    fs::write("/proc/self/timens_offsets", text)?;
    enter_time_for_children()
}

/// Enters the time namespace that was just made, whose offsets can't be changed from then on.
///
/// setns(2) enters a time namespace at once, on every kernel that has them; so neither a child
/// nor a kernel that switches at exec is needed (time_namespaces(7)).
pub fn enter_time_for_children() -> io::Result<()> {
    Namespace::open("/proc/self/ns/time_for_children")?.enter(libc::CLONE_NEWTIME.cast_unsigned())
}

/// Is the user namespace of the process the one that all others descend from?
pub fn is_initial_user() -> io::Result<bool> {
    // The number is a part of the kernel's interface: PROC_USER_INIT_INO.
    const INITIAL: u64 = 0xEFFF_FFFD;
    Ok(own_inode("user")? == INITIAL)
}
