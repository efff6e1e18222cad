//! Facts about a service, as systemd reads its settings.

use crate::unit::timespan::parse_timespan;
use crate::unit::value::{parse_boolean, split_inversion};
use crate::unit::{Assignment, Unit};

/// Settings that give a service credentials, systemd.exec(5).
pub const CREDENTIALS: [&str; 5] =
    ["ImportCredential", "LoadCredential", "LoadCredentialEncrypted", "SetCredential", "SetCredentialEncrypted"];

/// Settings that systemd makes a mount namespace for.
pub const OF_THE_MOUNT_NAMESPACE: [&str; 29] = [
    "BindPaths",
    "BindReadOnlyPaths",
    "DynamicUser",
    "ExecPaths",
    "ExtensionDirectories",
    "ExtensionImages",
    "InaccessiblePaths",
    "LogNamespace",
    "MountAPIVFS",
    "MountImages",
    "NoExecPaths",
    "PrivateDevices",
    "PrivateMounts",
    "PrivateTmp",
    "ProcSubset",
    "ProtectControlGroups",
    "ProtectHome",
    "ProtectKernelLogs",
    "ProtectKernelModules",
    "ProtectKernelTunables",
    "ProtectProc",
    "ProtectSystem",
    "PrivateBPF",
    "ReadOnlyPaths",
    "ReadWritePaths",
    "RootDirectory",
    "RootHash",
    "RootImage",
    "TemporaryFileSystem",
];

/// The unit that owns the named network namespace.
pub fn netns_owner(name: &str) -> String {
    format!("unitcell-netns@{name}.service")
}

/// The name of the network namespace that the unit owns, if it is such a unit.
pub fn netns_owned_by(unit: &str) -> Option<&str> {
    unit.strip_prefix("unitcell-netns@")?.strip_suffix(".service")
}

/// Is the boolean set in `[Service]`?
pub fn is_true(unit: &Unit, key: &str) -> bool {
    unit.last("Service", key).is_some_and(|line| parse_boolean(&line.value) == Some(true))
}

/// The line in `[Service]` that sets it to anything but no.
pub fn set<'u>(unit: &'u Unit, key: &str) -> Option<&'u Assignment> {
    unit.last("Service", key).filter(|line| parse_boolean(&line.value) != Some(false))
}

/// When the service counts as started, systemd.service(5).
pub fn service_type(unit: &Unit) -> &str {
    let setting = |key| unit.last("Service", key).map(|line| line.value.as_str());
    match setting("Type") {
        Some(service_type) => service_type,
        None if setting("BusName").is_some() => "dbus",
        None if unit.list("Service", "ExecStart").is_empty() => "oneshot",
        None => "simple",
    }
}

/// Does systemd want to be told that the service is well?
pub fn watchdog_is_set(unit: &Unit) -> bool {
    unit.last("Service", "WatchdogSec").is_some_and(|line| {
        // What can't be parsed systemd passes over.
        matches!(parse_timespan(&line.value), Ok(Some(1..)))
    })
}

/// May sockets of this family be made?
pub fn allows_family(unit: &Unit, family: &str) -> bool {
    let lines = unit.list("Service", "RestrictAddressFamilies");
    let deny_list = lines.first().is_none_or(|line| split_inversion(&line.value).0);
    let named = lines.iter().fold(false, |named, line| {
        let (inverted, names) = split_inversion(&line.value);
        if names.split_ascii_whitespace().any(|name| name == family) { inverted == deny_list } else { named }
    });
    named != deny_list
}
