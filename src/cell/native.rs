//! The native setting for each kind of namespace, in words that the running systemd knows.

use super::{Cell, Kind, PrivateUsers, ProtectControlGroups, ProtectHostname, Source};

/// The one native setting for a namespace.
pub fn native_line(cell: &Cell, kind: Kind) -> Option<(&'static str, String)> {
    let yes = || "yes".to_owned();
    let path = match cell.source(kind) {
        Some(Source::Path(path)) => Some(path),
        _ => None,
    };
    Some(match (kind, path) {
        (Kind::Network, Some(path)) => ("NetworkNamespacePath", path),
        (Kind::Network, None) => ("PrivateNetwork", yes()),
        (Kind::Ipc, Some(path)) => ("IPCNamespacePath", path),
        (Kind::Ipc, None) => ("PrivateIPC", yes()),
        (Kind::User, None) => (
            "PrivateUsers",
            match &cell.private_users {
                // The word that all versions know for it.
                PrivateUsers::SelfOnly | PrivateUsers::No => yes(),
                PrivateUsers::Identity => "identity".to_owned(),
                PrivateUsers::Full => "full".to_owned(),
                PrivateUsers::Subordinate(_) => return None,
            },
        ),
        (Kind::Mount, None) => ("PrivateMounts", yes()),
        (Kind::Pid, None) => ("PrivatePIDs", yes()),
        (Kind::Uts, None) => {
            let mode = if cell.hostname_is_locked() { "yes" } else { "private" };
            let value = match (cell.wanted_hostname(), &cell.protect_hostname) {
                (Some(name), _) => format!("{mode}:{name}"),
                (None, ProtectHostname::Private(_)) => "private".to_owned(),
                (None, _) => yes(),
            };
            ("ProtectHostname", value)
        }
        (Kind::Cgroup, None) => (
            "ProtectControlGroups",
            match cell.protect_control_groups {
                ProtectControlGroups::Private => "private".to_owned(),
                ProtectControlGroups::Strict => "strict".to_owned(),
                ProtectControlGroups::Yes | ProtectControlGroups::No => yes(),
            },
        ),
        // systemd has none for these.
        (Kind::Time | Kind::Mount | Kind::Pid | Kind::Uts | Kind::Cgroup, _) => return None,
        // Nor one for this that makes ids mean those inside.
        (Kind::User, Some(_)) => return None,
    })
}
