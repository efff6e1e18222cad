//! Why the payload did not start.

use std::fmt;
use std::io;

use super::request::Request;
use crate::cell::Finding;
use crate::cell::steps::{ExitStatus, Step};

/// A failed step, and the status to exit with.
#[derive(Debug)]
pub struct Failure {
    /// The status, which `systemctl status` shows by name.
    pub status: ExitStatus,
    /// The directives concerned, `A=, B=`; empty where it is none of the cell's.
    pub directives: String,
    message: String,
}

impl Failure {
    /// From the step that failed.
    pub fn of_step(request: &Request, step: &Step, cause: &io::Error) -> Failure {
        let directives = request.directives_of(step);
        let mut message = String::new();
        if !directives.is_empty() {
            message.push_str(&directives);
            if !request.sources.is_empty() {
                message.push_str(&format!(" ({})", request.sources.join(", ")));
            }
            message.push_str(": ");
        }
        message.push_str(&format!("can't {step}: {cause}"));
        if let Some(hint) = hint(step, cause) {
            message.push_str("; ");
            message.push_str(hint);
        }
        Failure { status: step.exit_status(), directives, message }
    }

    /// From the command line.
    pub fn bad_options(findings: &[Finding]) -> Failure {
        let findings: Vec<String> = findings.iter().map(Finding::to_string).collect();
        Failure { status: ExitStatus::InvalidArgument, directives: String::new(), message: findings.join("; ") }
    }

    /// From the generator, which found that the unit must not run.
    pub fn refusal(reason: String) -> Failure {
        Failure { status: ExitStatus::Config, directives: String::new(), message: reason }
    }
}

/// What the most common causes want, as unshare(2), setns(2) and namespaces(7) tell.
fn hint(step: &Step, cause: &io::Error) -> Option<&'static str> {
    let about_namespaces = matches!(step, Step::Unshare(_) | Step::Join(_) | Step::MakeUserNamespace(_));
    if about_namespaces
        && !nix::unistd::geteuid().is_root()
        && let Some(limit) = users_may_make_none()
    {
        return Some(limit);
    }
    match cause.raw_os_error()? {
        libc::EPERM if matches!(step, Step::SetTimeOffsets { .. }) => {
            Some("setting offsets needs CAP_SYS_TIME, which ProtectClock= takes away")
        }
        libc::EPERM if matches!(step, Step::MakeUserNamespace(_)) && !nix::unistd::geteuid().is_root() => {
            Some("RestrictNamespaces=, another filter or a security module keeps user namespaces from it")
        }
        libc::EPERM if about_namespaces => {
            Some("the manager must have CAP_SYS_ADMIN; without it, PrivateUsers=self gives a cell of one's own")
        }
        libc::ENOSPC | libc::EUSERS if about_namespaces => {
            users_may_make_none().or(Some("see the limits in /proc/sys/user"))
        }
        libc::EINVAL if matches!(step, Step::Join(_)) => Some("the file is no namespace of this type"),
        libc::EINVAL if about_namespaces => Some("this kernel has no namespaces of that type"),
        libc::ENOSYS => {
            Some("this kernel has not got the system call, or a filter hides it; Linux 5.12 has all of them")
        }
        _ => None,
    }
}

/// What keeps everybody but root from making user namespaces on this system.
fn users_may_make_none() -> Option<&'static str> {
    let limits = [
        ("user/max_user_namespaces", "0", "user.max_user_namespaces is 0: set it to more by sysctl(8)"),
        (
            "kernel/unprivileged_userns_clone",
            "0",
            "kernel.unprivileged_userns_clone is 0: set it to 1 by sysctl(8), or be root",
        ),
        (
            "kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "kernel.apparmor_restrict_unprivileged_userns is 1: give unitcell-exec an AppArmor profile that allows userns, \
             set it to 0 by sysctl(8), or be root",
        ),
    ];
    let is = |name: &str, value: &str| {
        std::fs::read_to_string(format!("/proc/sys/{name}")).is_ok_and(|text| text.trim() == value)
    };
    limits.into_iter().find(|(name, value, _)| is(name, value)).map(|(.., hint)| hint)
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
