//! Services of a user manager.

use super::cases;
use crate::case::Case;
use crate::machine::{USER, USER_ID};

cases![
    user_manager_runs_plain_service,
    user_cell_without_user_namespace_does_not_start,
    user_native_directive_that_fails_open_is_caught,
    user_cell_with_user_namespace,
    user_named_network_namespace_is_refused,
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

fn user_named_network_namespace_is_refused(case: &Case) {
    let unit = case.user_service("named", "", "NetworkNamespace=blue");
    unit.assert_never_ran();
    assert!(unit.journal().contains("NetworkNamespace= is not supported yet in user units"), "{}", unit.journal());
}
