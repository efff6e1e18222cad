//! How a service ended, in systemd-run's words, and the status to exit with.

use std::fmt::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::bus::Outcome;
use crate::bus::exit_status::exit_status;
use crate::cli::style;
use crate::cli::terminal::Terminal;
use crate::unit::Scope;

/// `KILL`.
fn signal_name(number: i32) -> String {
    match nix::sys::signal::Signal::try_from(number) {
        Ok(signal) => signal.as_str().trim_start_matches("SIG").to_owned(),
        Err(_) => format!("RTMIN+{}", number - libc::SIGRTMIN()),
    }
}

/// By exit, waitid(2).
pub const EXITED: i32 = libc::CLD_EXITED;

/// What a service that was waited for came to.
pub fn ended(outcome: &Outcome) -> String {
    let mut rows = vec![("Finished with result:", outcome.result.clone())];
    rows.extend(how(outcome).map(|how| ("Main processes terminated with:", how)));
    rows.extend(outcome.runtime.map(|runtime| ("Service runtime:", span(runtime))));
    rows.extend(outcome.cpu.map(|cpu| ("CPU time consumed:", span(cpu))));
    rows.into_iter().fold(String::new(), |mut text, (label, value)| {
        let _ = writeln!(text, "{label} {value}");
        text
    })
}

/// `code=exited, status=226/NAMESPACE`.
fn how(outcome: &Outcome) -> Option<String> {
    let (code, status) = match outcome.code {
        0 => return None,
        EXITED => ("exited", exit_status(outcome.status)),
        libc::CLD_DUMPED => ("dumped", format!("{}/{}", outcome.status, signal_name(outcome.status))),
        _ => ("killed", format!("{}/{}", outcome.status, signal_name(outcome.status))),
    };
    Some(format!("code={code}, status={status}"))
}

/// systemd-run's status: the command's own where it is to blame.
pub fn exit_code(outcome: &Outcome, start_failed: bool) -> u8 {
    const SIGNALLED: u8 = 255;
    match (outcome.result.as_str(), u8::try_from(outcome.status)) {
        ("success", _) if !start_failed => 0,
        ("exit-code", Ok(status @ 1..)) => status,
        ("signal" | "core-dump", _) => SIGNALLED,
        _ => 1,
    }
}

/// That a service did not start, why, and where to read more.
pub fn not_started(
    name: &str,
    job: &str,
    outcome: &Outcome,
    scope: Scope,
    elsewhere: bool,
    terminal: Terminal,
) -> String {
    let why = match job {
        "dependency" => "what it depends on did not start, as `systemctl --failed` tells".to_owned(),
        "assert" => "an assertion does not hold".to_owned(),
        "canceled" => "its start was cancelled".to_owned(),
        "timeout" => "its start took too long".to_owned(),
        _ => match how(outcome) {
            Some(how) => format!("its main process ended with {how}"),
            None => format!("the result is {}", if outcome.result.is_empty() { job } else { &outcome.result }),
        },
    };
    let mut text = terminal.message(None, (style::ERROR, "error"), &format!("{name} did not start: {why}"));
    if !outcome.status_text.is_empty() {
        let _ = writeln!(text, "  it told last: {}", printable(&outcome.status_text));
    }
    if !elsewhere {
        for line in journal(&outcome.invocation, scope) {
            let _ = writeln!(text, "  {}", printable(&line));
        }
    }
    let user = if scope == Scope::User { "--user " } else { "" };
    text + &terminal.help(&format!("`journalctl {user}-u {name}` tells more"))
}

/// Escape sequences and the like must not reach the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { '\u{fffd}' } else { char }).collect()
}

/// The last that the service's own processes logged in this run.
fn journal(invocation: &str, scope: Scope) -> Vec<String> {
    if invocation.is_empty() {
        return Vec::new();
    }
    // What was printed last may still be on its way there.
    let _ = Command::new("journalctl").arg("--sync").stdin(Stdio::null()).stderr(Stdio::null()).status();
    let mut command = Command::new("journalctl");
    command.args(["--quiet", "--no-pager", "--output=cat", "--lines=5"]);
    command.args((scope == Scope::User).then_some("--user"));
    command.arg(format!("_SYSTEMD_INVOCATION_ID={invocation}")).stdin(Stdio::null()).stderr(Stdio::null());
    let output = command.output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).lines().map(str::to_owned).collect()
}

/// A span of time in systemd's way: `1.065s`, `15ms`, `2min 3.004s`.
pub fn span(span: Duration) -> String {
    if span < Duration::from_millis(1) {
        return format!("{}us", span.as_micros());
    }
    if span < Duration::from_secs(1) {
        return format!("{}ms", span.as_millis());
    }
    let (hours, minutes) = (span.as_secs() / 3_600, span.as_secs() / 60 % 60);
    let fraction = format!(".{:03}", span.subsec_millis());
    let seconds = format!("{}{}s", span.as_secs() % 60, fraction.trim_end_matches(['0', '.']));
    match (hours, minutes) {
        (0, 0) => seconds,
        (0, minutes) => format!("{minutes}min {seconds}"),
        (hours, minutes) => format!("{hours}h {minutes}min {seconds}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(result: &str, code: i32, status: i32) -> Outcome {
        Outcome { result: result.to_owned(), code, status, ..Outcome::default() }
    }

    #[test]
    fn the_status_is_the_commands_own_where_it_is_to_blame() {
        assert_eq!(exit_code(&outcome("success", EXITED, 4), false), 0);
        assert_eq!(exit_code(&outcome("exit-code", EXITED, 226), true), 226);
        assert_eq!(exit_code(&outcome("signal", libc::CLD_KILLED, 9), false), 255);
        assert_eq!(exit_code(&outcome("timeout", libc::CLD_KILLED, 15), false), 1);
        assert_eq!(exit_code(&outcome("success", 0, 0), true), 1);
    }

    #[test]
    fn an_end_reads_as_with_systemd_run() {
        let mut ending = outcome("exit-code", EXITED, 5);
        ending.runtime = Some(Duration::from_micros(1_065_200));
        assert_eq!(
            ended(&ending),
            "Finished with result: exit-code\nMain processes terminated with: code=exited, status=5/NOTINSTALLED\n\
             Service runtime: 1.065s\n"
        );
        assert_eq!(how(&outcome("signal", libc::CLD_KILLED, 9)).unwrap(), "code=killed, status=9/KILL");
    }

    #[test]
    fn spans_are_short() {
        for (micros, text) in [
            (657, "657us"),
            (15_000, "15ms"),
            (15_250, "15ms"),
            (1_060_000, "1.06s"),
            (123_004_000, "2min 3.004s"),
            (3_600_000_000, "1h 0min 0s"),
        ] {
            assert_eq!(span(Duration::from_micros(micros)), text);
        }
    }
}
