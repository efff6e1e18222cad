//! All that a process can see of itself.

use std::ffi::c_int;
use std::io::Write;
use std::{fs, mem, ptr};

use serde_json::{Map, Value, json};

use crate::found::{Found, chars, checked, keyring, line, lines, link, loopback, names, numbers, status, text};

/// One JSON object; what can't be had is null, and the reason stands in `errors`.
#[derive(Default)]
pub struct Dump {
    items: Map<String, Value>,
    errors: Map<String, Value>,
}

impl Dump {
    pub fn put(&mut self, key: &str, found: Found) {
        let value = found.unwrap_or_else(|error| {
            self.errors.insert(key.into(), error.into());
            Value::Null
        });
        self.items.insert(key.into(), value);
    }

    pub fn write(mut self, file: &str) -> std::io::Result<()> {
        self.items.insert("errors".into(), self.errors.into());
        let text = Value::from(self.items).to_string() + "\n";
        if file == "-" {
            return std::io::stdout().lock().write_all(text.as_bytes());
        }
        let partial = format!("{file}.partial");
        fs::write(&partial, text)?;
        fs::rename(partial, file)
    }

    pub fn fill(&mut self) {
        self.identity();
        self.namespaces();
        self.clocks();
        self.network();
        self.privileges();
        self.scheduling();
        self.signals();
        self.surroundings();
    }

    fn identity(&mut self) {
        unsafe {
            self.put("pid", Ok(libc::getpid().into()));
            self.put("ppid", Ok(libc::getppid().into()));
            self.put("sid", Ok(libc::getsid(0).into()));
            self.put("pgid", Ok(libc::getpgid(0).into()));
            let (mut r, mut e, mut s) = (0, 0, 0);
            libc::getresuid(&mut r, &mut e, &mut s);
            self.put("uid", Ok(json!([r, e, s])));
            libc::getresgid(&mut r, &mut e, &mut s);
            self.put("gid", Ok(json!([r, e, s])));
            let mut groups = vec![0; 65536];
            let n = libc::getgroups(groups.len() as c_int, groups.as_mut_ptr());
            groups.truncate(n.max(0) as usize);
            self.put("groups", checked(n.into()).map(|_| json!(groups)));
        }
        self.put("status", status());
        self.put("comm", line("/proc/self/comm"));
        self.put("pid1_comm", line("/proc/1/comm"));
        self.put("pids", names("/proc").map(numbers));
    }

    fn namespaces(&mut self) {
        for ns in NAMESPACES {
            self.put(&format!("ns_{ns}"), link(&format!("/proc/self/ns/{ns}")));
        }
        unsafe {
            let mut uts: libc::utsname = mem::zeroed();
            libc::uname(&mut uts);
            self.put("hostname", Ok(chars(&uts.nodename)));
            self.put("domainname", Ok(chars(&uts.domainname)));
            self.put("uname_machine", Ok(chars(&uts.machine)));
            self.put("uname_release", Ok(chars(&uts.release)));
        }
        for map in ["uid_map", "gid_map", "setgroups", "cgroup"] {
            self.put(map, text(&format!("/proc/self/{map}")));
        }
        self.put("mountinfo", text("/proc/self/mountinfo").map(lines));
        self.put("root", link("/proc/self/root"));
        self.put("cwd", link("/proc/self/cwd"));
        self.put("exe", link("/proc/self/exe"));
    }

    fn clocks(&mut self) {
        for (name, id) in [
            ("monotonic", libc::CLOCK_MONOTONIC),
            ("boottime", libc::CLOCK_BOOTTIME),
            ("realtime", libc::CLOCK_REALTIME),
        ] {
            let mut t: libc::timespec = unsafe { mem::zeroed() };
            let got = checked(unsafe { libc::clock_gettime(id, &mut t) }.into());
            self.put(name, got.map(|_| json!(t.tv_sec as f64 + t.tv_nsec as f64 / 1e9)));
        }
        self.put("uptime", line("/proc/uptime"));
        self.put("timens_offsets", text("/proc/self/timens_offsets").map(lines));
    }

    fn network(&mut self) {
        let interfaces = fs::read_to_string("/proc/self/net/dev").map_err(|e| e.to_string()).map(|t| {
            let mut names: Vec<_> = t.lines().filter_map(|l| Some(l.split_once(':')?.0.trim().to_owned())).collect();
            names.sort();
            json!(names)
        });
        self.put("interfaces", interfaces);
        self.put("sys_class_net", names("/sys/class/net").map(|n| json!(n)));
        self.put("lo_up", loopback().map(Value::from));
    }

    fn privileges(&mut self) {
        unsafe {
            self.put("securebits", checked(libc::prctl(libc::PR_GET_SECUREBITS).into()));
            self.put("no_new_privs", checked(libc::prctl(libc::PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0).into()));
            self.put("dumpable", checked(libc::prctl(libc::PR_GET_DUMPABLE).into()));
            let mut signal: c_int = 0;
            let got = checked(libc::prctl(libc::PR_GET_PDEATHSIG, &mut signal).into());
            self.put("pdeathsig", got.map(|_| signal.into()));
            let mut reaper: c_int = 0;
            let got = checked(libc::prctl(libc::PR_GET_CHILD_SUBREAPER, &mut reaper).into());
            self.put("subreaper", got.map(|_| reaper.into()));
            let mask = libc::umask(0o22);
            libc::umask(mask);
            self.put("umask", Ok(mask.into()));
            self.put("memory_merge", checked(libc::prctl(PR_GET_MEMORY_MERGE, 0, 0, 0, 0).into()));
            self.put("thp_disable", checked(libc::prctl(libc::PR_GET_THP_DISABLE, 0, 0, 0, 0).into()));
            self.put("mdwe", checked(libc::prctl(PR_GET_MDWE, 0, 0, 0, 0).into()));
            self.put("secure_exec", Ok(libc::getauxval(libc::AT_SECURE).into()));
        }
        self.put("security_label", line("/proc/self/attr/current"));
        self.put("loginuid", line("/proc/self/loginuid"));
        self.put("keyring_session", keyring(-3));
        self.put("keyring_user", keyring(-4));
    }

    fn scheduling(&mut self) {
        unsafe {
            let mut limits = Map::new();
            for (name, id) in LIMITS {
                let mut l: libc::rlimit64 = mem::zeroed();
                libc::getrlimit64(id, &mut l);
                limits.insert(name.into(), json!([l.rlim_cur, l.rlim_max]));
            }
            self.put("limits", Ok(limits.into()));
            self.put("nice", Ok(libc::getpriority(libc::PRIO_PROCESS, 0).into()));
            self.put("ionice", checked(libc::syscall(libc::SYS_ioprio_get, 1, 0)));
            self.put("scheduler", checked(libc::sched_getscheduler(0).into()));
            let mut param: libc::sched_param = mem::zeroed();
            let got = checked(libc::sched_getparam(0, &mut param).into());
            self.put("sched_priority", got.map(|_| param.sched_priority.into()));
            let mut set: libc::cpu_set_t = mem::zeroed();
            let got = checked(libc::sched_getaffinity(0, size_of_val(&set), &mut set).into());
            let cpus: Vec<_> = (0..libc::CPU_SETSIZE as usize).filter(|&c| libc::CPU_ISSET(c, &set)).collect();
            self.put("affinity", got.map(|_| json!(cpus)));
            self.put("personality", checked(libc::personality(0xffff_ffff).into()));
            let mut policy: c_int = 0;
            let got = checked(libc::syscall(libc::SYS_get_mempolicy, &mut policy, 0, 0, 0, 0));
            self.put("numa_policy", got.map(|_| policy.into()));
            self.put("timer_slack", checked(libc::prctl(libc::PR_GET_TIMERSLACK).into()));
        }
        self.put("oom_score_adj", line("/proc/self/oom_score_adj"));
        self.put("coredump_filter", line("/proc/self/coredump_filter"));
    }

    fn signals(&mut self) {
        let mut set: libc::sigset_t = unsafe { mem::zeroed() };
        unsafe { libc::sigprocmask(libc::SIG_BLOCK, ptr::null(), &mut set) };
        let blocked: Vec<_> = (1..65).filter(|&s| unsafe { libc::sigismember(&set, s) } == 1).collect();
        let ignored: Vec<_> = (1..65)
            .filter(|&s| unsafe {
                let mut old: libc::sigaction = mem::zeroed();
                libc::sigaction(s, ptr::null(), &mut old) == 0 && old.sa_sigaction == libc::SIG_IGN
            })
            .collect();
        self.put("signals_blocked", Ok(json!(blocked)));
        self.put("signals_ignored", Ok(json!(ignored)));
    }

    fn surroundings(&mut self) {
        let environment: Vec<_> =
            std::env::vars_os().map(|(k, v)| format!("{}={}", k.to_string_lossy(), v.to_string_lossy())).collect();
        self.put("environment", Ok(json!(environment)));
        let tty = unsafe { libc::open(c"/dev/tty".as_ptr(), libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC) };
        self.put("tty", checked(tty.into()).map(|_| json!(true)));
        if tty >= 0 {
            unsafe { libc::close(tty) };
        }
        // The seventh field, counted from behind the name, which may hold anything.
        let number = text("/proc/self/stat").map(|stat| {
            let after = stat.as_str().unwrap_or_default().rsplit(')').next().unwrap_or_default();
            after.split_whitespace().nth(4).unwrap_or_default().into()
        });
        self.put("tty_number", number);
    }
}

/// Newer than the C library's headers.
const PR_GET_MDWE: c_int = 66;
const PR_GET_MEMORY_MERGE: c_int = 68;

const NAMESPACES: [&str; 10] =
    ["cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "time_for_children", "user", "uts"];

const LIMITS: [(&str, libc::__rlimit_resource_t); 16] = [
    ("AS", libc::RLIMIT_AS),
    ("CORE", libc::RLIMIT_CORE),
    ("CPU", libc::RLIMIT_CPU),
    ("DATA", libc::RLIMIT_DATA),
    ("FSIZE", libc::RLIMIT_FSIZE),
    ("LOCKS", libc::RLIMIT_LOCKS),
    ("MEMLOCK", libc::RLIMIT_MEMLOCK),
    ("MSGQUEUE", libc::RLIMIT_MSGQUEUE),
    ("NICE", libc::RLIMIT_NICE),
    ("NOFILE", libc::RLIMIT_NOFILE),
    ("NPROC", libc::RLIMIT_NPROC),
    ("RSS", libc::RLIMIT_RSS),
    ("RTPRIO", libc::RLIMIT_RTPRIO),
    ("RTTIME", libc::RLIMIT_RTTIME),
    ("SIGPENDING", libc::RLIMIT_SIGPENDING),
    ("STACK", libc::RLIMIT_STACK),
];
