//! What keeps the payload from running, by systemd's exit statuses.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use crate::run::{WRAPPER, command, is_privileged, root, wrapper};

#[track_caller]
fn fails(arguments: &[&str], status: i32, words: &[&str]) {
    let outcome = wrapper(arguments);
    assert_eq!((outcome.status, outcome.stdout.as_str()), (Some(status), ""), "{arguments:?}: {}", outcome.stderr);
    assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
    for word in words {
        assert!(outcome.stderr.contains(word), "{word:?} in {}", outcome.stderr);
    }
}

#[test]
fn missing_command_is_203() {
    fails(&["/not/there"], 203, &["unitcell-exec: can't execute the command: /not/there: No such file or directory"]);
    fails(&["not-in-any-path"], 203, &["No such file or directory"]);
    fails(&[""], 203, &["No such file or directory"]);
}

#[test]
fn command_that_can_not_be_executed_is_203() {
    fails(&["/etc"], 203, &["/etc: Permission denied"]);
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("script");
    fs::write(&file, "#!/not/there\n").expect("a file");
    let path = file.to_str().expect("UTF-8");
    fails(&[path], 203, &["Permission denied"]);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("a mode");
    fails(&[path], 203, &["No such file or directory"]);
}

#[test]
fn missing_namespace_file_is_225_or_226() {
    let missing = "No such file or directory";
    fails(
        &["--network-namespace=not-there-at-all", "echo", "ran"],
        225,
        &["NetworkNamespace=: can't open the network namespace /run/netns/not-there-at-all: ", missing],
    );
    fails(
        &["--source=/etc/web.conf", "--uts-namespace-path=/not/there", "echo", "ran"],
        226,
        &["UTSNamespacePath= (/etc/web.conf): can't open the UTS namespace /not/there: ", missing],
    );
}

#[test]
fn missing_user_is_217() {
    fails(&["--user=nobody-has-this-name", "echo", "ran"], 217, &["there is no user nobody-has-this-name"]);
    fails(&["--group=nobody-has-this-name", "echo", "ran"], 217, &["there is no group nobody-has-this-name"]);
}

#[test]
fn namespace_that_was_not_left_is_told() {
    let own = fs::metadata("/proc/self/ns/net").expect("a namespace").ino();
    let uts = fs::metadata("/proc/self/ns/uts").expect("a namespace").ino();
    let verify = |kind: &str, inode: u64, name: &str| format!("--verify={kind}:{inode}:{name}=");
    fails(
        &[&verify("net", own, "PrivateNetwork"), "echo", "ran"],
        225,
        &["PrivateNetwork=: can't leave the manager's network namespace net:[", "systemd has gone on without"],
    );
    fails(&[&verify("uts", uts, "Hostname"), "echo", "ran"], 226, &["Hostname=: "]);
    // Any other number is another namespace.
    assert_eq!(wrapper(&[&verify("net", own + 1, "PrivateNetwork"), "echo", "ran"]).stdout, "ran\n");
}

#[test]
fn try_goes_on_and_warns() {
    let outcome = wrapper(&["--isolation=try", "--uts-namespace-path=/not/there", "echo", "ran"]);
    assert_eq!((outcome.status, outcome.stdout.as_str()), (Some(0), "ran\n"));
    assert!(
        outcome.stderr.starts_with("unitcell-exec: going on without, as Isolation=try asks: UTSNamespacePath=: "),
        "{}",
        outcome.stderr
    );
}

#[test]
fn ready_and_hand_over_need_a_socket() {
    for option in ["--ready", "--hand-over"] {
        fails(&[option, "echo", "ran"], 203, &["NOTIFY_SOCKET is not set"]);
    }
}

#[test]
fn without_privilege_nothing_runs_unisolated() {
    // As nobody, and with no user namespaces to be had.
    let options: &[&str] = &["--private-network", "echo", "ran"];
    let outcome = if is_privileged() {
        command("setpriv")
            .args(["--bounding-set=-sys_admin", "--inh-caps=-all", "--no-new-privs", WRAPPER])
            .args(options)
            .output()
            .expect("setpriv(1) runs")
            .into()
    } else {
        wrapper(options)
    };
    assert_eq!((outcome.status, outcome.stdout.as_str()), (Some(225), ""), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("PrivateNetwork=: can't make namespaces: net, mnt: Operation not permitted"));
    assert!(outcome.stderr.contains("the manager must have CAP_SYS_ADMIN"));
}

/// The limit is one of each user namespace, so that none but the test's own is touched.
#[test]
fn limit_of_user_namespaces_is_told() {
    let script = "echo 0 >/proc/sys/user/max_user_namespaces && exec \"$0\" --private-users=self echo ran";
    let outcome: crate::run::Outcome =
        command("unshare").args(["-Ur", "sh", "-c", script, WRAPPER]).output().expect("unshare(1) runs").into();
    assert_eq!((outcome.status, outcome.stdout.as_str()), (Some(217), ""), "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("user.max_user_namespaces is 0: set it to more by sysctl(8)"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn wrong_type_of_namespace_is_226() {
    if root().is_none() {
        return;
    }
    fails(
        &["--uts-namespace-path=/proc/self/ns/net", "echo", "ran"],
        226,
        &["can't join the UTS namespace: Invalid argument", "the file is no namespace of this type"],
    );
    fails(&["--uts-namespace-path=/etc/passwd", "echo", "ran"], 226, &["UTSNamespacePath="]);
}
