//! All that the payload gets from its starter and must get unchanged through the wrapper.

use crate::run::{Outcome, WRAPPER, command, is_privileged};

/// Runs `command` in a shell that first does `setup`, directly and by way of the wrapper, and
/// asserts that both say the same. `say` is one program with its arguments: a shell in between
/// would have habits of its own.
#[track_caller]
fn same(setup: &str, say: &[&str]) -> Outcome {
    let run = |wrapped: &[&str]| -> Outcome {
        command("sh")
            .args(["-c", &format!("{setup}\nexec \"$@\""), "sh"])
            .args(wrapped)
            .args(say)
            .output()
            .expect("sh(1) runs")
            .into()
    };
    let direct = run(&[]);
    assert_eq!(direct.status, Some(0), "{}", direct.stderr);
    let mut ways: Vec<&[&str]> = vec![&[WRAPPER, "--"]];
    if is_privileged() {
        ways.push(&[WRAPPER, "--hostname=web", "--private-mounts", "--private-network", "--"]);
    }
    for way in ways {
        assert_eq!(run(way), direct, "{way:?}");
    }
    direct
}

/// Says who the process is and how it takes signals. How many of them are queued is another matter.
const STATUS: &[&str] =
    &["grep", "-E", "^(Sig[^Q]|Shd|Cap|NoNewPrivs|Seccomp|Uid|Gid|Groups|Umask|Threads)", "/proc/self/status"];

/// Is this bit set in a line of what [`STATUS`] says?
fn has(outcome: &Outcome, line: &str, signal: u32) -> bool {
    let bits = outcome.stdout.lines().find_map(|other| other.strip_prefix(line)).expect(line);
    u64::from_str_radix(bits.trim(), 16).expect("hexadecimal") & (1 << (signal - 1)) != 0
}

const SIGHUP: u32 = 1;
const SIGUSR1: u32 = 10;
const SIGPIPE: u32 = 13;
const SIGTERM: u32 = 15;

#[test]
fn signals_at_their_defaults() {
    let outcome = same("", STATUS);
    // A Rust runtime would ignore it before anybody is asked.
    assert!(!has(&outcome, "SigIgn:", SIGPIPE), "{}", outcome.stdout);
}

#[test]
fn signals_ignored() {
    let outcome = same("trap '' PIPE HUP", STATUS);
    assert!(has(&outcome, "SigIgn:", SIGPIPE) && has(&outcome, "SigIgn:", SIGHUP), "{}", outcome.stdout);
}

#[test]
fn signals_blocked() {
    let env = ["env", "--block-signal=USR1", "--block-signal=TERM"];
    let run = |wrapped: &[&str]| -> Outcome {
        command(env[0]).args(&env[1..]).args(wrapped).args(STATUS).output().expect("env(1) runs").into()
    };
    let direct = run(&[]);
    assert!(has(&direct, "SigBlk:", SIGUSR1) && has(&direct, "SigBlk:", SIGTERM), "{}", direct.stdout);
    assert_eq!(run(&[WRAPPER, "--"]), direct);
}

#[test]
fn descriptors() {
    same("exec 5</dev/null 9>/dev/null", &["ls", "/proc/self/fd"]);
}

#[test]
fn closed_descriptors_stay_closed() {
    same("exec 0<&-", &["ls", "/proc/self/fd"]);
    same("exec 0<&- 2>&-", &["ls", "/proc/self/fd"]);
}

#[test]
fn environment() {
    let outcome =
        same("unset LC_ALL; export A=1 EMPTY= LISTEN_PID=1 WATCHDOG_PID=1 NOTIFY_SOCKET=/not/there", &["env"]);
    for line in ["A=1", "EMPTY=", "LISTEN_PID=1", "WATCHDOG_PID=1", "NOTIFY_SOCKET=/not/there"] {
        assert!(outcome.stdout.lines().any(|other| other == line), "{line} in {}", outcome.stdout);
    }
}

#[test]
fn umask_directory_and_limits() {
    assert!(same("umask 0027", STATUS).stdout.contains("Umask:\t0027\n"));
    assert_eq!(same("cd /usr", &["readlink", "/proc/self/cwd"]).stdout, "/usr\n");
    same("ulimit -n 100; ulimit -c 0", &["cat", "/proc/self/limits"]);
    same("", &["cat", "/proc/self/oom_score_adj", "/proc/self/cgroup", "/proc/self/personality"]);
}

#[test]
fn arguments() {
    let words = ["printf", "<%s>", "", "two words", "--help", "--", "$HOME", "%n", "a\nb"];
    assert_eq!(same("", &words).stdout, "<><two words><--help><--><$HOME><%n><a\nb>");
}

#[test]
fn name_is_the_path_unless_given() {
    let name = |arguments: &[&str]| -> Vec<u8> {
        let output = command(WRAPPER).args(arguments).args(["cat", "/proc/self/cmdline"]).output();
        output.expect("the wrapper runs").stdout
    };
    assert_eq!(name(&["--"]), b"cat\0/proc/self/cmdline\0");
    assert_eq!(name(&["--argv0=my name", "--"]), b"my name\0/proc/self/cmdline\0");
}

#[test]
fn command_is_looked_for_where_it_is_said() {
    let find = |options: &[&str], path: Option<&str>| {
        let mut command = command(WRAPPER);
        match path {
            Some(path) => command.env("PATH", path),
            None => command.env_remove("PATH"),
        };
        Outcome::from(command.args(options).args(["--", "true"]).output().expect("the wrapper runs")).status
    };
    assert_eq!(find(&[], Some("/usr/bin")), Some(0));
    assert_eq!(find(&[], Some("/not/there")), Some(203));
    assert_eq!(find(&[], None), Some(0), "where a shell looks");
    assert_eq!(find(&["--search-path=/usr/bin"], Some("/not/there")), Some(0));
    assert_eq!(find(&["--search-path=/not/there"], Some("/usr/bin")), Some(203));
    // Never in the working directory.
    assert_eq!(find(&["--search-path=:bin"], Some("/usr/bin")), Some(203));
}

#[test]
fn notify_socket_is_hidden_when_told() {
    let env = |options: &[&str]| -> Outcome {
        command(WRAPPER).args(options).args(["--", "env"]).env("NOTIFY_SOCKET", "/run/x").output().expect("runs").into()
    };
    assert!(env(&[]).stdout.contains("NOTIFY_SOCKET=/run/x\n"));
    assert!(!env(&["--hide-notify-socket"]).stdout.contains("NOTIFY_SOCKET"));
}
