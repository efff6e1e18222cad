//! One machine: systemd as PID 1 of a container, and ways to act inside.
// A vocabulary for cases: that no case needs a word today is no reason to drop it.
#![allow(dead_code)]

use std::fs::{self, File};
use std::io::{Read, Seek};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, RwLock};
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{env, iter};

use nix::mount::{MsFlags, mount};

use crate::image::{Profile, Suite};
use crate::product;

const BOOT: Duration = Duration::from_secs(120);
/// Long for a loaded machine; what hangs is killed and fails its case.
const COMMAND: Duration = Duration::from_secs(60);

/// Where payloads leave their dumps; world-writable.
pub const DUMPS: &str = "/run/unitcell-tests";

/// An ordinary user whose manager is up from boot on.
pub const USER: &str = "tester";
pub const USER_ID: u32 = 1000;

pub struct Machine {
    version: u32,
    leader: u32,
    /// Of the machine's PID 1: what runs in here belongs to the machine, and ends with it.
    init_cgroup: PathBuf,
    /// Where the tool is outside.
    programs: PathBuf,
    nspawn: Mutex<Child>,
    /// Shared by cases that leave the others alone.
    pub turn: RwLock<()>,
}

#[derive(Debug)]
pub struct Output {
    /// None: ended by a signal. 124: out of time.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Output {
    pub fn success(&self) -> bool {
        self.code == Some(0)
    }

    /// Its standard output without the last newline; panics if it failed.
    #[track_caller]
    pub fn ok(&self) -> &str {
        assert!(self.success(), "{self:?}");
        self.stdout.trim_end_matches('\n')
    }
}

/// What PID 1 of a machine may do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Power {
    /// All that root may.
    Whole,
    /// All but what takes CAP_SYS_ADMIN: there systemd's own settings go on without namespaces.
    WithoutSysAdmin,
}

impl Machine {
    pub fn boot(
        suite: &Suite,
        power: Power,
        profile: Profile,
        tarball: &Path,
        built: &Path,
        run_dir: &Path,
    ) -> Result<Machine, String> {
        let begun = Instant::now();
        let name = match (power, profile) {
            (Power::Whole, Profile::Base) => suite.version.to_string(),
            (Power::WithoutSysAdmin, _) => format!("{}-powerless", suite.version),
            (Power::Whole, Profile::Daemons) => format!("{}-daemons", suite.version),
        };
        let root = run_dir.join(&name);
        mount_tmpfs(&root)?;
        suite.unpack(profile, tarball, &root)?;
        prepare(&root).map_err(|e| format!("{}: {e}", root.display()))?;
        product::install(built, &root)?;
        let unpacked = begun.elapsed();

        let cgroup = own_cgroup(run_dir, &name)?;
        let console = run_dir.join(format!("{name}.console"));
        let nspawn = nspawn(&root, &cgroup, &console, &name, power).map_err(|e| format!("nspawn: {e}"))?;
        let mut machine = Machine {
            version: 0,
            leader: 0,
            init_cgroup: cgroup.join("payload/init.scope"),
            programs: built.join("usr/bin"),
            nspawn: Mutex::new(nspawn),
            turn: RwLock::default(),
        };
        machine
            .wait_until_up()
            .map_err(|error| format!("{error}\n{}", fs::read_to_string(&console).unwrap_or_default()))?;
        machine.read_version()?;
        machine.sh(&format!("mkdir -m 1777 {DUMPS}")).ok();
        if env::var_os("UNITCELL_TEST_VERBOSE").is_some() {
            eprintln!("systemd {} is up: {unpacked:.1?} to install, {:.1?} in all", machine.version, begun.elapsed());
        }
        Ok(machine)
    }

    fn wait_until_up(&mut self) -> Result<(), String> {
        let mut last = String::new();
        let up = wait_for(
            || {
                // Early on the child is nspawn's helper; the real one replaces it.
                let Some(leader) = self.find_leader() else {
                    return false;
                };
                self.leader = leader;
                let state = self.exec(&["systemctl", "is-system-running", "--wait"]);
                last = format!("{}{}", state.stdout, state.stderr);
                matches!(state.stdout.trim(), "running" | "degraded")
            },
            BOOT,
        );
        if up { Ok(()) } else { Err(format!("did not boot: {last}")) }
    }

    fn find_leader(&self) -> Option<u32> {
        let nspawn = self.nspawn.lock().ok()?.id();
        let children = fs::read_to_string(format!("/proc/{nspawn}/task/{nspawn}/children")).ok()?;
        let namespace = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
        let leader = children.split_whitespace().find(|pid| {
            let theirs = namespace(pid);
            theirs.is_some() && theirs != namespace("self")
        })?;
        leader.parse().ok()
    }

    fn read_version(&mut self) -> Result<(), String> {
        let output = self.exec(&["systemctl", "--version"]);
        let version = output.stdout.split_whitespace().nth(1).and_then(|v| v.parse().ok());
        self.version = version.ok_or_else(|| format!("which systemd? {output:?}"))?;
        Ok(())
    }

    /// Of the systemd that runs, as it says itself.
    pub fn version(&self) -> u32 {
        self.version
    }

    pub fn exec(&self, words: &[&str]) -> Output {
        let mut command = Command::new("timeout");
        command
            .arg("--kill-after=5")
            .arg(COMMAND.as_secs().to_string())
            .args(["sh", "-c", r#"echo $$ 2>/dev/null >"$0/cgroup.procs"; exec "$@""#])
            .arg(&self.init_cgroup)
            .args(["nsenter", "-t", &self.leader.to_string()])
            .args(["-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w", "--", "env", "-i"])
            .args(["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"])
            .args(["HOME=/root", "SYSTEMD_PAGER=", "SYSTEMD_COLORS=0"])
            .args(words);
        run(command)
    }

    pub fn sh(&self, script: &str) -> Output {
        self.exec(&["sh", "-c", script])
    }

    /// On the machine that runs the tests, for which this one is the container `$MACHINE`. What systemd-machined
    /// would write down of it is there for the script alone.
    pub fn outside(&self, script: &str) -> Output {
        let path = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths(iter::once(self.programs.clone()).chain(env::split_paths(&path)));
        let registered = r#"mount -t tmpfs none /run/systemd && mkdir /run/systemd/machines &&
            printf 'CLASS=container\nLEADER=%s\n' "$0" >"/run/systemd/machines/$MACHINE" && eval "$1""#;
        let mut command = Command::new("timeout");
        command
            .arg("--kill-after=5")
            .arg(COMMAND.as_secs().to_string())
            .args(["unshare", "--mount", "sh", "-c", registered, &self.leader.to_string(), script])
            .envs([("MACHINE", "box"), ("SYSTEMD_COLORS", "0")])
            .env("PATH", path.expect("directories without a colon"));
        run(command)
    }

    /// In the session of a lingering user.
    pub fn user_sh(&self, user: &str, script: &str) -> Output {
        // The pieces are fixed words but the script, which goes in as one argument.
        self.exec(&[
            "sh",
            "-c",
            r#"uid=$(id -u "$0") && cd / && exec setpriv --reuid="$0" --regid="$0" --init-groups env \
               HOME="/home/$0" USER="$0" XDG_RUNTIME_DIR="/run/user/$uid" \
               DBUS_SESSION_BUS_ADDRESS="unix:path=/run/user/$uid/bus" sh -c "$1""#,
            user,
            script,
        ])
    }

    pub fn systemctl(&self, words: &[&str]) -> Output {
        self.exec(&[&["systemctl", "--no-pager"], words].concat())
    }

    #[track_caller]
    pub fn daemon_reload(&self) {
        self.systemctl(&["daemon-reload"]).ok();
    }

    /// One property of a unit, without its name.
    #[track_caller]
    pub fn show(&self, unit: &str, property: &str) -> String {
        self.systemctl(&["show", "-P", property, unit]).ok().to_owned()
    }

    pub fn journal(&self, unit: &str) -> String {
        self.sh(&format!("journalctl --sync; journalctl --no-pager -o short-precise -u {unit}")).stdout
    }

    /// The machine's file system as seen from here, and as PID 1 of the machine sees it.
    pub fn path(&self, inside: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{inside}", self.leader))
    }

    #[track_caller]
    pub fn write(&self, path: &str, text: &str) {
        let outside = self.path(path);
        let written = fs::create_dir_all(outside.parent().unwrap_or(&outside)).and_then(|()| fs::write(&outside, text));
        written.unwrap_or_else(|e| panic!("write {path}: {e}"));
    }

    #[track_caller]
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|e| panic!("read {path}: {e}"))
    }

    /// What `readlink /proc/1/ns/KIND` says inside: the namespace a unit has without a cell.
    #[track_caller]
    pub fn manager_ns(&self, kind: &str) -> String {
        let link = fs::read_link(format!("/proc/{}/ns/{kind}", self.leader));
        link.unwrap_or_else(|e| panic!("namespace {kind} of PID 1: {e}")).to_string_lossy().into_owned()
    }
}

/// Looks until it holds, often at first; false when time is up.
pub fn wait_for(mut condition: impl FnMut() -> bool, timeout: Duration) -> bool {
    let end = Instant::now() + timeout;
    let mut pause = Duration::from_millis(5);
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}

/// Into files and not pipes: a daemon that a script leaves running would hold a pipe open.
fn run(mut command: Command) -> Output {
    let file = || tempfile::tempfile().expect("temporary file");
    let (mut stdout, mut stderr) = (file(), file());
    let copy = |f: &File| f.try_clone().expect("descriptor");
    let status = command.stdin(Stdio::null()).stdout(copy(&stdout)).stderr(copy(&stderr)).status().expect("timeout(1)");
    let text = |f: &mut File| {
        let mut bytes = Vec::new();
        let read = f.rewind().and_then(|()| f.read_to_end(&mut bytes));
        read.expect("temporary file");
        String::from_utf8_lossy(&bytes).into_owned()
    };
    Output { code: status.code(), stdout: text(&mut stdout), stderr: text(&mut stderr) }
}

fn mount_tmpfs(dir: &Path) -> Result<(), String> {
    fs::create_dir_all(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    mount(Some("tmpfs"), dir, Some("tmpfs"), MsFlags::empty(), Some("mode=755,size=1g"))
        .map_err(|e| format!("tmpfs on {}: {e}", dir.display()))
}

/// What every test root has on top of its packages.
fn prepare(root: &Path) -> std::io::Result<()> {
    let append = |file: &str, line: &str| -> std::io::Result<()> {
        let path = root.join(file);
        let text = fs::read_to_string(&path).unwrap_or_default();
        fs::write(path, text + line)
    };
    append("etc/passwd", &format!("{USER}:x:{USER_ID}:{USER_ID}::/home/{USER}:/bin/sh\n"))?;
    append("etc/group", &format!("{USER}:x:{USER_ID}:\n"))?;
    append("etc/shadow", &format!("{USER}:!:19000::::::\n"))?;
    append("etc/subuid", &format!("{USER}:100000:65536\n"))?;
    append("etc/subgid", &format!("{USER}:100000:65536\n"))?;
    fs::create_dir_all(root.join("home").join(USER))?;
    chown(root.join("home").join(USER), Some(USER_ID), Some(USER_ID))?;
    fs::create_dir_all(root.join("var/lib/systemd/linger"))?;
    fs::write(root.join("var/lib/systemd/linger").join(USER), "")?;

    // What has nothing to do in here, and fails or gets busy while cases look at the machine.
    let timers = ["apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer"];
    let daemons =
        ["memcached", "nginx", "redis-server", "postgresql", "chrony", "ssh"].map(|name| format!("{name}.service"));
    let quiet = timers.into_iter().chain(["fstrim.timer", "systemd-modules-load.service"]);
    for unit in quiet.chain(daemons.iter().map(String::as_str)) {
        symlink("/dev/null", root.join("etc/systemd/system").join(unit))?;
    }
    let journald = root.join("etc/systemd/journald.conf.d");
    fs::create_dir_all(&journald)?;
    fs::set_permissions(&journald, fs::Permissions::from_mode(0o755))?;
    fs::write(journald.join("tests.conf"), "[Journal]\nRateLimitBurst=0\nStorage=volatile\n")
}

/// A cgroup for each machine: several nspawns in one would all take its `payload` for theirs.
fn own_cgroup(run_dir: &Path, machine: &str) -> Result<PathBuf, String> {
    let read = |f: &str| fs::read_to_string(f).map_err(|e| format!("{f}: {e}"));
    let mounts = read("/proc/self/mountinfo")?;
    let mounted = mounts
        .lines()
        .find(|l| l.contains(" - cgroup2 "))
        .and_then(|l| l.split(' ').nth(4))
        .ok_or("no cgroup2 file system is mounted")?;
    let membership = read("/proc/self/cgroup")?;
    let ours = membership.lines().find_map(|l| l.strip_prefix("0::/")).unwrap_or_default();
    let name = format!("unitcell-test-{}-{machine}", std::process::id());
    let cgroup = Path::new(mounted).join(ours).join(name);
    // Written down before it is made, so that there is never one that nobody knows of.
    fs::write(run_dir.join(format!("{machine}.cgroup")), cgroup.to_string_lossy().as_bytes())
        .and_then(|()| fs::create_dir(&cgroup))
        .map_err(|e| format!("{}: {e}", cgroup.display()))?;
    Ok(cgroup)
}

fn nspawn(root: &Path, cgroup: &Path, console: &Path, name: &str, power: Power) -> std::io::Result<Child> {
    let console = File::create(console)?;
    Command::new("sh")
        .args(["-c", r#"echo $$ >"$0/cgroup.procs" && exec "$@""#])
        .arg(cgroup)
        .args(["systemd-nspawn", "--register=no", "--keep-unit", "--private-network"])
        .args(["--capability=all", "--link-journal=no", "--console=read-only", "--kill-signal=SIGRTMIN+3"])
        .arg(format!("--directory={}", root.display()))
        .arg(format!("--machine=unitcell-{}-{name}", std::process::id()))
        // nspawn gives PID 1 all capabilities as inheritable ones, too; a kernel gives it none.
        .args(["setpriv", "--inh-caps=-all"])
        .args((power == Power::WithoutSysAdmin).then_some("--bounding-set=-sys_admin"))
        .arg("/lib/systemd/systemd")
        .env("SYSTEMD_NSPAWN_UNIFIED_HIERARCHY", "1")
        .stdin(Stdio::null())
        .stdout(console.try_clone()?)
        .stderr(console)
        .spawn()
}
