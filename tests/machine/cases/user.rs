//! Services of a user manager.

use super::cases;
use crate::case::Case;
use crate::machine::{USER, USER_ID};

cases![
    user_manager_runs_plain_service,
    user_cell_without_user_namespace_does_not_start,
    user_native_directive_that_fails_open_is_caught,
    user_cell_with_user_namespace,
    user_cell_of_all_that_systemd_could_make,
    user_sets_up_a_network_of_its_own,
];

fn user_manager_runs_plain_service(case: &Case) {
    case.user_sh(USER, "test $(id -u) = 1000 && systemctl --user is-system-running | grep -E 'running|degraded'").ok();
    let dump = case.user_service("plain", "", "").dump();
    assert_eq!(dump.get("uid")[0], USER_ID);
    assert_eq!(dump.ns("net"), case.manager_ns("net"));
}

fn user_cell_without_user_namespace_does_not_start(case: &Case) {
    for cell in ["Hostname=web\nDomainname=nis", "TimeOffsetBoottime=1d", "UTSNamespacePath=/proc/self/ns/uts"] {
        let unit = case.user_service(cell.split('=').next().unwrap(), "", cell);
        unit.assert_failed_with(226);
        assert!(unit.journal().contains("Operation not permitted"), "{}", unit.journal());
    }
}

fn user_native_directive_that_fails_open_is_caught(case: &Case) {
    case.sh("mkdir -p /run/netns; ip netns add user-case 2>/dev/null; true").ok();
    let unit = case.user_service("net", "", "NetworkNamespacePath=/run/netns/user-case");
    unit.assert_failed_with(225);
    let journal = unit.journal();
    assert!(journal.contains("NetworkNamespacePath= ("), "{journal}");
}

fn user_cell_with_user_namespace(case: &Case) {
    let unit = case.user_service(
        "web",
        "",
        "PrivateUsers=self\nPrivateNetwork=yes\nDomainname=nis\nHostname=web\nTimeOffsetBoottime=10d",
    );
    let dump = unit.dump();
    assert_eq!((dump.hostname(), dump.text("domainname")), ("web", "nis"));
    assert_eq!(dump.get("uid")[0], USER_ID);
    assert_eq!(dump.interfaces(), ["lo"]);
    for kind in ["user", "net", "uts", "time"] {
        assert_ne!(dump.ns(kind), case.manager_ns(kind), "{kind}");
    }
    unit.stop().ok();
    assert_eq!(unit.result(), "success");
}

/// What belongs to the user namespace that the wrapper makes is made within it.
fn user_cell_of_all_that_systemd_could_make(case: &Case) {
    let unit = case.user_service(
        "web",
        "",
        "PrivateUsers=self\nPrivateNetwork=yes\nPrivateIPC=yes\nPrivateMounts=yes\nPrivatePIDs=yes\nHostname=web\n\
         ProtectControlGroups=strict\nTimeOffsetBoottime=1d",
    );
    let dump = unit.dump();
    for kind in ["user", "net", "ipc", "mnt", "pid", "uts", "cgroup", "time"] {
        assert_ne!(dump.ns(kind), case.manager_ns(kind), "{kind}");
    }
    assert_eq!((dump.pid(), dump.hostname()), (1, "web"));
    assert!(dump.text("cgroup").lines().any(|line| line == "0::/"), "{}", dump.text("cgroup"));
    unit.stop().ok();
    assert_eq!(unit.result(), "success", "{}", unit.journal());
}

/// Without any privilege outside, and with all that it takes inside.
fn user_sets_up_a_network_of_its_own(case: &Case) {
    for (name, service, cell) in [
        ("root", "", "PrivateUsers=subuid:1000"),
        ("self", "AmbientCapabilities=CAP_NET_ADMIN", "PrivateUsers=self"),
        ("more", "AmbientCapabilities=CAP_NET_ADMIN", "PrivateUsers=self\nHostname=web"),
    ] {
        let out = format!("/run/unitcell-tests/{}", case.unique(name));
        let unit = case.user_service(
            name,
            &format!(
                "{service}\nType=oneshot\nStandardOutput=file:{out}\n\
                 ExecStart=sh -c 'ip link add user0 type veth peer name user1 && ip link set user0 up && \
                 ip link set user1 up && ip address add 10.9.0.1/24 dev user0 && ip -4 address show dev user0'"
            ),
            &format!("PrivateNetwork=yes\n{cell}"),
        );
        assert_eq!(unit.result(), "success", "{}", unit.journal());
        assert!(case.read(&out).contains("10.9.0.1/24"), "{name}");
        assert!(!case.sh("ip link show user0").success(), "it is the host's");
    }
}
