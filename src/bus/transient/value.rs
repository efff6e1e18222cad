//! Values of each type: text as systemd.directives(7) has it, to what D-Bus carries.

use std::str::FromStr;

use nix::sys::signal::Signal;
use zbus::Variant;

use super::{Property, plain};
use crate::bus::exit_status::named_exit_status;
use crate::cell::capability::CapabilitySet;
use crate::cell::{Kind, identity};
use crate::unit::value::{parse_boolean, parse_timespan, split_inversion, split_list};
use crate::unit::{Assignment, ExecCommand, Word, exec};

type Made = Result<Vec<Property>, String>;

fn one(name: impl Into<String>, value: impl Into<Variant<'static>>) -> Made {
    Ok(vec![Property::new(name, value)])
}

fn wants<T>(value: Option<T>, what: &str) -> Result<T, String> {
    value.ok_or_else(|| format!("takes {what}"))
}

fn list(text: &str) -> Result<Vec<String>, String> {
    split_list(text).map_err(|error| error.to_string())?.into_iter().map(utf8).collect()
}

fn utf8(word: Word) -> Result<String, String> {
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

fn microseconds(text: &str) -> Result<u64, String> {
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

/// A number of bytes or tasks, `infinity`, or a share in per cent.
pub fn bytes(name: &str, text: &str) -> Made {
    if let Some(share) = text.strip_suffix('%') {
        let share = share.parse::<f64>().ok().filter(|share| (0.0..=100.0).contains(share));
        let scale = wants(share, "a share of up to 100%")? / 100.0 * f64::from(u32::MAX);
        return one(format!("{name}Scale"), scale as u32);
    }
    one(name, wants(size(text, 1024), "a number of bytes, such as 64M, or infinity")?)
}

/// `1.5G`.
fn size(text: &str, base: u64) -> Option<u64> {
    if text == "infinity" {
        return Some(u64::MAX);
    }
    let text = text.strip_suffix('B').unwrap_or(text);
    let exponent = text.chars().last().and_then(|last| "KMGTPE".find(last));
    let (number, factor) = match exponent {
        Some(n) => (&text[..text.len() - 1], base.pow(n as u32 + 1)),
        None => (text, 1),
    };
    match number.split_once('.') {
        None => number.parse::<u64>().ok()?.checked_mul(factor),
        Some(_) => {
            let bytes = number.parse::<f64>().ok()? * factor as f64;
            (bytes >= 0.0 && bytes < u64::MAX as f64).then_some(bytes as u64)
        }
    }
}

/// A share against others.
pub fn weight(name: &str, text: &str) -> Made {
    let weight = if text == "idle" { Some(0) } else { text.parse::<u64>().ok().filter(|n| (1..=10_000).contains(n)) };
    one(name, wants(weight, "a weight from 1 to 10000")?)
}

/// Per cent of one processor.
pub fn cpu_quota(_: &str, text: &str) -> Made {
    let quota = text.strip_suffix('%').and_then(|share| share.parse::<f64>().ok()).filter(|share| *share > 0.0);
    one("CPUQuotaPerSecUSec", (wants(quota, "per cent of one processor, such as 20%")? * 10_000.0) as u64)
}

/// Numbers and ranges, as a mask of bits.
pub fn cpu_set(name: &str, text: &str) -> Made {
    const MAX: usize = 8192;
    let mut mask: Vec<u8> = Vec::new();
    for word in text.split([' ', ',', '\t']).filter(|word| !word.is_empty()) {
        let (first, last) = word.split_once('-').unwrap_or((word, word));
        let range = first.parse().ok().zip(last.parse().ok()).filter(|(first, last)| first <= last && *last < MAX);
        let (first, last): (usize, usize) = wants(range, "numbers and ranges, such as 0-3,8")?;
        mask.resize(mask.len().max(last / 8 + 1), 0);
        (first..=last).for_each(|bit| mask[bit / 8] |= 1 << (bit % 8));
    }
    one(name, mask)
}

/// All controllers, none, or these.
pub fn delegate(name: &str, text: &str) -> Made {
    match parse_boolean(text) {
        Some(value) => one(name, value),
        None => one("DelegateControllers", list(text)?),
    }
}

/// `SOFT:HARD`, or one for both.
pub fn limit(name: &str, text: &str) -> Made {
    let (soft, hard) = text.split_once(':').unwrap_or((text, text));
    let number = |text: &str| match (name, text) {
        (_, "infinity") => Some(u64::MAX),
        ("LimitCPU", _) => Some(microseconds(text).ok()?.div_ceil(1_000_000)),
        ("LimitRTTIME", _) => match text.parse() {
            Ok(number) => Some(number),
            Err(_) => microseconds(text).ok(),
        },
        // A niceness with its sign, or the kernel's 20 minus that.
        ("LimitNICE", _) if text.starts_with(['+', '-']) => u64::try_from(20 - text.parse::<i64>().ok()?).ok(),
        _ => size(text, 1024),
    };
    let (soft, hard) = wants(number(soft).zip(number(hard)), "a limit, or SOFT:HARD")?;
    Ok(vec![Property::new(name, hard), Property::new(format!("{name}Soft"), soft)])
}

/// A device node, and what may be done with it.
pub fn device(name: &str, text: &str) -> Made {
    let (path, access) = text.split_once(char::is_whitespace).unwrap_or((text, "rwm"));
    one(name, vec![(path.to_owned(), access.trim().to_owned())])
}

/// A device node and a number.
pub fn device_number(name: &str, text: &str) -> Made {
    let (path, number) = wants(text.split_once(char::is_whitespace), "a device and a number")?;
    one(name, vec![(path.to_owned(), wants(size(number.trim(), 1000), "a device and a number")?)])
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
            (prefixes.no_env, "no-env-expand"),
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
        Ok(Command { path, words, flags })
    }
}
