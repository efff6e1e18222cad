//! What the wrapper is asked for, and what its payload sees when it gets it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::holder::{Holder, link};
use crate::manager;
use crate::trace::Run;

pub const WRAPPER: &str = env!("CARGO_BIN_EXE_unitcell-exec");

pub const KINDS: [&str; 8] = ["mnt", "uts", "ipc", "net", "pid", "user", "cgroup", "time"];

/// All that tells one cell from another.
const PAYLOAD: &str = "
    for kind in mnt uts ipc net pid user cgroup time; do readlink /proc/self/ns/$kind; done
    uname -n; cat /proc/sys/kernel/domainname /proc/1/comm /proc/self/timens_offsets /proc/self/uid_map
    [ $$ = 1 ] && echo first; ls /proc/self/fd | wc -l; cut -d: -f1 /proc/net/dev; umask
    grep -E '^(Uid|Gid|Groups|Cap...|NoNewPrivs|Seccomp):' /proc/self/status
    stat -f -c %T /proc /sys/fs/cgroup /dev/mqueue; cut -d: -f3 /proc/self/cgroup
    [ -z \"$CREDENTIALS_DIRECTORY\" ] || ls -ln \"$CREDENTIALS_DIRECTORY\" | cut -d' ' -f1-5
    echo NOTIFY_SOCKET=${NOTIFY_SOCKET:+set}";

pub struct Scenario {
    options: Vec<String>,
    /// The types of which the payload has another than this process.
    left: &'static [&'static str],
    environment: Vec<(&'static str, String)>,
    /// What is made ready for the wrapper in a mount namespace.
    furnished: String,
    /// Who the wrapper is.
    user: Option<&'static str>,
    /// What else the payload tells of its cell.
    also: &'static str,
    directory: tempfile::TempDir,
    /// Whose namespaces are joined.
    holder: Option<Holder>,
}

/// What a run needs beside the options.
pub struct Context {
    /// Commands that execute strace(1).
    pub through: Vec<String>,
    /// Options of strace.
    pub tracer: Vec<String>,
    pub environment: Vec<(&'static str, String)>,
}

impl Scenario {
    pub fn new(options: &[&str], left: &'static [&'static str]) -> Scenario {
        let directory = tempfile::tempdir().expect("a directory");
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).expect("a mode");
        Scenario {
            options: options.iter().map(|&option| option.to_owned()).collect(),
            left,
            environment: Vec::new(),
            furnished: String::new(),
            user: None,
            also: "",
            directory,
            holder: None,
        }
    }

    /// What a machine under systemd has and a container may lack, or the scenario wants: a script that
    /// runs in a mount namespace of the scenario's own, in its directory.
    pub fn furnished(mut self, script: &str) -> Scenario {
        self.furnished += script;
        self.furnished += " &&\n";
        self
    }

    /// Without the wrapper's new start through a read-only mount, where strace would leave it: that has a
    /// scenario of its own.
    pub fn read_only_wrapper(self) -> Scenario {
        self.furnished(&format!("mount --bind {WRAPPER} {WRAPPER} && mount -o remount,bind,ro {WRAPPER}"))
    }

    /// Started by this user.
    pub fn started_by(mut self, user: &'static str) -> Scenario {
        self.user = Some(user);
        self
    }

    /// With a payload that tells this, too.
    pub fn telling(mut self, script: &'static str) -> Scenario {
        self.also = script;
        self
    }

    /// In the namespaces of another process.
    pub fn joining(mut self) -> Scenario {
        let holder = Holder::start(self.left);
        let flag = |kind: &str| {
            match kind {
                "net" => "network",
                "mnt" => "mount",
                same => same,
            }
            .to_owned()
        };
        let option = |kind: &&str| format!("--{}-namespace-path={}", flag(kind), holder.file(kind));
        self.options.extend(self.left.iter().map(option));
        self.holder = Some(holder);
        self
    }

    /// In the namespaces of a process that has the control group of a unit, as systemd calls it.
    pub fn joining_unit(mut self, unit: &'static str) -> Scenario {
        let holder = Holder::of_unit(unit, self.left);
        self.options.push(format!("--namespaces-of={unit}"));
        let furnish = holder.furnish_unit();
        self.holder = Some(holder);
        self.furnished(&furnish)
    }

    /// With this option, whose value has the scenario's directory in the place of `@`.
    pub fn option(mut self, option: &str) -> Scenario {
        self.options.push(option.replace('@', self.mark().1));
        self
    }

    /// With credentials, as systemd hands them over.
    pub fn with_credentials(mut self) -> Scenario {
        let credentials = self.directory().join("credentials");
        fs::create_dir(&credentials).expect("a directory");
        fs::write(credentials.join("word"), "abc\n").expect("a file");
        let credentials = credentials.to_str().expect("UTF-8").to_owned();
        self.options.push(format!("--credentials={credentials}"));
        self.environment.push(("CREDENTIALS_DIRECTORY", credentials));
        self
    }

    /// With somebody who listens as systemd does.
    pub fn with_manager(mut self) -> Scenario {
        let socket = self.directory.path().join("notify");
        manager::listen(&socket);
        self.environment.push(("NOTIFY_SOCKET", socket.to_str().expect("UTF-8").to_owned()));
        self
    }

    pub fn options(&self) -> &[String] {
        &self.options
    }

    pub fn payload(&self) -> [String; 3] {
        ["sh".to_owned(), "-c".to_owned(), format!("{PAYLOAD}\n{}", self.also)]
    }

    pub fn context(&self) -> Context {
        let furnish = format!("cd {} &&\n{} cd / && exec \"$@\"", self.mark().1, self.furnished);
        let words = ["unshare", "-m", "sh", "-c", &furnish, "sh"];
        let through = if self.furnished.is_empty() { &[][..] } else { &words };
        let tracer = self.user.map(|user| format!("--user={user}"));
        Context {
            through: through.iter().map(|&word| word.to_owned()).collect(),
            tracer: tracer.into_iter().collect(),
            environment: self.environment.clone(),
        }
    }

    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// What tells this scenario's processes from all others.
    pub fn mark(&self) -> (&'static str, &str) {
        ("UNITCELL_FAULTS", self.directory.path().to_str().expect("UTF-8"))
    }

    /// The processes of this scenario that still run, its holder aside.
    pub fn processes(&self) -> Vec<String> {
        let mark = format!("{}={}", self.mark().0, self.mark().1).into_bytes();
        let marked = |pid: &str| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|&byte| byte == 0).any(|variable| variable == mark)
        };
        let all = fs::read_dir("/proc").expect("/proc").flatten();
        all.filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()) && marked(name))
            .map(|pid| format!("{pid}: {}", fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default()))
            .collect()
    }

    /// Every file that lies in the scenario's directory, logs aside.
    pub fn files(&self) -> Vec<String> {
        let found = Command::new("find").arg(self.directory()).output().expect("find(1) runs");
        let text = String::from_utf8_lossy(&found.stdout);
        let mut files: Vec<String> =
            text.lines().filter(|file| !file.ends_with(".strace")).map(str::to_owned).collect();
        files.sort_unstable();
        files
    }

    /// The dump without what differs from run to run: which new namespace it is.
    pub fn normalise(&self, dump: &str) -> String {
        let holder = self.holder.as_ref();
        let lines = dump.lines().map(|line| match line.split_once(":[") {
            Some((kind, _)) if line == own(kind) => format!("{kind} host"),
            Some((kind, _)) if holder.is_some_and(|holder| line == holder.namespace(kind)) => format!("{kind} joined"),
            Some((kind, _)) => format!("{kind} new"),
            None => line.to_owned(),
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The undisturbed run must have all that the others are held against.
    #[track_caller]
    pub fn assert_whole(&self, run: &Run) {
        let (dump, other) = (self.normalise(&run.stdout), if self.holder.is_some() { "joined" } else { "new" });
        for kind in KINDS {
            let expected = if self.left.contains(&kind) { other } else { "host" };
            assert!(dump.lines().any(|line| line == format!("{kind} {expected}")), "{kind}: {expected}\n{run:?}");
        }
    }
}

fn own(kind: &str) -> String {
    link("thread-self", kind)
}
