//! What listmount(2) and statmount(2) say: of the mounts below one alone, where /proc/self/mountinfo tells of
//! all that there are.

use std::ffi::OsString;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStringExt;

use rustix::fs::{AtFlags, StatxFlags, statx};

use super::below::{Mounted, from_above};
use crate::sys::seccomp;

/// The mount that the place is in, and all below it; nothing where the kernel does not tell all of it.
pub fn below(place: BorrowedFd<'_>) -> Option<Vec<Mounted>> {
    // It may kill for a call that whoever made it did not know.
    if seccomp::is_filtered() {
        return None;
    }
    let found = statx(place, "", AtFlags::EMPTY_PATH, StatxFlags::from_bits_retain(STATX_MNT_ID_UNIQUE)).ok()?;
    if found.stx_mask & STATX_MNT_ID_UNIQUE == 0 {
        return None;
    }
    let ids = list(found.stx_mnt_id)?;
    let mounts = std::iter::once(&found.stx_mnt_id).chain(&ids).map(|id| Status::of(*id)?.mounted());
    let mounts = mounts.collect::<Option<Vec<_>>>()?;
    let numbered: Vec<_> = mounts.iter().map(|(id, parent, mount)| (*id, *parent, mount)).collect();
    Some(from_above(found.stx_mnt_id, &numbered).into_iter().cloned().collect())
}

const STATX_MNT_ID_UNIQUE: u32 = 0x4000;

/// The numbers of those below; nothing where there are too many, as not all of them might be there.
fn list(id: u64) -> Option<Vec<u64>> {
    let mut ids = vec![0; 256];
    let request = Request::new(id, 0);
    // SAFETY: the kernel reads `request`, whose size is in it, and writes as many numbers as told at most.
    let count = unsafe {
        libc::syscall(SYS_LISTMOUNT, &raw const request, ids.as_mut_ptr(), ids.len(), libc::c_uint::from(0u8))
    };
    ids.truncate(usize::try_from(count).ok().filter(|count| *count < ids.len())?);
    Some(ids)
}

/// The same on all that have one table of numbers for what is new, x86 among them.
const SYS_STATMOUNT: libc::c_long = 457;
const SYS_LISTMOUNT: libc::c_long = 458;

/// A `struct mnt_id_req`.
#[repr(C)]
struct Request {
    size: u32,
    spare: u32,
    mount: u64,
    parameter: u64,
}

impl Request {
    fn new(mount: u64, parameter: u64) -> Request {
        Request { size: size_of::<Request>() as u32, spare: 0, mount, parameter }
    }
}

/// A `struct statmount`.
#[repr(C)]
struct Status {
    size: u32,
    options: u32,
    mask: u64,
    device: [u32; 2],
    magic: u64,
    sb_flags: u32,
    fs: u32,
    id: u64,
    parent: u64,
    old_ids: [u32; 2],
    attributes: u64,
    propagation: [u64; 4],
    root: u32,
    point: u32,
    namespace: u64,
    spare: [u64; 49],
    strings: [u8; 2048],
}

const SB_BASIC: u64 = 0x01;
const MNT_BASIC: u64 = 0x02;
const MNT_ROOT: u64 = 0x08;
const MNT_POINT: u64 = 0x10;
const FS_TYPE: u64 = 0x20;
/// Of the same Linux as MNT_OPTS, 6.11. What has no options says the same as a kernel that knows of none.
const MNT_NS_ID: u64 = 0x40;
const MNT_OPTS: u64 = 0x80;

const NEEDED: u64 = SB_BASIC | MNT_BASIC | MNT_ROOT | MNT_POINT | FS_TYPE | MNT_NS_ID;

impl Status {
    fn of(id: u64) -> Option<Box<Status>> {
        // SAFETY: all of its fields are numbers, and so may be zero.
        let mut status: Box<Status> = unsafe { Box::new(std::mem::zeroed()) };
        let request = Request::new(id, NEEDED | MNT_OPTS);
        // SAFETY: the kernel reads `request`, whose size is in it, and writes no more than the size of `status`.
        let result = unsafe {
            libc::syscall(
                SYS_STATMOUNT,
                &raw const request,
                &raw mut *status,
                size_of::<Status>(),
                libc::c_uint::from(0u8),
            )
        };
        (result == 0 && status.mask & NEEDED == NEEDED).then_some(status)
    }

    /// Its number, that of the one that it is mounted upon, and what else there is to tell.
    fn mounted(&self) -> Option<(u64, u64, Mounted)> {
        let options = if self.mask & MNT_OPTS == 0 { &[] } else { self.string(self.options)? };
        let mount = Mounted {
            device: self.device.into(),
            is_deleted: self.string(self.root)?.ends_with(b"//deleted"),
            path: OsString::from_vec(self.string(self.point)?.to_vec()).into(),
            read_only: self.attributes & libc::MOUNT_ATTR_RDONLY != 0,
            fs: String::from_utf8_lossy(self.string(self.fs)?).into_owned(),
            options: String::from_utf8_lossy(options).into_owned(),
        };
        Some((self.id, self.parent, mount))
    }

    fn string(&self, offset: u32) -> Option<&[u8]> {
        let rest = self.strings.get(usize::try_from(offset).ok()?..)?;
        rest.split(|byte| *byte == 0).next()
    }
}
