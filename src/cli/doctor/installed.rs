//! Our own parts: there, in force, and of one version.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Check, Files};
use crate::generator::facts::installed_wrapper;

const AREA: &str = "unitcell";
const OWN_VERSION: &str = env!("CARGO_PKG_VERSION");
const GENERATOR: &str = "unitcell-generator";

/// Where systemd looks for generators; the first of a name counts, systemd.generator(7).
const SYSTEM: [&str; 5] = [
    "/run/systemd/system-generators",
    "/etc/systemd/system-generators",
    "/usr/local/lib/systemd/system-generators",
    "/usr/lib/systemd/system-generators",
    "/lib/systemd/system-generators",
];
const USER: [&str; 5] = [
    "/run/systemd/user-generators",
    "/etc/systemd/user-generators",
    "/usr/local/lib/systemd/user-generators",
    "/usr/lib/systemd/user-generators",
    "/lib/systemd/user-generators",
];

pub fn checks(files: &Files) -> Vec<Check> {
    let mut checks = vec![generator(files, &SYSTEM, "system"), generator(files, &USER, "user")];
    checks.push(wrapper(files));
    checks.extend(["system", "user"].map(|scope| netns_unit(files, scope)));
    checks
}

/// The unit that owns named network namespaces.
fn netns_unit(files: &Files, scope: &str) -> Check {
    let path = ["/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib"]
        .map(|above| format!("{above}/systemd/{scope}/unitcell-netns@.service"))
        .into_iter()
        .find(|path| files.path(path).exists());
    match path {
        Some(path) => Check::ok(AREA, format!("unitcell-netns@.service is {path}")),
        None => Check::warning(
            AREA,
            format!("unitcell-netns@.service is missing: NetworkNamespace= of {scope} units can't be had"),
            "`make install`, or install the package again",
        ),
    }
}

fn generator(files: &Files, directories: &[&str], scope: &str) -> Check {
    let path = directories.iter().map(|directory| format!("{directory}/{GENERATOR}")).find(|path| {
        // A link that leads nowhere is there, too.
        files.path(path).symlink_metadata().is_ok()
    });
    let Some(path) = path else {
        let what = format!(
            "the {scope} generator is not installed: cells of {scope} units are not seen, and they start without"
        );
        return Check::error(
            AREA,
            what,
            "`make install PREFIX=/usr`, or install the package; then `systemctl daemon-reload`",
        );
    };
    let file = files.path(&path);
    if is_masked(&file) {
        return Check::error(
            AREA,
            format!("the {scope} generator is masked by {path}: units start without their cells"),
            format!("`rm {path}`, then `systemctl daemon-reload`"),
        );
    }
    version_check(&file, &path, &format!("the {scope} generator"))
}

/// A link to /dev/null, or an empty file.
fn is_masked(file: &Path) -> bool {
    fs::canonicalize(file).is_ok_and(|target| target == Path::new("/dev/null"))
        || file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() == 0)
}

fn wrapper(files: &Files) -> Check {
    let path = installed_wrapper();
    let file = files.path(&path);
    if !file.exists() {
        return Check::error(
            AREA,
            format!("the wrapper is not at {path}, where the generator has units look for it: their start fails"),
            "`make install` with the PREFIX= of the generator, or install the package again",
        );
    }
    version_check(&file, &path, "the wrapper")
}

/// A part of another version may not know what this one writes.
fn version_check(file: &PathBuf, path: &str, what: &str) -> Check {
    let reinstall = "install all parts of one version; then `systemctl daemon-reload`";
    let executable =
        file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0);
    if !executable {
        return Check::error(AREA, format!("{what}, {path}, can't be executed"), format!("`chmod 755 {path}`"));
    }
    match Command::new(file).arg("--version").output() {
        Ok(output) if output.status.success() => {
            let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            match text.split_whitespace().any(|word| word == OWN_VERSION) {
                true => Check::ok(AREA, format!("{what} is {path}, version {OWN_VERSION}")),
                false => Check::error(
                    AREA,
                    format!("{what}, {path}, is {text:?}, but this is version {OWN_VERSION}"),
                    reinstall,
                ),
            }
        }
        Ok(_) => Check::error(AREA, format!("{what}, {path}, does not know its version"), reinstall),
        Err(error) => Check::error(AREA, format!("{what}, {path}, does not run: {error}"), reinstall),
    }
}
