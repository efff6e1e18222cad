//! What the wrapper is asked for, and what its payload sees when it gets it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::manager;
use crate::trace::Run;

pub const WRAPPER: &str = env!("CARGO_BIN_EXE_unitcell-exec");

const KINDS: [&str; 8] = ["mnt", "uts", "ipc", "net", "pid", "user", "cgroup", "time"];

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
    /// Commands that execute the wrapper, such as setpriv(1).
    through: Vec<String>,
    directory: tempfile::TempDir,
    /// Whose namespaces are joined.
    holder: Option<Holder>,
}

/// What a run needs beside the options.
pub struct Context {
    pub through: Vec<String>,
    pub environment: Vec<(&'static str, String)>,
}

impl Scenario {
    fn new(options: &[&str], left: &'static [&'static str]) -> Scenario {
        let directory = tempfile::tempdir().expect("a directory");
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).expect("a mode");
        Scenario {
            options: options.iter().map(|&option| option.to_owned()).collect(),
            left,
            environment: Vec::new(),
            through: Vec::new(),
            directory,
            holder: None,
        }
    }

    /// With somebody who listens as systemd does.
    fn with_manager(mut self) -> Scenario {
        let socket = self.directory.path().join("notify");
        manager::listen(&socket);
        self.environment.push(("NOTIFY_SOCKET", socket.to_str().expect("UTF-8").to_owned()));
        self
    }

    pub fn options(&self) -> &[String] {
        &self.options
    }

    pub fn payload(&self) -> [&str; 3] {
        ["sh", "-c", PAYLOAD]
    }

    pub fn context(&self) -> Context {
        Context { through: self.through.clone(), environment: self.environment.clone() }
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
    link("self", kind)
}

fn link(pid: &str, kind: &str) -> String {
    fs::read_link(format!("/proc/{pid}/ns/{kind}")).map_or(String::new(), |link| link.to_string_lossy().into_owned())
}

/// A process in namespaces of its own.
struct Holder(Child, String);

impl Holder {
    fn start() -> Holder {
        let mut holder = Holder(Self::unshare(), String::new());
        let children = format!("/proc/{0}/task/{0}/children", holder.0.id());
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            holder.1 = fs::read_to_string(&children).unwrap_or_default().trim().to_owned();
            let name = fs::read_to_string(format!("/proc/{}/comm", holder.1)).unwrap_or_default();
            if name.trim() == "sleep" {
                return holder;
            }
            assert!(Instant::now() < deadline, "unshare(1) starts nothing");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn unshare() -> Child {
        Command::new("unshare")
            .args(["-m", "-u", "-i", "-n", "-p", "-C", "-T", "-f", "--kill-child", "--mount-proc", "sleep", "600"])
            .stdin(Stdio::null())
            .spawn()
            .expect("unshare(1) runs")
    }

    fn namespace(&self, kind: &str) -> String {
        link(&self.1, kind)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a machine under systemd has and a container may lack, in a mount namespace: the unified
/// hierarchy, and a place for message queues.
const FURNISH: &str = "
    mount -t cgroup2 none /sys/fs/cgroup && mount -t tmpfs none /dev &&
    mknod -m 666 /dev/null c 1 3 && mkdir /dev/mqueue && exec \"$@\"";

pub fn every_new_namespace() -> Scenario {
    let mut scenario = Scenario::new(
        &[
            "--private-network",
            "--hostname=web",
            "--domainname=example",
            "--private-ipc",
            "--private-mounts",
            "--private-pids",
            "--protect-control-groups=private",
            "--time-offset-boottime=1d",
            "--private-users=full",
        ],
        &KINDS,
    );
    scenario.through = ["unshare", "-m", "sh", "-c", FURNISH, "sh"].map(str::to_owned).into();
    scenario
}

pub fn every_joined_namespace() -> Scenario {
    let holder = Holder::start();
    let flags = [
        ("network-namespace-path", "net"),
        ("ipc-namespace-path", "ipc"),
        ("uts-namespace-path", "uts"),
        ("mount-namespace-path", "mnt"),
        ("pid-namespace-path", "pid"),
        ("cgroup-namespace-path", "cgroup"),
        ("time-namespace-path", "time"),
    ];
    let mut scenario = Scenario::new(&[], &["mnt", "uts", "ipc", "net", "pid", "cgroup", "time"]);
    scenario.options = flags.map(|(flag, kind)| format!("--{flag}=/proc/{}/ns/{kind}", holder.1)).into();
    scenario.holder = Some(holder);
    scenario
}

pub fn mapped_ids() -> Scenario {
    let options = ["--uid-map=0:100000:10", "--gid-map=0:100000:10", "--private-network"];
    let mut scenario = Scenario::new(&options, &["user", "net", "mnt"]);
    let credentials = scenario.directory().join("credentials");
    fs::create_dir(&credentials).expect("a directory");
    fs::write(credentials.join("word"), "abc\n").expect("a file");
    let credentials = credentials.to_str().expect("UTF-8").to_owned();
    scenario.options.push(format!("--credentials={credentials}"));
    scenario.environment.push(("CREDENTIALS_DIRECTORY", credentials));
    scenario
}

pub fn another_user() -> Scenario {
    Scenario::new(
        &[
            "--protect-hostname=yes:web",
            "--user=nobody",
            "--group=nogroup",
            "--capability-bounding-set=CAP_NET_BIND_SERVICE CAP_CHOWN",
            "--ambient-capabilities=CAP_NET_BIND_SERVICE",
            "--secure-bits=noroot",
            "--no-new-privileges",
        ],
        &["uts"],
    )
}

pub fn handed_over() -> Scenario {
    let options = ["--private-pids", "--hostname=web", "--hand-over", "--ready", "--hide-notify-socket"];
    Scenario::new(&options, &["pid", "uts", "mnt"]).with_manager()
}

pub fn watched() -> Scenario {
    Scenario::new(&["--private-pids", "--hand-over", "--ready-when=path:/proc/self"], &["pid", "mnt"]).with_manager()
}
