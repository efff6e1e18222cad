//! Verbs that take the place of a classic tool, and read their options as getopt_long(3) does.

use std::env;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::process::ExitCode;

use clap::{Arg, Args, ColorChoice, Command};

use super::Error;
use super::nsenter::Nsenter;
use super::unshare::Unshare;

/// The exit status of the classic tools for options that can't be.
pub const BAD_OPTION: u8 = 1;

/// Runs the verb that the arguments of the process begin with, if it is one of these. Nothing is built
/// for the other verbs, so that one gets to its command as fast as the classic tool.
pub fn run(color: ColorChoice) -> Option<Result<ExitCode, Error>> {
    let mut words = env::args_os().skip(1);
    match words.next()?.to_str()? {
        "unshare" => Some(parse::<Unshare>("unshare", color, |_, words| words, words.collect()).run()),
        "nsenter" => Some(parse::<Nsenter>("nsenter", color, attach_values, words.collect()).run()),
        _ => None,
    }
}

fn parse<V: Args>(
    name: &'static str,
    color: ColorChoice,
    prepare: impl FnOnce(&Command, Vec<OsString>) -> Vec<OsString>,
    words: Vec<OsString>,
) -> V {
    let verb = V::augment_args(Command::new(name)).bin_name(format!("unitcell {name}")).color(color);
    let words = prepare(&verb, words);
    let matches = verb.no_binary_name(true).try_get_matches_from(words);
    matches.and_then(|matches| V::from_arg_matches(&matches)).unwrap_or_else(|error| exit(&error))
}

/// Ends the tool where its arguments can't be, or ask for help.
fn exit(error: &clap::Error) -> ! {
    if !error.use_stderr() {
        error.exit()
    }
    let _ = error.print();
    std::process::exit(BAD_OPTION.into())
}

/// Puts the `=` that clap wants before a value that is attached to a single letter and may be left
/// out: `-n/run/x` becomes `-n=/run/x`. All up to the first word that is no option.
pub fn attach_values(verb: &Command, words: Vec<OsString>) -> Vec<OsString> {
    let mut words = words.into_iter().peekable();
    let mut attached = Vec::new();
    while let Some(word) = words.next_if(|word| is_option(word.as_bytes())) {
        let (word, wants_next) = attach_value(verb, word);
        attached.push(word);
        if wants_next {
            attached.extend(words.next());
        }
    }
    attached.extend(words);
    attached
}

fn is_option(word: &[u8]) -> bool {
    word.len() > 1 && word[0] == b'-' && word != b"--"
}

/// The word, and whether the next one is the value of its last option.
fn attach_value(verb: &Command, word: OsString) -> (OsString, bool) {
    let takes_value = |option: &&Arg| option.get_action().takes_values();
    if let Some(name) = word.as_bytes().strip_prefix(b"--") {
        let option = verb.get_arguments().filter(takes_value).find(|option| is_long(option, name));
        return (word, option.is_some_and(|option| !option.is_require_equals_set()));
    }
    let letters = &word.as_bytes()[1..];
    let option_of = |letter: u8| {
        verb.get_arguments().filter(takes_value).find(|option| option.get_short() == Some(char::from(letter)))
    };
    let found = letters.iter().enumerate().find_map(|(n, letter)| Some((n, option_of(*letter)?)));
    let Some((n, option)) = found else { return (word, false) };
    let (before, value) = word.as_bytes().split_at(n + 2);
    match option.is_require_equals_set() {
        false => {
            let wants_next = value.is_empty();
            (word, wants_next)
        }
        true if value.is_empty() || value[0] == b'=' => (word, false),
        true => (OsString::from_vec([before, b"=", value].concat()), false),
    }
}

/// Also by the beginning of its name.
fn is_long(option: &Arg, name: &[u8]) -> bool {
    option.get_long().is_some_and(|long| long.as_bytes().starts_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attached(words: &str) -> String {
        let verb = Command::new("enter").args([
            Arg::new("all").short('a').long("all").action(clap::ArgAction::SetTrue),
            Arg::new("net").short('n').long("net").num_args(0..=1).require_equals(true),
            Arg::new("target").short('t').long("target"),
        ]);
        let words = words.split(' ').map(OsString::from);
        let words: Vec<_> =
            attach_values(&verb, words.collect()).into_iter().map(|word| word.into_string().unwrap()).collect();
        words.join(" ")
    }

    #[test]
    fn a_value_that_may_be_left_out_is_attached() {
        assert_eq!(attached("-n/run/x -an/y -n=/z -n ls -n/run/x"), "-n=/run/x -an=/y -n=/z -n ls -n/run/x");
    }

    #[test]
    fn the_value_of_another_option_is_none_itself() {
        assert_eq!(attached("-t -n5 -n5"), "-t -n5 -n=5");
        assert_eq!(attached("--target -n5 -t1 -n5"), "--target -n5 -t1 -n=5");
        assert_eq!(attached("--targ -n5 -- -n5"), "--targ -n5 -- -n5");
    }
}
