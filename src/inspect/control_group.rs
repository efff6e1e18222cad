//! Which unit a control group belongs to, without asking systemd: the path says it
//! (systemd's docs/CGROUP_DELEGATION).

/// The units of a control group's path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitsOf {
    /// The system's unit, such as `user@1000.service`.
    pub system: Option<String>,
    /// The unit of the user's manager that runs in it.
    pub user: Option<String>,
}

impl UnitsOf {
    /// Reads a path; `root` is the control group of the manager's own tree, empty on a host.
    ///
    /// A manager puts slices above units, and whatever lies below a unit is the unit's own business.
    pub fn path(path: &str, root: &str) -> UnitsOf {
        let mut parts = path.strip_prefix(root).unwrap_or(path).split('/').filter(|part| !part.is_empty());
        let system = first_unit(&mut parts);
        let user = match &system {
            Some(name) if name.starts_with("user@") && name.ends_with(".service") => first_unit(&mut parts),
            _ => None,
        };
        UnitsOf { system, user }
    }

    /// The innermost.
    pub fn innermost(self) -> Option<String> {
        self.user.or(self.system)
    }
}

/// The unit that follows after the slices.
fn first_unit<'p>(parts: &mut impl Iterator<Item = &'p str>) -> Option<String> {
    let part = parts.map(unescape).find(|part| !part.ends_with(".slice"))?;
    const TYPES: [&str; 6] = [".service", ".scope", ".socket", ".mount", ".swap", ".automount"];
    TYPES.iter().any(|suffix| part.len() > suffix.len() && part.ends_with(suffix)).then(|| part.to_owned())
}

/// What might be taken for a file of the kernel's has a `_` before it.
fn unescape(part: &str) -> &str {
    part.strip_prefix('_').unwrap_or(part)
}

/// The path in the text of /proc/PID/cgroup: of the unified hierarchy, else of systemd's own.
pub fn path_of(text: &str) -> Option<&str> {
    let of = |prefix: &str| text.lines().find_map(|line| line.strip_prefix(prefix));
    let named = || text.lines().find_map(|line| line.split_once(":name=systemd:").map(|(_, path)| path));
    of("0::").or_else(named)
}

/// The root of the manager's tree, by the control group of PID 1 itself.
pub fn root_of(path_of_init: &str) -> &str {
    let path = ["/init.scope", "/system.slice", "/system"].iter().find_map(|own| path_of_init.strip_suffix(own));
    path.unwrap_or(path_of_init).trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn innermost(path: &str) -> Option<String> {
        UnitsOf::path(path, "").innermost()
    }

    #[test]
    fn the_unit_follows_the_slices() {
        assert_eq!(innermost("/system.slice/web.service/worker").as_deref(), Some("web.service"));
        assert_eq!(
            innermost("/system.slice/system-getty.slice/getty@tty1.service").as_deref(),
            Some("getty@tty1.service")
        );
        assert_eq!(innermost("/init.scope").as_deref(), Some("init.scope"));
        assert_eq!(innermost("/system.slice/_cgroup.service").as_deref(), Some("cgroup.service"));
        assert_eq!(innermost("/"), None);
        assert_eq!(innermost("/system.slice"), None);
        assert_eq!(innermost("/lxc.payload/x/web.service"), None, "not our manager's");
    }

    #[test]
    fn a_container_in_a_unit_is_that_unit() {
        let path = "/system.slice/docker.service/abc/system.slice/inner.service";
        assert_eq!(innermost(path).as_deref(), Some("docker.service"));
    }

    #[test]
    fn a_user_s_manager_has_units_of_its_own() {
        let path = "/user.slice/user-1000.slice/user@1000.service/app.slice/web.service/x";
        let units = UnitsOf::path(path, "");
        assert_eq!((units.system.as_deref(), units.user.as_deref()), (Some("user@1000.service"), Some("web.service")));
        assert_eq!(innermost("/user.slice/user-1000.slice/session-3.scope").as_deref(), Some("session-3.scope"));
    }

    #[test]
    fn a_manager_in_a_container_has_its_own_root() {
        assert_eq!(root_of("/machine.slice/a.scope/payload/init.scope"), "/machine.slice/a.scope/payload");
        assert_eq!(root_of("/init.scope"), "");
        assert_eq!(root_of("/"), "");
        let path = "/machine.slice/a.scope/payload/system.slice/web.service";
        let units = UnitsOf::path(path, "/machine.slice/a.scope/payload");
        assert_eq!(units.system.as_deref(), Some("web.service"));
    }

    #[test]
    fn the_unified_hierarchy_counts_first() {
        assert_eq!(path_of("1:name=systemd:/a\n0::/b\n"), Some("/b"));
        assert_eq!(path_of("4:name=systemd:/b\n"), Some("/b"));
    }
}
