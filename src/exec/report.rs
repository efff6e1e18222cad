//! Where the wrapper's messages go: to the journal under systemd, else to standard error.

use std::ffi::OsStr;
use std::io::{Write, stderr};
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use crate::sys;

/// The id that the journal's catalog explains a failed start by.
const MESSAGE_ID_FAILED: &str = "0f6d3c1cb1a94a0d9e6d6f0d6b8fe2a1";

/// Waits until the journal has read the message, and a moment more: it finds out by the sender's
/// process id which unit this is about, and would not find a process that has ended.
fn await_reader(journal: &UnixDatagram) {
    const STEP: Duration = Duration::from_millis(2);
    const STEPS: usize = 500;
    for _ in 0..STEPS {
        std::thread::sleep(STEP);
        if !matches!(sys::process::unread(journal), Ok(1..)) {
            break;
        }
    }
    std::thread::sleep(STEP * 2);
}

/// How much a message matters, syslog(3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// The payload is not started.
    Error = 3,
    /// It is started without something that it asked for.
    Warning = 4,
}

/// The way to tell, opened before the namespaces change.
pub struct Report {
    journal: Option<UnixDatagram>,
}

impl Report {
    /// Opens the way. `SYSTEMD_EXEC_PID` tells whether systemd started this process itself:
    /// then the journal gets the message whatever the unit does with its standard error.
    pub fn open() -> Report {
        let started_by_systemd =
            std::env::var_os("SYSTEMD_EXEC_PID").as_deref().and_then(OsStr::to_str).and_then(|pid| pid.parse().ok())
                == Some(sys::process::id());
        let connect = || {
            let socket = UnixDatagram::unbound()?;
            socket.connect("/run/systemd/journal/socket")?;
            std::io::Result::Ok(socket)
        };
        Report { journal: started_by_systemd.then(connect).and_then(Result::ok) }
    }

    /// Tells one message, on one line.
    pub fn tell(&self, priority: Priority, message: &str, directives: &str) {
        let message: String = message.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
        let fields = format!(
            "MESSAGE={message}\nPRIORITY={}\nSYSLOG_IDENTIFIER=unitcell-exec\nMESSAGE_ID={MESSAGE_ID_FAILED}\n\
             UNITCELL_DIRECTIVE={directives}\n",
            priority as u8
        );
        let told = self.journal.as_ref().is_some_and(|journal| {
            let sent = journal.send(fields.as_bytes()).is_ok();
            if sent {
                await_reader(journal);
            }
            sent
        });
        if !told {
            // There is nowhere left to complain about a standard error that is gone.
            let _ = writeln!(stderr(), "unitcell-exec: {message}");
        }
    }
}
