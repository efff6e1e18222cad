//! What the wrapper says about itself and about wrong options.

use unitcell::cell::DIRECTIVES;
use unitcell::cell::identity::SETTINGS;

use crate::run::{Outcome, wrapper};

#[test]
fn help_lists_what_is_supported() {
    let help = wrapper(&["--help"]);
    assert_eq!((help.status, help.stderr.as_str()), (Some(0), ""));
    assert!(help.stdout.starts_with("Usage: unitcell-exec [OPTION…] [--] COMMAND [ARGUMENT…]\n"), "{}", help.stdout);
    let listed = |flag: &str| {
        let stem = format!("  --{flag}");
        help.stdout.lines().any(|line| line.strip_prefix(&stem).is_some_and(|rest| rest.starts_with(['=', '[', ' '])))
    };
    for row in DIRECTIVES {
        assert!(listed(row.flag), "--{}", row.flag);
    }
    for setting in SETTINGS {
        assert!(listed(setting.flag), "--{}", setting.flag);
    }
}

#[test]
fn version_is_the_crates() {
    let expected = format!("unitcell-exec {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(wrapper(&["--version"]), Outcome { status: Some(0), stdout: expected, stderr: String::new() });
}

#[test]
fn wrong_options_exit_with_2_and_run_nothing() {
    let touched = tempfile::tempdir().expect("a directory").path().join("touched");
    let touch = touched.to_str().expect("UTF-8");
    let cases: &[(&[&str], &str)] = &[
        (&[], "no command to execute; see unitcell-exec --help"),
        (&["--hostname=web"], "no command to execute; see unitcell-exec --help"),
        (&["--no-such", "touch", touch], "--no-such is no option; see unitcell-exec --help"),
        (&["-h", "touch", touch], "-h is no option; see unitcell-exec --help"),
        (&["--hostname"], "--hostname needs a value; see unitcell-exec --help"),
        (
            &["--hostname=-", "touch", touch],
            "--hostname: Hostname=-: takes a host name: at most 64 of the characters a-z, A-Z, 0-9, '-' and single \
             dots between labels; see unitcell-exec --help",
        ),
        (
            &["--verify=net", "touch", touch],
            "--verify: takes TYPE:INODE, such as net:4026531840; see unitcell-exec --help",
        ),
        (
            &["--private-network", "--network-namespace=blue", "touch", touch],
            "PrivateNetwork=, NetworkNamespace= ask for the network namespace in more than one way; keep the one \
             that is meant",
        ),
        (
            &["--uid-map=0:1:1", "touch", touch],
            "UIDMap= stands without GIDMap=, so no id of the other sort would be mapped; add GIDMap=",
        ),
    ];
    for (arguments, message) in cases {
        let expected =
            Outcome { status: Some(2), stdout: String::new(), stderr: format!("unitcell-exec: {message}\n") };
        assert_eq!(wrapper(arguments), expected, "{arguments:?}");
    }
    assert!(!touched.exists());
}

#[test]
fn refusal_exits_with_78_and_its_reason() {
    let expected =
        Outcome { status: Some(78), stdout: String::new(), stderr: "unitcell-exec: a b:1:2: no good\n".to_owned() };
    assert_eq!(wrapper(&["--refuse=a b:1:2: no\ngood", "echo", "ran"]), expected);
}
