//! Where everything is.

use std::path::{Path, PathBuf};

use ipnet::IpNet;

use super::Error;
use super::description::Descriptions;
use crate::unit::{Env, Scope};

/// The directories of pins, records and descriptions.
#[derive(Debug, Clone)]
pub struct Places {
    pub(super) scope: Scope,
    pub(super) pins: PathBuf,
    pub(super) records: PathBuf,
    pub(super) etc: PathBuf,
    given: PathBuf,
    pub(super) descriptions: Descriptions,
}

impl Places {
    /// The system's own.
    pub fn system() -> Places {
        Places::of_root(Path::new("/"))
    }

    /// Those of the user who runs this process.
    pub fn of_caller() -> Result<Places, Error> {
        Places::user(&Env::from_vars(std::env::vars_os()))
    }

    /// The user's, whose environment this is. A link stands for a pin, beside the record.
    pub fn user(env: &Env) -> Result<Places, Error> {
        let runtime = env.runtime_dir().ok_or(Error::NoRuntimeDirectory)?;
        let root = Path::new("/");
        let records = runtime.join("unitcell/netns");
        Ok(Places {
            scope: Scope::User,
            pins: records.clone(),
            records,
            etc: root.join("etc"),
            given: env.config_home().unwrap_or(runtime).join("netns"),
            descriptions: Descriptions::new(Scope::User, root, env),
        })
    }

    /// The same below a directory, with one for pins as `up` makes it.
    #[cfg(test)]
    pub fn below(root: &Path) -> Places {
        let places = Places::of_root(root);
        std::fs::create_dir_all(&places.pins).expect("a directory");
        places
    }

    fn of_root(root: &Path) -> Places {
        Places {
            scope: Scope::System,
            pins: root.join("run/netns"),
            records: root.join("run/unitcell/netns"),
            etc: root.join("etc"),
            given: root.join("etc/netns"),
            descriptions: Descriptions::new(Scope::System, root, &Env::default()),
        }
    }

    /// The pin of a name.
    pub fn pin(&self, name: &str) -> PathBuf {
        match self.scope {
            Scope::System => self.pins.join(name),
            Scope::User => self.record(name).join("net"),
        }
    }

    /// The directory of what we know of a name.
    pub fn record(&self, name: &str) -> PathBuf {
        self.records.join(name)
    }

    /// The file that describes a name until the next boot.
    pub fn sketch(&self, name: &str) -> PathBuf {
        self.records.with_file_name(format!("{name}.netns"))
    }

    /// The directory of what is known of things that several names need. No name begins with a dot.
    pub fn shared(&self) -> PathBuf {
        self.records.join(".shared")
    }

    /// The directory of which name has which network of the pool.
    pub fn leases(&self) -> PathBuf {
        self.records.join(".leases")
    }

    /// The file that says whose a network is.
    pub fn lease(&self, network: IpNet) -> PathBuf {
        self.leases().join(network.to_string().replace('/', "|"))
    }

    /// Where the administrator keeps files for a name, ip-netns(8), or the user for the user's own.
    pub fn of_administrator(&self, name: &str) -> PathBuf {
        self.given.join(name)
    }
}
