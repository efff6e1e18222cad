//! The machines of one run: booted when the first case asks, side by side.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::image::{Profile, Suite};
use crate::janitor::Janitor;
use crate::machine::{Machine, Power};
use crate::product;

type Booted = OnceLock<Result<Arc<Machine>, String>>;

pub struct Fleet {
    machines: BTreeMap<(u32, Power, Profile), (Suite, Booted)>,
    prerequisites: OnceLock<Result<(), String>>,
    janitor: OnceLock<Result<Janitor, String>>,
    built: OnceLock<Result<(), String>>,
}

impl Fleet {
    pub fn new(suites: &[Suite]) -> Fleet {
        Fleet {
            machines: suites
                .iter()
                .flat_map(|s| {
                    let kinds = [
                        (Power::Whole, Profile::Base),
                        (Power::WithoutSysAdmin, Profile::Base),
                        (Power::Whole, Profile::Daemons),
                    ];
                    kinds.map(|(power, profile)| ((s.version, power, profile), (*s, OnceLock::new())))
                })
                .collect(),
            prerequisites: OnceLock::new(),
            janitor: OnceLock::new(),
            built: OnceLock::new(),
        }
    }

    /// What a run needs of the outer machine, or everything that is missing.
    pub fn prerequisites(&self) -> Result<(), String> {
        self.prerequisites
            .get_or_init(|| {
                let mut missing = Vec::new();
                if !nix::unistd::geteuid().is_root() {
                    missing.push("root privileges".to_owned());
                }
                let uncached =
                    self.machines.iter().any(|((.., profile), (suite, _))| !suite.tarball(*profile).exists());
                let tools = ["systemd-nspawn", "nsenter", "timeout", "tar", "make"];
                for tool in tools.into_iter().chain(uncached.then_some("mmdebstrap")) {
                    if !in_path(tool) {
                        missing.push(tool.to_owned());
                    }
                }
                if missing.is_empty() { Ok(()) } else { Err(format!("needs {}", missing.join(", "))) }
            })
            .clone()
    }

    pub fn machine(&self, version: u32, power: Power, profile: Profile) -> Result<Arc<Machine>, String> {
        let (suite, booted) = &self.machines[&(version, power, profile)];
        booted
            .get_or_init(|| {
                let janitor = self.janitor.get_or_init(Janitor::start).as_ref()?;
                // An image takes a minute to make, and so does a build: make use of both processors.
                let tarball = suite.make_tarball(profile)?;
                let built = janitor.dir().join("product");
                self.built.get_or_init(|| product::build(&built)).clone()?;
                Machine::boot(suite, power, profile, &tarball, &built, janitor.dir()).map(Arc::new)
            })
            .clone()
    }
}

fn in_path(tool: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path)
            .chain(["/usr/sbin".into(), "/sbin".into()])
            .any(|dir| Path::new(&dir).join(tool).is_file())
    })
}
