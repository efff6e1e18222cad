//! What the wrapper denies in systemd's place, it denies to every process of the unit.

use super::cases;
use crate::case::Case;

cases![identity_filters_hold_every_command, identity_filters_hold_the_watcher, identity_filters_let_any_cell_be_set_up,];

const FILTERS: &str = "SystemCallFilter=@system-service\nSystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM\nRestrictNamespaces=yes\nProtectClock=yes";

/// Not only the main process: whoever may have the unit's other commands run gets no more from them.
fn identity_filters_hold_every_command(case: &Case) {
    let commands = "ExecStartPre=@payload@.pre exit 0 calls
ExecStart=@payload@ sleep-handled calls\nExecStartPost=@payload@.post exit 0 calls\nExecReload=@payload@.reload exit 0 calls";
    let native = case.service("one", &format!("User=tester\n{FILTERS}\n{commands}"), "");
    let wrapped =
        case.service("two", &format!("User=tester\n{FILTERS}\n{commands}"), super::identity_matrix::CELL.text);
    for unit in [&native, &wrapped] {
        unit.dump();
        unit.reload().ok();
    }
    let calls = |path: &str| {
        let text = case.read(path);
        serde_json::from_str::<serde_json::Value>(&text).expect("a dump")["calls"].clone()
    };
    for suffix in ["", ".pre", ".post", ".reload"] {
        let of = |unit: &crate::case::Unit| calls(&format!("{}{suffix}", unit.dump_path()));
        assert_eq!(of(&wrapped), of(&native), "ExecStart{suffix}");
    }
    for unit in [&native, &wrapped] {
        case.sh(&format!("rm {}.*", unit.dump_path())).ok();
    }
}

/// The commands of a probe are the service's, too.
fn identity_filters_hold_the_watcher(case: &Case) {
    let denied = "exec:/bin/sh -c 'unshare --uts true && exit 1; ! mount -t tmpfs tmpfs /mnt'";
    let service = "SystemCallFilter=@system-service unshare\nSystemCallErrorNumber=EPERM\nRestrictNamespaces=yes";
    let cell = format!("Hostname=web\nDomainname=cell\nReadyWhen={denied}");
    let unit = case.service("web", service, &cell);
    assert_eq!(unit.state(), "active");
    assert_eq!(unit.dump().hostname(), "web");
    // Without the filters the same condition does not hold.
    let free = case.prepare(crate::case::Scope::System, "free", "TimeoutStartSec=3", &cell);
    assert!(!free.start().success());
}

/// Filters that kill whoever makes a call that they deny.
fn identity_filters_let_any_cell_be_set_up(case: &Case) {
    let cells = [
        "RootOverlay=yes",
        "RootOverlay=yes\nPrivateUsers=self",
        "UIDMap=0:100000:65536\nGIDMap=0:100000:65536\nInit=yes",
        "Init=yes\nProtectControlGroups=private\nPrivateIPC=yes\nTimeOffsetBoottime=1d",
    ];
    let filters = ["@system-service", "~@privileged @resources", "~@chown openat2 inotify_init1"];
    for (n, cell) in cells.iter().enumerate() {
        for (m, filter) in filters.iter().enumerate() {
            let unit = case.service(&format!("{n}{m}"), &format!("SystemCallFilter={filter}"), cell);
            assert_eq!(unit.dump().status("Seccomp"), "2", "{filter}: {cell}");
        }
    }
}
