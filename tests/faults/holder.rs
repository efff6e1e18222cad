//! A process whose namespaces are joined.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A process in namespaces of its own.
pub struct Holder {
    unshare: Child,
    pid: String,
    unit: Option<&'static str>,
}

/// Where a machine under systemd has it.
const HIERARCHY: &str = "mount -t cgroup2 none /sys/fs/cgroup && cd /sys/fs/cgroup";

impl Holder {
    /// One that is to be a unit's main process.
    pub fn of_unit(unit: &'static str, kinds: &[&str]) -> Holder {
        let mut holder = Holder::start(kinds);
        holder.unit = Some(unit);
        holder
    }

    /// A script that makes the unit's control group, with the process in it.
    pub fn furnish_unit(&self) -> String {
        let (unit, pid) = (self.unit.unwrap_or_default(), &self.pid);
        format!("({HIERARCHY} && mkdir -p system.slice/{unit} && echo {pid} >system.slice/{unit}/cgroup.procs)")
    }

    /// One in namespaces of these types.
    pub fn start(kinds: &[&str]) -> Holder {
        let mut holder = Holder { unshare: Self::unshare(kinds), pid: String::new(), unit: None };
        let children = format!("/proc/{0}/task/{0}/children", holder.unshare.id());
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            holder.pid = fs::read_to_string(&children).unwrap_or_default().trim().to_owned();
            let name = fs::read_to_string(format!("/proc/{}/comm", holder.pid)).unwrap_or_default();
            if name.trim() == "sleep" {
                return holder;
            }
            assert!(Instant::now() < deadline, "unshare(1) starts nothing");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn unshare(kinds: &[&str]) -> Child {
        let options = kinds.iter().map(|&kind| match kind {
            "mnt" => "--mount",
            // Its root is the host's.
            "user" => "--map-root-user",
            "pid" => "--mount-proc",
            "uts" => "--uts",
            "ipc" => "--ipc",
            "net" => "--net",
            "cgroup" => "--cgroup",
            "time" => "--time",
            other => panic!("{other} is no type"),
        });
        Command::new("unshare")
            .args(options)
            .args(["--pid", "--fork", "--kill-child", "sleep", "600"])
            .stdin(Stdio::null())
            .spawn()
            .expect("unshare(1) runs")
    }

    /// The file of its namespace of this type.
    pub fn file(&self, kind: &str) -> String {
        format!("/proc/{}/ns/{kind}", self.pid)
    }

    /// Its namespace of this type, as files are links to it.
    pub fn namespace(&self, kind: &str) -> String {
        link(&self.pid, kind)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.unshare.kill();
        let _ = self.unshare.wait();
        if let Some(unit) = self.unit {
            // A control group is everybody's, whatever mount namespace it was made in.
            let script =
                format!("{HIERARCHY} && until rmdir system.slice/{unit}; do sleep 0.1; done; rmdir system.slice");
            let _ = Command::new("timeout")
                .args(["10", "unshare", "-m", "sh", "-c", &script])
                .stderr(Stdio::null())
                .status();
        }
    }
}

/// What the link of a process's namespace of this type says.
pub fn link(pid: &str, kind: &str) -> String {
    fs::read_link(format!("/proc/{pid}/ns/{kind}")).map_or(String::new(), |link| link.to_string_lossy().into_owned())
}
