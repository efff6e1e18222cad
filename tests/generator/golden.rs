//! One directory of `cases/` is one root of a machine, and what the generator makes of it:
//!
//! | in a case | meaning |
//! | --- | --- |
//! | `etc/…`, `usr/…`, `run/…`, `home/…`, `proc/…` | the root |
//! | `usr/…/systemd/libsystemd-*-252.so` | which systemd is installed; without one, 252, 257 and 262 are tried in turn |
//! | `links` | symbolic links of the root, `PATH -> TARGET` a line: many of them lead nowhere in a source tree |
//! | `environment` | variables, `NAME=VALUE` a line |
//! | `run.expected/…`, `run.expected/252/…` | every file that the generator writes |
//! | `run.expected/log` | what it says; nothing where that file is not there |
//!
//! `proc/1` and `proc/self` are those of a privileged manager unless the case has its own.

use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};

use crate::root::{Outcome, Root, copy};
use crate::tree::Tree;

const VERSIONS: [&str; 3] = ["252", "257", "262"];
const PARTS: [&str; 5] = ["etc", "usr", "run", "home", "proc"];

/// All cases, by name.
pub fn cases() -> Vec<Case> {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut names: Vec<String> = fs::read_dir(&cases)
        .expect("tests/cases")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name in UTF-8"))
        .collect();
    names.sort();
    names.into_iter().map(|name| Case { name: name.clone(), dir: cases.join(name) }).collect()
}

/// A directory of `cases/`.
#[derive(Clone)]
pub struct Case {
    pub name: String,
    dir: PathBuf,
}

impl Case {
    /// One trial, or one for each version.
    pub fn trials(&self) -> Vec<Trial> {
        if self.says_version() {
            let case = self.clone();
            return vec![Trial::test(self.name.clone(), move || case.check(None))];
        }
        let trial = |version: &'static str| {
            let case = self.clone();
            Trial::test(format!("{}::v{version}", self.name), move || case.check(Some(version)))
        };
        VERSIONS.into_iter().map(trial).collect()
    }

    /// Has its root a systemd, or anything else in its place that is part of the test?
    fn says_version(&self) -> bool {
        let tree = Tree::read(&self.dir.join("usr/lib"));
        tree.0.keys().any(|path| path.contains("libsystemd-") || path == "systemd/none-installed")
    }

    /// Is it about system units, and about this version or about every one?
    pub fn is_for_system_of(&self, version: &str) -> bool {
        let tree = Tree::read(&self.dir.join("usr/lib/systemd"));
        let this = tree.0.contains_key(&format!("libsystemd-shared-{version}.so"));
        let user = self.lines("environment").iter().any(|line| line == "SYSTEMD_SCOPE=user");
        !user && (this || !self.says_version())
    }

    fn check(&self, version: Option<&str>) -> Result<(), Failed> {
        let outcome = self.root(version).run();
        let expected = self.dir.join("run.expected").join(version.unwrap_or_default());
        if std::env::var_os("UNITCELL_BLESS").is_some_and(|value| value == "1") {
            bless(&expected, &outcome);
            return Ok(());
        }
        let mut tree = Tree::read(&expected);
        let log = tree.0.remove("log").unwrap_or_default();
        let with_log = |mut tree: Tree, log: String| {
            tree.0.insert("log".to_owned(), log);
            tree
        };
        match with_log(tree, log).diff(&with_log(outcome.normal, outcome.log)) {
            None => Ok(()),
            Some(diff) => Err(diff.into()),
        }
    }

    /// Its root, with a systemd of this version unless it has one.
    pub fn root(&self, version: Option<&str>) -> Root {
        let mut root = Root::new();
        for part in PARTS {
            let part_dir = self.dir.join(part);
            if part_dir.exists() {
                copy(&part_dir, &root.path(part));
            }
        }
        for line in self.lines("links") {
            let (path, target) = line.split_once(" -> ").expect("PATH -> TARGET");
            root.link(path, target);
        }
        for line in self.lines("environment") {
            let (name, value) = line.split_once('=').expect("NAME=VALUE");
            root.variable(name, value);
        }
        if let Some(version) = version.filter(|_| !self.says_version()) {
            root.systemd(version);
        }
        root.complete_proc();
        root
    }

    fn lines(&self, file: &str) -> Vec<String> {
        let text = fs::read_to_string(self.dir.join(file)).unwrap_or_default();
        text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
    }
}

fn bless(expected: &Path, outcome: &Outcome) {
    let _ = fs::remove_dir_all(expected);
    let write = |path: &str, text: &str| {
        let path = expected.join(path);
        fs::create_dir_all(path.parent().expect("below the case")).expect("directories");
        fs::write(path, text).expect("an expectation");
    };
    outcome.normal.0.iter().for_each(|(path, text)| write(path, text));
    if !outcome.log.is_empty() {
        write("log", &outcome.log);
    }
}
