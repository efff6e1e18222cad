//! The cells that are asked for.

use crate::scenario::{KINDS, Scenario};

/// The unified hierarchy, and a place for message queues.
const HIERARCHY: &str = "
    mount -t cgroup2 none /sys/fs/cgroup && mount -t tmpfs none /dev &&
    mknod -m 666 /dev/null c 1 3 && mkdir /dev/mqueue";

/// Where the programs of /usr can run, and places for everything else.
const PLACES: &str = "
    mkdir -p data root && (cd root && mkdir -p usr etc dev proc sys tmp mnt &&
    for name in bin lib lib64; do [ -L $name ] || ln -s usr/$name $name || exit; done)";

pub fn every_new_namespace() -> Scenario {
    let options = [
        "--private-network",
        "--hostname=web",
        "--domainname=example",
        "--private-ipc",
        "--private-mounts",
        "--private-pids",
        "--protect-control-groups=private",
        "--time-offset-boottime=1d",
        "--private-users=full",
    ];
    Scenario::new(&options, &KINDS).furnished(HIERARCHY)
}

pub fn new_proc_and_sys() -> Scenario {
    Scenario::new(&["--private-network", "--private-pids"], &["net", "pid", "mnt"])
        .furnished("mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys")
        .telling("grep ' /\\(proc\\|sys\\)' /proc/self/mountinfo | cut -d' ' -f4-6")
}

pub fn every_joined_namespace() -> Scenario {
    Scenario::new(&[], &["mnt", "uts", "ipc", "net", "pid", "cgroup", "time"]).joining().read_only_wrapper()
}

/// By the user namespace that all the others belong to.
pub fn joined_user_namespace() -> Scenario {
    Scenario::new(&[], &["mnt", "user", "net", "uts", "time"]).joining().read_only_wrapper()
}

/// Those of another unit, found by its control group.
pub fn namespaces_of_a_unit() -> Scenario {
    Scenario::new(&[], &["mnt", "uts", "ipc", "net", "pid", "cgroup", "time"])
        .joining_unit("unitcell-faults.service")
        .read_only_wrapper()
}

pub fn namespaces_of_a_unit_with_users_of_its_own() -> Scenario {
    Scenario::new(&[], &["mnt", "pid", "user", "ipc", "cgroup"])
        .joining_unit("unitcell-faults-users.service")
        .read_only_wrapper()
}

/// Up to the wrapper's new start.
pub fn protected_program() -> Scenario {
    Scenario::new(&["--init"], &["pid", "mnt"])
}

pub fn mapped_ids() -> Scenario {
    let options = ["--uid-map=0:100000:10", "--gid-map=0:100000:10", "--private-network"];
    Scenario::new(&options, &["user", "net", "mnt"]).with_credentials()
}

pub fn another_user() -> Scenario {
    let options = [
        "--protect-hostname=yes:web",
        "--user=nobody",
        "--group=nogroup",
        "--capability-bounding-set=CAP_NET_BIND_SERVICE CAP_CHOWN",
        "--ambient-capabilities=CAP_NET_BIND_SERVICE",
        "--secure-bits=noroot",
        "--no-new-privileges",
    ];
    Scenario::new(&options, &["uts"])
}

/// The unit's own filters, behind all that sets the cell up.
pub fn moved_filters() -> Scenario {
    let options = [
        "--private-network",
        "--user=nobody",
        "--restrict-namespaces=net",
        "--system-call-filter=~mount:EPERM umount2:EACCES",
        "--system-call-filter=~unshare:ENOSYS",
    ];
    Scenario::new(&options, &["net", "mnt"]).telling(
        "grep Seccomp_filters /proc/self/status; umount /proc 2>&1; unshare -u true 2>&1; unshare -n true 2>&1",
    )
}

pub fn handed_over() -> Scenario {
    let options = ["--private-pids", "--hostname=web", "--hand-over", "--ready", "--hide-notify-socket"];
    Scenario::new(&options, &["pid", "uts", "mnt"]).with_manager()
}

pub fn relayed() -> Scenario {
    Scenario::new(&["--private-pids", "--hand-over", "--relay=all"], &["pid", "mnt"]).with_manager()
}

/// By the process that systemd has opened a session for.
pub fn in_a_session() -> Scenario {
    Scenario::new(&["--init", "--hand-over", "--drop-ambient"], &["pid", "mnt"]).with_manager().read_only_wrapper()
}

pub fn watched() -> Scenario {
    let options = ["--private-pids", "--hand-over", "--ready-when=path:/proc/self"];
    Scenario::new(&options, &["pid", "mnt"]).with_manager().read_only_wrapper()
}

pub fn with_an_init() -> Scenario {
    Scenario::new(&["--init", "--hand-over", "--user=nobody"], &["pid", "mnt"]).with_manager().read_only_wrapper()
}

pub fn with_an_init_and_waiting() -> Scenario {
    Scenario::new(&["--init", "--hostname=web"], &["pid", "uts", "mnt"]).read_only_wrapper()
}

pub fn another_root() -> Scenario {
    let options = [
        "--private-network",
        "--mount-propagation=private",
        "--working-directory=/tmp",
        "--tmpfs=/tmp:size=1M",
        "--proc=/proc",
        "--sysfs=/sys",
        "--dev=/dev",
    ];
    Scenario::new(&options, &["net", "mnt"])
        .furnished(PLACES)
        .option("--root-directory=@/root")
        .option("--bind=@/data:/mnt")
        .option("--bind-ro=/usr")
        .read_only_wrapper()
        .telling("pwd; ls / /dev /mnt /sys/class/net; cut -d' ' -f5,6 /proc/self/mountinfo")
}

pub fn overlays() -> Scenario {
    Scenario::new(&["--root-overlay", "--tmpfs=/mnt"], &["mnt"])
        .furnished("mkdir -p one two upper work shown && touch one/1 two/2 upper/3")
        .option("--overlay=@/shown:@/one:@/two:upperdir=@/upper:workdir=@/work")
        .telling(
            "ls $UNITCELL_FAULTS/shown; stat -f -c %T / /mnt $UNITCELL_FAULTS/shown; touch /written && echo written",
        )
        .read_only_wrapper()
}

/// By somebody who has no privilege but in a user namespace.
pub fn unprivileged() -> Scenario {
    let options = ["--private-network", "--hostname=web", "--private-pids", "--tmpfs=/mnt"];
    Scenario::new(&options, &["user", "net", "uts", "pid", "mnt"]).started_by("nobody")
}

/// With ids that newuidmap(1) maps.
pub fn subordinate_ids() -> Scenario {
    subordinate_ids_of("nobody")
}

/// With ids that are this user's; the wrapper is started by nobody.
pub fn subordinate_ids_of(owner: &str) -> Scenario {
    Scenario::new(&[&format!("--private-users=subuid:{owner}"), "--private-mounts"], &["user", "mnt"])
        .furnished(&format!(
            "{{ [ -e subid ] || echo {owner}:200000:65536 > subid; }} &&
             mount --bind subid /etc/subuid && mount --bind subid /etc/subgid"
        ))
        .started_by("nobody")
}
