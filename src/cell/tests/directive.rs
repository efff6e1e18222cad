use std::collections::HashSet;

use super::super::{Cell, DIRECTIVES, Kind};
use super::*;

/// The promise: from which systemd on the native setting is used, for each sort of value.
const NATIVE_FROM: &[(&str, &str, Option<u32>)] = &[
    ("PrivateNetwork", "yes", Some(252)),
    ("NetworkNamespace", "blue", Some(252)),
    ("NetworkNamespacePath", "/run/netns/blue", Some(252)),
    // systemd has it from 248 on, but before 257 passes over it in a unit without PrivateIPC=.
    ("IPCNamespacePath", "/run/ns", Some(257)),
    ("UserNamespacePath", "/run/ns", None),
    ("MountNamespacePath", "/run/ns", None),
    ("PIDNamespacePath", "/run/ns", None),
    ("UTSNamespacePath", "/run/ns", None),
    ("CgroupNamespacePath", "/run/ns", None),
    ("TimeNamespacePath", "/run/ns", None),
    ("NamespacesOf", "db.service net", None),
    ("PrivateIPC", "yes", Some(252)),
    ("PrivateMounts", "yes", Some(252)),
    // There from 257 on, with a wrong WATCHDOG_PID and LISTEN_PID until 259.
    ("PrivatePIDs", "yes", Some(259)),
    ("Init", "yes", None),
    ("PrivateUsers", "yes", Some(252)),
    ("PrivateUsers", "self", Some(252)),
    ("PrivateUsers", "identity", Some(257)),
    ("PrivateUsers", "full", Some(258)),
    ("PrivateUsers", "subuid:web", None),
    ("UIDMap", "0:1:1", None),
    ("GIDMap", "0:1:1", None),
    ("Hostname", "web", Some(258)),
    ("ProtectHostname", "yes", Some(252)),
    ("ProtectHostname", "private", Some(258)),
    ("ProtectHostname", "yes:web", Some(258)),
    ("ProtectHostname", "private:web", Some(258)),
    ("Domainname", "nis", None),
    ("ProtectControlGroups", "yes", Some(252)),
    ("ProtectControlGroups", "private", Some(257)),
    ("ProtectControlGroups", "strict", Some(257)),
    ("TimeOffsetMonotonic", "1d", None),
    ("TimeOffsetBoottime", "1d", None),
    ("RootOverlay", "yes", None),
    ("Overlay", "/d:/l:/lowest", None),
    ("ReadyWhen", "tcp:80", None),
    ("HealthProbe", "tcp:80", None),
    ("Isolation", "try", Some(252)),
];

/// `IPCNamespacePath` → `ipc-namespace-path`, `PrivatePIDs` → `private-pids`.
fn kebab(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut kebab = String::new();
    for (i, &letter) in letters.iter().enumerate() {
        let after_lower = i > 0 && letters[i - 1].is_lowercase();
        // The plural's `s` makes no word of the last letter before it.
        let starts_word =
            i > 0 && letters.get(i + 1).is_some_and(|next| next.is_lowercase()) && letters[i + 1..] != ['s'];
        if letter.is_uppercase() && (after_lower || starts_word) {
            kebab.push('-');
        }
        kebab.extend(letter.to_lowercase());
    }
    kebab
}

#[test]
fn names_and_flags_are_unique_and_match() {
    let names: HashSet<&str> = DIRECTIVES.iter().map(|row| row.name).collect();
    let flags: HashSet<&str> = DIRECTIVES.iter().map(|row| row.flag).collect();
    assert_eq!((names.len(), flags.len()), (DIRECTIVES.len(), DIRECTIVES.len()));
    for row in DIRECTIVES {
        assert_eq!(row.flag, kebab(row.name));
        assert_eq!(Directive::by_name(row.name).map(|row| row.flag), Some(row.flag));
        assert_eq!(Directive::by_flag(row.flag).map(|row| row.name), Some(row.name));
        assert!(!row.value.is_empty() && !row.summary.is_empty() && !row.summary.ends_with('.'), "{row:?}");
    }
    assert!(Directive::by_name("hostname").is_none(), "keys are case-sensitive");
}

#[test]
fn the_table_is_complete() {
    let known: HashSet<&str> = NATIVE_FROM.iter().map(|(name, ..)| *name).collect();
    let rows: HashSet<&str> = DIRECTIVES.iter().map(|row| row.name).collect();
    assert_eq!(rows, known);
}

#[test]
fn native_from_is_as_promised() {
    for &(name, value, first) in NATIVE_FROM {
        let row = Directive::by_name(name).unwrap();
        let mut cell = Cell::default();
        cell.assign(row, value, None).unwrap();
        for version in 252..=265 {
            let promised = first.is_some_and(|first| version >= first);
            assert_eq!(row.native.had_by(version, &cell), promised, "{name}={value} on {version}");
        }
    }
}

#[test]
fn what_needs_a_word_for_its_value_has_one() {
    for row in DIRECTIVES {
        if let Native::ByValue(words, _) = row.native {
            assert!(words.contains("always"), "{row:?}: {words}");
        }
    }
}

#[test]
fn an_empty_value_goes_back_to_the_default() {
    let default = format!("{:?}", Cell::default());
    for &(name, value, _) in NATIVE_FROM {
        let row = Directive::by_name(name).unwrap();
        let mut cell = Cell::default();
        cell.assign(row, value, None).unwrap();
        assert_ne!(format!("{cell:?}"), default, "{name}={value} does something");
        cell.assign(row, "", None).unwrap();
        assert_eq!(format!("{cell:?}"), default, "{name}= undoes it");
    }
}

#[test]
fn the_last_value_counts_unless_repeatable() {
    for &(name, value, _) in NATIVE_FROM {
        let row = Directive::by_name(name).unwrap();
        let mut cell = Cell::default();
        cell.assign(row, value, None).unwrap();
        let again = cell.assign(row, value, None);
        // The maps refuse an id that is mapped already; conditions add up.
        let is_map = matches!(name, "UIDMap" | "GIDMap");
        assert_eq!(again.is_err(), is_map, "{name}");
        assert_eq!(cell.assigned.len(), if row.repeatable && !is_map { 2 } else { 1 }, "{name}");
    }
}

#[test]
fn a_value_that_is_refused_changes_nothing() {
    let row = Directive::by_name("Hostname").unwrap();
    let mut cell = Cell::default();
    cell.assign(row, "web", None).unwrap();
    let before = format!("{cell:?}");
    assert!(cell.assign(row, "-", None).is_err());
    assert_eq!(format!("{cell:?}"), before);
}

#[test]
fn directives_that_make_a_namespace_name_its_type() {
    for &(name, value, _) in NATIVE_FROM {
        let row = Directive::by_name(name).unwrap();
        let mut cell = Cell::default();
        cell.assign(row, value, None).unwrap();
        let sources: Vec<Kind> = Kind::ALL.into_iter().filter(|&kind| cell.source(kind).is_some()).collect();
        if sources.is_empty() {
            let is_no_namespace = row.kind.is_none() || (name, value) == ("ProtectControlGroups", "yes");
            assert!(is_no_namespace, "{name}={value}");
        } else {
            assert_eq!(sources, [row.kind.unwrap_or(Kind::Network)], "{name}={value}");
        }
    }
}
