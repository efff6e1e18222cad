//! What is measured: our programs as `make install` builds them, and the floors, built from C.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::product;

pub struct Programs {
    directory: tempfile::TempDir,
    memory: tempfile::TempDir,
}

impl Programs {
    pub fn build() -> Result<Programs, String> {
        let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
        let memory = tempfile::tempdir_in("/dev/shm").map_err(|error| error.to_string())?;
        product::build(&directory.path().join("product"))?;
        for floor in ["true", "uts", "cell", "read", "netns", "crowd"] {
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/floor").join(format!("{floor}.c"));
            let status = Command::new("cc")
                .args(["-O2", "-static", "-Wall", "-o"])
                .arg(directory.path().join(floor))
                .arg(source)
                .status()
                .map_err(|error| format!("cc: {error}"))?;
            if !status.success() {
                return Err(format!("cc: {floor}.c: {status}"));
            }
        }
        Ok(Programs { directory, memory })
    }

    /// A place for what a suite makes.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// A place in memory, as /run is: what is written to a disk measures the disk.
    pub fn memory(&self) -> &Path {
        self.memory.path()
    }

    /// One of the C programs.
    pub fn floor(&self, name: &str) -> String {
        text(self.directory.path().join(name))
    }

    /// The wrapper.
    pub fn wrapper(&self) -> String {
        text(self.directory.path().join("product/usr/bin/unitcell-exec"))
    }

    /// The tool.
    pub fn tool(&self) -> String {
        text(self.directory.path().join("product/usr/bin/unitcell"))
    }

    /// The generator.
    pub fn generator(&self) -> Result<String, String> {
        let product = self.directory.path().join("product");
        let places = ["lib/systemd", "usr/lib/systemd"];
        let found = places.map(|place| product.join(place).join("system-generators/unitcell-generator"));
        found.into_iter().find(|path| path.exists()).map(text).ok_or_else(|| "no generator was installed".to_owned())
    }
}

fn text(path: PathBuf) -> String {
    path.to_string_lossy().into_owned()
}
