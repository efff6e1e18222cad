//! What /proc/self/mountinfo says, proc_pid_mountinfo(5).

use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::str::FromStr;

use memchr::memmem;

use super::below::{Mounted, from_above};

/// One line of it.
#[derive(Debug, Clone, Copy)]
pub struct Line<'t> {
    pub id: u64,
    pub parent: u64,
    /// What follows.
    rest: &'t [u8],
}

/// Its text, in which names are as they are. `proc` is where procfs is mounted.
pub fn read(proc: impl AsFd) -> io::Result<Vec<u8>> {
    let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC;
    let file = rustix::fs::openat(proc, "self/mountinfo", flags, rustix::fs::Mode::empty())?;
    // Else it would be read in pieces of 32 bytes at first, as its size is not known before.
    let mut text = Vec::with_capacity(0x4000);
    io::Read::read_to_end(&mut std::fs::File::from(file), &mut text)?;
    Ok(text)
}

/// Where procfs is mounted, opened.
pub fn open_proc() -> io::Result<std::os::fd::OwnedFd> {
    let flags = rustix::fs::OFlags::PATH | rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::CLOEXEC;
    Ok(rustix::fs::open("/proc", flags, rustix::fs::Mode::empty())?)
}

/// Its lines: the mounts that the process can reach from its root.
pub fn lines(text: &[u8]) -> impl Iterator<Item = Line<'_>> {
    text.split(|byte| *byte == b'\n').filter_map(Line::read)
}

/// The mount of this number, and all below it.
pub fn below(text: &[u8], id: u64) -> Vec<Mounted> {
    let lines: Vec<_> = lines(text).map(|line| (line.id, line.parent, line)).collect();
    from_above(id, &lines).into_iter().filter_map(Line::mounted).collect()
}

impl<'t> Line<'t> {
    fn read(line: &'t [u8]) -> Option<Line<'t>> {
        let mut fields = line.splitn(3, |byte| *byte == b' ');
        Some(Line { id: number(fields.next()?)?, parent: number(fields.next()?)?, rest: fields.next()? })
    }

    /// Where it is mounted.
    pub fn path(self) -> Option<PathBuf> {
        self.rest.split(|byte| *byte == b' ').nth(2).map(unescape)
    }

    fn mounted(self) -> Option<Mounted> {
        let end = memmem::find(self.rest, b" - ")?;
        let mut mount = self.rest[..end].split(|byte| *byte == b' ');
        let mut device = mount.next()?.split(|byte| *byte == b':');
        let (root, path, flags) = (mount.next()?, mount.next()?, mount.next()?);
        let mut fs = self.rest[end + 3..].split(|byte| *byte == b' ');
        Some(Mounted {
            device: (number(device.next()?)?, number(device.next()?)?),
            is_deleted: root.ends_with(b"//deleted"),
            path: unescape(path),
            read_only: flags.split(|byte| *byte == b',').any(|flag| flag == b"ro"),
            // Without what it stands for: `fuse.sshfs`.
            fs: String::from_utf8_lossy(fs.next()?.split(|byte| *byte == b'.').next()?).into_owned(),
            options: String::from_utf8_lossy(fs.nth(1).unwrap_or_default()).into_owned(),
        })
    }
}

fn number<N: FromStr>(digits: &[u8]) -> Option<N> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Takes away mountinfo's octal escapes of white space and backslashes.
pub fn unescape(path: impl AsRef<[u8]>) -> PathBuf {
    let mut rest = path.as_ref();
    let mut bytes = Vec::with_capacity(rest.len());
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
    OsString::from_vec(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_below_another_are_found() {
        let text = b"\
22 22 0:21 / / rw - ext4 /dev/vda rw
40 41 0:22 /a\\040b /proc/a\\040b rw - proc proc rw
41 22 0:22 / /proc rw - proc proc rw
42 22 0:23 / /processes rw - tmpfs tmpfs rw
43 40 0:24 / /proc/a\\040b/\xff rw - tmpfs tmpfs rw
nonsense
";
        let paths = |id| below(text, id).into_iter().map(|mount| mount.path.into_os_string().into_vec());
        assert_eq!(paths(41).collect::<Vec<_>>(), [&b"/proc"[..], b"/proc/a b", b"/proc/a b/\xff"]);
        assert_eq!(paths(22).len(), 5);
        assert_eq!(paths(1).len(), 0);
        assert_eq!(lines(text).filter_map(Line::path).nth(1), Some("/proc/a b".into()));
    }

    #[test]
    fn lines_are_read() {
        let text = b"26 23 0:31 /inaccessible/reg//deleted /proc/k\\040msg ro,nosuid shared:3 master:1 - fuse.x a rw,size=1k\n";
        assert_eq!(
            below(text, 26),
            [Mounted {
                device: (0, 31),
                is_deleted: true,
                path: "/proc/k msg".into(),
                read_only: true,
                fs: "fuse".to_owned(),
                options: "rw,size=1k".to_owned(),
            }]
        );
    }
}
