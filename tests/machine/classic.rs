//! Tables of scripts that must print the same with a classic tool and with ours in its place.
//!
//! A row is a name, the version of util-linux from which on its own tool does this, the script, and
//! what it prints. The classic tool goes first, and proves the row. In a script, `$UNSHARE`, `$NSENTER`,
//! `$LSNS` and `$IP` (for `$IP netns`) are the tools, and what `classic/prelude.sh` defines is there.

use std::collections::BTreeSet;

use crate::case::Case;

const PRELUDE: &str = include_str!("classic/prelude.sh");

/// The tools under test, each with a variable for each command.
const CLASSIC: &[&str] = &["UNSHARE=unshare", "NSENTER=nsenter", "LSNS=lsns", "IP=ip"];
const OURS: &[&str] = &["UNSHARE=unitcell unshare", "NSENTER=unitcell nsenter", "LSNS=unitcell lsns", "IP=unitcell"];

/// A row runs in namespaces of its own, whose end is the end of all that it has left running. The
/// kernel counts mount namespaces for each processor, and lets one be pinned only in one of a lower
/// number: on a single processor that is always so.
const SANDBOX: &str = "exec timeout -k2 30 taskset -c 0 unshare -mnpf --kill-child --mount-proc sh -c \"$ROW\"";

struct Row {
    name: &'static str,
    since: (u32, u32),
    script: &'static str,
    expected: String,
}

/// Runs all rows of a table; panics with every one that went wrong.
#[track_caller]
pub fn run(case: &Case, table: &'static str) {
    let version = case.sh("unshare --version").ok().rsplit(' ').next().and_then(version).expect("unshare's version");
    let rows = rows(table);
    let mut proved = 0;
    let mut wrong = String::new();
    for row in &rows {
        if row.since <= version {
            proved += 1;
            wrong += &compare(case, row, "the classic tool", CLASSIC);
        }
        wrong += &compare(case, row, "unitcell", OURS);
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(proved > rows.len() / 2, "util-linux {version:?} proves only {proved} of {} rows", rows.len());
    // The newest machine has to prove every one.
    assert!(proved == rows.len() || case.version() < 262, "util-linux {version:?} is too old for some rows");
}

/// Every option of which the classic tool's help tells is one of ours.
#[track_caller]
pub fn has_all_options(case: &Case, tool: &str) {
    let options = |tool: &str| {
        let words = "grep -oE '^ +(-[A-Za-z])?(, )?(--[a-z-]+)?' | grep -oE -- '-[-a-zA-Z]+'";
        let options: BTreeSet<String> =
            case.sh(&format!("{tool} --help | {words}")).ok().lines().map(str::to_owned).collect();
        assert!(options.len() > 15, "{tool}: {options:?}");
        options
    };
    let (classic, ours) = (options(tool), options(&format!("unitcell {tool}")));
    assert!(classic.is_subset(&ours), "{tool}: there is no {:?}", classic.difference(&ours));
}

fn compare(case: &Case, row: &Row, whose: &str, tools: &[&str]) -> String {
    let script = format!("ROW={PRELUDE}{}", row.script);
    let output = case.exec(&[&["env", &script], tools, &["sh", "-c", SANDBOX]].concat());
    if output.stdout == row.expected {
        return String::new();
    }
    let Row { name, expected, .. } = row;
    format!(
        "{name} with {whose}, exit {:?}\n--- expected:\n{expected}--- printed:\n{}--- standard error:\n{}\n",
        output.code, output.stdout, output.stderr
    )
}

fn rows(table: &'static str) -> Vec<Row> {
    let row = |text: &'static str| {
        let (heading, rest) = text.split_once('\n')?;
        let (script, expected) = rest.split_once("--\n")?;
        let (name, since) = heading.split_once(' ').unwrap_or((heading, "0.0"));
        let expected = expected.strip_suffix("\n\n").map_or_else(|| expected.to_owned(), |lines| format!("{lines}\n"));
        Some(Row { name, since: version(since)?, script, expected })
    };
    table.split("\n== ").skip(1).map(|text| row(text).unwrap_or_else(|| panic!("no row: {text}"))).collect()
}

fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}
