//! What is tested: built and installed by the Makefile, as a distribution would do it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where test roots have the payload.
pub const PAYLOAD: &str = "/usr/lib/unitcell-tests/payload";

/// Installs below `destdir`, once for all machines: they are to run the very same build.
pub fn build(destdir: &Path) -> Result<(), String> {
    let output = Command::new("make")
        .args(["--no-print-directory", "install", "test-payload", "PREFIX=/usr"])
        .arg(format!("DESTDIR={}", destdir.display()))
        .env("CARGO_TARGET_DIR", target_dir())
        // `make check` runs us: its job server is not for this make.
        .env_remove("MAKEFLAGS")
        .env_remove("MAKELEVEL")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("make: {e}"))?;
    if !output.status.success() {
        return Err(format!("make install: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)));
    }
    let payload = destdir.join(&PAYLOAD[1..]);
    std::fs::create_dir_all(payload.parent().unwrap_or(destdir))
        .and_then(|()| std::fs::copy(target_dir().join("release/examples/payload"), payload))
        .map_err(|e| format!("payload: {e}"))?;
    Ok(())
}

/// What [`build`] has installed, into a machine's root. All of it is in /usr, so that it does
/// not matter whether the root has /lib as a link.
pub fn install(built: &Path, root: &Path) -> Result<(), String> {
    let output = Command::new("cp")
        .args(["-a", "--no-preserve=ownership", "usr"])
        .arg(root)
        .current_dir(built)
        .output()
        .map_err(|e| format!("cp: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("cp: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Cargo tells nobody, but this program lies in TARGET/PROFILE/deps.
fn target_dir() -> PathBuf {
    let own = std::env::current_exe().unwrap_or_default();
    own.ancestors().nth(3).map(Path::to_owned).unwrap_or_default()
}
