//! The unit's command lines, with the wrapper before them.

use super::finding::Finding;
use crate::unit::words::{escape_dollar, quote};
use crate::unit::{Assignment, Error, ExecCommand, Prefixes, Unit, exec};

/// The keys that hold commands, systemd.service(5), in the order in which they are run.
pub const KEYS: [&str; 8] = [
    "ExecCondition",
    "ExecStartPre",
    "ExecStart",
    "ExecStartPost",
    "ExecReload",
    "ExecReloadPost",
    "ExecStop",
    "ExecStopPost",
];

/// Where systemd looks for a command without a slash, as it was built for Debian and Fedora.
const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How commands are wrapped.
pub struct Wrapping {
    /// Where the wrapper is.
    pub wrapper: String,
    /// Its options before the main command.
    pub main: Vec<String>,
    /// Its options before all others.
    pub control: Vec<String>,
    /// Those that say who the command is.
    pub identity: Vec<String>,
    /// The same for a command that asks to stay root (`!`): all but the user and the groups.
    pub identity_of_root: Vec<String>,
    /// Must it stay root, to set the cell up?
    pub stays_root: bool,
}

/// The lines of a drop-in that put the wrapper before every command of the unit.
pub fn wrap(unit: &Unit, wrapping: &Wrapping) -> Result<Vec<(&'static str, String)>, Vec<Finding>> {
    let mut lines = Vec::new();
    let mut findings = Vec::new();
    for key in KEYS {
        let assignments = unit.list("Service", key);
        if assignments.is_empty() {
            continue;
        }
        lines.push((key, String::new()));
        for assignment in assignments {
            match commands(unit, assignment, wrapping, key == "ExecStart") {
                Ok(commands) => lines.extend(commands.into_iter().map(|command| (key, command))),
                Err(finding) => findings.push(finding),
            }
        }
    }
    if findings.is_empty() { Ok(lines) } else { Err(findings) }
}

fn commands(unit: &Unit, line: &Assignment, wrapping: &Wrapping, main: bool) -> Result<Vec<String>, Finding> {
    let unreadable = |error: Error| {
        Finding::error(Some(error.at), format!("{}=: {}", line.key, error.kind), "correct the command line")
    };
    let commands = exec::parse(line).map_err(unreadable)?;
    let refuse = |message: &str, remedy: &str| {
        Finding::error(Some(line.value_at.clone()), format!("{}=: {message}", line.key), remedy)
    };
    commands
        .into_iter()
        .map(|command| match command.prefixes {
            Prefixes { shell: true, .. } => Err(refuse(
                "the prefix '|' is not supported yet together with a cell",
                "name the shell, as in /bin/sh -c",
            )),
            Prefixes { full: true, .. } if main => Err(refuse(
                "the prefix '+' asks for the host's namespaces, and [X-Unitcell] for others",
                "remove one of the two; '!' keeps root's privileges within the cell",
            )),
            // Asks for no sandbox, and is no payload.
            Prefixes { full: true, .. } => Ok(command.to_string()),
            _ => Ok(wrap_one(unit, &command, wrapping, main)),
        })
        .collect()
}

fn wrap_one(unit: &Unit, command: &ExecCommand, wrapping: &Wrapping, main: bool) -> String {
    let mut prefixes = Prefixes { argv0: false, ..command.prefixes };
    let mut words = Vec::new();
    // With `:` systemd expands no variables, and takes `$$` for what it says.
    let literal = |text: &str| if prefixes.no_env { text.to_owned() } else { escape_dollar(text) };
    words.extend(if main { &wrapping.main } else { &wrapping.control }.iter().map(|option| literal(option)));
    let identity = if prefixes.no_setuid { &wrapping.identity_of_root } else { &wrapping.identity };
    words.extend(identity.iter().map(|option| literal(option)));
    let path = command.path.as_str().expect("unit files are UTF-8");
    if !path.starts_with(['/', '%']) {
        let own = unit.last("Service", "ExecSearchPath").map(|line| line.value.as_str());
        words.push(format!("--search-path={}", own.unwrap_or(SEARCH_PATH)));
    }
    let mut words: Vec<Vec<u8>> = words.into_iter().map(String::into_bytes).collect();
    if let Some(argv0) = &command.argv0 {
        words.push([b"--argv0=".as_slice(), &argv0.bytes].concat());
    }
    words.push(b"--".to_vec());
    words.push(literal(path).into_bytes());
    words.extend(command.args.iter().map(|word| word.bytes.clone()));

    if wrapping.stays_root {
        prefixes = Prefixes { no_setuid: true, ambient: false, ..prefixes };
    }
    let mut text = format!("{prefixes}{}", wrapping.wrapper);
    for word in words {
        text.push(' ');
        text.push_str(&quote(word));
    }
    text
}
