//! What a payload saw of itself.
// A vocabulary for cases: that no case needs a word today is no reason to drop it.
#![allow(dead_code)]

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

#[derive(Clone, Debug)]
pub struct Dump {
    items: Value,
    /// The name of the unit that it is of.
    unit: String,
}

impl Dump {
    /// None as long as there is no whole one.
    pub fn read(path: &Path) -> Option<Dump> {
        let items = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
        let unit = path.file_name()?.to_str()?.trim_end_matches(".service.json").to_owned();
        Some(Dump { items, unit })
    }

    /// Any item by its name in `payload/seen.rs`; panics if the payload could not have it.
    #[track_caller]
    pub fn get(&self, item: &str) -> &Value {
        match &self.items[item] {
            Value::Null => panic!("the payload has no {item}: {}", self.items["errors"][item]),
            value => value,
        }
    }

    /// Why an item is missing, or nothing if it is there.
    pub fn error(&self, item: &str) -> Option<&str> {
        self.items["errors"][item].as_str()
    }

    #[track_caller]
    pub fn text(&self, item: &str) -> &str {
        self.get(item).as_str().unwrap_or_else(|| panic!("{item} is no text"))
    }

    #[track_caller]
    pub fn number(&self, item: &str) -> i64 {
        self.get(item).as_i64().unwrap_or_else(|| panic!("{item} is no number"))
    }

    #[track_caller]
    pub fn list(&self, item: &str) -> Vec<String> {
        let list = self.get(item).as_array().unwrap_or_else(|| panic!("{item} is no list"));
        list.iter().map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)).collect()
    }

    /// As `readlink /proc/self/ns/KIND` says it; also `pid_for_children`, `time_for_children`.
    #[track_caller]
    pub fn ns(&self, kind: &str) -> &str {
        self.text(&format!("ns_{kind}"))
    }

    #[track_caller]
    pub fn hostname(&self) -> &str {
        self.text("hostname")
    }

    #[track_caller]
    pub fn pid(&self) -> i64 {
        self.number("pid")
    }

    #[track_caller]
    pub fn pids(&self) -> Vec<i64> {
        self.get("pids").as_array().into_iter().flatten().filter_map(Value::as_i64).collect()
    }

    /// Seconds: monotonic, boottime or realtime.
    #[track_caller]
    pub fn clock(&self, name: &str) -> f64 {
        self.get(name).as_f64().expect("seconds")
    }

    #[track_caller]
    pub fn interfaces(&self) -> Vec<String> {
        self.list("interfaces")
    }

    #[track_caller]
    pub fn argv(&self) -> Vec<String> {
        self.list("argv")
    }

    #[track_caller]
    pub fn env(&self, name: &str) -> Option<String> {
        let pairs = self.list("environment");
        pairs.iter().find_map(|p| Some(p.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
    }

    /// A line of /proc/self/status: `status("CapEff")`.
    #[track_caller]
    pub fn status(&self, key: &str) -> &str {
        self.get("status")[key].as_str().unwrap_or_else(|| panic!("status has no {key}"))
    }

    /// (inside, outside, count) of each line of `uid_map` or `gid_map`.
    #[track_caller]
    pub fn id_map(&self, map: &str) -> Vec<(u32, u32, u32)> {
        let number = |w: Option<&str>| w.and_then(|w| w.parse().ok()).expect("a number in an id map");
        let lines = self.text(map).lines();
        lines
            .map(|l| {
                let mut words = l.split_whitespace();
                (number(words.next()), number(words.next()), number(words.next()))
            })
            .collect()
    }

    /// Mount points with their file system types, in order.
    #[track_caller]
    pub fn mounts(&self) -> Vec<(String, String)> {
        let mount = |l: &String| {
            let (left, right) = l.split_once(" - ")?;
            Some((left.split(' ').nth(4)?.to_owned(), right.split(' ').next()?.to_owned()))
        };
        self.list("mountinfo").iter().filter_map(mount).collect()
    }

    /// What differs, `-` for ours and `+` for theirs; items that always differ are left out, and
    /// so are unit names. For "nothing else changes": compare with the unit without a cell.
    pub fn differences(&self, other: &Dump) -> Vec<String> {
        let (mut ours, mut theirs) = (self.comparable(), other.comparable());
        // Links of other cases come and go in a network that both are in.
        if self.ns("net") == other.ns("net") {
            let stays = |item: &String| !item.starts_with("interfaces ") && !item.starts_with("sys_class_net ");
            ours.retain(stays);
            theirs.retain(stays);
        }
        let mut found: Vec<_> = ours.difference(&theirs).map(|item| format!("-{item}")).collect();
        found.extend(theirs.difference(&ours).map(|item| format!("+{item}")));
        found
    }

    fn comparable(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut add = |item: String| {
            found.insert(item.replace(&self.unit, "UNIT"));
        };
        for (key, value) in self.items.as_object().into_iter().flatten() {
            match (key.as_str(), value) {
                (key, _) if VOLATILE.contains(&key) => {}
                // Leading its session or not is what matters, not which number that is.
                ("sid" | "pgid", id) => add(format!("{key}_is_pid {}", *id == self.items["pid"])),
                ("mountinfo", Value::Array(mounts)) => {
                    let mounts = mounts.iter().filter_map(Value::as_str);
                    mounts.filter(|m| !self.of_others(m)).for_each(|m| add(format!("mount {}", stable_mount(m))));
                }
                ("fds", Value::Array(fds)) => fds.iter().for_each(|fd| add(format!("fd {}", stable_fd(fd)))),
                ("environment", Value::Array(list)) => {
                    let pairs = list.iter().filter_map(|v| v.as_str()?.split_once('='));
                    pairs.for_each(|(name, value)| {
                        add(format!("environment {name}={}", self.stable_variable(name, value)))
                    });
                }
                (key, Value::Object(map)) => {
                    let stable = map.iter().filter(|(k, _)| !VOLATILE_STATUS.contains(&k.as_str()));
                    stable.for_each(|(k, v)| add(format!("{key} {k} {v}")));
                }
                (key, value) => add(format!("{key} {value}")),
            }
        }
        found
    }
}

impl Dump {
    /// Whether a line of mountinfo is of what comes and goes with another unit: cases run side by side.
    fn of_others(&self, mount: &str) -> bool {
        let point = mount.split(' ').nth(4).unwrap_or_default();
        ["/run/credentials/", "/run/netns/", "/run/user/", "/run/identity-random-uts"]
            .iter()
            .any(|place| point.starts_with(place))
            && !point.contains(&self.unit)
    }

    /// Of what is another number each time, whether it is there, and if of a process, whether that is it.
    fn stable_variable<'v>(&self, name: &str, value: &'v str) -> &'v str {
        match name {
            "SYSTEMD_EXEC_PID" | "LISTEN_PID" | "WATCHDOG_PID" if value.parse().ok() == self.items["pid"].as_i64() => {
                "own"
            }
            "INVOCATION_ID" | "JOURNAL_STREAM" | "LISTEN_PIDFDID" | "WATCHDOG_PIDFDID" if !value.is_empty() => "set",
            _ => value,
        }
    }
}

/// Without the mount's number, its parent's, its peer group's and that of a device that is none: all
/// are counted up. And without what systemd adds to the name of a private directory.
fn stable_mount(line: &str) -> String {
    let stable = |word: &str| match word.split_once("/systemd-private-") {
        Some((before, after)) => {
            format!("{before}/systemd-private{}", after.split_once('/').map_or("", |(_, rest)| rest))
        }
        None if word.starts_with("0:") => "0:N".to_owned(),
        // A loop device.
        None if word.starts_with("7:") => "7:N".to_owned(),
        None => word.to_owned(),
    };
    let words = line.split(' ').skip(2).filter(|w| !w.starts_with("shared:") && !w.starts_with("master:"));
    words.map(stable).collect::<Vec<_>>().join(" ")
}

/// Without the inode number of a socket or pipe.
fn stable_fd(fd: &Value) -> String {
    let target = fd["target"].as_str().unwrap_or_default();
    let target = target.split_once(":[").map_or(target, |(kind, _)| kind);
    format!("{} {target} flags={} cloexec={}", fd["fd"], fd["flags"], fd["cloexec"])
}

const VOLATILE: [&str; 6] = ["pid", "pids", "monotonic", "boottime", "realtime", "uptime"];

/// Process ids, and all that depends on how a process has run so far.
const VOLATILE_STATUS: [&str; 27] = [
    "Pid",
    "PPid",
    "Tgid",
    "Ngid",
    "NSpid",
    "NStgid",
    "NSpgid",
    "NSsid",
    "VmPeak",
    "VmSize",
    "VmHWM",
    "VmRSS",
    "VmData",
    "VmStk",
    "VmExe",
    "VmLib",
    "VmPTE",
    "VmSwap",
    "VmLck",
    "VmPin",
    "RssAnon",
    "RssFile",
    "RssShmem",
    "SigQ",
    "voluntary_ctxt_switches",
    "nonvoluntary_ctxt_switches",
    "FDSize",
];
