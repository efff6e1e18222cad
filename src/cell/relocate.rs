//! Settings of the unit that would keep the wrapper from its work, moved behind it.
//!
//! The drop-in lifts what is in the way, and the wrapper restricts the service in the same way
//! itself, once it needs it no more: what it executes is held by all that the unit says.

use super::capability::{CapabilitySet, TAKEN_AWAY};
use super::finding::Finding;
use super::identity::Identity;
use super::manager::Manager;
use super::service::is_true;
use super::steps::Step;
use super::system_calls::{clock_calls, denied_to_wrapper};
use super::{Kind, Kinds};
use crate::unit::value::{parse_boolean, split_inversion};
use crate::unit::{Scope, Unit};

/// What the drop-in says to lift them.
pub type Lines = Vec<(&'static str, String)>;

/// Moves what stands in the way of `steps` into the identity that the wrapper gives the service.
pub fn relocate(unit: &Unit, manager: &Manager, steps: &[Step], identity: &mut Identity) -> Result<Lines, Finding> {
    let mut lines = Vec::new();
    if let Some(allowed) = allowed_namespaces(unit, manager.version)
        && !entered(steps).without(allowed).is_empty()
    {
        lines.push(("RestrictNamespaces", "no".to_owned()));
        identity.restrict_namespaces = Some(allowed);
    }
    let shifts_clocks = steps.iter().any(|step| matches!(step, Step::SetTimeOffsets { .. }));
    if shifts_clocks && is_true(unit, "ProtectClock") {
        // All three that it stands for, systemd.exec(5).
        lines.extend([("ProtectClock", "no".to_owned()), ("DeviceAllow", "char-rtc r".to_owned())]);
        take_away(identity, |key| key == "ProtectClock");
        identity.denied_calls.push(clock_calls(unit, manager.version)?);
    }
    // Whoever enters one has a full bounding set in it, user_namespaces(7).
    if entered(steps).contains(Kind::User) {
        take_away(identity, |key| is_true(unit, key));
    }
    // The last of the filters, as it may deny what loading another one takes.
    let denied = denied_to_wrapper(unit, manager.version, true)?;
    if !denied.is_empty() {
        lines.push(("SystemCallFilter", denied.names()));
        identity.denied_calls.push(denied);
    }
    // A manager without privilege sets it for every filter, and may now have none to load.
    if manager.scope == Scope::User && !lines.is_empty() {
        identity.no_new_privileges = true;
    }
    Ok(lines)
}

/// Takes out of the bounding set what those of the settings take.
fn take_away(identity: &mut Identity, are_set: impl Fn(&str) -> bool) {
    for (_, taken) in TAKEN_AWAY.into_iter().filter(|(key, _)| are_set(key)) {
        identity.bounding = Some(identity.bounding.unwrap_or(CapabilitySet::FULL).minus(taken));
    }
}

/// The namespaces that the steps make or join.
fn entered(steps: &[Step]) -> Kinds {
    steps
        .iter()
        .filter(|step| matches!(step, Step::Unshare(_) | Step::Join(_) | Step::MakeUserNamespace(_)))
        .fold(Kinds::NONE, |all, step| all.with(step.kinds()))
}

/// Those that RestrictNamespaces= allows; none where it is not set or allows them all.
fn allowed_namespaces(unit: &Unit, version: u32) -> Option<Kinds> {
    let every: Kinds = Kind::ALL.into_iter().collect();
    let allowed = unit.list("Service", "RestrictNamespaces").iter().fold(None, |allowed, line| {
        let (invert, names) = split_inversion(&line.value);
        let named: Kinds = names.split_ascii_whitespace().filter_map(Kind::from_proc_name).collect();
        Some(match (parse_boolean(&line.value), allowed, invert) {
            (Some(true), ..) => Kinds::NONE,
            (Some(false), ..) => every,
            (None, None, true) => every.without(named),
            (None, None, false) => named,
            (None, Some(before), true) => Kinds::without(before, named),
            (None, Some(before), false) => Kinds::with(before, named),
        })
    })?;
    if allowed == every {
        return None;
    }
    // An older systemd does not know the type, and lets a process make one but not enter it.
    let unknown = if version >= 262 { Kinds::NONE } else { Kinds::from_iter([Kind::Time]) };
    Some(allowed.without(unknown))
}
