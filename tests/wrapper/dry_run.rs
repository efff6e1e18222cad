//! The steps as `--dry-run` prints them.

use crate::run::{is_privileged, wrapper};

/// First of all, where anybody in the cell might see the wrapper. Without privilege nobody in it may do
/// more to a file than outside.
const PROTECTS: &str = "keep the wrapper's own file from being written to";

#[track_caller]
fn steps(options: &[&str], expected: &[&str]) {
    let mut arguments = vec!["--dry-run"];
    arguments.extend(options);
    // That it is not there shows that nothing is looked for, either.
    arguments.extend(["--", "/not/there"]);
    let outcome = wrapper(&arguments);
    assert_eq!((outcome.status, outcome.stderr.as_str()), (Some(0), ""));
    assert_eq!(outcome.stdout.lines().collect::<Vec<_>>(), expected, "{options:?}");
}

#[test]
fn nothing_but_the_command() {
    steps(&[], &["execute the command"]);
}

#[test]
fn names() {
    steps(
        &["--hostname=web", "--domainname=nis", "--protect-hostname=yes:web"],
        &[
            "make namespaces: uts",
            "set the host name to web",
            "set the NIS domain name to nis",
            "take sethostname and setdomainname away",
            "execute the command",
        ],
    );
}

#[test]
fn clocks() {
    steps(
        &["--time-offset-boottime=497d", "--time-offset-monotonic=-1s"],
        &[
            "make namespaces: time",
            "shift the clocks and enter the time namespace: monotonic -1000000000 ns, boottime 42940800000000000 ns",
            "execute the command",
        ],
    );
}

#[test]
fn pid_namespace() {
    steps(
        &["--private-pids"],
        &[
            "make namespaces: pid, mnt",
            "let no mount propagate to the host",
            "fork into the PID namespace and wait for its end",
            "mount /proc of the PID namespace",
            "share mounts with namespaces made from here",
            "execute the command",
        ],
    );
}

#[test]
fn everything_that_is_joined() {
    let protects: &[&str] = if is_privileged() { &[PROTECTS] } else { &[] };
    let rest = [
        "open the cgroup namespace /c",
        "open the IPC namespace /i",
        "open the UTS namespace /u",
        "open the network namespace /run/netns/blue",
        "open the time namespace /t",
        "open the mount namespace /m",
        "join the cgroup namespace",
        "join the IPC namespace",
        "join the UTS namespace",
        "join the network namespace",
        "join the time namespace",
        "join the mount namespace",
        "execute the command",
    ];
    steps(
        &[
            "--time-namespace-path=/t",
            "--mount-namespace-path=/m",
            "--network-namespace=blue",
            "--ipc-namespace-path=/i",
            "--uts-namespace-path=/u",
            "--cgroup-namespace-path=/c",
        ],
        &[protects, &rest].concat(),
    );
}

#[test]
fn identity_of_the_payload() {
    steps(
        &[
            "--no-new-privileges",
            "--secure-bits=noroot",
            "--ambient-capabilities=CAP_NET_RAW",
            "--capability-bounding-set=~CAP_SYS_ADMIN",
            "--supplementary-groups=a b",
            "--group=www",
            "--user=web",
            "--ready",
            "--verify=net:4026531840:PrivateNetwork=",
        ],
        &[
            "leave the manager's network namespace net:[4026531840]",
            "look up the user and its groups",
            "set the groups",
            "limit the bounding set to: ~CAP_SYS_ADMIN",
            "set the user",
            "raise ambient capabilities: CAP_NET_RAW",
            "set the securebits to 0x1",
            "set no_new_privs",
            "enter the working directory as that user",
            "tell the manager READY=1",
            "execute the command",
        ],
    );
}

#[test]
fn user_namespace_is_last_with_privilege_and_first_without() {
    let make = "make a user namespace: uids 0:100000:65536, gids 0:100000:65536";
    let join = "join the user namespace";
    let rest = [
        "make namespaces: ipc, net, mnt",
        "take lo up",
        "let no mount propagate to the host",
        "mount /sys of the network namespace",
        "mount /dev/mqueue of the IPC namespace",
        "share mounts with namespaces made from here",
    ];
    let ids_of_the_inside = ["set the groups", "set the user", "execute the command"];
    let expected: Vec<&str> = match is_privileged() {
        true => [make].into_iter().chain(rest).chain([join]).collect(),
        false => [make, join].into_iter().chain(rest).collect(),
    };
    let options = ["--uid-map=0:100000:65536", "--gid-map=0:100000:65536", "--private-network", "--private-ipc"];
    steps(&options, &[expected.as_slice(), &ids_of_the_inside].concat());
}

#[test]
fn namespaces_one_by_one_where_some_may_be_missing() {
    steps(
        &["--isolation=try", "--private-network", "--hostname=web"],
        &[
            "make namespaces: uts",
            "make namespaces: net",
            "make namespaces: mnt",
            "take lo up",
            "set the host name to web",
            "let no mount propagate to the host",
            "mount /sys of the network namespace",
            "share mounts with namespaces made from here",
            "execute the command",
        ],
    );
}

#[test]
fn cgroup_trees() {
    let mount = |step| vec!["let no mount propagate to the host", step, "share mounts with namespaces made from here"];
    let cases = [
        ("yes", "make namespaces: mnt", "mount /sys/fs/cgroup again, read-only"),
        ("private", "make namespaces: cgroup, mnt", "mount /sys/fs/cgroup of the cgroup namespace"),
        ("strict", "make namespaces: cgroup, mnt", "mount /sys/fs/cgroup of the cgroup namespace, read-only"),
    ];
    for (value, make, step) in cases {
        let expected = [&[make], mount(step).as_slice(), &["execute the command"]].concat();
        steps(&[&format!("--protect-control-groups={value}")], &expected);
    }
}

#[test]
fn mounts_in_the_order_in_which_they_are_given() {
    let options = [
        "--tmpfs=/b:size=1M",
        "--root-directory=/r",
        "--bind=/a:/b/a",
        "--private-pids",
        "--bind-ro=/c:/d:norbind",
        "--dev=/dev",
        "--sysfs=/sys",
        "--overlay=/o:/l:/m:upperdir=/u:workdir=/w",
        "--mount-propagation=private",
        "--working-directory=/d",
        "--keep-caps",
    ];
    steps(
        &options,
        &[
            PROTECTS,
            "make namespaces: pid, mnt",
            "let no mount propagate to the host or from it",
            "fork into the PID namespace and wait for its end",
            "make a procfs",
            "open /a",
            "open /c",
            "open the devices of /dev",
            "make a sysfs",
            "lay directories over each other: /l, /m; written to /u, with /w",
            "make /r the root",
            "mount /proc of the PID namespace",
            "mount a tmpfs at /b",
            "mount /a at /b/a with all below it",
            "mount /c at /d, read-only",
            "make a minimal /dev at /dev",
            "mount sysfs at /sys",
            "mount the overlay at /o",
            "raise all capabilities as ambient ones",
            "enter the working directory /d as that user",
            "execute the command",
        ],
    );
    steps(
        &["--root-overlay"],
        &[
            PROTECTS,
            "make namespaces: mnt",
            "let no mount propagate to the host",
            "enter a throw-away overlay over the root",
            "enter the working directory as it now is",
            "share mounts with namespaces made from here",
            "execute the command",
        ],
    );
}
