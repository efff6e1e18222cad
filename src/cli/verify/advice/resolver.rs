//! Whether names can be looked up in a network namespace.

use std::fs;

use super::{Advice, Surroundings};
use crate::cell::Cell;
use crate::unit::Scope;

/// A resolver on the host's loopback can't be reached from another network namespace.
pub fn name_servers(cell: &Cell, surroundings: &Surroundings) -> Option<Advice> {
    let name = cell.network_namespace.as_ref()?;
    let below = |path: &str| surroundings.root.join(path.trim_start_matches('/'));
    let own = [format!("/etc/netns/{name}/resolv.conf"), format!("/run/unitcell/netns/{name}/resolv.conf")];
    let is_user = surroundings.manager.scope == Scope::User;
    if !is_user && own.iter().any(|path| below(path).exists()) {
        return None;
    }
    if surroundings.descriptions.read(name).0.is_some_and(|description| !description.general.dns.is_empty()) {
        return None;
    }
    let text = fs::read_to_string(below("/etc/resolv.conf")).ok()?;
    let server = |line: &str| {
        let server = line.strip_prefix("nameserver")?.trim();
        (server.starts_with("127.") || server == "::1").then(|| server.to_owned())
    };
    let server = text.lines().find_map(server)?;
    Some(Advice::warning(
        cell.location("NetworkNamespace"),
        format!(
            "/etc/resolv.conf names {server}, which is another one in the network namespace {name}: no host name is found there"
        ),
        match is_user {
            false => format!(
                "set DNS= in [NetworkNamespace] of /etc/unitcell/{name}.netns, or write /etc/netns/{name}/resolv.conf"
            ),
            true => format!("set DNS= in [NetworkNamespace] of ~/.config/unitcell/{name}.netns"),
        },
    ))
}
