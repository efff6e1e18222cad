//! Where the wrapper's messages go: to the journal under systemd, else to standard error.

use std::io::{self, Write, stderr};
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use crate::sys;

/// The id that the journal's catalog explains a failed start by.
const MESSAGE_ID_FAILED: &str = "0f6d3c1cb1a94a0d9e6d6f0d6b8fe2a1";

/// How much a message matters, syslog(3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// The payload is not started.
    Error = 3,
    /// It is started without something that it asked for.
    Warning = 4,
    /// All is as it was asked for.
    Info = 6,
}

/// The way to tell.
pub struct Report {
    /// Has systemd itself started this process? Then the journal gets the message, whatever the
    /// unit does with its standard error.
    to_journal: bool,
}

impl Report {
    /// Finds out how to tell. Nothing is opened yet: a start that goes well has nothing to tell.
    pub fn for_this_process() -> Report {
        // Inherited by something else, the variable names another process.
        let pid = std::env::var("SYSTEMD_EXEC_PID").ok().and_then(|pid| pid.parse().ok());
        Report { to_journal: pid == Some(sys::process::id()) }
    }

    /// Tells one message, on one line.
    pub fn tell(&self, priority: Priority, message: &str, directives: &str) {
        let message: String = message.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
        let id = match priority {
            Priority::Info => String::new(),
            Priority::Error | Priority::Warning => format!("MESSAGE_ID={MESSAGE_ID_FAILED}\n"),
        };
        let fields = format!(
            "MESSAGE={message}\nPRIORITY={}\nSYSLOG_IDENTIFIER=unitcell-exec\n{id}UNITCELL_DIRECTIVE={directives}\n",
            priority as u8
        );
        match self.send(fields.as_bytes()) {
            Ok(journal) if priority == Priority::Error => await_reader(&journal),
            Ok(_) => {}
            // There is nowhere left to complain about a standard error that is gone.
            Err(_) => drop(stderr().write_all(format!("unitcell-exec: {message}\n").as_bytes())),
        }
    }

    /// Is there no journal to tell?
    pub fn needs_standard_error(&self) -> bool {
        !self.to_journal
    }

    fn send(&self, fields: &[u8]) -> io::Result<UnixDatagram> {
        if !self.to_journal {
            return Err(io::ErrorKind::NotConnected.into());
        }
        let journal = UnixDatagram::unbound()?;
        journal.send_to(fields, "/run/systemd/journal/socket")?;
        Ok(journal)
    }
}

/// Waits until the journal has read the message, and a moment more: it finds out by the sender's
/// process id which unit this is about, and would not find a process that has ended.
fn await_reader(journal: &UnixDatagram) {
    const STEP: Duration = Duration::from_millis(2);
    const STEPS: usize = 500;
    /// For a journal that has to wait for its turn between the two.
    const MOMENT: Duration = Duration::from_millis(50);
    for _ in 0..STEPS {
        std::thread::sleep(STEP);
        if !matches!(sys::process::unread(journal), Ok(1..)) {
            break;
        }
    }
    std::thread::sleep(MOMENT);
}
