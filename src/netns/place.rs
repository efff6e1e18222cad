//! A network namespace that is worked upon, by a socket that is opened in it once it is needed.

use std::io;
use std::path::Path;

use ipnet::IpNet;

use crate::netlink::link::{self, Change, Link, Which};
use crate::netlink::nat::Nat;
use crate::netlink::settle::Watch;
use crate::netlink::{self, Request, Socket, address, route, sysctl};
use crate::sys;
use crate::sys::namespace::Namespace;

/// That it is so already is no failure.
pub const THERE: &[i32] = &[libc::EEXIST];
/// That it is gone already is none.
const GONE: &[i32] = &[libc::ENODEV, libc::ENOENT, libc::ESRCH, libc::EADDRNOTAVAIL];

/// One namespace.
#[derive(Debug)]
pub struct Place {
    namespace: Namespace,
    socket: Option<Socket>,
    /// What is to be sent before anything else is, and which errors are none.
    queue: Vec<(Request<'static>, &'static [i32])>,
    /// Kept open to the end: should that have to be waited for, much of it goes by while links go.
    nat: Option<Nat>,
    /// Is it that of this process?
    own: bool,
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(nat) = self.nat.take() {
            nat.close();
        }
    }
}

impl Place {
    /// The namespace of this process.
    pub fn own() -> io::Result<Place> {
        let namespace = Namespace::open("/proc/self/ns/net")?;
        Ok(Place { namespace, socket: None, queue: Vec::new(), nat: None, own: true })
    }

    /// The namespace that is pinned there.
    pub fn pinned(path: &Path) -> io::Result<Place> {
        let namespace = Namespace::open(path)?;
        if !sys::pin::is_namespace(path)? {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        }
        Ok(Place { namespace, socket: None, queue: Vec::new(), nat: None, own: false })
    }

    fn open(&mut self) -> io::Result<&mut Socket> {
        Ok(match self.socket {
            Some(ref mut socket) => socket,
            None => self.socket.insert(if self.own { Socket::route()? } else { Socket::route_in(&self.namespace)? }),
        })
    }

    /// What speaks for it, once all that waited is sent.
    fn socket(&mut self) -> Result<&mut Socket, netlink::Error> {
        self.send()?;
        Ok(self.open()?)
    }

    /// Has a request wait for those that come after it; these errors of it are none.
    pub fn later(&mut self, request: Request<'static>, fine: &'static [i32]) {
        self.queue.push((request, fine));
    }

    /// Sends all that waited. Of what went wrong the first is told: the kernel goes on after it, and
    /// more may come of it.
    pub fn send(&mut self) -> Result<(), netlink::Error> {
        if self.queue.is_empty() {
            return Ok(());
        }
        let (requests, fine): (Vec<_>, Vec<_>) = std::mem::take(&mut self.queue).into_iter().unzip();
        match self.open()?.carry_out(&requests) {
            Err(netlink::Error::Refused(refused)) => {
                let first = refused.into_iter().find(|refusal| !fine[refusal.index].contains(&refusal.errno));
                first.map_or(Ok(()), |refusal| Err(netlink::Error::Refused(vec![refusal])))
            }
            other => other,
        }
    }

    /// What tells of links and addresses that change.
    pub fn watch(&self) -> io::Result<Watch<'_>> {
        if self.own { Watch::open() } else { Watch::open_in(&self.namespace) }
    }

    /// Its file.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// Does some work in it.
    pub fn within<T>(&self, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        if self.own { work() } else { sysctl::inside(&self.namespace, work) }
    }

    /// A kernel setting; none if the kernel has no such setting.
    pub fn sysctl(&self, key: &str) -> io::Result<Option<String>> {
        self.within(|| match sysctl::read(key) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            other => other.map(Some),
        })
    }

    /// Changes a kernel setting.
    pub fn set_sysctl(&self, key: &str, value: &str) -> io::Result<()> {
        self.within(|| sysctl::write(key, value))
    }

    /// What speaks nftables.
    pub fn nat(&mut self) -> io::Result<&mut Nat> {
        Ok(match self.nat {
            Some(ref mut nat) => nat,
            None => self.nat.insert(if self.own { Nat::open()? } else { Nat::open_in(&self.namespace)? }),
        })
    }

    /// One link, if there is such a one.
    pub fn link(&mut self, name: &str) -> Result<Option<Link>, netlink::Error> {
        link::find(self.socket()?, Which::Name(name))
    }

    /// All links.
    pub fn links(&mut self) -> Result<Vec<Link>, netlink::Error> {
        link::list(self.socket()?)
    }

    /// All addresses.
    pub fn all_addresses(&mut self) -> Result<Vec<address::Address>, netlink::Error> {
        address::list(self.socket()?)
    }

    /// All addresses of a link.
    pub fn addresses(&mut self, link: u32) -> Result<Vec<address::Address>, netlink::Error> {
        Ok(self.all_addresses()?.into_iter().filter(|address| address.link == link).collect())
    }

    /// All routes.
    pub fn routes(&mut self) -> Result<Vec<route::Route>, netlink::Error> {
        route::list(self.socket()?)
    }

    /// Sends one request.
    pub fn ask(&mut self, request: Request<'_>) -> Result<(), netlink::Error> {
        self.socket()?.carry_out(&[request])
    }

    /// Sends one request that takes something away; that it is gone already is no failure.
    pub fn ask_away(&mut self, request: Request<'static>) -> Result<(), netlink::Error> {
        self.later(request, GONE);
        self.send()
    }

    /// Changes a link.
    pub fn set(&mut self, index: u32, change: &Change<'_>) -> Result<(), netlink::Error> {
        self.ask(link::set(Which::Index(index), change))
    }

    /// Gives a link addresses with the next send, those that it has already notwithstanding.
    pub fn add_addresses(&mut self, link: u32, addresses: &[IpNet]) {
        for net in addresses {
            self.later(address::add(link, *net, address::Detection::Usual), THERE);
        }
    }
}
