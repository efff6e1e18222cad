//! The generator's messages: to the kernel's log, which the journal reads also when journald is
//! not up yet; for a user's manager, to standard error.

use std::fs::{File, OpenOptions};
use std::io::{Write, stderr};

use crate::cell::Finding;
use crate::unit::UnitName;

/// How much a message matters, syslog(3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// A unit will not start, or a drop-in could not be written.
    Error = 3,
    /// Something is odd.
    Warning = 4,
}

/// Where messages go.
pub struct Log(Option<File>);

impl Log {
    /// The kernel's log, where it can be written.
    pub fn kernel() -> Log {
        Log(OpenOptions::new().write(true).open("/dev/kmsg").ok())
    }

    /// Standard error.
    pub fn standard_error() -> Log {
        Log(None)
    }

    /// Tells one message.
    pub fn tell(&self, priority: Priority, message: &str) {
        // One write a record: that is what /dev/kmsg takes.
        let told = self.0.as_ref().is_some_and(|mut kmsg| {
            let record = format!("<{}>unitcell-generator[{}]: {message}", priority as u8, std::process::id());
            kmsg.write_all(record.as_bytes()).is_ok()
        });
        if !told {
            let _ = writeln!(stderr(), "<{}>unitcell-generator: {message}", priority as u8);
        }
    }

    /// Tells what is wrong with a unit.
    pub fn finding(&self, unit: &UnitName, finding: &Finding) {
        let priority = if finding.is_error() { Priority::Error } else { Priority::Warning };
        self.tell(priority, &format!("{unit}: {finding}"));
    }
}
