//! The systemd that runs, and what the wrapper does in its place.

use super::{Check, Files};
use crate::cell::DIRECTIVES;
use crate::cell::directive::Native;
use crate::generator::facts::{self, OLDEST};

const AREA: &str = "systemd";

pub fn checks(files: &Files) -> Vec<Check> {
    let mut checks = Vec::new();
    let booted = files.path("/run/systemd/system").is_dir();
    let init = files.read("/proc/1/comm").unwrap_or_default();
    if !booted {
        checks.push(Check::error(
            AREA,
            format!("systemd is not what runs here: process 1 is {init:?}"),
            "boot with systemd; of unitcell only `unitcell-exec`, and what takes process ids, works without it",
        ));
    }
    match facts::version_of(&files.root) {
        Some(version) if version < OLDEST => checks.push(Check::error(
            AREA,
            format!("systemd is version {version}"),
            format!("upgrade to {OLDEST} or later"),
        )),
        Some(version) => {
            checks.push(Check::ok(AREA, format!("systemd is version {version}")));
            checks.push(Check::ok(AREA, polyfilled(version)));
        }
        None => checks.push(Check::warning(
            AREA,
            format!("which version of systemd this is can't be told; the generator takes it for {OLDEST}"),
            "see that /usr/lib/systemd/libsystemd-shared-*.so is there",
        )),
    }
    if booted && !files.path("/run/dbus/system_bus_socket").exists() {
        checks.push(Check::warning(
            AREA,
            "there is no system bus: `unitcell show UNIT` and what else asks systemd does not work",
            "install dbus and `systemctl start dbus.socket`",
        ));
    }
    if booted {
        checks.push(control_groups(files));
    }
    checks
}

/// What of the table this version has itself, and what it has not.
fn polyfilled(version: u32) -> String {
    let in_general = |native: Native| match native {
        Native::Always => true,
        Native::Since(first) => version >= first,
        Native::Never | Native::ByValue(..) => false,
    };
    let names = |keep: &dyn Fn(&Native) -> bool| -> Vec<String> {
        DIRECTIVES.iter().filter(|directive| keep(&directive.native)).map(|one| format!("{}=", one.name)).collect()
    };
    let by_value = names(&|native| matches!(native, Native::ByValue(..)));
    let wrapped = names(&|native| !matches!(native, Native::ByValue(..)) && !in_general(*native));
    let mut text = format!("the wrapper does what it has not: {}", wrapped.join(" "));
    if !by_value.is_empty() {
        text.push_str(&format!("; depending on the value: {}", by_value.join(" ")));
    }
    text
}

fn control_groups(files: &Files) -> Check {
    let unified = files.path("/sys/fs/cgroup/cgroup.controllers").exists();
    if unified {
        return Check::ok(AREA, "control groups are in the unified hierarchy (cgroup v2)");
    }
    let hybrid = files.path("/sys/fs/cgroup/unified/cgroup.controllers").exists();
    Check::warning(
        AREA,
        format!(
            "control groups are {}: ProtectControlGroups=private and strict show the unified hierarchy alone",
            if hybrid { "in the hybrid hierarchy" } else { "those of version 1" }
        ),
        "boot with systemd.unified_cgroup_hierarchy=1 on the kernel's command line",
    )
}
