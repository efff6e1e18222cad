//! What somebody may have meant.

use std::path::Path;

use crate::netns::{self, Places};
use crate::unit::similar::similar;
use crate::unit::{Env, Scope, SearchPath, UnitSet, UnitType};

/// The name of the unit that is most like `name`, of those in the search path.
pub fn unit_like(name: &str) -> Option<String> {
    let names_of = |scope| {
        let path = SearchPath::new(scope, Path::new("/"), &Env::from_vars(std::env::vars_os()));
        UnitSet::scan(&path, &UnitType::ALL, &[]).names().map(str::to_owned).collect::<Vec<_>>()
    };
    closest(name, names_of(Scope::System).iter().chain(&names_of(Scope::User)).map(String::as_str))
}

/// The named network namespace that is most like `name`, if there is none of that name.
pub fn netns_like(name: &str) -> Option<String> {
    let names: Vec<String> = netns::list(&Places::system()).ok()?.into_iter().map(|named| named.name).collect();
    if names.iter().any(|known| known == name) {
        return None;
    }
    similar(name, names.iter().map(String::as_str)).map(str::to_owned)
}

/// The name that is most like `wanted`, if one is like it at all.
fn closest<'n>(wanted: &str, names: impl Iterator<Item = &'n str>) -> Option<String> {
    // What follows the last dot is no part of what one mistypes.
    let stem = |name: &'n str| name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let own = wanted.rsplit_once('.').map_or(wanted, |(stem, _)| stem);
    let names: Vec<&str> = names.filter(|name| *name != wanted).collect();
    let like = similar(own, names.iter().map(|name| stem(name)))?;
    names.into_iter().filter(|name| stem(name) == like).min().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_guessed() {
        let names = ["nginx.service", "ssh.service", "ssh.socket", "systemd-networkd.service"];
        let guess = |wanted| closest(wanted, names.into_iter());
        assert_eq!(guess("ngnix.service").as_deref(), Some("nginx.service"));
        assert_eq!(guess("sshd.service").as_deref(), Some("ssh.service"));
        assert_eq!(guess("systemd-netwrokd").as_deref(), Some("systemd-networkd.service"));
        assert_eq!(guess("postgresql.service"), None);
        assert_eq!(guess("x.service"), None);
    }
}
