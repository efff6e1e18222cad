//! User namespaces without privilege, which user services live in, and subordinate ids.

use nix::unistd::{User, geteuid};

use super::{Check, Files};
use crate::sys::subid::{self, Subids};

const AREA: &str = "users";

pub fn checks(files: &Files) -> Vec<Check> {
    let mut checks = vec![unprivileged(files)];
    checks.push(modules(files));
    let name = User::from_uid(geteuid()).ok().flatten().map_or_else(|| geteuid().to_string(), |user| user.name);
    checks.extend(
        [("/etc/subuid", "uids"), ("/etc/subgid", "gids")].map(|(file, what)| subordinate(files, file, what, &name)),
    );
    checks
}

/// Three ways in which distributions keep them from users.
fn unprivileged(files: &Files) -> Check {
    const FORBIDDEN: &str = "user services get no namespaces";
    let sysctl = |name: &str| files.read(&format!("/proc/sys/{name}"));
    if sysctl("kernel/unprivileged_userns_clone").as_deref() == Some("0") {
        return Check::warning(
            AREA,
            format!("kernel.unprivileged_userns_clone is 0: {FORBIDDEN}"),
            "`sysctl kernel.unprivileged_userns_clone=1`, and a file in /etc/sysctl.d to keep it",
        );
    }
    if sysctl("user/max_user_namespaces").as_deref() == Some("0") {
        return Check::warning(
            AREA,
            format!("user.max_user_namespaces is 0: {FORBIDDEN}"),
            "`sysctl user.max_user_namespaces=65536`, and a file in /etc/sysctl.d to keep it",
        );
    }
    if sysctl("kernel/apparmor_restrict_unprivileged_userns").as_deref() == Some("1") {
        return Check::warning(
            AREA,
            format!(
                "AppArmor restricts user namespaces to programs with a profile that allows them (as Ubuntu 24.04 does): {FORBIDDEN}"
            ),
            "a profile for unitcell-exec in /etc/apparmor.d with `userns,`, or \
             `sysctl kernel.apparmor_restrict_unprivileged_userns=0`",
        );
    }
    Check::ok(AREA, "users may make user namespaces")
}

fn modules(files: &Files) -> Check {
    match files.read("/sys/kernel/security/lsm") {
        Some(names) if !names.is_empty() => Check::ok(AREA, format!("security modules: {}", names.replace(',', ", "))),
        _ => Check::ok(AREA, "security modules: none in sight"),
    }
}

/// Whoever maps ids of their own needs a range of them.
fn subordinate(files: &Files, file: &str, what: &str, name: &str) -> Check {
    let text = files.read(file).unwrap_or_default();
    let first = subid::of(&text, &[name.to_owned(), geteuid().to_string()]).next();
    match first {
        Some(Subids { first, count, .. }) => {
            Check::ok(AREA, format!("{name} has subordinate {what}: {count} from {first}"))
        }
        // root maps what it likes.
        None if geteuid().is_root() => {
            Check::ok(AREA, format!("{name} has no subordinate {what} in {file}, and needs none"))
        }
        None => Check::warning(
            AREA,
            format!(
                "{name} has no subordinate {what} in {file}: UIDMap= and GIDMap= of user services map one id at most"
            ),
            format!("as root: `usermod --add-sub{what} 100000-165535 {name}`"),
        ),
    }
}
