//! The process beside the payload that watches its conditions.

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use super::beside::Post;
use super::environment::Environment;
use super::report::{Priority, Report};
use crate::cell::steps::WatchFor;
use crate::notify::{Notifier, Relay};
use crate::probe::Watch;
use crate::sys::process;

/// What only the watcher's own process has a use for, or its forebear's.
const NOT_FOR_COMMANDS: [&str; 8] = [
    "NOTIFY_SOCKET",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
    "LISTEN_PID",
    "LISTEN_PIDFDID",
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "SYSTEMD_EXEC_PID",
];

/// Watches, to the end of the process. What it returns is why it can't begin.
pub fn run(
    post: Post,
    watch_for: &WatchFor,
    watchdog: Option<Duration>,
    relay: Option<Relay>,
    notifier: &Notifier,
    environment: &Environment,
    report: &Report,
) -> io::Result<Infallible> {
    let conditions = watch_for.ready_when.iter().chain(&watch_for.health_probe);
    let tell = |message: &str| report.tell(Priority::Info, message, "");
    let payload = post.payload()?.try_clone_to_owned()?;
    let watch = Watch::new(conditions, notifier, payload, for_commands(environment), &tell)?;
    if relay.is_some() {
        // The last words of a service come after the signal that asks all of it to end.
        process::hold_signals()?;
    }
    let mut watch = watch.relaying(relay, !watch_for.health_probe.is_empty());
    drop(post.take_up(watch.descriptors(), report)?);

    if !watch_for.ready_when.is_empty() {
        match watch.until_ready(&watch_for.ready_when) {
            // Whose message this is the manager finds out by the process: it must not be gone.
            Ok(Ok(())) => drop(notifier.barrier()),
            Ok(Err(_)) => process::exit(0),
            Err(error) => give_up(report, &error),
        }
    }
    if let (Some(timeout), false) = (watchdog, watch_for.health_probe.is_empty())
        && let Err(error) = watch.feed(&watch_for.health_probe, timeout)
    {
        give_up(report, &error);
    }
    if let Err(error) = watch.until_ended() {
        give_up(report, &error);
    }
    process::exit(0)
}
/// The manager's own time-outs end a service that nobody speaks for any more.
fn give_up(report: &Report, error: &io::Error) -> ! {
    report.tell(Priority::Error, &format!("can't watch the service any more: {error}"), "");
    process::exit(1)
}

fn for_commands(environment: &Environment) -> Vec<(OsString, OsString)> {
    let pairs = environment.entries().iter().filter_map(|entry| {
        let bytes = entry.as_bytes();
        let equals = bytes.iter().position(|&byte| byte == b'=')?;
        Some((OsStr::from_bytes(&bytes[..equals]).to_owned(), OsStr::from_bytes(&bytes[equals + 1..]).to_owned()))
    });
    pairs.filter(|(name, _)| !NOT_FOR_COMMANDS.iter().any(|hidden| name == hidden)).collect()
}
