//! User namespaces for who has no privilege, and subordinate ids.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::run::{Outcome, WRAPPER, command, is_privileged};

/// The wrapper where everybody can execute it, wherever cargo has built it.
fn within_reach() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).expect("a mode");
    let wrapper = directory.path().join("unitcell-exec");
    // Not by this process: what another thread forks meanwhile would have it open for writing.
    assert!(command("cp").arg(WRAPPER).arg(&wrapper).status().expect("cp(1) runs").success());
    (directory, wrapper)
}

/// Somebody without privilege and without an entry anywhere: 54321, unless the test itself is such a one.
fn nobody(arguments: &[&str]) -> Outcome {
    let (_directory, wrapper) = within_reach();
    let mut command = match is_privileged() {
        true => {
            let mut command = command("setpriv");
            command.args(["--reuid=54321", "--regid=54321", "--clear-groups"]).arg(wrapper);
            command
        }
        false => command(wrapper),
    };
    command.args(arguments).current_dir("/").output().expect("the wrapper runs").into()
}

#[test]
fn user_namespace_is_implied_by_hand_only() {
    let options = ["--hostname=web", "--private-network", "--tmpfs=/mnt", "--"];
    let script = "uname -n; ls -A /mnt /sys/class/net; grep -c . /proc/self/uid_map; grep CapEff /proc/self/status";
    let outcome = nobody(&[&options[..], &["sh", "-c", script]].concat());
    let expected = "web\n/mnt:\n\n/sys/class/net:\nlo\n1\nCapEff:\t0000000000000000\n";
    assert_eq!((outcome.status, outcome.stdout.as_str()), (Some(0), expected), "{}", outcome.stderr);
    assert!(nobody(&["--dry-run", "--hostname=web", "x"]).stdout.contains("make a user namespace: "));
    // Nothing to make, nothing implied.
    assert_eq!(nobody(&["--dry-run", "x"]).stdout, "execute the command\n");
    // In a unit, somebody else has made a part of it.
    let unit = nobody(&["--source=/etc/web.service", "--hostname=web", "echo", "ran"]);
    assert_eq!((unit.status, unit.stdout.as_str()), (Some(226), ""), "{}", unit.stderr);
}

/// The kernel lets nobody without privilege have a procfs or sysfs once the host's own is out of sight.
#[test]
fn a_container_needs_no_privilege() {
    let root = tempfile::tempdir_in("/var/tmp").expect("a directory");
    fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).expect("a mode");
    let mut options = vec![format!("--root-directory={}", root.path().display())];
    for name in ["bin", "lib", "lib64", "usr", "dev", "proc", "sys", "tmp"] {
        fs::create_dir(root.path().join(name)).expect("a mount point");
        if matches!(name, "bin" | "lib" | "lib64" | "usr") && Path::new("/").join(name).is_dir() {
            options.push(format!("--bind-ro=/{name}"));
        }
    }
    let script =
        "echo /proc/[0-9]*; ls -A /sys/class/net /tmp; echo x >/dev/null; ls -d /etc /var 2>/dev/null; uname -n";
    for proc in [&[][..], &["--proc=/proc"]] {
        let more =
            ["--dev=/dev", "--tmpfs=/tmp", "--sysfs=/sys", "--private-pids", "--private-network", "--hostname=box"];
        let words: Vec<&str> = options.iter().map(String::as_str).chain(more).chain(proc.iter().copied()).collect();
        let outcome = nobody(&[&words[..], &["--", "sh", "-c", script]].concat());
        let expected = "/proc/1\n/sys/class/net:\nlo\n\n/tmp:\nbox\n";
        assert_eq!(outcome.stdout, expected, "{}", outcome.stderr);
    }
}

#[test]
fn nothing_is_open_but_what_was_handed_over() {
    let list = ["sh", "-c", "cd /proc/self/fd; echo *"];
    let passed: Outcome = command(list[0]).args(&list[1..]).output().expect("sh(1) runs").into();
    for options in [&["--hostname=web", "--private-network"][..], &["--private-pids", "--tmpfs=/mnt"], &["--init"]] {
        assert_eq!(nobody(&[options, &["--"], &list].concat()), passed, "{options:?}");
    }
}

#[test]
fn all_capabilities_of_the_namespace_on_demand() {
    let outcome = nobody(&["--private-mounts", "--keep-caps", "--", "mount", "-t", "tmpfs", "x", "/mnt"]);
    assert_eq!(outcome.status, Some(0), "{}", outcome.stderr);
}

#[test]
fn what_is_missing_for_subordinate_ids_is_told() {
    let owner = "root";
    let has_entry = |path: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        text.lines().any(|line| line.starts_with("root:") || line.starts_with("0:"))
    };
    if !has_entry("/etc/subuid") {
        let outcome = nobody(&[&format!("--private-users=subuid:{owner}"), "echo", "ran"]);
        assert_eq!((outcome.status, outcome.stdout.as_str()), (Some(217), ""), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("/etc/subuid has no entry for root; add the line root:"), "{}", outcome.stderr);
    }
    let nobody_has_it = nobody(&["--private-users=subuid:nobody-has-this-name", "echo", "ran"]);
    assert_eq!(nobody_has_it.status, Some(217));
    assert!(nobody_has_it.stderr.contains("there is no user nobody-has-this-name"), "{}", nobody_has_it.stderr);

    // More than its own id nobody maps without help.
    let many = nobody(&["--uid-map=0:54321:1", "--uid-map=1:1:1", "--gid-map=0:54321:1", "echo", "ran"]);
    assert_eq!((many.status, many.stdout.as_str()), (Some(217), ""));
    let helper = Path::new("/usr/bin/newuidmap").exists();
    let words = if helper { "newuidmap has refused: " } else { "of the package uidmap" };
    assert!(many.stderr.contains(words), "{}", many.stderr);
}
