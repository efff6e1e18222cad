//! A directory as a value: every path below it, and what is there.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Files by their paths. Directories appear by their files alone, empty ones with a slash.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree(pub BTreeMap<String, String>);

impl Tree {
    /// What is below `dir`; nothing where that is not there.
    pub fn read(dir: &Path) -> Tree {
        let mut tree = Tree::default();
        if dir.exists() {
            tree.add(dir, "");
        }
        tree
    }

    fn add(&mut self, dir: &Path, prefix: &str) {
        let entries = fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
        for entry in entries {
            let entry = entry.expect("an entry");
            let name = format!("{prefix}{}", text(entry.file_name().as_bytes()));
            let kind = entry.file_type().expect("a type");
            if kind.is_dir() {
                let before = self.0.len();
                self.add(&entry.path(), &format!("{name}/"));
                if self.0.len() == before {
                    self.0.insert(format!("{name}/"), String::new());
                }
            } else if kind.is_symlink() {
                let target = fs::read_link(entry.path()).expect("a target");
                self.0.insert(name, format!("-> {}", target.display()));
            } else {
                self.0.insert(name, text(&fs::read(entry.path()).expect("a file")));
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every file's text changed by `f`.
    pub fn map(mut self, f: impl Fn(String) -> String) -> Tree {
        self.0.values_mut().for_each(|value| *value = f(std::mem::take(value)));
        self
    }

    /// In which paths and lines `actual` differs, for a reader.
    pub fn diff(&self, actual: &Tree) -> Option<String> {
        let mut report = String::new();
        let paths: std::collections::BTreeSet<&String> = self.0.keys().chain(actual.0.keys()).collect();
        for path in paths {
            let (expected, actual) = (self.0.get(path), actual.0.get(path));
            if expected == actual {
                continue;
            }
            let _ = match (expected, actual) {
                (None, _) => writeln!(report, "--- {path}: not expected"),
                (_, None) => writeln!(report, "--- {path}: missing"),
                _ => writeln!(report, "--- {path}"),
            };
            let lines = |text: Option<&String>| -> Vec<String> {
                text.map(|text| text.split_inclusive('\n').map(str::to_owned).collect()).unwrap_or_default()
            };
            let (expected, actual) = (lines(expected), lines(actual));
            for line in expected.iter().filter(|line| !actual.contains(line)) {
                let _ = writeln!(report, "- {}", line.escape_debug());
            }
            for line in actual.iter().filter(|line| !expected.contains(line)) {
                let _ = writeln!(report, "+ {}", line.escape_debug());
            }
            if expected.iter().all(|line| actual.contains(line)) && actual.iter().all(|line| expected.contains(line)) {
                let _ = writeln!(report, "  (the same lines, but not as many or not in this order)");
            }
        }
        (!report.is_empty()).then_some(report)
    }
}

/// Bytes as text that tells any two of them apart.
fn text(bytes: &[u8]) -> String {
    bytes.utf8_chunks().fold(String::new(), |mut text, chunk| {
        text.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
        text
    })
}
