//! Named network namespaces: pins in `/run/netns`, which `ip netns` sees as we see its own.
//!
//! `up` makes what is missing and `down` removes what `up` made; a record in `/run/unitcell/netns`
//! tells the two apart. Both look first, decide ([`decide`]), and then act ([`lifecycle`]), so both
//! can be called again after any crash.
#![forbid(unsafe_code)]

pub mod decide;
pub mod description;
pub mod error;
pub mod lifecycle;
pub mod list;

mod directory;
mod pin;
mod record;

use std::path::{Path, PathBuf};

pub use error::Error;
pub use lifecycle::{Down, Up, down, up};
pub use list::{Named, list};

/// What tells one network namespace from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The inode number, which a later namespace may get again.
    pub inode: u64,
    /// The number that none gets again, where the kernel has it.
    pub cookie: Option<u64>,
}

/// Where pins and records are.
#[derive(Debug, Clone)]
pub struct Places {
    pins: PathBuf,
    records: PathBuf,
    descriptions: Vec<PathBuf>,
}

impl Places {
    /// The system's own.
    pub fn system() -> Places {
        Places {
            pins: "/run/netns".into(),
            records: "/run/unitcell/netns".into(),
            descriptions: ["/etc/unitcell", "/run/unitcell", "/usr/local/lib/unitcell", "/usr/lib/unitcell"]
                .map(PathBuf::from)
                .into(),
        }
    }

    /// The pin of a name.
    pub fn pin(&self, name: &str) -> PathBuf {
        self.pins.join(name)
    }

    /// The file that describes more than a plain namespace, if there is one.
    fn description(&self, name: &str) -> Option<PathBuf> {
        let file = format!("{name}.netns");
        self.descriptions.iter().map(|directory| directory.join(&file)).find(|path| exists(path))
    }
}

/// A link that leads nowhere is there, too.
fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
