//! A /proc for a new PID namespace that protects what the old one did.

use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::fs::CWD;

use super::{HARMLESS, attach, clone, make, replace, set_read_only, unescape};

/// Mounts /proc as the PID namespace sees it, with the options of the one that it replaces
/// (ProtectProc=, ProcSubset=) and with the mounts upon that one that protect parts of it
/// (ProtectKernelTunables=, ProtectKernelLogs=): a new /proc must not give back what they took.
pub fn proc() -> io::Result<()> {
    let mountinfo = fs::read_to_string("/proc/self/mountinfo")?;
    let old = ProcMounts::parse(&mountinfo);
    let new = make("proc", &old.options, HARMLESS)?;
    let mut upon = Vec::new();
    for mount in &old.upon {
        let relative = mount.path.strip_prefix("/proc").expect("collected by this prefix");
        let tree = if mount.of_proc { clone(new.as_fd(), relative) } else { clone(CWD, &mount.path) };
        let tree = match tree {
            Ok(tree) => tree,
            // What the new /proc does not have needs no protection.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        if mount.read_only {
            set_read_only(tree.as_fd(), "", libc::AT_EMPTY_PATH)?;
        }
        upon.push((tree, mount.path.clone()));
    }
    replace(&new, "/proc")?;
    for (tree, path) in upon {
        attach(&tree, &path)?;
    }
    Ok(())
}

/// What mountinfo says of /proc, proc_pid_mountinfo(5).
#[derive(Debug, Default, PartialEq, Eq)]
struct ProcMounts {
    /// The options of /proc itself that hide something.
    options: Vec<(String, String)>,
    /// What is mounted upon it.
    upon: Vec<UponProc>,
}

#[derive(Debug, PartialEq, Eq)]
struct UponProc {
    path: PathBuf,
    read_only: bool,
    /// Is it a part of /proc itself, so that the new /proc's own part must take its place?
    of_proc: bool,
}

impl ProcMounts {
    fn parse(mountinfo: &str) -> ProcMounts {
        let mut found = ProcMounts::default();
        for line in mountinfo.lines() {
            let Some((mount, fs)) = line.split_once(" - ") else { continue };
            let mut mount = mount.split(' ').skip(3);
            let (Some(root), Some(path), Some(flags)) = (mount.next(), mount.next(), mount.next()) else { continue };
            let mut fs = fs.split(' ');
            let (kind, options) = (fs.next().unwrap_or_default(), fs.nth(1).unwrap_or_default());
            let path = unescape(path);
            if path == Path::new("/proc") {
                found = ProcMounts { options: hiding(options), upon: Vec::new() };
            } else if path.starts_with("/proc") && is_protection(kind, root) {
                found.upon.push(UponProc {
                    path,
                    read_only: flags.split(',').any(|flag| flag == "ro"),
                    of_proc: kind == "proc",
                });
            }
        }
        found
    }
}

/// Is it mounted to protect what is below? What the kernel mounts on demand is not; and a file
/// that was deleted, as those of a container manager are, can't be mounted anew by anybody.
fn is_protection(kind: &str, root: &str) -> bool {
    !matches!(kind, "autofs" | "binfmt_misc") && !root.ends_with("//deleted")
}

fn hiding(options: &str) -> Vec<(String, String)> {
    options
        .split(',')
        .filter_map(|option| option.split_once('='))
        .filter(|(key, _)| matches!(*key, "hidepid" | "gid" | "subset"))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_and_protects_in_proc_is_found() {
        let mountinfo = "\
22 1 0:21 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:22 / /proc rw,nosuid shared:2 - proc proc rw,gid=5,hidepid=invisible,subset=pid
24 23 0:22 /sys /proc/sys ro,nosuid - proc proc rw,hidepid=invisible
25 23 0:30 / /proc/sys/fs/binfmt_misc rw - autofs systemd-1 rw,fd=30
26 23 0:31 /inaccessible/reg /proc/k\\040msg ro - tmpfs tmpfs rw
27 22 0:32 / /procession rw - tmpfs tmpfs rw
28 24 0:31 /boot-id//deleted /proc/sys/kernel/random/boot_id ro - tmpfs tmpfs rw
";
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            ProcMounts::parse(mountinfo),
            ProcMounts {
                options: vec![pair("gid", "5"), pair("hidepid", "invisible"), pair("subset", "pid")],
                upon: vec![
                    UponProc { path: "/proc/sys".into(), read_only: true, of_proc: true },
                    UponProc { path: "/proc/k msg".into(), read_only: true, of_proc: false },
                ],
            }
        );
    }
}
