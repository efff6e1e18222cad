//! What a case works with: a machine, and units of its own that go when it ends.
// A vocabulary for cases: that no case needs a word today is no reason to drop it.
#![allow(dead_code)]

use std::cell::RefCell;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use crate::dump::Dump;
use crate::machine::{DUMPS, Machine, Output, USER, wait_for};
use crate::product::PAYLOAD;

const PATIENCE: Duration = Duration::from_secs(30);

pub struct Case {
    machine: Arc<Machine>,
    name: String,
    units: RefCell<Vec<(Scope, String)>>,
    files: RefCell<Vec<String>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    System,
    User,
}

impl Scope {
    fn unit_dir(self) -> &'static str {
        match self {
            Scope::System => "/etc/systemd/system",
            Scope::User => "/etc/systemd/user",
        }
    }
}

/// The machine's own methods are the case's too: `case.sh("…")`.
impl Deref for Case {
    type Target = Machine;

    fn deref(&self) -> &Machine {
        &self.machine
    }
}

impl Case {
    pub fn new(machine: Arc<Machine>, name: &str) -> Case {
        Case { machine, name: name.replace('_', "-"), units: RefCell::default(), files: RefCell::default() }
    }

    /// A name that no other case has.
    pub fn unique(&self, name: &str) -> String {
        format!("{}-{name}", self.name)
    }

    /// A started service. `service` is unit-file text, by default the payload until it is stopped;
    /// `cell` goes into a drop-in. Either may leave out its first section header. In both,
    /// `@payload@` is a command that dumps, to which an action may be added (see `payload.rs`),
    /// and `@dump@` is the file that it writes.
    #[track_caller]
    pub fn service(&self, name: &str, service: &str, cell: &str) -> Unit<'_> {
        let unit = self.prepare(Scope::System, name, service, cell);
        unit.start();
        unit
    }

    /// The same in the lingering user's manager.
    #[track_caller]
    pub fn user_service(&self, name: &str, service: &str, cell: &str) -> Unit<'_> {
        let unit = self.prepare(Scope::User, name, service, cell);
        unit.start();
        unit
    }

    /// Written and loaded, not started.
    #[track_caller]
    pub fn prepare(&self, scope: Scope, name: &str, service: &str, cell: &str) -> Unit<'_> {
        let unit = self.unit(scope, &format!("{}.service", self.unique(name)));
        let mut text = unit.fill_in(&headed("[Service]", service));
        if !text.contains("ExecStart=") {
            text += &unit.fill_in("\n[Service]\nExecStart=@payload@ sleep-handled\n");
        }
        let path = format!("{}/{}", scope.unit_dir(), unit.name);
        self.file(&path, &text);
        if !cell.is_empty() {
            self.file(&format!("{path}.d/cell.conf"), &unit.fill_in(&headed("[X-Unitcell]", cell)));
        }
        unit.systemctl(&["daemon-reload"]).ok();
        unit
    }

    /// A handle for a unit that is, or will be, there; it is stopped at the end.
    pub fn unit(&self, scope: Scope, name: &str) -> Unit<'_> {
        self.units.borrow_mut().push((scope, name.to_owned()));
        Unit { case: self, scope, name: name.to_owned() }
    }

    /// A file that is removed at the end.
    #[track_caller]
    pub fn file(&self, path: &str, text: &str) {
        self.files.borrow_mut().push(path.to_owned());
        self.machine.write(path, text);
    }

    pub fn describe_units(&self) -> String {
        let units = self.units.borrow();
        let text = units.iter().map(|(scope, name)| {
            let unit = Unit { case: self, scope: *scope, name: name.clone() };
            let status = unit.systemctl(&["status", "--full", "--lines=0", name]);
            format!("--- {name}\n{}{}{}", status.stdout, status.stderr, unit.journal())
        });
        text.collect()
    }
}

impl Drop for Case {
    fn drop(&mut self) {
        // Killed first: a payload that minds no SIGTERM would hold things up for 90 s.
        let end = |names: &[&str]| {
            let names = names.join(" ");
            format!("systemctl kill -s KILL {names}; systemctl stop {names}; systemctl reset-failed {names}")
        };
        let of = |scope| -> Vec<String> {
            self.units.borrow().iter().filter(|(s, _)| *s == scope).map(|(_, n)| n.clone()).collect()
        };
        let system = of(Scope::System);
        if !system.is_empty() {
            self.machine.sh(&end(&system.iter().map(String::as_str).collect::<Vec<_>>()));
        }
        let user = of(Scope::User);
        if !user.is_empty() {
            let script = end(&user.iter().map(String::as_str).collect::<Vec<_>>());
            self.machine.user_sh(USER, &script.replace("systemctl", "systemctl --user"));
        }
        let mut files = self.files.borrow().clone();
        files.extend(self.units.borrow().iter().map(|(_, n)| format!("{DUMPS}/{n}.json")));
        for file in files {
            let _ = std::fs::remove_file(self.machine.path(&file));
            if let Some((dir, _)) = file.rsplit_once('/').filter(|(d, _)| d.ends_with(".d")) {
                let _ = std::fs::remove_dir(self.machine.path(dir));
            }
        }
    }
}

fn headed(header: &str, text: &str) -> String {
    let text = text.trim();
    if text.starts_with('[') { format!("{text}\n") } else { format!("{header}\n{text}\n") }
}

/// A unit of a case.
pub struct Unit<'c> {
    case: &'c Case,
    scope: Scope,
    pub name: String,
}

impl Unit<'_> {
    pub fn systemctl(&self, words: &[&str]) -> Output {
        match self.scope {
            Scope::System => self.case.systemctl(words),
            Scope::User => {
                let quoted: Vec<_> = words.iter().map(|w| format!("'{w}'")).collect();
                self.case.user_sh(USER, &format!("systemctl --user --no-pager {}", quoted.join(" ")))
            }
        }
    }

    pub fn start(&self) -> Output {
        self.forget_dump();
        self.systemctl(&["start", &self.name])
    }

    pub fn restart(&self) -> Output {
        self.forget_dump();
        self.systemctl(&["restart", &self.name])
    }

    pub fn reload(&self) -> Output {
        self.systemctl(&["reload", &self.name])
    }

    pub fn stop(&self) -> Output {
        self.systemctl(&["stop", &self.name])
    }

    #[track_caller]
    pub fn show(&self, property: &str) -> String {
        self.systemctl(&["show", "-P", property, &self.name]).ok().to_owned()
    }

    #[track_caller]
    pub fn state(&self) -> String {
        self.show("ActiveState")
    }

    /// systemd's word for how it went: success, exit-code, signal, timeout …
    #[track_caller]
    pub fn result(&self) -> String {
        self.show("Result")
    }

    /// As the machine's PID namespace has it; 0 if there is none.
    #[track_caller]
    pub fn main_pid(&self) -> i32 {
        self.show("MainPID").parse().expect("MainPID")
    }

    pub fn journal(&self) -> String {
        match self.scope {
            Scope::System => self.case.journal(&self.name),
            Scope::User => {
                let by_unit = format!(
                    "journalctl --sync; journalctl --no-pager _SYSTEMD_USER_UNIT={0} + USER_UNIT={0}",
                    self.name
                );
                self.case.sh(&by_unit).stdout
            }
        }
    }

    /// So that the next one read is of the next run.
    pub fn forget_dump(&self) {
        let _ = std::fs::remove_file(self.case.path(&self.dump_path()));
    }

    pub fn dump_path(&self) -> String {
        format!("{DUMPS}/{}.json", self.name)
    }

    /// What the payload saw, once it has written it; panics when the unit ended without that.
    #[track_caller]
    pub fn dump(&self) -> Dump {
        let mut found = None;
        let mut looks = 0;
        let done = wait_for(
            || {
                found = self.find_dump();
                looks += 1;
                found.is_some() || (looks % 8 == 0 && self.show("ActiveState") == "failed")
            },
            PATIENCE,
        );
        match found.or_else(|| self.find_dump()) {
            Some(dump) => dump,
            None if done => panic!("{} failed, and its payload dumped nothing", self.name),
            None => panic!("the payload of {} dumped nothing", self.name),
        }
    }

    /// A payload whose root is another one left its dump there.
    fn find_dump(&self) -> Option<Dump> {
        Dump::read(&self.case.path(&self.dump_path())).or_else(|| {
            let inside = self.show("MainPID");
            (inside != "0")
                .then(|| self.case.path(&format!("/proc/{inside}/root{}", self.dump_path())))
                .and_then(|path| Dump::read(&path))
        })
    }

    /// Start failed with this exit code, and the payload was never executed.
    #[track_caller]
    pub fn assert_failed_with(&self, code: i32) {
        self.assert_never_ran();
        assert_eq!(self.show("ExecMainStatus"), code.to_string(), "exit code of {}", self.name);
    }

    /// The start was refused or failed, in whichever way, and the payload was never executed.
    #[track_caller]
    pub fn assert_never_ran(&self) {
        let over = wait_for(|| matches!(self.show("ActiveState").as_str(), "failed" | "inactive"), PATIENCE);
        assert!(over, "{} should have failed, but is {}", self.name, self.show("ActiveState"));
        assert!(self.find_dump().is_none(), "{} failed, but its payload ran", self.name);
    }

    #[track_caller]
    pub fn assert_state(&self, state: &str) {
        let reached = wait_for(|| self.show("ActiveState") == state, PATIENCE);
        assert!(reached, "{} should be {state}, but is {}", self.name, self.show("ActiveState"));
    }

    pub fn fill_in(&self, text: &str) -> String {
        text.replace("@payload@", &format!("{PAYLOAD} @dump@")).replace("@dump@", &self.dump_path())
    }
}
