//! The payload's environment: systemd's, but for what names a process that is no longer it.

use std::ffi::CString;
use std::time::Duration;

use crate::sys;

/// A list of `NAME=VALUE`, entries of other shapes passed through as they are.
#[derive(Debug)]
pub struct Environment(Vec<CString>);

/// Variables by which systemd tells a process that it is meant, and nobody who inherited them
/// (sd_listen_fds(3), sd_watchdog_enabled(3), systemd.exec(5)).
const OWN_PID: [&str; 3] = ["LISTEN_PID", "WATCHDOG_PID", "SYSTEMD_EXEC_PID"];
/// The same by the inode of a pidfd, since systemd 259.
const OWN_PIDFD: [&str; 1] = ["LISTEN_PIDFDID"];
/// The user manager, which has no number in another PID namespace: systemd 262 leaves them out as well.
const MANAGER: [&str; 2] = ["MANAGERPID", "MANAGERPIDFDID"];

impl Environment {
    /// As this process got it.
    pub fn inherited() -> Environment {
        Environment(sys::process::environment())
    }

    /// The entries, for exec.
    pub fn entries(&self) -> &[CString] {
        &self.0
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find_map(|entry| value(entry.as_bytes(), name))
    }

    /// The time of the watchdog, sd_watchdog_enabled(3).
    pub fn watchdog(&self) -> Option<Duration> {
        let microseconds = std::str::from_utf8(self.get("WATCHDOG_USEC")?).ok()?.parse().ok()?;
        Some(Duration::from_micros(microseconds))
    }

    /// Takes a variable out.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|entry| value(entry.as_bytes(), name).is_none());
    }

    /// Gives a variable that is there another value.
    pub fn set(&mut self, name: &str, text: &str) {
        self.replace(name, text);
    }

    /// Where the number names this process, the inode is to name it as well: systemd 262
    /// takes it of the process that has forked this one, with PrivatePIDs=.
    pub fn mend_pidfds(&mut self) {
        let own = sys::process::id().to_string();
        if self.get("LISTEN_PID") == Some(own.as_bytes()) {
            self.follow_pidfds();
        }
    }

    /// After a fork into a PID namespace: what named the parent, `before`, names this process.
    pub fn follow_fork(&mut self, before: i32) {
        let before = before.to_string();
        let now = sys::process::id().to_string();
        for name in OWN_PID {
            if self.get(name) == Some(before.as_bytes()) {
                self.replace(name, &now);
            }
        }
        MANAGER.into_iter().for_each(|name| self.remove(name));
        self.follow_pidfds();
    }

    fn follow_pidfds(&mut self) {
        for name in OWN_PIDFD.into_iter().filter(|name| self.get(name).is_some()).collect::<Vec<_>>() {
            match sys::process::pidfd_inode() {
                Ok(inode) => self.replace(name, &inode.to_string()),
                // Whoever does not find it goes by the process id alone.
                Err(_) => self.remove(name),
            }
        }
    }

    fn replace(&mut self, name: &str, text: &str) {
        for entry in &mut self.0 {
            if value(entry.as_bytes(), name).is_some() {
                *entry = CString::new(format!("{name}={text}")).expect("digits hold no NUL");
            }
        }
    }
}

fn value<'e>(entry: &'e [u8], name: &str) -> Option<&'e [u8]> {
    entry.strip_prefix(name.as_bytes())?.strip_prefix(b"=")
}
