//! Namespaces for real, as far as they concern nobody else.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::run::{Outcome, WRAPPER, command, namespaces, root, wrapper};

/// A shell that is PID 1 of its namespace and runs `script`, once it has said `ready`.
fn start(options: &[&str], script: &str) -> Child {
    let mut child = command(WRAPPER)
        .args(options)
        .args(["--private-pids", "--", "sh", "-c", script])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the wrapper runs");
    let mut said = [0; 6];
    std::io::Read::read_exact(child.stdout.as_mut().expect("a pipe"), &mut said).expect("ready");
    assert_eq!(&said, b"ready\n");
    child
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(child.id().cast_signed())
}

/// The child of the wrapper, by its number outside.
fn payload_of(wrapper: &Child) -> Pid {
    let path = format!("/proc/{0}/task/{0}/children", wrapper.id());
    let children = fs::read_to_string(path).expect("a list of children");
    Pid::from_raw(children.trim().parse().expect("one child"))
}

#[test]
fn hostname_is_the_cells_alone() {
    let Some(options) = namespaces() else { return };
    let before = fs::read("/proc/sys/kernel/hostname").expect("a host name");
    let outcome = wrapper(&[options, &["--hostname=web.example", "--", "uname", "-n"]].concat());
    assert_eq!((outcome.status, outcome.stdout.as_str()), (Some(0), "web.example\n"), "{}", outcome.stderr);
    assert_eq!(fs::read("/proc/sys/kernel/hostname").expect("a host name"), before);
}

#[test]
fn locked_hostname_can_not_be_changed() {
    let Some(()) = root() else { return };
    let outcome = wrapper(&["--protect-hostname=yes:web", "--", "sh", "-c", "hostname other; uname -n"]);
    assert_eq!(outcome.stdout, "web\n", "{}", outcome.stderr);
}

#[test]
fn network_has_lo_and_it_is_up() {
    let Some(options) = namespaces() else { return };
    let outcome = wrapper(&[options, &["--private-network", "--", "cat", "/proc/net/dev", "/proc/net/route"]].concat());
    let devices: Vec<&str> =
        outcome.stdout.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name.trim()).collect();
    assert_eq!(devices, ["lo"], "{}", outcome.stderr);
    let up = wrapper(&[options, &["--private-network", "--", "cat", "/proc/net/if_inet6"]].concat());
    assert!(up.stdout.is_empty() || up.stdout.contains(" lo\n"), "{}", up.stdout);
}

#[test]
fn payload_is_pid_1_and_sees_its_own_proc() {
    let Some(options) = namespaces() else { return };
    let outcome = wrapper(&[options, &["--private-pids", "--", "sh", "-c", "echo $$; echo /proc/[0-9]*"]].concat());
    assert_eq!((outcome.status, outcome.stdout.as_str()), (Some(0), "1\n/proc/1\n"), "{}", outcome.stderr);
}

#[test]
fn exit_status_comes_through() {
    let Some(options) = namespaces() else { return };
    for status in [0, 1, 7, 203, 255] {
        let outcome = wrapper(&[options, &["--private-pids", "--", "sh", "-c", &format!("exit {status}")]].concat());
        assert_eq!(outcome.status, Some(status), "{}", outcome.stderr);
    }
    let outcome = wrapper(&[options, &["--private-pids", "--", "/not/there"]].concat());
    assert_eq!(outcome.status, Some(203), "{}", outcome.stderr);
}

#[test]
fn quick_end_is_noticed() {
    let Some(options) = namespaces() else { return };
    for _ in 0..50 {
        let outcome = wrapper(&[options, &["--private-pids", "--", "true"]].concat());
        assert_eq!(outcome.status, Some(0), "{}", outcome.stderr);
    }
}

#[test]
fn exit_status_comes_through_where_sigchld_is_ignored() {
    let Some(options) = namespaces() else { return };
    let output = command("env")
        .args(["--ignore-signal=CHLD", WRAPPER])
        .args(options)
        .args(["--private-pids", "--", "grep", "SigIgn:.*[13579bdf]....$", "/proc/self/status"])
        .output();
    let outcome = crate::run::Outcome::from(output.expect("env(1) runs"));
    assert_eq!(outcome.status, Some(0), "{outcome:?}");
}

#[test]
fn death_by_a_signal_comes_through() {
    let Some(options) = namespaces() else { return };
    let mut child = start(options, "echo ready; exec sleep 60");
    kill(payload_of(&child), Signal::SIGKILL).expect("a signal");
    assert_eq!(child.wait().expect("an end").signal(), Some(Signal::SIGKILL as i32));
}

#[test]
fn real_time_signals_are_signals() {
    let Some(options) = namespaces() else { return };
    // That of an orphan, of which the first process takes note, and that of the payload.
    let script = "(sh -c 'kill -36 $$' &) ; sh -c 'kill -36 $$'; echo $?; kill -37 $$";
    let outcome = command(WRAPPER).args(options).args(["--init", "--", "sh", "-c", script]).output().expect("an end");
    assert_eq!(String::from_utf8_lossy(&outcome.stdout), "164\n", "{outcome:?}");
    assert_eq!(outcome.status.signal(), Some(37), "{outcome:?}");
    let mut child = start(options, "trap 'exit 5' 36; echo ready; while :; do sleep 0.05; done");
    let sent = command("sh").args(["-c", &format!("kill -36 {}", child.id())]).status();
    assert!(sent.expect("sh runs").success());
    assert_eq!(child.wait().expect("an end").code(), Some(5));
}

#[test]
fn signals_are_passed_on() {
    let Some(options) = namespaces() else { return };
    for (name, signal) in [("TERM", Signal::SIGTERM), ("HUP", Signal::SIGHUP), ("USR2", Signal::SIGUSR2)] {
        let script = format!("trap 'exit 5' {name}; echo ready; while :; do sleep 0.05; done");
        let mut child = start(options, &script);
        kill(pid(&child), signal).expect("a signal");
        assert_eq!(child.wait().expect("an end").code(), Some(5), "{name}");
    }
}

#[test]
fn payload_does_not_outlive_a_killed_wrapper_unseen() {
    let Some(options) = namespaces() else { return };
    let mut child = start(options, "echo ready; exec sleep 60");
    let payload = payload_of(&child);
    kill(pid(&child), Signal::SIGKILL).expect("a signal");
    child.wait().expect("an end");
    // Whether it goes on is the kernel's and the caller's matter; it must not be left by this test.
    let _ = kill(payload, Signal::SIGKILL);
    let deadline = Instant::now() + Duration::from_secs(10);
    while kill(payload, None).is_ok() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn boot_time_is_shifted() {
    let Some(options) = namespaces() else { return };
    let uptime = |text: &str| text.split('.').next().and_then(|seconds| seconds.parse::<u64>().ok()).expect("seconds");
    let before = uptime(&fs::read_to_string("/proc/uptime").expect("an uptime"));
    let outcome = wrapper(&[options, &["--time-offset-boottime=497d", "--", "cat", "/proc/uptime"]].concat());
    assert_eq!(outcome.status, Some(0), "{}", outcome.stderr);
    let shifted = uptime(&outcome.stdout) - before;
    assert!((497 * 86400..497 * 86400 + 60).contains(&shifted), "{shifted}");
}

#[test]
fn ids_are_mapped() {
    let Some(()) = root() else { return };
    let map = |options: &[&str]| {
        let outcome = wrapper(&[options, &["--", "sh", "-c", "cat /proc/self/uid_map; id -u"]].concat());
        outcome.stdout.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(map(&["--private-users=full"]), "0 0 4294967295 0");
    assert_eq!(map(&["--private-users=identity"]), "0 0 65536 0");
    assert_eq!(map(&["--private-users=self"]), "0 0 1 0");
    assert_eq!(map(&["--uid-map=0:100000:10", "--gid-map=0:100000:10"]), "0 100000 10 0");
}

/// The first process of a PID namespace ends after all others in it were waited for, by whoever that is.
#[test]
fn a_watcher_does_not_hold_up_the_end_of_its_payload() {
    let Some(()) = root() else { return };
    let directory = tempfile::tempdir().expect("a directory");
    let socket = directory.path().join("notify");
    crate::manager::listen(&socket);
    let status = command(WRAPPER)
        .args(["--private-pids", "--ready-when=path:/not/there", "--", "sh", "-c", "exit 7"])
        .env("NOTIFY_SOCKET", socket)
        .status()
        .expect("the wrapper runs");
    assert_eq!(status.code(), Some(7));
}

/// Whoever executes the wrapper may have children, who are the wrapper's then.
#[test]
fn children_from_before_do_not_hold_up_the_end() {
    let Some(()) = root() else { return };
    let script =
        format!("sleep 1000 >/dev/null 2>&1 & echo $!; exec {WRAPPER} --private-pids --init -- sh -c 'exit 7'");
    let outcome: Outcome =
        command("timeout").args(["60", "sh", "-c", &script]).output().expect("timeout(1) runs").into();
    let _ = command("kill").arg(outcome.stdout.trim()).status();
    assert_eq!(outcome.status, Some(7), "{}", outcome.stderr);
}
