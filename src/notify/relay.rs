//! Between a service and its manager: what the one says reaches the other, if it means the same there.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::str::FromStr;

use super::Notifier;
use super::inlet::{Inlet, Message};
use super::processes::Processes;

/// What a service may tell its manager, sd_notify(3). NOTIFYACCESS is not among it: it would cut the
/// relay off.
const FIELDS: [&str; 18] = [
    "READY",
    "RELOADING",
    "STOPPING",
    "MONOTONIC_USEC",
    "STATUS",
    "ERRNO",
    "BUSERROR",
    "VARLINKERROR",
    "EXIT_STATUS",
    "MAINPID",
    "MAINPIDFD",
    "MAINPIDFDID",
    "WATCHDOG",
    "WATCHDOG_USEC",
    "EXTEND_TIMEOUT_USEC",
    "RESTART_RESET",
    "BARRIER",
    "FDSTORE",
];
/// What goes with a stored descriptor.
const OF_THE_STORE: [&str; 3] = ["FDSTOREREMOVE", "FDNAME", "FDPOLL"];

/// Who of a service may tell its manager something, `NotifyAccess=` of systemd.service(5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The main process.
    Main,
    /// Every process of the control group.
    All,
}

impl FromStr for Access {
    type Err = ();

    fn from_str(text: &str) -> Result<Access, ()> {
        match text {
            "main" => Ok(Access::Main),
            "all" => Ok(Access::All),
            _ => Err(()),
        }
    }
}

/// What is kept from the manager for now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    /// READY=1: another one judges whether the service is.
    pub ready: bool,
    /// WATCHDOG=1: likewise.
    pub watchdog: bool,
}

/// The relay.
#[derive(Debug)]
pub struct Relay {
    inlet: Inlet,
    access: Access,
    main: i32,
    processes: Processes,
    with_manager: bool,
    monotonic_offset: i64,
    said_ready: bool,
}

impl Relay {
    /// For the service whose main process has the number `main` here. Only a relay that is
    /// in the manager's PID namespace, `with_manager`, can tell it of another main process.
    pub fn new(inlet: Inlet, access: Access, main: i32, processes: Processes, with_manager: bool) -> Relay {
        Relay { inlet, access, main, processes, with_manager, monotonic_offset: 0, said_ready: false }
    }

    /// The service's CLOCK_MONOTONIC is by so many nanoseconds before the manager's.
    pub fn with_monotonic_offset(self, nanoseconds: i64) -> Relay {
        Relay { monotonic_offset: nanoseconds, ..self }
    }

    /// The descriptors that it needs.
    pub fn descriptors(&self) -> Vec<RawFd> {
        vec![self.inlet.as_fd().as_raw_fd(), self.processes.as_fd().as_raw_fd()]
    }

    /// Passes on all that has come.
    pub fn pass_on(&mut self, notifier: &Notifier, held: Held) -> io::Result<()> {
        while let Some(message) = self.inlet.receive()? {
            if !self.may_tell(message.sender) {
                continue;
            }
            self.said_ready |= message.text.lines().any(|line| line == "READY=1");
            let text = self.translate(&message, held);
            let fds: Vec<RawFd> = message.fds.iter().map(OwnedFd::as_raw_fd).collect();
            if !text.is_empty() {
                notifier.send_with(&text, &fds)?;
            }
        }
        Ok(())
    }

    /// Has the service said READY=1, passed on or not?
    pub fn has_said_ready(&self) -> bool {
        self.said_ready
    }

    fn may_tell(&self, sender: i32) -> bool {
        match self.access {
            Access::Main => sender == self.main,
            Access::All => self.processes.is_of_this_unit(sender),
        }
    }

    fn translate(&mut self, message: &Message, held: Held) -> String {
        let mut lines = Vec::new();
        for (name, value) in fields(&message.text, held) {
            if name == "MONOTONIC_USEC" {
                lines.push(format!("{name}={}", with_manager(value, self.monotonic_offset)));
                continue;
            }
            if name != "MAINPID" {
                lines.push(format!("{name}={value}"));
                continue;
            }
            // In the service's own PID namespace the number means another process than out here.
            let here = || self.processes.number_here(value.parse().ok()?);
            if self.with_manager
                && let Some(here) = here()
            {
                self.main = here;
                lines.push(format!("MAINPID={here}"));
            }
        }
        lines.join("\n")
    }
}

impl AsFd for Relay {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inlet.as_fd()
    }
}

/// A time of the service's clock by the manager's. What is no time stays what it is.
fn with_manager(microseconds: &str, offset: i64) -> String {
    let shifted = |time: u64| time.saturating_add_signed((offset / 1000).saturating_neg());
    microseconds.parse().map_or_else(|_| microseconds.to_owned(), |time| shifted(time).to_string())
}

/// The fields of a message that are to be passed on.
fn fields(text: &str, held: Held) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter_map(|line| line.split_once('=')).filter(move |(name, _)| match *name {
        "READY" => !held.ready,
        "WATCHDOG" => !held.watchdog,
        name => FIELDS.contains(&name) || OF_THE_STORE.contains(&name),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_managers_clock() {
        assert_eq!(with_manager("5000000", -3_000_000_000), "8000000");
        assert_eq!(with_manager("5000000", 3_000_000_000), "2000000");
        assert_eq!(with_manager("5", 3_000_000_000), "0");
        assert_eq!(with_manager("soon", 3_000_000_000), "soon");
    }

    #[test]
    fn only_known_fields_pass() {
        let pass = |text, held| fields(text, held).map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
        let text = "READY=1\nSTATUS=a=b\nX_OTHER=1\nNOTIFYACCESS=none\nWATCHDOG=1\nno field\nFDNAME=x";
        assert_eq!(pass(text, Held::default()), ["READY=1", "STATUS=a=b", "WATCHDOG=1", "FDNAME=x"]);
        assert_eq!(pass(text, Held { ready: true, watchdog: true }), ["STATUS=a=b", "FDNAME=x"]);
        assert_eq!(pass("RELOADING=1\nMONOTONIC_USEC=5", Held { ready: true, watchdog: false }).len(), 2);
    }
}
