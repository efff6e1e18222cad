//! Values of each type: text as systemd.directives(7) has it, to what D-Bus carries.

use std::str::FromStr;

use nix::sys::signal::Signal;
use zbus::Variant;

use super::Property;
use crate::bus::exit_status::named_exit_status;
use crate::cell::capability::CapabilitySet;
use crate::cell::{Kind, identity};
use crate::unit::Word;
use crate::unit::value::{parse_boolean, parse_timespan, split_inversion, split_list};

/// What becomes of a value, or what it should have been.
pub type Made = Result<Vec<Property>, String>;

pub(super) fn one(name: impl Into<String>, value: impl Into<Variant<'static>>) -> Made {
    Ok(vec![Property::new(name, value)])
}

pub(super) fn wants<T>(value: Option<T>, what: &str) -> Result<T, String> {
    value.ok_or_else(|| format!("takes {what}"))
}

pub(super) fn list(text: &str) -> Result<Vec<String>, String> {
    split_list(text).map_err(|error| error.to_string())?.into_iter().map(utf8).collect()
}

pub(super) fn utf8(word: Word) -> Result<String, String> {
    String::from_utf8(word.bytes).map_err(|_| "takes text in UTF-8".to_owned())
}

/// Text as it is.
pub fn text(name: &str, text: &str) -> Made {
    one(name, text.to_owned())
}

/// Yes or no.
pub fn boolean(name: &str, text: &str) -> Made {
    one(name, wants(parse_boolean(text), "a boolean")?)
}

/// A boolean, or a word that newer versions know.
pub fn boolean_or_more(name: &str, text: &str) -> Made {
    match parse_boolean(text) {
        Some(value) => one(name, value),
        None if name == "PrivateUsers" && text == "self" => one(name, true),
        None => one(format!("{name}Ex"), text.to_owned()),
    }
}

/// A boolean, or `private`, and either with a name after it.
pub fn protect_hostname(name: &str, text: &str) -> Made {
    match parse_boolean(text) {
        Some(value) => one(name, value),
        None => {
            let (mode, hostname) = text.split_once(':').unwrap_or((text, ""));
            one("ProtectHostnameEx", (mode.to_owned(), hostname.to_owned()))
        }
    }
}

/// A whole number.
pub fn integer(name: &str, text: &str) -> Made {
    one(name, wants(text.parse::<i32>().ok(), "a number")?)
}

/// How many.
pub fn count(name: &str, text: &str) -> Made {
    one(name, wants(text.parse::<u32>().ok(), "a number that is not negative")?)
}

/// An access mode.
pub fn mode(name: &str, text: &str) -> Made {
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777);
    one(name, wants(mode, "an access mode in octal")?)
}

pub(super) fn microseconds(text: &str) -> Result<u64, String> {
    match parse_timespan(text).map_err(|error| error.to_string())? {
        Some(nanoseconds) => u64::try_from(nanoseconds / 1_000).map_err(|error| error.to_string()),
        None => Ok(u64::MAX),
    }
}

/// A time span: `XSec=` of a unit file is `XUSec` on the bus.
pub fn seconds(name: &str, text: &str) -> Made {
    one(name.replace("Sec", "USec"), microseconds(text)?)
}

/// The two that one setting stands for.
pub fn start_and_stop_seconds(_: &str, text: &str) -> Made {
    let value = microseconds(text)?;
    Ok(vec![Property::new("TimeoutStartUSec", value), Property::new("TimeoutStopUSec", value)])
}

/// A time span; a bare number counts nanoseconds.
pub fn nanoseconds(name: &str, text: &str) -> Made {
    let value = match text.parse() {
        Ok(number) => number,
        Err(_) => microseconds(text)?.saturating_mul(1_000),
    };
    one(name, value)
}

/// A list of words, quoted where need be.
pub fn words(name: &str, text: &str) -> Made {
    one(name, list(text)?)
}

/// Directories between colons.
pub fn search_path(name: &str, text: &str) -> Made {
    one(name, text.split(':').map(str::to_owned).collect::<Vec<_>>())
}

/// A path, and with a dash before it one that may be missing.
pub fn environment_file(_: &str, text: &str) -> Made {
    let (path, optional) = optional(text);
    one("EnvironmentFiles", vec![(path.to_owned(), optional)])
}

fn optional(text: &str) -> (&str, bool) {
    text.strip_prefix('-').map_or((text, false), |path| (path, true))
}

/// Is it allowed, what the list has?
pub fn filter(name: &str, text: &str) -> Made {
    let (inverted, names) = split_inversion(text);
    let names = if names == "none" { Vec::new() } else { list(names)? };
    one(name, (!inverted, names))
}

/// A set of capabilities.
pub fn capabilities(name: &str, text: &str) -> Made {
    let mut set = CapabilitySet::FULL;
    set.assign(text, CapabilitySet::FULL);
    one(name, set.0)
}

/// securebits(7).
pub fn secure_bits(name: &str, text: &str) -> Made {
    let bits = identity::parse_secure_bits(text).map_err(|error| error.to_string())?;
    one(name, bits.cast_signed())
}

/// The types of namespaces that may be used.
pub fn namespaces(name: &str, text: &str) -> Made {
    let every: u64 = Kind::ALL.iter().map(|kind| u64::from(kind.clone_flag())).sum();
    // systemd knows the time namespace in its newest versions only, and passes over a bit that it does not know.
    let (inverted, names) = split_inversion(text);
    let flags = match parse_boolean(text) {
        Some(true) => 0,
        Some(false) => every,
        None => {
            let flag = |word: &str| Some(u64::from(Kind::from_proc_name(word)?.clone_flag()));
            let named: Option<u64> = names.split_ascii_whitespace().map(flag).sum();
            let named = wants(named, "types of namespaces, such as net and uts")?;
            if inverted { every & !named } else { named }
        }
    };
    one(name, flags)
}

/// `null`, `tty`, `journal`, `file:PATH` …
pub fn stream(name: &str, text: &str) -> Made {
    let kinds = [
        ("fd:", "FileDescriptorName"),
        ("file:", "File"),
        ("append:", "FileToAppend"),
        ("truncate:", "FileToTruncate"),
    ];
    match kinds.iter().find_map(|(prefix, suffix)| Some((text.strip_prefix(prefix)?, suffix))) {
        Some((value, suffix)) => one(format!("{name}{suffix}"), value.to_owned()),
        None => one(name, text.to_owned()),
    }
}

/// By name or number, syslog(3).
pub fn log_level(name: &str, text: &str) -> Made {
    const LEVELS: [&str; 8] = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];
    let level = LEVELS.iter().position(|level| *level == text).or_else(|| text.parse().ok());
    one(name, wants(level.and_then(|level| i32::try_from(level).ok()), "a level, such as warning")?)
}

/// Words as bytes.
pub fn byte_strings(name: &str, text: &str) -> Made {
    one(name, list(text)?.into_iter().map(String::into_bytes).collect::<Vec<_>>())
}

/// `[-]SOURCE[:DESTINATION[:OPTION]]`.
pub fn bind_paths(name: &str, text: &str) -> Made {
    const RECURSIVE: u64 = libc::MS_REC;
    let bind = |word: String| {
        let (word, missing_ok) = optional(&word);
        let mut parts = word.splitn(3, ':');
        let source = parts.next().unwrap_or_default().to_owned();
        let destination = parts.next().filter(|path| !path.is_empty()).unwrap_or(&source).to_owned();
        let flags = match parts.next() {
            None | Some("rbind") => RECURSIVE,
            Some("norbind") => 0,
            Some(other) => return Err(format!("{other} is neither rbind nor norbind")),
        };
        Ok((source, destination, missing_ok, flags))
    };
    one(name, list(text)?.into_iter().map(bind).collect::<Result<Vec<_>, _>>()?)
}

/// `ONE[:OTHER]`, several of them.
pub fn pairs(name: &str, text: &str) -> Made {
    let pair = |word: String| {
        let (one, other) = word.split_once(':').unwrap_or((&word, ""));
        (one.to_owned(), other.to_owned())
    };
    one(name, list(text)?.into_iter().map(pair).collect::<Vec<_>>())
}

/// `ConditionX=[|][!]PARAMETER`.
pub fn condition(name: &str, text: &str) -> Made {
    let property = if name.starts_with("Assert") { "Asserts" } else { "Conditions" };
    let (trigger, text) = text.strip_prefix('|').map_or((false, text), |rest| (true, rest.trim_start()));
    let (negate, text) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest.trim_start()));
    one(property, vec![(name.to_owned(), trigger, negate, text.to_owned())])
}

fn signal_number(text: &str) -> Option<i32> {
    let name = text.strip_prefix("SIG").unwrap_or(text);
    if let Some(offset) = name.strip_prefix("RTMIN+") {
        return Some(libc::SIGRTMIN() + offset.parse::<i32>().ok()?);
    }
    Signal::from_str(&format!("SIG{name}")).map(|signal| signal as i32).ok().or_else(|| text.parse().ok())
}

/// By name or number.
pub fn signal(name: &str, text: &str) -> Made {
    one(name, wants(signal_number(text), "a signal, such as SIGTERM")?)
}

/// Exit statuses and signals.
pub fn exit_statuses(name: &str, text: &str) -> Made {
    let (mut statuses, mut signals) = (Vec::<i32>::new(), Vec::<i32>::new());
    for word in text.split_ascii_whitespace() {
        let number = word.parse().ok().filter(|status| (0..=255).contains(status));
        match number.or_else(|| named_exit_status(word)) {
            Some(status) => statuses.push(status),
            None => signals.push(wants(signal_number(word), "exit statuses and signals")?),
        }
    }
    one(name, (statuses, signals))
}
