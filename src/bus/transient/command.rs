//! Command lines, by their words and prefixes.

use super::plain;
use super::value::{Made, one, utf8};
use crate::unit::hidden::{self, Variables, hide, needs_hiding};
use crate::unit::{Assignment, ExecCommand, exec};

/// The commands of one assignment, with all that their prefixes ask for. The plain property is taken
/// where it says enough: 252 writes the other one to a file that it can't read any more itself.
pub fn commands(line: &Assignment, has_user: bool) -> Made {
    let commands = exec::parse(line).map_err(|error| error.kind.to_string())?;
    let commands: Vec<Command> =
        commands.into_iter().map(|command| Command::new(command, has_user)).collect::<Result<_, _>>()?;
    let plain = |command: &Command| command.flags.iter().all(|flag| flag == IGNORE_FAILURE);
    if commands.iter().all(plain) {
        let words: Vec<(String, Vec<String>, bool)> =
            commands.into_iter().map(|command| (command.path, command.words, !command.flags.is_empty())).collect();
        return one(line.key.as_str(), words);
    }
    let words: Vec<(String, Vec<String>, Vec<String>)> =
        commands.into_iter().map(|command| (command.path, command.words, command.flags)).collect();
    one(format!("{}Ex", line.key), words)
}

const IGNORE_FAILURE: &str = "ignore-failure";
const KEEP_VARIABLES: &str = "no-env-expand";

struct Command {
    path: String,
    words: Vec<String>,
    flags: Vec<String>,
}

impl Command {
    fn new(command: ExecCommand, has_user: bool) -> Result<Command, String> {
        let prefixes = command.prefixes;
        let flags = [
            (prefixes.ignore_failure, IGNORE_FAILURE),
            (prefixes.full, "privileged"),
            // To stay root says nothing where nobody else is to be become.
            (prefixes.no_setuid && has_user, "no-setuid"),
            (prefixes.ambient, "ambient"),
            (prefixes.no_env, KEEP_VARIABLES),
            (prefixes.shell, "via-shell"),
        ];
        let flags = flags.iter().filter(|(set, _)| *set).map(|(_, name)| (*name).to_owned()).collect();
        let path = plain(&utf8(command.path)?);
        let mut words = vec![match command.argv0 {
            Some(word) => plain(&utf8(word)?),
            None => path.clone(),
        }];
        for word in command.args {
            words.push(plain(&utf8(word)?));
        }
        let command = Command { path, words, flags };
        Ok(if command.path.ends_with("/unitcell-exec") { command.hidden() } else { command })
    }

    /// The wrapper takes words that systemd would change as they should be, and needs no flag for variables.
    fn hidden(mut self) -> Command {
        let variables = match self.flags.iter().any(|flag| flag == KEEP_VARIABLES) {
            true => Variables::Kept,
            false => Variables::Expanded,
        };
        if !self.words[1..].iter().any(|word| needs_hiding(word)) {
            return self;
        }
        self.flags.retain(|flag| flag != KEEP_VARIABLES);
        self.words[1..].iter_mut().for_each(|word| *word = hide(word));
        self.words.insert(1, format!("{}{}", hidden::OPTION, variables.name()));
        self
    }
}
