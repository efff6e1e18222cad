//! A new /proc and a new /sys among mounts of all sorts, which the kernel tells of in two ways: the wrapper
//! uses one of them where no filter is loaded, and the other one where one is.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use rustix::fs::CWD;
use rustix::io::Errno;
use rustix::mount::{MoveMountFlags, OpenTreeFlags, move_mount, open_tree};

use crate::run::{Outcome, WRAPPER, command, root};

const FILTER: &str = "--system-call-filter=~settimeofday:EPERM";
const RENEW: [&str; 2] = ["--private-pids", "--private-network"];

fn upon(source: &Path, target: &Path, fs: Option<&str>, flags: MsFlags, options: Option<&str>) {
    mount(Some(source), target, fs, flags, options).unwrap_or_else(|error| panic!("{}: {error}", target.display()));
}

fn bind(source: &Path, target: &Path, read_only: bool) {
    upon(source, target, None, MsFlags::MS_BIND, None);
    if read_only {
        upon(source, target, None, MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY, None);
    }
}

fn tmpfs(target: &Path) {
    upon(Path::new("tmpfs"), target, Some("tmpfs"), MsFlags::empty(), None);
}

/// For this thread alone.
fn furnish(dir: &Path) {
    unshare(CloneFlags::CLONE_NEWNS).expect("a mount namespace");
    upon(Path::new("none"), Path::new("/"), None, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None);
    for name in ["moved", "beneath", "root"] {
        fs::create_dir(dir.join(name)).expect("a directory");
    }
    let (proc, protected) = (Path::new("/proc"), Path::new("/proc/sys"));
    // It is older than what it is moved upon, and that is upon another one, in which something is mounted, too.
    bind(protected, &dir.join("moved"), true);
    tmpfs(Path::new("/proc/fs"));
    upon(proc, proc, Some("proc"), MsFlags::empty(), Some("hidepid=invisible"));
    upon(&dir.join("moved"), protected, None, MsFlags::MS_MOVE, None);
    let tree = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let tree = open_tree(CWD, dir.join("beneath"), tree).expect("a tree");
    // MOVE_MOUNT_BENEATH, Linux 6.5.
    let beneath = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::from_bits_retain(0x200);
    let outcome = move_mount(&tree, "", CWD, protected, beneath);
    assert!(matches!(outcome, Ok(()) | Err(Errno::INVAL)), "{outcome:?}");
    // One whose file is gone.
    fs::write(dir.join("gone"), "").expect("a file");
    bind(&dir.join("gone"), Path::new("/proc/version"), false);
    fs::remove_file(dir.join("gone")).expect("no file");
    // Names that are not written as they are, and mounts upon each other.
    let odd = Path::new(OsStr::from_bytes(b"/sys/module/a b\n\t\\040 - \xff"));
    tmpfs(Path::new("/sys/module"));
    tmpfs(Path::new("/sys/module"));
    fs::create_dir(odd).expect("a directory");
    tmpfs(odd);
    bind(odd, odd, true);
    // Outside of what is the root for some.
    upon(Path::new("/"), &dir.join("root"), None, MsFlags::MS_BIND | MsFlags::MS_REC, None);
}

#[test]
fn mounts_are_found_in_both_ways() {
    let Some(()) = root() else { return };
    let dir = tempfile::Builder::new().prefix("unitcell-renewed-").tempdir_in("/var/tmp").expect("a directory");
    let chroot = dir.path().join("root");
    let chroot = ["/usr/sbin/chroot", chroot.to_str().expect("UTF-8")];
    let script = "grep ' /\\(proc\\|sys\\)' /proc/self/mountinfo | cut -d' ' -f4-6; uname -r >/proc/sys/kernel/osrelease; \
                  grep -o hidepid=.* /proc/self/mountinfo | sort -u";
    let measure = || {
        furnish(dir.path());
        for before in [&[][..], &chroot] {
            let run = |through: &[&str]| -> Outcome {
                let words = [before, through, &[WRAPPER], &RENEW, &["--", "sh", "-c", script]].concat();
                command(words[0]).args(&words[1..]).output().expect("it runs").into()
            };
            let (listed, read) = (run(&[]), run(&[WRAPPER, FILTER, "--"]));
            assert_eq!(listed.status, Some(0), "{}", listed.stderr);
            assert_eq!(listed, read);
            for expected in
                ["/ /proc rw", "/sys /proc/sys ro", "/ /sys/module/a\\040b\\012\\011\\134040\\040-\\040", "hidepid=inv"]
            {
                assert!(listed.stdout.contains(expected), "{expected}: {}", listed.stdout);
            }
            assert!(!listed.stdout.contains("/proc/version"), "{}", listed.stdout);
            assert!(listed.stderr.contains("Read-only file system"), "{}", listed.stderr);
        }
    };
    std::thread::scope(|scope| scope.spawn(measure).join().expect("all is well"));
}
