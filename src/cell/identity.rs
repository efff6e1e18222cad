//! Who the payload is: ids, capabilities, securebits, no_new_privs.
//!
//! systemd sets these up before it executes the wrapper, but the wrapper needs privilege first.
//! So a unit that needs the wrapper leaves them to it, and the wrapper does what systemd would
//! have done, in the same order.

use super::capability::{CapabilitySet, TAKEN_AWAY};
use super::dynamic_user;
use super::finding::Finding;
use super::kind::{Kind, Kinds};
use super::manager::Manager;
use super::service::is_true;
use super::system_calls::{DeniedCalls, denied_to_wrapper};
use super::value::{ValueError, has_specifier};
use crate::unit::Unit;

/// The identity of the payload.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// `User=`: a name or a number.
    pub user: Option<String>,
    /// `Group=`: a name or a number.
    pub group: Option<String>,
    /// `SupplementaryGroups=`.
    pub supplementary_groups: Vec<String>,
    /// `CapabilityBoundingSet=`, where it is not the manager's.
    pub bounding: Option<CapabilitySet>,
    /// `AmbientCapabilities=`.
    pub ambient: CapabilitySet,
    /// Has systemd, for the wrapper's use, raised all others, too?
    pub drop_ambient: bool,
    /// `SecureBits=`, as prctl(2) takes them.
    pub secure_bits: Option<u32>,
    /// `NoNewPrivileges=`, where systemd can't set it before the wrapper runs.
    pub no_new_privileges: bool,
    /// `RestrictNamespaces=`, where it would bind the wrapper: the types that are allowed.
    pub restrict_namespaces: Option<Kinds>,
    /// `SystemCallFilter=` and the like, where they would: a filter each.
    pub denied_calls: Vec<DeniedCalls>,
}

/// An option of the wrapper that says who the payload is.
pub struct Setting {
    /// The key of systemd.exec(5) that it stands for.
    pub name: &'static str,
    /// The wrapper's option, without the dashes.
    pub flag: &'static str,
    /// The shape of its value; none for a switch.
    pub value: Option<&'static str>,
    /// Reads it.
    pub set: fn(&mut Identity, &str) -> Result<(), ValueError>,
    /// Writes it, one text an option.
    pub get: fn(&Identity) -> Vec<String>,
    /// What it means, in one line.
    pub summary: &'static str,
}

/// All of them.
#[rustfmt::skip]
pub static SETTINGS: &[Setting] = &[
    Setting { name: "User", flag: "user", value: Some("NAME|UID"),
        set: |identity, text| { identity.user = Some(text.to_owned()); Ok(()) },
        get: |identity| identity.user.iter().cloned().collect(),
        summary: "become this user" },
    Setting { name: "Group", flag: "group", value: Some("NAME|GID"),
        set: |identity, text| { identity.group = Some(text.to_owned()); Ok(()) },
        get: |identity| identity.group.iter().cloned().collect(),
        summary: "become a member of this group, not of the user's primary one" },
    Setting { name: "SupplementaryGroups", flag: "supplementary-groups", value: Some("GROUP…"),
        set: |identity, text| {
            identity.supplementary_groups.extend(text.split_ascii_whitespace().map(str::to_owned));
            Ok(())
        },
        get: |identity| identity.supplementary_groups.clone(),
        summary: "be a member of these groups, too; repeatable" },
    Setting { name: "CapabilityBoundingSet", flag: "capability-bounding-set", value: Some("[~]CAP…"),
        set: |identity, text| {
            let mut set = identity.bounding.unwrap_or(CapabilitySet::FULL);
            set.assign(text, CapabilitySet::FULL);
            identity.bounding = Some(set);
            Ok(())
        },
        get: |identity| identity.bounding.iter().map(ToString::to_string).collect(),
        summary: "keep these in the bounding set; repeatable" },
    Setting { name: "AmbientCapabilities", flag: "ambient-capabilities", value: Some("[~]CAP…"),
        set: |identity, text| { identity.ambient.assign(text, CapabilitySet::EMPTY); Ok(()) },
        get: |identity| if identity.ambient.is_empty() { Vec::new() } else { vec![identity.ambient.to_string()] },
        summary: "raise these ambient capabilities; repeatable" },
    Setting { name: "PAMName", flag: "drop-ambient", value: None,
        set: |identity, _| { identity.drop_ambient = true; Ok(()) },
        get: |identity| if identity.drop_ambient { vec![String::new()] } else { Vec::new() },
        summary: "drop all other ambient capabilities, which the wrapper was given for itself" },
    Setting { name: "SecureBits", flag: "secure-bits", value: Some("BIT…"),
        set: |identity, text| {
            identity.secure_bits = Some(identity.secure_bits.unwrap_or(0) | parse_secure_bits(text)?);
            Ok(())
        },
        get: |identity| identity.secure_bits.map(secure_bits_text).into_iter().collect(),
        summary: "set these securebits; repeatable" },
    Setting { name: "NoNewPrivileges", flag: "no-new-privileges", value: None,
        set: |identity, _| { identity.no_new_privileges = true; Ok(()) },
        get: |identity| if identity.no_new_privileges { vec![String::new()] } else { Vec::new() },
        summary: "set no_new_privs" },
    Setting { name: "RestrictNamespaces", flag: "restrict-namespaces", value: Some("[TYPE…]"),
        set: |identity, text| {
            let kind = |name| Kind::from_proc_name(name).ok_or_else(|| ValueError::new("takes types, such as net uts"));
            identity.restrict_namespaces = Some(text.split_ascii_whitespace().map(kind).collect::<Result<_, _>>()?);
            Ok(())
        },
        get: |identity| identity.restrict_namespaces.iter().map(|kinds| kinds.to_string().replace(',', "")).collect(),
        summary: "deny all types of namespaces but these, once the cell is set up" },
    Setting { name: "SystemCallFilter", flag: "system-call-filter", value: Some("~CALL[:ERRNO]…"),
        set: |identity, text| { identity.denied_calls.push(DeniedCalls::parse(text)?); Ok(()) },
        get: |identity| identity.denied_calls.iter().map(ToString::to_string).collect(),
        summary: "deny these system calls, once the cell is set up; repeatable" },
];

/// The bits of linux/securebits.h by systemd.exec(5)'s names.
const SECURE_BITS: [(&str, u32); 6] = [
    ("noroot", 1 << 0),
    ("noroot-locked", 1 << 1),
    ("no-setuid-fixup", 1 << 2),
    ("no-setuid-fixup-locked", 1 << 3),
    ("keep-caps", 1 << 4),
    ("keep-caps-locked", 1 << 5),
];

/// Reads the names of securebits.
pub fn parse_secure_bits(text: &str) -> Result<u32, ValueError> {
    text.split_ascii_whitespace().try_fold(0, |bits, word| {
        let known = SECURE_BITS.iter().find(|(name, _)| *name == word);
        known.map(|(_, bit)| bits | bit).ok_or_else(|| ValueError::new("takes securebits, such as noroot"))
    })
}

fn secure_bits_text(bits: u32) -> String {
    let names: Vec<&str> = SECURE_BITS.iter().filter(|(_, bit)| bits & bit != 0).map(|(name, _)| *name).collect();
    names.join(" ")
}

impl Identity {
    /// Does it name a user or a group to become?
    pub fn names_anyone(&self) -> bool {
        self.user.is_some() || self.group.is_some() || !self.supplementary_groups.is_empty()
    }

    /// What remains of it for a command with the prefix `!`: that changes neither user nor groups,
    /// and is held by all the rest.
    pub fn of_root(&self, unit: &Unit, manager: &Manager) -> Identity {
        let mut identity = Identity { user: None, group: None, supplementary_groups: Vec::new(), ..self.clone() };
        identity.no_new_privileges = no_new_privileges_is_implied(unit, &identity, manager);
        identity
    }

    /// The options that make the wrapper read the same identity.
    pub fn options(&self) -> Vec<String> {
        let mut options = Vec::new();
        for setting in SETTINGS {
            options.extend((setting.get)(self).into_iter().map(|text| match setting.value {
                Some(_) => format!("--{}={text}", setting.flag),
                None => format!("--{}", setting.flag),
            }));
        }
        options
    }

    /// The identity that a unit's settings give its payload.
    pub fn of_unit(unit: &Unit, manager: &Manager) -> (Identity, Vec<Finding>) {
        let mut identity = Identity::default();
        let mut findings = Vec::new();
        let service = |key: &str| unit.last("Service", key).map(|line| line.value.clone());
        identity.user = service("User");
        identity.group = service("Group");
        for line in unit.list("Service", "SupplementaryGroups") {
            identity.supplementary_groups.extend(line.value.split_ascii_whitespace().map(str::to_owned));
        }
        if identity.user.is_none() && is_true(unit, "DynamicUser") {
            identity.user = Some(dynamic_user::name_of(&unit.name));
        }
        let set = |key, initial| {
            unit.section("Service").filter(|line| line.key == key).fold(initial, |mut set: CapabilitySet, line| {
                set.assign(&line.value, initial);
                set
            })
        };
        let bounding = set("CapabilityBoundingSet", CapabilitySet::FULL);
        identity.bounding = (bounding != CapabilitySet::FULL).then_some(bounding);
        // systemd, too, passes over those that the bounding set lacks.
        let ambient = set("AmbientCapabilities", CapabilitySet::EMPTY);
        let taken = TAKEN_AWAY.into_iter().filter(|(key, _)| is_true(unit, key));
        identity.ambient = taken.fold(CapabilitySet(ambient.0 & bounding.0), |kept, (_, taken)| kept.minus(taken));
        let secure_bits = unit.list("Service", "SecureBits");
        for line in &secure_bits {
            match parse_secure_bits(&line.value) {
                Ok(bits) => identity.secure_bits = Some(identity.secure_bits.unwrap_or(0) | bits),
                Err(error) => findings.push(Finding::error(
                    Some(line.value_at.clone()),
                    format!("SecureBits={}: {error}", line.value),
                    "correct the value",
                )),
            }
        }
        identity.no_new_privileges = no_new_privileges_is_implied(unit, &identity, manager);
        if unit.last("Service", "PAMName").is_some() {
            // Only with the user comes the session. So systemd becomes it, and leaves the wrapper
            // the privilege in its ambient capabilities.
            identity.drop_ambient = true;
            (identity.user, identity.group) = (None, None);
            identity.supplementary_groups.clear();
        }
        (identity, findings)
    }
}

/// Can the user be someone else than root?
fn may_be_unprivileged(identity: &Identity) -> bool {
    identity.user.as_deref().is_some_and(|user| has_specifier(user) || !matches!(user, "root" | "0"))
}

/// Settings that systemd carries out with a seccomp filter, systemd.exec(5).
const SECCOMP_BOOLEANS: [&str; 12] = [
    "RestrictRealtime",
    "RestrictSUIDSGID",
    "MemoryDenyWriteExecute",
    "LockPersonality",
    "PrivateDevices",
    "ProtectKernelTunables",
    "ProtectKernelModules",
    "ProtectKernelLogs",
    "ProtectClock",
    "ProtectHostname",
    "RestrictNamespaces",
    "DynamicUser",
];
const SECCOMP_LISTS: [&str; 4] =
    ["SystemCallFilter", "SystemCallLog", "SystemCallArchitectures", "RestrictAddressFamilies"];

/// systemd sets no_new_privs by itself for a process that is about to get a seccomp filter without
/// having CAP_SYS_ADMIN. The wrapper still has it at that point; the payload has not. Versions
/// after 252 load the filters while they are privileged, if these let them drop it afterwards.
fn no_new_privileges_is_implied(unit: &Unit, identity: &Identity, manager: &Manager) -> bool {
    let filtered = SECCOMP_BOOLEANS.iter().any(|key| is_true(unit, key))
        || unit
            .last("Service", "RestrictNamespaces")
            .is_some_and(|line| crate::unit::value::parse_boolean(&line.value).is_none())
        || SECCOMP_LISTS.iter().any(|key| !unit.list("Service", key).is_empty());
    let drops_after = || {
        let denied = denied_to_wrapper(unit, manager.version, false);
        denied.is_ok_and(|denied| !["capget", "capset", "prctl"].iter().any(|call| denied.has(call)))
    };
    // Neither ambient capabilities nor the bounding set count: both mean what comes after exec.
    filtered && may_be_unprivileged(identity) && (manager.version < 253 || !drops_after())
}
