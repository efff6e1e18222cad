//! Exit statuses by their names, as `systemctl status` shows them: systemd.exec(5).

/// Those of the LSB and of systemd itself.
#[rustfmt::skip]
const NAMES: [(i32, &str); 50] = [
    (2, "INVALIDARGUMENT"), (3, "NOTIMPLEMENTED"), (4, "NOPERMISSION"), (5, "NOTINSTALLED"),
    (6, "NOTCONFIGURED"), (7, "NOTRUNNING"), (200, "CHDIR"), (201, "NICE"), (202, "FDS"), (203, "EXEC"),
    (204, "MEMORY"), (205, "LIMITS"), (206, "OOM_ADJUST"), (207, "SIGNAL_MASK"), (208, "STDIN"),
    (209, "STDOUT"), (210, "CHROOT"), (211, "IOPRIO"), (212, "TIMERSLACK"), (213, "SECUREBITS"),
    (214, "SETSCHEDULER"), (215, "CPUAFFINITY"), (216, "GROUP"), (217, "USER"), (218, "CAPABILITIES"),
    (219, "CGROUP"), (220, "SETSID"), (221, "CONFIRM"), (222, "STDERR"), (224, "PAM"), (225, "NETWORK"),
    (226, "NAMESPACE"), (227, "NO_NEW_PRIVILEGES"), (228, "SECCOMP"), (229, "SELINUX_CONTEXT"),
    (230, "PERSONALITY"), (231, "APPARMOR"), (232, "ADDRESS_FAMILIES"), (233, "RUNTIME_DIRECTORY"),
    (235, "CHOWN"), (236, "SMACK_PROCESS_LABEL"), (237, "KEYRING"), (238, "STATE_DIRECTORY"),
    (239, "CACHE_DIRECTORY"), (240, "LOGS_DIRECTORY"), (241, "CONFIGURATION_DIRECTORY"), (242, "NUMA_POLICY"),
    (243, "CREDENTIALS"), (244, "BPF"), (245, "KSM"),
];

/// `226/NAMESPACE`, or the number alone where it has no name.
pub fn exit_status(status: i32) -> String {
    let name = match status {
        0 => Some("SUCCESS"),
        1 => Some("FAILURE"),
        _ => NAMES.iter().find(|(number, _)| *number == status).map(|(_, name)| *name),
    };
    name.map_or_else(|| status.to_string(), |name| format!("{status}/{name}"))
}

/// The status of this name.
pub fn named_exit_status(name: &str) -> Option<i32> {
    match name {
        "SUCCESS" => Some(0),
        "FAILURE" => Some(1),
        _ => NAMES.iter().find(|(_, known)| *known == name).map(|(number, _)| *number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_have_names() {
        assert_eq!(exit_status(226), "226/NAMESPACE");
        assert_eq!(exit_status(0), "0/SUCCESS");
        assert_eq!(exit_status(42), "42");
    }
}
