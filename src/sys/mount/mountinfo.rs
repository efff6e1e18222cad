//! What /proc/self/mountinfo says, proc_pid_mountinfo(5).

use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use memchr::memmem::Finder;

/// One mount that the process can reach from its root.
#[derive(Debug, PartialEq, Eq)]
pub struct Mounted<'t> {
    pub id: u64,
    pub parent: u64,
    /// The number of the file system.
    pub device: &'t str,
    /// What of the file system is mounted.
    pub root: &'t str,
    pub path: PathBuf,
    pub read_only: bool,
    /// The type of the file system.
    pub fs: &'t str,
    /// The options of the file system.
    pub options: &'t str,
}

/// Its text. `proc` is where procfs is mounted.
pub fn read(proc: impl AsFd) -> io::Result<String> {
    let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC;
    let file = rustix::fs::openat(proc, "self/mountinfo", flags, rustix::fs::Mode::empty())?;
    // Else it would be read in pieces of 32 bytes at first, as its size is not known before.
    let mut text = String::with_capacity(0x4000);
    io::Read::read_to_string(&mut std::fs::File::from(file), &mut text)?;
    Ok(text)
}

/// Where procfs is mounted, opened.
pub fn open_proc() -> io::Result<std::os::fd::OwnedFd> {
    let flags = rustix::fs::OFlags::PATH | rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::CLOEXEC;
    Ok(rustix::fs::open("/proc", flags, rustix::fs::Mode::empty())?)
}

/// Its lines: what is mounted below comes after what is above.
pub fn parse(text: &str) -> impl Iterator<Item = Mounted<'_>> {
    text.lines().filter_map(parse_line)
}

/// Those of what is mounted at `place`, and below. There may be thousands of others, which are passed
/// over by the beginning of the path.
pub fn parse_below<'t>(text: &'t str, place: &Path) -> impl Iterator<Item = Mounted<'t>> {
    let plain = place.as_os_str().as_bytes().split(|byte| b" \t\n\\".contains(byte)).next().unwrap_or_default();
    let beginning = Finder::new(&[b" ", plain].concat()).into_owned();
    let lines = text.lines().filter(move |line| beginning.find(line.as_bytes()).is_some());
    let place = place.to_owned();
    lines.filter_map(parse_line).filter(move |mount| mount.path.starts_with(&place))
}

fn parse_line(line: &str) -> Option<Mounted<'_>> {
    let (mount, fs) = line.split_once(" - ")?;
    let mut mount = mount.split(' ');
    let (id, parent) = (mount.next()?.parse().ok()?, mount.next()?.parse().ok()?);
    let (device, root, path, flags) = (mount.next()?, mount.next()?, mount.next()?, mount.next()?);
    let mut fs = fs.split(' ');
    Some(Mounted {
        id,
        parent,
        device,
        root,
        path: unescape(path),
        read_only: flags.split(',').any(|flag| flag == "ro"),
        fs: fs.next()?,
        options: fs.nth(1).unwrap_or_default(),
    })
}

/// Takes away mountinfo's octal escapes of white space and backslashes.
pub fn unescape(path: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, after @ ..] = rest {
        let octal = after.get(..3).and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        match (first, octal) {
            (b'\\', Some(byte)) => {
                bytes.push(byte);
                rest = &after[3..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    Path::new(std::ffi::OsStr::from_bytes(&bytes)).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_below_a_place_are_found() {
        let text = "\
22 1 0:21 / / rw - ext4 /dev/vda rw
23 22 0:22 / /proc rw - proc proc rw
24 23 0:22 /a\\040b /proc/a\\040b rw - proc proc rw
25 22 0:23 / /processes rw - tmpfs tmpfs rw
26 22 0:24 /proc /mnt rw - tmpfs tmpfs rw
";
        let below = |place: &str| parse_below(text, Path::new(place)).map(|mount| mount.id).collect::<Vec<_>>();
        assert_eq!(below("/proc"), [23, 24]);
        assert_eq!(below("/proc/a b"), [24]);
        assert_eq!(below("/proc/a"), [0; 0]);
        assert_eq!(below("/").len(), 5);
    }

    #[test]
    fn lines_are_read() {
        let text = "\
22 1 0:21 / / rw,relatime shared:1 - ext4 /dev/vda rw
26 23 0:31 /inaccessible/reg /proc/k\\040msg ro - tmpfs tmpfs rw,size=1k
nonsense
";
        let mounts: Vec<Mounted<'_>> = parse(text).collect();
        assert_eq!(mounts.len(), 2);
        assert_eq!(
            mounts[1],
            Mounted {
                id: 26,
                parent: 23,
                device: "0:31",
                root: "/inaccessible/reg",
                path: "/proc/k msg".into(),
                read_only: true,
                fs: "tmpfs",
                options: "rw,size=1k",
            }
        );
    }
}
