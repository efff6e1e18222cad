//! Filters that the unit's settings ask for, loaded once they no longer stand in the way.

use std::io;

use super::Wrapper;
use crate::cell::capability::CAP_SYS_ADMIN;
use crate::cell::system_calls::DeniedCalls;
use crate::cell::{Kind, Kinds};
use crate::sys::capability;
use crate::sys::seccomp::{self, Action, Argument, Rule};

impl Wrapper<'_> {
    /// Denies these calls to the payload. After it there is nothing left to do but exec.
    pub(super) fn deny_calls(&mut self, denied: &DeniedCalls) -> io::Result<()> {
        // The change of user has left it permitted alone; exec takes that away.
        if !capability::has_no_new_privileges()? {
            capability::make_effective(CAP_SYS_ADMIN)?;
        }
        seccomp::install(&rules(denied))
    }

    /// Denies the watcher what the payload is denied, and drops what exec would have dropped.
    pub(super) fn restrict_watcher(&self) -> io::Result<()> {
        if !nix::unistd::geteuid().is_root() {
            capability::keep_ambient_alone()?;
        }
        let filters = &self.request.identity.denied_calls;
        if !filters.is_empty() {
            capability::no_new_privileges()?;
        }
        filters.iter().try_for_each(|denied| seccomp::install(&rules(denied)))
    }
}

fn rules(denied: &DeniedCalls) -> Vec<Rule> {
    denied.0.iter().map(|&(call, action)| Rule { call, only_if: None, action }).collect()
}

/// Denies all types of namespaces but those that are `allowed`, by the rules of systemd's own
/// filter for RestrictNamespaces=.
pub(super) fn restrict_namespaces(allowed: Kinds) -> io::Result<()> {
    const EPERM: Action = Action::Errno(libc::EPERM as u16);
    const FLAGS: u32 = 0;
    const TYPE: u32 = 1;
    // No filter can look at the flags of clone3(2); this error makes its callers use clone(2).
    let mut rules = vec![Rule::deny("clone3", Action::Errno(libc::ENOSYS as u16))];
    let denied = Kind::ALL.into_iter().filter(|&kind| !allowed.contains(kind));
    for flag in denied.map(Kind::clone_flag) {
        let has_flag = |index| Argument { index, mask: flag, value: flag };
        // The flag of a time namespace is in the bits that clone(2) has for the signal.
        if flag != Kind::Time.clone_flag() {
            rules.push(Rule::deny_if("clone", has_flag(FLAGS), EPERM));
        }
        rules.push(Rule::deny_if("unshare", has_flag(FLAGS), EPERM));
        rules.push(Rule::deny_if("setns", has_flag(TYPE), EPERM));
    }
    rules.push(match allowed.is_empty() {
        true => Rule::deny("setns", EPERM),
        // Any type.
        false => Rule::deny_if("setns", Argument { index: TYPE, mask: u32::MAX, value: 0 }, EPERM),
    });
    seccomp::install(&rules.into_iter().flatten().collect::<Vec<_>>())
}
