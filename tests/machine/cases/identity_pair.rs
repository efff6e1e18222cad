//! A service twice, as it is and in a cell: what else differs than what the cell asks for.

use std::time::Duration;

use crate::case::{Case, Scope, Unit};
use crate::dump::Dump;
use crate::machine::wait_for;

/// A cell, and what a service sees of it.
#[derive(Debug, Clone, Copy)]
pub struct Cell {
    pub text: &'static str,
    /// The namespaces that it asks for.
    pub kinds: &'static [&'static str],
    /// What differs by its nature: how items of a dump begin.
    pub differs: &'static [&'static str],
    /// Where, and below which, it mounts something.
    pub mounts: &'static [&'static str],
    /// What gives the one that is as it is a namespace of the same sort.
    pub native: &'static str,
}

/// A service.
#[derive(Debug, Clone, Default)]
pub struct Service {
    pub settings: String,
    /// A `.socket` unit beside it.
    pub socket: &'static str,
    /// What differs by the nature of its settings.
    pub differs: Vec<&'static str>,
}

/// It, as it is and in the cell.
pub struct Pair<'c> {
    pub service: Service,
    pub cell: &'c Cell,
    pub units: [Unit<'c>; 2],
}

/// What came of the two.
pub enum Outcome {
    /// Neither has started.
    Neither,
    /// The one in the cell was refused, with these words of its journal.
    Refused(String),
    /// What differs, and should not; the journal where one of them has not started.
    Ran(Vec<String>),
}

impl<'c> Pair<'c> {
    /// Its units, written.
    pub fn write(case: &'c Case, n: usize, service: Service, cell: &'c Cell) -> Pair<'c> {
        let unit = |sort: &str, more: &str, cell: &str| {
            let name = case.unique(&format!("{sort}{n}"));
            let unit = case.unit(Scope::System, &format!("{name}.service"));
            let mut text = unit.fill_in(&format!("[Service]\n{}\n{more}\n", service.settings));
            if !text.contains("ExecStart=") {
                text += &unit.fill_in("ExecStart=@payload@ sleep-handled calls\n");
            }
            let cell = if cell.is_empty() { String::new() } else { format!("[X-Unitcell]\n{cell}\n") };
            case.file(&format!("/etc/systemd/system/{name}.service"), &format!("{text}{cell}"));
            if !service.socket.is_empty() {
                case.unit(Scope::System, &format!("{name}.socket"));
                case.file(&format!("/etc/systemd/system/{name}.socket"), &format!("[Socket]\n{}\n", service.socket));
            }
            unit
        };
        let units = [unit("a", cell.native, ""), unit("b", "", cell.text)];
        Pair { units, service, cell }
    }

    fn outcome(&self, case: &Case, dumps: &[Option<Dump>; 2]) -> Outcome {
        let [native, wrapped] = &self.units;
        match dumps {
            [Some(native), Some(wrapped)] => Outcome::Ran(self.unexpected(case, native, wrapped)),
            [None, None] => Outcome::Neither,
            [None, Some(_)] => Outcome::Ran(vec![format!("runs in the cell alone: {}", native.journal())]),
            [Some(_), None] if wrapped.show("ExecMainStatus") == "78" => Outcome::Refused(wrapped.journal()),
            [Some(_), None] => Outcome::Ran(vec![format!("does not run in the cell: {}", wrapped.journal())]),
        }
    }

    /// What differs, and should not.
    fn unexpected(&self, case: &Case, native: &Dump, wrapped: &Dump) -> Vec<String> {
        let mounted = |mount: &str| {
            let mut words = mount.split(' ').skip(1);
            let (what, point) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let below =
                |place: &&str| point.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            // The machine's own, over the /proc that it has from outside.
            what.starts_with("/.#proc-")
                || point == "/" && self.cell.mounts.contains(&"/")
                || self.cell.mounts.iter().any(below)
        };
        // A fork clears that flag, and has been what resets a real-time policy: systemd's PrivatePIDs= forks as well.
        let reset = self.cell.kinds.contains(&"pid") && self.service.settings.contains("CPUSchedulingResetOnFork=yes");
        let asked_for = |item: &str| {
            self.cell.differs.iter().chain(&self.service.differs).any(|expected| item.starts_with(expected))
                || item.strip_prefix("mount ").is_some_and(mounted)
                || item.starts_with("ns_")
                || reset && item.starts_with("scheduler ")
                || item.starts_with("status CapInh")
        };
        let mut found: Vec<String> =
            wrapped.differences(native).into_iter().filter(|line| !asked_for(&line[1..])).collect();
        for kind in ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"] {
            let own = |dump: &Dump| dump.ns(kind) != case.manager_ns(kind);
            let asked_for = self.cell.kinds.contains(&kind);
            if own(wrapped) != (own(native) || asked_for) {
                found.push(format!("{kind} namespace: native {}, wrapped {}", own(native), own(wrapped)));
            }
        }
        // systemd leaves what loading filters took in this set of a user, and the wrapper does not.
        let inheritable = |dump: &Dump| u64::from_str_radix(dump.status("CapInh"), 16).expect("a set");
        let (left, gained) = (inheritable(native) & !inheritable(wrapped), inheritable(wrapped) & !inheritable(native));
        if left & !LEFT_BEHIND != 0 || gained != 0 {
            found.push(format!("CapInh: native {}, wrapped {}", native.status("CapInh"), wrapped.status("CapInh")));
        }
        found
    }
}

/// CAP_SETPCAP and CAP_SYS_ADMIN.
const LEFT_BEHIND: u64 = 1 << 8 | 1 << 21;

/// Starts all of them at once, and tells what came of each.
pub fn run(case: &Case, pairs: &[Pair]) -> Vec<Outcome> {
    case.daemon_reload();
    let names = |suffix: &str, of: &dyn Fn(&Pair) -> bool| {
        let units = pairs.iter().filter(|pair| of(pair)).flat_map(|pair| &pair.units);
        units.map(|unit| unit.name.replace(".service", suffix)).collect::<Vec<_>>().join(" ")
    };
    let sockets = names(".socket", &|pair| !pair.service.socket.is_empty());
    if !sockets.is_empty() {
        case.sh(&format!("systemctl start {sockets}")).ok();
    }
    // One whose settings make no sense has no job, and takes the others' with it.
    case.sh(&format!("for unit in {}; do systemctl start --no-block $unit; done", names(".service", &|_| true)));
    let mut dumps: Vec<[Option<Dump>; 2]> = pairs.iter().map(|_| [None, None]).collect();
    wait_for(
        || {
            // Before the dumps are looked for: whoever is over then has left one, or none.
            let over: Vec<[bool; 2]> = match looks_over(case, pairs) {
                Some(over) => over,
                None => return false,
            };
            for (pair, found) in pairs.iter().zip(&mut dumps) {
                for (unit, dump) in pair.units.iter().zip(found) {
                    *dump = dump.take().or_else(|| Dump::read(&case.path(&unit.dump_path())));
                }
            }
            let done = dumps.iter().flatten().zip(over.iter().flatten());
            done.fold(true, |done, (dump, over)| done && (dump.is_some() || *over))
        },
        Duration::from_secs(45),
    );
    pairs.iter().zip(&dumps).map(|(pair, dumps)| pair.outcome(case, dumps)).collect()
}

/// Which of the units have no job and do not run.
fn looks_over(case: &Case, pairs: &[Pair]) -> Option<Vec<[bool; 2]>> {
    let names: Vec<&str> = pairs.iter().flat_map(|pair| &pair.units).map(|unit| unit.name.as_str()).collect();
    let shown = case.sh(&format!("systemctl show -p ActiveState -p Job {}", names.join(" ")));
    let is_over = |properties: &str| {
        let has = |wanted: &dyn Fn(&str) -> bool| properties.lines().any(wanted);
        has(&|line| matches!(line, "ActiveState=failed" | "ActiveState=inactive"))
            && !has(&|line| line.strip_prefix("Job=").is_some_and(|job| !job.is_empty()))
    };
    let over: Vec<bool> = shown.stdout.trim_end().split("\n\n").map(is_over).collect();
    (over.len() == names.len()).then(|| over.chunks(2).map(|two| [two[0], two[1]]).collect())
}
