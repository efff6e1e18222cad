//! Where everything is.

use std::path::{Path, PathBuf};

use ipnet::IpNet;

use super::description;
use crate::unit::files::Directories;

/// The directories of pins, records and descriptions.
#[derive(Debug, Clone)]
pub struct Places {
    pub(super) pins: PathBuf,
    pub(super) records: PathBuf,
    pub(super) etc: PathBuf,
    pub(super) descriptions: Directories,
}

impl Places {
    /// The system's own.
    pub fn system() -> Places {
        Places::of_root(Path::new("/"))
    }

    /// The same below a directory.
    #[cfg(test)]
    pub fn below(root: &Path) -> Places {
        Places::of_root(root)
    }

    fn of_root(root: &Path) -> Places {
        Places {
            pins: root.join("run/netns"),
            records: root.join("run/unitcell/netns"),
            etc: root.join("etc"),
            descriptions: description::directories(root),
        }
    }

    /// The pin of a name.
    pub fn pin(&self, name: &str) -> PathBuf {
        self.pins.join(name)
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

    /// Where the administrator keeps files for a name, ip-netns(8).
    pub fn of_administrator(&self, name: &str) -> PathBuf {
        self.etc.join("netns").join(name)
    }
}
