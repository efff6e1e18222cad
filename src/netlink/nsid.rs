//! The numbers that a network namespace has for others, ip-netns(8).

use std::os::fd::BorrowedFd;

use super::error::Error;
use super::message::{Body, Request, attributes, u32_at};
use super::socket::Socket;

/// RTM_NEWNSID, which news come as, too.
pub const NEW: u16 = 88;
/// RTM_DELNSID.
pub const DELETED: u16 = 89;
const RTM_GETNSID: u16 = 90;
/// RTNLGRP_NSID: which numbers are given and taken.
pub const GROUP: u32 = 28;

// Of linux/net_namespace.h.
const NETNSA_NSID: u16 = 1;
const NETNSA_FD: u16 = 3;
const NETNSA_TARGET_NSID: u16 = 4;
const NETNSA_CURRENT_NSID: u16 = 5;

/// NETNSA_NSID_NOT_ASSIGNED, and to have the kernel choose.
pub const NONE: i32 = -1;

/// A number, as the kernel lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number {
    /// What the namespace that was asked about has for it.
    pub nsid: i32,
    /// What the socket's own namespace has for the same one, where both are told.
    pub current: Option<i32>,
}

/// Gives a namespace a number.
pub fn assign(namespace: BorrowedFd<'_>, nsid: i32) -> Request<'_> {
    let mut body = Body::new(&[0; 4]);
    body.put_fd(NETNSA_FD, namespace).put(NETNSA_NSID, &nsid.to_ne_bytes());
    Request { what: format!("give the network namespace number {nsid}"), kind: NEW, flags: 0, body }
}

/// The number of a namespace, if it has one.
pub fn of(socket: &mut Socket, namespace: BorrowedFd<'_>) -> Result<Option<i32>, Error> {
    let mut body = Body::new(&[0; 4]);
    body.put_fd(NETNSA_FD, namespace);
    let number = get(socket, body)?;
    Ok((number.nsid != NONE).then_some(number.nsid))
}

/// All numbers, or if `target` is one of them all that the namespace with that number has.
pub fn list(socket: &mut Socket, target: Option<i32>) -> Result<Vec<Number>, Error> {
    let mut body = Body::new(&[0; 4]);
    if let Some(target) = target {
        body.put(NETNSA_TARGET_NSID, &target.to_ne_bytes());
    }
    let what = "list the numbers of network namespaces".to_owned();
    socket.all(&Request { what, kind: RTM_GETNSID, flags: 0, body }, read)
}

/// One number, as [`list`] has it; an error where it is nobody's.
pub fn find(socket: &mut Socket, nsid: i32, target: Option<i32>) -> Result<Number, Error> {
    let mut body = Body::new(&[0; 4]);
    body.put(NETNSA_NSID, &nsid.to_ne_bytes());
    if let Some(target) = target {
        body.put(NETNSA_TARGET_NSID, &target.to_ne_bytes());
    }
    get(socket, body)
}

fn get(socket: &mut Socket, body: Body<'_>) -> Result<Number, Error> {
    let what = "find the number of a network namespace".to_owned();
    socket.one(&Request { what, kind: RTM_GETNSID, flags: 0, body }, read)
}

/// A number, out of the body of a message.
pub fn read(body: &[u8]) -> Option<Number> {
    const HEADER: usize = 4;
    let mut number = Number { nsid: NONE, current: None };
    for (kind, value) in attributes(body.get(HEADER..)?) {
        match kind {
            NETNSA_NSID => number.nsid = u32_at(value, 0)?.cast_signed(),
            NETNSA_CURRENT_NSID => number.current = Some(u32_at(value, 0)?.cast_signed()),
            _ => {}
        }
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read() {
        let mut body = Body::new(&[0; 4]);
        assert_eq!(read(body.bytes()), Some(Number { nsid: NONE, current: None }));
        body.put(NETNSA_NSID, &7i32.to_ne_bytes()).put(NETNSA_CURRENT_NSID, &NONE.to_ne_bytes());
        assert_eq!(read(body.bytes()), Some(Number { nsid: 7, current: Some(NONE) }));
        assert_eq!(read(&[]), None);
    }
}
