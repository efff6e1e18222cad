//! A process whose namespaces are joined.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A process in namespaces of its own.
pub struct Holder(Child, String);

impl Holder {
    pub fn start() -> Holder {
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

    /// The file of its namespace of this type.
    pub fn file(&self, kind: &str) -> String {
        format!("/proc/{}/ns/{kind}", self.1)
    }

    /// Its namespace of this type, as files are links to it.
    pub fn namespace(&self, kind: &str) -> String {
        link(&self.1, kind)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the link of a process's namespace of this type says.
pub fn link(pid: &str, kind: &str) -> String {
    fs::read_link(format!("/proc/{pid}/ns/{kind}")).map_or(String::new(), |link| link.to_string_lossy().into_owned())
}
