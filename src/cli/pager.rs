//! Long output in a pager, as systemd's tools show theirs: systemctl(1) on SYSTEMD_PAGER=.

use std::env;
use std::io::{self, Write, stdout};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{SigSet, Signal};

use super::terminal;
use crate::unit::value::parse_boolean;

/// Shows the text in a pager, if it is long, and standard output a terminal.
pub fn show(text: &str) -> io::Result<bool> {
    let Some((_, lines)) = terminal::size(stdout()) else { return Ok(false) };
    if text.lines().count() < lines {
        return Ok(false);
    }
    let Some(mut pager) = candidates(|name| env::var(name).ok()).iter().find_map(|words| start(words)) else {
        return Ok(false);
    };
    // It is the pager that Ctrl-C is meant for.
    let interrupt = SigSet::from_iter([Signal::SIGINT]);
    let _ = interrupt.thread_block();
    let written = pager.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(text.as_bytes()));
    pager.wait()?;
    match written {
        // Whoever leaves the pager has seen enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(true),
    }
}

/// The commands to try, the best first. Whoever has taken on another user's power gets no pager
/// that could start other programs.
fn candidates(variable: impl Fn(&str) -> Option<String>) -> Vec<Vec<String>> {
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let named = variable("SYSTEMD_PAGER").or_else(|| variable("PAGER"));
    match named.as_deref().map(str::trim) {
        Some("" | "cat") => Vec::new(),
        _ if is_secure(&variable) => vec![words("less")],
        Some(line) => vec![words(line), words("pager"), words("less"), words("more")],
        None => vec![words("pager"), words("less"), words("more")],
    }
}

/// SYSTEMD_PAGERSECURE= decides if it is set; else it is for those who came by sudo or pkexec.
fn is_secure(variable: impl Fn(&str) -> Option<String>) -> bool {
    let said = variable("SYSTEMD_PAGERSECURE").and_then(|value| parse_boolean(&value));
    said.unwrap_or_else(|| ["SUDO_UID", "PKEXEC_UID"].into_iter().any(|name| variable(name).is_some()))
}

fn start(words: &[String]) -> Option<Child> {
    let (program, arguments) = words.split_first()?;
    let variable = |name: &str, usual: &str| env::var(name).unwrap_or_else(|_| usual.to_owned());
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .env("LESS", variable("SYSTEMD_LESS", "FRSXMK"))
        .env("LESSCHARSET", variable("SYSTEMD_LESSCHARSET", "utf-8"));
    if is_secure(|name| env::var(name).ok()) {
        command.env("LESSSECURE", "1");
    }
    command.spawn().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(variables: &[(&str, &str)]) -> Option<String> {
        let variable =
            |name: &str| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
        candidates(variable).first().map(|words| words.join(" "))
    }

    #[test]
    fn systemd_pager_wins_over_pager() {
        assert_eq!(first(&[]).as_deref(), Some("pager"));
        assert_eq!(first(&[("PAGER", "most -x")]).as_deref(), Some("most -x"));
        assert_eq!(first(&[("PAGER", "most"), ("SYSTEMD_PAGER", "less -R")]).as_deref(), Some("less -R"));
        for none in ["", "cat"] {
            assert_eq!(first(&[("PAGER", "most"), ("SYSTEMD_PAGER", none)]), None);
        }
    }

    #[test]
    fn no_pager_of_the_user_s_choice_runs_with_another_user_s_power() {
        assert_eq!(first(&[("PAGER", "sh"), ("SUDO_UID", "1000")]).as_deref(), Some("less"));
        assert_eq!(first(&[("PAGER", "sh"), ("SYSTEMD_PAGERSECURE", "1")]).as_deref(), Some("less"));
        assert_eq!(
            first(&[("PAGER", "sh"), ("SUDO_UID", "1000"), ("SYSTEMD_PAGERSECURE", "0")]).as_deref(),
            Some("sh")
        );
    }
}
