//! Root file systems: a tarball for a Debian suite and a profile, made once and kept outside the tree.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

/// A Debian suite, for the systemd that it has.
#[derive(Clone, Copy, Debug)]
pub struct Suite {
    pub name: &'static str,
    pub version: u32,
}

pub const SUITES: [Suite; 3] = [
    Suite { name: "bookworm", version: 252 },
    Suite { name: "trixie", version: 257 },
    Suite { name: "sid", version: 262 },
];

const PACKAGES: &str = "systemd,systemd-sysv,dbus,iproute2,iputils-ping,nftables,procps,libpam-systemd,uidmap,python3,\
                        libcap2-bin,util-linux,busybox,memcached,curl";

/// Which packages a root has, and so what its machine is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Profile {
    /// What most cases need.
    Base,
    /// Real daemons, some of them large.
    Daemons,
}

const DAEMONS: &str = "systemd,systemd-sysv,dbus,iproute2,procps,curl,util-linux,nginx-light,redis-server,postgresql,\
                       chrony,openssh-server,openssh-client";

impl Profile {
    fn packages(self) -> &'static str {
        match self {
            Profile::Base => PACKAGES,
            Profile::Daemons => DAEMONS,
        }
    }
}

pub fn wanted_suites() -> Vec<Suite> {
    let Ok(wanted) = env::var("UNITCELL_MACHINES") else {
        return SUITES.to_vec();
    };
    let wanted: Vec<_> = wanted.split([',', ' ']).filter(|w| !w.is_empty()).collect();
    let known = |w: &&str| SUITES.iter().any(|s| s.version.to_string() == **w);
    if wanted.is_empty() || !wanted.iter().all(known) {
        // To go on would be a pass that tested nothing.
        eprintln!("UNITCELL_MACHINES: {wanted:?}: there are 252, 257 and 262");
        std::process::exit(2);
    }
    SUITES.into_iter().filter(|s| wanted.contains(&s.version.to_string().as_str())).collect()
}

impl Suite {
    pub fn tarball(&self, profile: Profile) -> PathBuf {
        let recipe = format!("{} minbase {}", self.name, profile.packages());
        cache_dir().join(format!("{}-{:016x}.tar", self.name, fnv1a(recipe.as_bytes())))
    }

    /// The cached tarball, made if need be. A file of this name is always a whole one.
    pub fn make_tarball(&self, profile: Profile) -> Result<PathBuf, String> {
        let tarball = self.tarball(profile);
        if tarball.exists() {
            return Ok(tarball);
        }
        fs::create_dir_all(cache_dir()).map_err(|e| format!("{}: {e}", cache_dir().display()))?;
        self.remove_leftovers();
        // mmdebstrap goes by the name's ending, so the temporary one keeps it.
        let partial = cache_dir().join(format!(".{}-{profile:?}-{}.tar", self.name, std::process::id()));
        eprintln!(
            "making the {profile:?} root for systemd {} ({}); it is kept for later runs",
            self.version, self.name
        );
        let made = self.debootstrap(profile, &partial).and_then(|()| {
            fs::File::open(&partial)
                .and_then(|f| f.sync_all())
                .and_then(|()| fs::rename(&partial, &tarball))
                .map_err(|e| format!("{}: {e}", tarball.display()))
        });
        if made.is_err() {
            let _ = fs::remove_file(&partial);
        }
        made.map(|()| tarball)
    }

    /// Half-made tarballs of runs that were killed.
    fn remove_leftovers(&self) {
        for entry in fs::read_dir(cache_dir()).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let name = name.strip_prefix(&format!(".{}-", self.name)).and_then(|n| n.strip_suffix(".tar"));
            let pid = name.and_then(|name| name.rsplit('-').next());
            if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    fn debootstrap(&self, profile: Profile, target: &Path) -> Result<(), String> {
        let output = Command::new("mmdebstrap")
            .args(["--variant=minbase", "--aptopt=Acquire::Check-Valid-Until \"false\""])
            .args(["doc", "man", "locale"].map(|part| format!("--dpkgopt=path-exclude=/usr/share/{part}/*")))
            .arg(format!("--include={}", profile.packages()))
            .arg(self.name)
            .arg(target)
            .stdin(Stdio::null())
            .output()
            .map_err(|e| format!("mmdebstrap: {e}"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("mmdebstrap {}: {}\n{}", self.name, output.status, String::from_utf8_lossy(&output.stderr)))
    }

    /// Onto an empty directory. A tarball that can't be read is made anew, once.
    pub fn unpack(&self, profile: Profile, tarball: &Path, root: &Path) -> Result<(), String> {
        untar(tarball, root).or_else(|first| {
            eprintln!("{}: {first}; making it again", tarball.display());
            fs::remove_file(tarball).map_err(|e| format!("{}: {e}", tarball.display()))?;
            untar(&self.make_tarball(profile)?, root)
        })
    }
}

fn untar(tarball: &Path, root: &Path) -> Result<(), String> {
    let output = Command::new("tar")
        .args(["--numeric-owner", "--overwrite", "-xf"])
        .arg(tarball)
        .arg("-C")
        .arg(root)
        .output()
        .map_err(|e| format!("tar: {e}"))?;
    // An image cut short at a file's end unpacks without complaint; PID 1 is among the last.
    if output.status.success() && root.join("usr/lib/systemd/systemd").exists() {
        return Ok(());
    }
    Err(format!("tar: {} {}", output.status, String::from_utf8_lossy(&output.stderr)))
}

fn cache_dir() -> PathBuf {
    let own = |base: PathBuf| base.join("unitcell");
    env::var_os("UNITCELL_TEST_CACHE")
        .map(PathBuf::from)
        .or_else(|| env::var_os("XDG_CACHE_HOME").map(|d| own(d.into())))
        .or_else(|| env::var_os("HOME").map(|d| own(Path::new(&d).join(".cache"))))
        .unwrap_or_else(|| own("/var/cache".into()))
}

/// The same name on every toolchain, which std's hashers don't promise.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}
