//! A root directory for one test, and a run of the generator on it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::tree::Tree;

/// The types of namespaces, and the inode numbers that the manager's have here.
const NAMESPACES: [(&str, u64); 8] = [
    ("time", 4026531834),
    ("cgroup", 4026531835),
    ("pid", 4026531836),
    ("user", 4026531837),
    ("uts", 4026531838),
    ("ipc", 4026531839),
    ("net", 4026531840),
    ("mnt", 4026531841),
];

/// All capabilities and no seccomp filter: what PID 1 of a plain machine has.
const PRIVILEGED: &str = "Name:\tsystemd\nCapEff:\t000001ffffffffff\nSeccomp:\t0\n";

/// Where the generator under test takes the wrapper to be; in expectations it is in /usr/bin.
const BINDIR: &str = match option_env!("UNITCELL_BINDIR") {
    Some(directory) => directory,
    None => "/usr/bin",
};

/// The variables that a generator run depends on: none of the tester's own must get in.
const VARIABLES: [&str; 9] = [
    "SYSTEMD_SCOPE",
    "SYSTEMD_UNIT_PATH",
    "HOME",
    "XDG_CONFIG_HOME",
    "XDG_CONFIG_DIRS",
    "XDG_DATA_HOME",
    "XDG_DATA_DIRS",
    "XDG_RUNTIME_DIR",
    "UNITCELL_ROOT",
];

/// A temporary directory with `root`, and beside it whatever the generator is told to write to.
pub struct Root {
    dir: TempDir,
    variables: Vec<(String, String)>,
}

/// What a run left.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The first of its directories.
    pub normal: Tree,
    /// What it said, and its exit status where it is not 0.
    pub log: String,
}

impl Root {
    pub fn new() -> Root {
        let dir = tempfile::tempdir().expect("a temporary directory");
        fs::create_dir(dir.path().join("root")).expect("root");
        Root { dir, variables: Vec::new() }
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join("root").join(below)
    }

    /// A file; its directories are made as needed.
    pub fn file(&self, path: &str, content: impl AsRef<[u8]>) -> &Root {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("below the root")).expect("directories");
        fs::write(&path, content).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        self
    }

    /// A symbolic link.
    pub fn link(&self, path: &str, target: &str) -> &Root {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("below the root")).expect("directories");
        symlink(target, &path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        self
    }

    /// A systemd of this version is installed.
    pub fn systemd(&self, version: &str) -> &Root {
        self.file(&format!("usr/lib/systemd/libsystemd-shared-{version}.so"), "")
    }

    /// A variable of the generator's environment.
    pub fn variable(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// What the manager is, as far as the root does not say so itself.
    pub fn complete_proc(&self) {
        for process in ["proc/1", "proc/self"] {
            if !self.path(process).join("ns").exists() {
                for (name, inode) in NAMESPACES {
                    self.link(&format!("{process}/ns/{name}"), &format!("{name}:[{inode}]"));
                }
            }
            if !self.path(process).join("status").exists() {
                self.file(&format!("{process}/status"), PRIVILEGED);
            }
        }
    }

    /// Runs the generator in the temporary directory with these arguments.
    pub fn generator(&self, arguments: &[&str]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_unitcell-generator"));
        for name in VARIABLES {
            command.env_remove(name);
        }
        let output = command
            .args(arguments)
            .env("UNITCELL_ROOT", "root")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.dir.path())
            .output()
            .expect("the generator runs");
        assert!(output.stdout.is_empty(), "wrote to its standard output");
        let code = output.status.code().unwrap_or_else(|| panic!("the generator was killed: {}", output.status));
        (code, String::from_utf8(output.stderr).expect("messages are UTF-8"))
    }

    /// A directory beside the root.
    pub fn output(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs it as systemd does, with three fresh directories, and asserts what holds for each
    /// run: the root stays as it is, the two directories for other precedences stay empty, a run
    /// with one directory gives the same, and so does a second run over the first one's files.
    pub fn run(&self) -> Outcome {
        let before = Tree::read(&self.path(""));
        let first = self.run_with(&["normal", "early", "late"]);
        for other in ["early", "late"] {
            assert!(Tree::read(&self.output(other)).is_empty(), "something was written to {other}");
        }
        assert_eq!(self.run_with(&["normal"]), first, "the second run, with one directory, did otherwise");
        assert_eq!(Tree::read(&self.path("")), before, "the root was changed");
        first
    }

    fn run_with(&self, directories: &[&str]) -> Outcome {
        directories.iter().for_each(|name| fs::create_dir_all(self.output(name)).expect("output"));
        let (code, mut log) = self.generator(directories);
        if code != 0 {
            log.push_str(&format!("exit status {code}\n"));
        }
        Outcome { normal: Tree::read(&self.output("normal")).map(neutral), log: neutral(log) }
    }
}

/// Text as if the wrapper were in /usr/bin, wherever this build has it.
fn neutral(text: String) -> String {
    text.replace(&format!("{BINDIR}/unitcell-exec"), "/usr/bin/unitcell-exec")
}

/// Copies a directory's files, links and directories.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())) {
        let entry = entry.expect("an entry");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().expect("a type").is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
        }
    }
}
