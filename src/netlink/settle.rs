//! Waiting until links carry packets and their addresses can be used.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::time::Instant;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::error::Error;
use super::link::Which;
use super::socket::Socket;
use super::{address, link};
use crate::sys::namespace::Namespace;

/// RTNLGRP_LINK and RTNLGRP_IPV6_IFADDR.
const GROUPS: [u32; 2] = [1, 9];

/// What is not as it should be yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Awaited {
    /// A link that carries no packets.
    Link(String),
    /// An address that other machines on the link are being asked about.
    Address(IpAddr),
}

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Awaited::Link(name) => write!(f, "link {name}"),
            Awaited::Address(address) => write!(f, "address {address}"),
        }
    }
}

/// How the wait ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// All of it is ready.
    Ready,
    /// Other machines have these addresses.
    Duplicate(Vec<IpAddr>),
    /// Time was up, and these were still awaited.
    Late(Vec<Awaited>),
}

/// Questions about the links and addresses of a namespace, and news of them where one has to wait.
#[derive(Debug)]
pub struct Watch<'n> {
    /// None: the thread's.
    namespace: Option<&'n Namespace>,
    questions: Socket,
    news: Option<Socket>,
}

impl<'n> Watch<'n> {
    /// Of the thread's namespace.
    pub fn open() -> io::Result<Watch<'n>> {
        Ok(Watch { namespace: None, questions: Socket::route()?, news: None })
    }

    /// Of another namespace.
    pub fn open_in(namespace: &'n Namespace) -> io::Result<Watch<'n>> {
        Ok(Watch { namespace: Some(namespace), questions: Socket::route_in(namespace)?, news: None })
    }

    /// Waits until those `links`, told by their numbers, that are switched on carry packets, and no
    /// address of them is tentative. Each time that something has changed, `told` hears what is awaited.
    pub fn settle(
        &mut self,
        links: &[u32],
        deadline: Instant,
        mut told: impl FnMut(&[Awaited]),
    ) -> Result<Settled, Error> {
        let mut before = Vec::new();
        loop {
            let (awaited, duplicate) = self.look(links)?;
            if !duplicate.is_empty() {
                return Ok(Settled::Duplicate(duplicate));
            }
            if awaited.is_empty() {
                return Ok(Settled::Ready);
            }
            if awaited != before {
                told(&awaited);
            }
            if !self.wait(deadline)? {
                return Ok(Settled::Late(awaited));
            }
            before = awaited;
        }
    }

    /// Waits until there is no link with this number any more; false if there is one still.
    pub fn gone(&mut self, link: u32, deadline: Instant) -> Result<bool, Error> {
        while link::find(&mut self.questions, Which::Index(link))?.is_some() {
            if !self.wait(deadline)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn look(&mut self, links: &[u32]) -> Result<(Vec<Awaited>, Vec<IpAddr>), Error> {
        let (mut awaited, mut duplicate) = (Vec::new(), Vec::new());
        for link in link::list(&mut self.questions)? {
            if links.contains(&link.index) && link.is_up() && !link.carries() {
                awaited.push(Awaited::Link(link.name));
            }
        }
        for address in address::list(&mut self.questions)?.iter().filter(|address| links.contains(&address.link)) {
            if address.is_duplicate() {
                duplicate.push(address.net.addr());
            } else if address.is_tentative() {
                awaited.push(Awaited::Address(address.net.addr()));
            }
        }
        Ok((awaited, duplicate))
    }

    /// Waits for news; false if there were none in time. What happened before the first time nobody
    /// told: then there is a look to be had at once.
    fn wait(&mut self, deadline: Instant) -> io::Result<bool> {
        let Some(news) = &mut self.news else {
            let opened = match self.namespace {
                Some(namespace) => Socket::route_in(namespace)?,
                None => Socket::route()?,
            };
            opened.subscribe(&GROUPS)?;
            self.news = Some(opened);
            return Ok(true);
        };
        loop {
            let rest = deadline.saturating_duration_since(Instant::now());
            // Rounded up, or the last millisecond is spent asking for none.
            let rest = PollTimeout::try_from(rest.as_millis() + 1).unwrap_or(PollTimeout::MAX);
            match poll(&mut [PollFd::new(news.as_fd(), PollFlags::POLLIN)], rest) {
                Err(nix::Error::EINTR) => {}
                Err(error) => return Err(error.into()),
                Ok(0) if Instant::now() >= deadline => return Ok(false),
                Ok(0) => {}
                Ok(_) => {
                    news.news(|_| {})?;
                    return Ok(true);
                }
            }
        }
    }
}
