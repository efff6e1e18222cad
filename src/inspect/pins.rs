//! Namespaces that are kept by a mount of their file, `ip netns` style.

use std::path::{Path, PathBuf};

use memchr::memmem;

use crate::cell::Kind;
use crate::sys::mount::unescape;

/// A mount of a namespace's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The type of the namespace.
    pub kind: Kind,
    /// Its inode number.
    pub inode: u64,
    /// Where it is mounted.
    pub path: PathBuf,
}

impl Pin {
    /// The pins in the text of mountinfo, proc_pid_mountinfo(5), in its order.
    pub fn parse(mountinfo: &[u8]) -> Vec<Pin> {
        let pin = |line: &[u8]| {
            let (mount, fs) = line.split_at(memmem::find(line, b" - ")?);
            let mut fields = mount.split(|byte| *byte == b' ').skip(3);
            let (root, path) = (fields.next()?, fields.next()?);
            let (kind, inode) = fs.starts_with(b" - nsfs ").then(|| parse_link(std::str::from_utf8(root).ok()?))??;
            Some(Pin { kind, inode, path: unescape(path) })
        };
        mountinfo.split(|byte| *byte == b'\n').filter_map(pin).collect()
    }

    /// The name that `ip netns` has for it.
    pub fn netns_name(&self) -> Option<&str> {
        let named = self.kind == Kind::Network && self.path.parent() == Some(Path::new("/run/netns"));
        named.then(|| self.path.file_name()?.to_str())?
    }
}

/// The parts of `net:[4026531833]`, as links to namespaces read.
pub fn parse_link(text: &str) -> Option<(Kind, u64)> {
    let (kind, inode) = text.split_once(":[")?;
    Some((Kind::from_proc_name(kind)?, inode.strip_suffix(']')?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_the_mounts_of_nsfs() {
        let mountinfo = b"\
22 1 0:21 / / rw shared:1 - ext4 /dev/vda rw
30 22 0:4 net:[4026532550] /run/netns/red rw shared:5 - nsfs nsfs rw
31 22 0:4 uts:[4026532622] /run/my\\040pins/uts rw - nsfs nsfs rw
32 22 0:4 new:[1] /run/pins/new rw - nsfs nsfs rw
33 22 0:40 / /mnt/\xff rw - tmpfs tmpfs rw
";
        let pins = Pin::parse(mountinfo);
        assert_eq!(pins.len(), 2);
        assert_eq!(pins[0].netns_name(), Some("red"));
        assert_eq!(pins[1], Pin { kind: Kind::Uts, inode: 4_026_532_622, path: "/run/my pins/uts".into() });
        assert_eq!(pins[1].netns_name(), None);
    }
}
