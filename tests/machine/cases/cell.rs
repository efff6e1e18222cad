//! Every directive, as the payload sees it.

use super::cases;
use crate::case::{Case, Unit};
use crate::dump::Dump;

cases![
    private_network,
    network_namespace_path,
    private_ipc,
    ipc_namespace_path,
    private_mounts,
    hostname,
    hostname_with_specifier,
    protect_hostname_yes_with_name,
    protect_hostname_private_with_name,
    units_own_protect_hostname_keeps_holding,
    domainname,
    private_pids,
    protect_control_groups_private,
    protect_control_groups_strict,
    cell_adds_to_what_the_unit_says,
    protect_system_strict_keeps_run,
    private_users_self,
    private_users_identity,
    private_users_full,
    id_maps,
    id_maps_with_user,
    time_offsets,
    negative_time_offset_is_refused_by_the_kernel,
    user_namespace_path,
    mount_namespace_path,
    pid_namespace_path,
    uts_namespace_path,
    cgroup_namespace_path,
    time_namespace_path,
    all_together,
];

const KINDS: [&str; 8] = ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"];

/// The service is in a namespace of its own of these types, and in the manager's of all others.
#[track_caller]
fn assert_own(case: &Case, dump: &Dump, own: &[&str]) {
    for kind in KINDS {
        let is_own = dump.ns(kind) != case.manager_ns(kind);
        assert_eq!(is_own, own.contains(&kind), "own {kind} namespace? {}", dump.ns(kind));
    }
}

/// The lines of the payload's mountinfo for this mount point, the last one being the one in sight.
pub fn mounts_at(dump: &Dump, path: &str) -> Vec<String> {
    dump.list("mountinfo").into_iter().filter(|line| line.split(' ').nth(4) == Some(path)).collect()
}

/// It is the main process, stops when told to, comes back, and reports its exit status.
#[track_caller]
fn assert_lives(unit: &Unit<'_>) {
    assert_ne!(unit.main_pid(), 0);
    unit.stop().ok();
    assert_eq!((unit.state().as_str(), unit.result().as_str()), ("inactive", "success"), "after stop");
    unit.restart().ok();
    unit.dump();
    unit.assert_state("active");
}

/// A service that lives in the namespaces that `options` of unshare(1) make, and does `then` in them first.
fn other<'c>(case: &'c Case, options: &str, then: &str) -> (Unit<'c>, i32) {
    let command = format!(
        "ExecStart=unshare {options} -- sh -c '{then}; echo ready > /run/{}; exec sleep infinity'",
        case.unique("other")
    );
    let unit = case.service("other", &command, "");
    let ready = crate::machine::wait_for(
        || case.sh(&format!("test -e /run/{}", case.unique("other"))).success(),
        std::time::Duration::from_secs(20),
    );
    assert!(ready, "{}", unit.journal());
    let pid = unit.main_pid();
    (unit, pid)
}

fn ns_of(case: &Case, pid: i32, kind: &str) -> String {
    case.sh(&format!("readlink /proc/{pid}/ns/{kind}")).ok().trim().to_owned()
}

fn private_network(case: &Case) {
    let unit = case.service("web", "", "PrivateNetwork=yes");
    let dump = unit.dump();
    assert_ne!(dump.ns("net"), case.manager_ns("net"));
    assert_eq!(dump.interfaces(), ["lo"]);
    assert_eq!(dump.get("lo_up"), true, "{:?}", dump.get("lo_up"));
    assert_lives(&unit);
}

fn network_namespace_path(case: &Case) {
    let (_other, pid) = other(case, "--net", "ip link set lo up");
    let unit = case.service("web", "", &format!("NetworkNamespacePath=/proc/{pid}/ns/net"));
    assert_eq!(unit.dump().ns("net"), ns_of(case, pid, "net"));
    assert_lives(&unit);
}

fn private_ipc(case: &Case) {
    let unit = case.service("web", "", "PrivateIPC=yes");
    assert_ne!(unit.dump().ns("ipc"), case.manager_ns("ipc"));
    assert_lives(&unit);
}

fn ipc_namespace_path(case: &Case) {
    let (_other, pid) = other(case, "--ipc", "true");
    let unit = case.service("web", "", &format!("IPCNamespacePath=/proc/{pid}/ns/ipc"));
    assert_eq!(unit.dump().ns("ipc"), ns_of(case, pid, "ipc"));
    assert_lives(&unit);
}

fn private_mounts(case: &Case) {
    let unit = case.service("web", "", "PrivateMounts=yes");
    assert_own(case, &unit.dump(), &["mnt"]);
    assert_lives(&unit);
}

fn hostname(case: &Case) {
    let before = case.sh("uname -n").ok().to_owned();
    let unit = case.service("web", "", "Hostname=web.example");
    let dump = unit.dump();
    assert_eq!(dump.hostname(), "web.example");
    assert_ne!(dump.ns("uts"), case.manager_ns("uts"));
    assert_eq!(case.sh("uname -n").ok(), before, "the host keeps its name");
    assert_lives(&unit);
}

fn hostname_with_specifier(case: &Case) {
    let unit = case.service("web", "", "Hostname=h-%p");
    assert_eq!(unit.dump().hostname(), format!("h-{}", case.unique("web")));
}

fn changes_hostname(case: &Case, cell: &str) -> bool {
    let unit = case.service(
        "changes",
        "Type=oneshot\nExecStart=python3 -c \"import socket; socket.sethostname('changed')\"",
        cell,
    );
    assert_ne!(case.sh("uname -n").ok().trim(), "changed");
    unit.result() == "success"
}

fn protect_hostname_yes_with_name(case: &Case) {
    let dump = case.service("web", "", "ProtectHostname=yes:web").dump();
    assert_eq!(dump.hostname(), "web");
    assert_ne!(dump.ns("uts"), case.manager_ns("uts"));
    assert!(!changes_hostname(case, "ProtectHostname=yes:web"));
}

fn protect_hostname_private_with_name(case: &Case) {
    let dump = case.service("web", "", "ProtectHostname=private:web").dump();
    assert_eq!(dump.hostname(), "web");
    assert!(changes_hostname(case, "ProtectHostname=private:web"));
    let private = case.service("private", "", "ProtectHostname=private").dump();
    assert_ne!(private.ns("uts"), case.manager_ns("uts"));
}

fn units_own_protect_hostname_keeps_holding(case: &Case) {
    let dump = case.service("web", "ProtectHostname=yes", "Hostname=web").dump();
    assert_eq!(dump.hostname(), "web");
    let unit = case.service(
        "changes",
        "ProtectHostname=yes\nType=oneshot\nExecStart=python3 -c \"import socket; socket.sethostname('changed')\"",
        "Hostname=web",
    );
    assert_eq!(unit.result(), "exit-code", "the service must not change its name");
}

fn domainname(case: &Case) {
    let unit = case.service("web", "", "Domainname=nis.example\nHostname=web");
    let dump = unit.dump();
    assert_eq!((dump.hostname(), dump.text("domainname")), ("web", "nis.example"));
    assert_own(case, &dump, &["uts"]);
    assert_lives(&unit);
}

fn private_pids(case: &Case) {
    let unit = case.service("web", "", "PrivatePIDs=yes");
    let dump = unit.dump();
    assert_own(case, &dump, &["pid", "mnt"]);
    assert_eq!((dump.pid(), dump.pids()), (1, vec![1]));
    assert_lives(&unit);
}

fn protect_control_groups_private(case: &Case) {
    let unit = case.service("web", "", "ProtectControlGroups=private");
    let dump = unit.dump();
    assert_own(case, &dump, &["cgroup", "mnt"]);
    assert!(dump.text("cgroup").lines().any(|line| line == "0::/"), "{}", dump.text("cgroup"));
    let mounts = mounts_at(&dump, "/sys/fs/cgroup");
    assert!(mounts.len() == 1 && mounts[0].contains(" / /sys/fs/cgroup rw,"), "{mounts:?}");
    assert_lives(&unit);
}

fn protect_control_groups_strict(case: &Case) {
    let dump = case.service("web", "", "ProtectControlGroups=strict").dump();
    assert_own(case, &dump, &["cgroup", "mnt"]);
    assert!(dump.text("cgroup").lines().any(|line| line == "0::/"), "{}", dump.text("cgroup"));
    let mounts = mounts_at(&dump, "/sys/fs/cgroup");
    assert!(mounts.len() == 1 && mounts[0].contains(" / /sys/fs/cgroup ro,"), "{mounts:?}");
}

/// A cell takes nothing back that the unit says itself.
fn cell_adds_to_what_the_unit_says(case: &Case) {
    for (name, own, cell) in [
        ("yes", "ProtectControlGroups=yes", "ProtectControlGroups=private"),
        ("more", "ProtectControlGroups=yes", "ProtectControlGroups=private\nDomainname=cell"),
    ] {
        let dump = case.service(name, own, cell).dump();
        assert!(dump.text("cgroup").lines().any(|line| line == "0::/"), "{}", dump.text("cgroup"));
        let mounts = mounts_at(&dump, "/sys/fs/cgroup");
        assert!(mounts.last().is_some_and(|mount| mount.contains(" / /sys/fs/cgroup ro,")), "{mounts:?}");
    }
    let locked = "ProtectHostname=yes\nExecStart=@payload@ sleep-handled calls";
    for (name, service, cell) in [("native", locked, ""), ("names", locked, "ProtectHostname=private")] {
        let dump = case.service(name, service, cell).dump();
        assert_eq!(dump.get("calls")["sethostname"], "error 1", "{name}");
    }
}

/// By systemd's own settings for these cells /run would be writable again.
fn protect_system_strict_keeps_run(case: &Case) {
    let service = "ProtectSystem=strict\nReadWritePaths=/run/unitcell-tests\nRuntimeDirectory=%p";
    for (name, cell) in [
        ("none", ""),
        ("cgroups", "ProtectControlGroups=yes"),
        ("pids", "PrivatePIDs=yes"),
        ("init", "Init=yes\nProtectControlGroups=private"),
    ] {
        let dump = case.service(name, service, cell).dump();
        let options =
            |path: &str| mounts_at(&dump, path).last().and_then(|line| Some(line.split(' ').nth(5)?.to_owned()));
        for (path, option) in [("/run", "ro"), ("/run/unitcell-tests", "rw")] {
            assert!(
                options(path).is_some_and(|options| options.starts_with(option)),
                "{name}: {path}: {:?}",
                options(path)
            );
        }
        let own = format!("/run/{}", case.unique(name));
        assert!(options(&own).is_some_and(|options| options.starts_with("rw")), "{name}: {own}");
    }
}

fn private_users_self(case: &Case) {
    let unit = case.service("web", "User=nobody", "PrivateUsers=self");
    let dump = unit.dump();
    assert_own(case, &dump, &["user"]);
    assert_eq!(dump.id_map("uid_map"), [(0, 0, 1), (65534, 65534, 1)]);
    assert_eq!(dump.get("uid")[0], 65534);
    assert_lives(&unit);
    // The same with the wrapper making it, since it has other work to do.
    let dump = case.service("both", "User=nobody", "PrivateUsers=self\nTimeOffsetBoottime=1d").dump();
    assert_own(case, &dump, &["time", "user"]);
    assert_eq!(dump.id_map("uid_map"), [(0, 0, 1), (65534, 65534, 1)]);
    assert_eq!(dump.id_map("gid_map"), [(0, 0, 1), (65534, 65534, 1)]);
    assert_eq!((dump.get("uid")[0].as_i64(), dump.text("setgroups").trim()), (Some(65534), "deny"));
}

fn private_users_identity(case: &Case) {
    let unit = case.service("web", "", "PrivateUsers=identity");
    let dump = unit.dump();
    assert_own(case, &dump, &["user"]);
    assert_eq!(dump.id_map("uid_map"), [(0, 0, 65536)]);
    assert_eq!(dump.id_map("gid_map"), [(0, 0, 65536)]);
    assert_eq!(dump.text("setgroups").trim(), "deny");
    assert_lives(&unit);
}

fn private_users_full(case: &Case) {
    let unit = case.service("web", "", "PrivateUsers=full");
    let dump = unit.dump();
    assert_own(case, &dump, &["user"]);
    assert_eq!(dump.id_map("uid_map"), [(0, 0, u32::MAX)]);
    assert_eq!(dump.text("setgroups").trim(), "allow");
    assert_lives(&unit);
}

fn id_maps(case: &Case) {
    // Root of the cell is nobody in particular outside, so it can't write the dump directory of the tests.
    let unit = case.service("web", "ExecStart=@payload@ sleep-handled", "UIDMap=0:100000:65536\nGIDMap=0:200000:65536");
    case.sh(&format!("mkdir -p /run/{0}; chown 100000:200000 /run/{0}", case.unique("dump"))).ok();
    drop(unit);
    let unit = case.service(
        "mapped",
        &format!("Type=oneshot\nExecStart=sh -c 'cat /proc/self/uid_map /proc/self/gid_map > /run/{0}/maps; id -u; id -G; readlink /proc/self/ns/user > /run/{0}/ns'", case.unique("dump")),
        "UIDMap=0:100000:1000\nUIDMap=1000:300000:10\nGIDMap=0:200000:65536",
    );
    assert_eq!(unit.result(), "success", "{}", unit.journal());
    let maps = case.read(&format!("/run/{}/maps", case.unique("dump")));
    let words: Vec<&str> = maps.split_ascii_whitespace().collect();
    assert_eq!(words, ["0", "100000", "1000", "1000", "300000", "10", "0", "200000", "65536"]);
    assert_ne!(case.read(&format!("/run/{}/ns", case.unique("dump"))).trim(), case.manager_ns("user"));
    // Seen from outside, root of the cell is the mapped user and nobody else.
    assert_eq!(case.sh(&format!("stat -c %u:%g /run/{}/maps", case.unique("dump"))).ok().trim(), "100000:200000");
    let journal = unit.journal();
    assert!(journal.contains(": 0\n"), "uid and only group inside are 0: {journal}");
}

fn id_maps_with_user(case: &Case) {
    let unit =
        case.service("mapped", "User=tester\nExecStart=sleep infinity", "UIDMap=0:100000:65536\nGIDMap=0:200000:65536");
    let pid = unit.main_pid();
    crate::machine::wait_for(|| unit.state() == "active", std::time::Duration::from_secs(10));
    let ids = case.sh(&format!("stat -c %u:%g /proc/{pid}")).ok().trim().to_owned();
    assert_eq!(ids, "101000:201000", "User= means the id inside");
}

fn time_offsets(case: &Case) {
    let unit = case.service("web", "", "TimeOffsetBoottime=497d\nTimeOffsetMonotonic=1h 30s");
    let dump = unit.dump();
    assert_own(case, &dump, &["time"]);
    let uptime: f64 = case.sh("cut -d' ' -f1 /proc/uptime").ok().trim().parse().unwrap();
    let days = (dump.clock("boottime") - uptime) / 86400.0;
    assert!((days - 497.0).abs() < 0.1, "{days} days");
    let hours = (dump.clock("monotonic") - uptime) / 3600.0;
    assert!((hours - 1.0083).abs() < 0.1, "{hours} hours");
    assert_lives(&unit);
}

fn negative_time_offset_is_refused_by_the_kernel(case: &Case) {
    let unit = case.service("web", "", "TimeOffsetBoottime=-20y");
    unit.assert_failed_with(226);
    assert!(unit.journal().contains("TimeOffsetBoottime="), "{}", unit.journal());
}

fn user_namespace_path(case: &Case) {
    let (_other, pid) = other(case, "--user --map-root-user", "true");
    let unit = case.service("web", "", &format!("UserNamespacePath=/proc/{pid}/ns/user"));
    let dump = unit.dump();
    assert_eq!(dump.ns("user"), ns_of(case, pid, "user"));
    assert_eq!(dump.get("uid"), &serde_json::json!([0, 0, 0]), "its root, not somebody who is none of it");
    assert_lives(&unit);
}

fn mount_namespace_path(case: &Case) {
    let (_other, pid) = other(case, "--mount", "true");
    let unit = case.service("web", "WorkingDirectory=/usr", &format!("MountNamespacePath=/proc/{pid}/ns/mnt"));
    let dump = unit.dump();
    assert_eq!(dump.ns("mnt"), ns_of(case, pid, "mnt"));
    assert_eq!(dump.text("cwd"), "/usr");
    assert_lives(&unit);
}

fn pid_namespace_path(case: &Case) {
    let (_other, pid) = other(case, "--pid --fork --mount-proc", "true");
    // unshare waits outside; its child is inside.
    let inside: i32 = case.sh(&format!("cat /proc/{pid}/task/{pid}/children")).ok().trim().parse().unwrap();
    let unit = case.service("web", "", &format!("PIDNamespacePath=/proc/{inside}/ns/pid"));
    let dump = unit.dump();
    assert_eq!(dump.ns("pid"), ns_of(case, inside, "pid"));
    assert!(dump.pid() > 1 && dump.pids().contains(&1) && dump.pids().len() < 6, "{:?}", dump.pids());
    assert_lives(&unit);
}

fn uts_namespace_path(case: &Case) {
    let (_other, pid) = other(case, "--uts", "hostname joined || echo joined > /proc/sys/kernel/hostname");
    let unit = case.service("web", "", &format!("UTSNamespacePath=/proc/{pid}/ns/uts"));
    let dump = unit.dump();
    assert_eq!((dump.ns("uts"), dump.hostname()), (ns_of(case, pid, "uts").as_str(), "joined"));
    assert_lives(&unit);
}

fn cgroup_namespace_path(case: &Case) {
    let (_other, pid) = other(case, "--cgroup", "true");
    let unit = case.service("web", "", &format!("CgroupNamespacePath=/proc/{pid}/ns/cgroup"));
    assert_eq!(unit.dump().ns("cgroup"), ns_of(case, pid, "cgroup"));
    assert_lives(&unit);
}

fn time_namespace_path(case: &Case) {
    let (_other, pid) = other(case, "--time --boottime 864000 --fork", "true");
    let inside: i32 = case.sh(&format!("cat /proc/{pid}/task/{pid}/children")).ok().trim().parse().unwrap();
    let unit = case.service("web", "", &format!("TimeNamespacePath=/proc/{inside}/ns/time"));
    let dump = unit.dump();
    assert_eq!(dump.ns("time"), ns_of(case, inside, "time"));
    assert!(dump.clock("boottime") > 864_000.0);
    assert_lives(&unit);
}

fn all_together(case: &Case) {
    let cell = "PrivateNetwork=yes\nPrivateIPC=yes\nPrivateMounts=yes\nHostname=all\nDomainname=nis\nPrivatePIDs=yes\n\
                ProtectControlGroups=strict\nPrivateUsers=identity\nTimeOffsetBoottime=10d";
    let unit = case.service("web", "User=tester", cell);
    let dump = unit.dump();
    assert_own(case, &dump, &KINDS);
    assert_eq!((dump.hostname(), dump.pid(), dump.get("uid")[0].as_i64()), ("all", 1, Some(1000)));
    assert_lives(&unit);
}
