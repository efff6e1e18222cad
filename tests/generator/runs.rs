//! What is about a run as a whole, or about files that can't be kept in a source tree.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;

use libtest_mimic::Trial;

use crate::root::Root;
use crate::tree::Tree;

const SYSTEM: &str = "etc/systemd/system";
const CELL: &str = "[Service]\nExecStart=/usr/bin/payload\n\n[X-Unitcell]\nHostname=h\n";

/// The trials.
pub fn all() -> Vec<Trial> {
    let trial = |name: &str, run: fn()| {
        Trial::test(format!("run::{name}"), move || {
            run();
            Ok(())
        })
    };
    vec![
        trial("takes_one_or_three_directories", takes_one_or_three_directories),
        trial("unwritable_directory_is_told", unwritable_directory_is_told),
        trial("one_unwritable_drop_in_stops_no_other", one_unwritable_drop_in_stops_no_other),
        trial("directory_is_made_as_needed", directory_is_made_as_needed),
        trial("nothing_to_do_is_quiet_and_makes_nothing", nothing_to_do_is_quiet_and_makes_nothing),
        trial("missing_root_is_an_empty_one", missing_root_is_an_empty_one),
        trial("nul_is_refused", nul_is_refused),
        trial("long_lines_are_refused", long_lines_are_refused),
        trial("files_of_other_sorts_are_no_units", files_of_other_sorts_are_no_units),
        trial("fifo_does_not_hang", fifo_does_not_hang),
        trial("comes_after_the_longest_name", comes_after_the_longest_name),
        trial("leaves_no_other_file", leaves_no_other_file),
        trial("files_are_for_all_to_read", files_are_for_all_to_read),
        trial("without_a_scope_the_directory_tells", without_a_scope_the_directory_tells),
    ]
}

fn root() -> Root {
    let root = Root::new();
    root.systemd("252");
    root.complete_proc();
    root
}

fn service(name: &str) -> String {
    format!("{SYSTEM}/{name}.service")
}

/// The drop-in of a service among the files of a run.
#[track_caller]
fn dropin(tree: &Tree, name: &str) -> String {
    let path = format!("{name}.service.d/zz-unitcell.conf");
    tree.0.get(&path).cloned().unwrap_or_else(|| panic!("no {path} among {:?}", tree.0.keys()))
}

#[track_caller]
fn assert_refuses(text: &str, words: &str) {
    let starts: Vec<&str> = text.lines().filter(|line| line.starts_with("ExecStart=")).collect();
    assert!(
        matches!(starts[..], ["ExecStart=", refusal] if refusal.contains("unitcell-exec \"--refuse=")
            && refusal.contains(words)),
        "{text}"
    );
}

fn takes_one_or_three_directories() {
    let root = root();
    root.file(&service("web"), CELL);
    for arguments in [&[][..], &["a", "b"], &["a", "b", "c", "d"]] {
        let (code, log) = root.generator(arguments);
        assert_eq!(code, 1, "{arguments:?}");
        assert_eq!(log, "<3>unitcell-generator: takes one or three directories, as systemd.generator(7) tells\n");
        assert!(!root.output("a").exists());
    }
}

fn unwritable_directory_is_told() {
    let root = root();
    root.file(&service("web"), CELL);
    // A file in its place stops root, too.
    fs::write(root.output("normal"), "").expect("a file");
    let (code, log) = root.generator(&["normal", "early", "late"]);
    assert_eq!(code, 1);
    assert_eq!(
        log,
        "<3>unitcell-generator: web.service: normal/web.service.d/zz-unitcell.conf: Not a directory (os error 20)\n"
    );
}

fn one_unwritable_drop_in_stops_no_other() {
    let root = root();
    root.file(&service("a"), CELL).file(&service("b"), CELL);
    fs::create_dir(root.output("normal")).expect("a directory");
    fs::write(root.output("normal/a.service.d"), "").expect("a file");
    let (code, log) = root.generator(&["normal"]);
    assert_eq!((code, log.lines().count()), (1, 1), "{log}");
    assert!(dropin(&Tree::read(&root.output("normal")), "b").contains("--hostname=h"));
}

fn directory_is_made_as_needed() {
    let root = root();
    root.file(&service("web"), CELL);
    assert_eq!(root.generator(&["run/systemd/generator"]), (0, String::new()));
    dropin(&Tree::read(&root.output("run/systemd/generator")), "web");
}

fn nothing_to_do_is_quiet_and_makes_nothing() {
    let root = root();
    root.file(&service("web"), "[Service]\nExecStart=/usr/bin/payload\n");
    assert_eq!(root.generator(&["normal", "early", "late"]), (0, String::new()));
    assert!(!root.output("normal").exists());
}

fn missing_root_is_an_empty_one() {
    let mut root = Root::new();
    root.variable("UNITCELL_ROOT", "not-there");
    assert_eq!(root.generator(&["normal"]), (0, String::new()));
}

fn nul_is_refused() {
    let root = root();
    root.file(&service("nul"), b"[Service]\nExecStart=/usr/bin/payload\n\n[X-Unitcell]\nHostname=\0h\n")
        .file(&service("web"), CELL);
    let outcome = root.run();
    let message = "/etc/systemd/system/nul.service:5:10: the file contains a NUL byte; mend the file";
    assert_eq!(outcome.log, format!("<3>unitcell-generator: nul.service: {message}\n"));
    assert_refuses(&dropin(&outcome.normal, "nul"), message);
    assert!(dropin(&outcome.normal, "web").contains("--hostname=h"));
}

fn long_lines_are_refused() {
    let root = root();
    let long = "x".repeat(1 << 20);
    let words = format!("{}\\\n", "x".repeat(1000)).repeat(1100);
    root.file(&service("line"), format!("{CELL}# {long}\n"))
        .file(&service("continued"), format!("{CELL}Domainname={words}\n"))
        .file(&service("just-right"), format!("{CELL}# {}\n", &long[..(1 << 20) - 3]));
    let outcome = root.run();
    let message = |name: &str, line: u32| {
        format!(
            "/etc/systemd/system/{name}.service:{line}:1: the line, with its continuations, is longer than 1 MiB; \
             mend the file"
        )
    };
    assert_refuses(&dropin(&outcome.normal, "line"), &message("line", 6));
    // 1046 lines of 1,002 bytes are the most that fit in.
    let continued = dropin(&outcome.normal, "continued");
    assert_refuses(&continued, "is longer than 1 MiB");
    assert!(dropin(&outcome.normal, "just-right").contains("--hostname=h"));
    assert_eq!(outcome.log.lines().count(), 2, "{}", outcome.log);
}

fn files_of_other_sorts_are_no_units() {
    let root = root();
    root.file(&format!("{SYSTEM}/web.service.bak"), CELL)
        .file(&format!("{SYSTEM}/.web.service.swp"), CELL)
        .file(&format!("{SYSTEM}/no-type"), CELL)
        .file(&format!("{SYSTEM}/web.service.d/cell.conf~"), CELL)
        .file(&format!("{SYSTEM}/web.service.d/.cell.conf"), CELL)
        .file(&format!("{SYSTEM}/web.service.d/below/cell.conf"), CELL)
        .file(&format!("{SYSTEM}/directory.service/file"), CELL);
    let outcome = root.run();
    assert_eq!((outcome.normal, outcome.log.as_str()), (Tree::default(), ""));
}

fn fifo_does_not_hang() {
    let root = root();
    root.file(&service("web"), CELL);
    let pipe = std::process::Command::new("mkfifo").arg(root.path(&service("pipe"))).status();
    assert!(pipe.expect("mkfifo(1) runs").success());
    // Not Root::run, which would read the pipe to compare.
    let (code, log) = root.generator(&["normal"]);
    assert_eq!((code, log.as_str()), (0, ""));
    dropin(&Tree::read(&root.output("normal")), "web");
}

fn comes_after_the_longest_name() {
    let root = root();
    let longest = format!("{}.conf", "z".repeat(250));
    root.file(&service("web"), CELL).file(&format!("{SYSTEM}/web.service.d/{longest}"), "[Service]\nCPUWeight=10\n");
    root.run();
    let names: Vec<_> = fs::read_dir(root.output("normal/web.service.d"))
        .expect("the drop-in's directory")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert!(matches!(&names[..], [name] if name.as_bytes() > longest.as_bytes()), "{names:?}");
}

fn leaves_no_other_file() {
    let root = root();
    root.file(&service("web"), CELL).file(&service("refused"), "[X-Unitcell]\nNo=such\n");
    let output = root.run().normal;
    let paths: Vec<&str> = output.0.keys().map(String::as_str).collect();
    assert_eq!(paths, ["refused.service.d/zz-unitcell.conf", "web.service.d/zz-unitcell.conf"]);
}

fn files_are_for_all_to_read() {
    let root = root();
    root.file(&service("web"), CELL);
    root.run();
    let mode = |path: &str| fs::metadata(root.output(path)).expect("a file").permissions().mode() & 0o777;
    // Tests run with whatever umask the tester has; nobody's takes reading from the owner.
    assert_eq!(mode("normal/web.service.d/zz-unitcell.conf") & 0o711, 0o600);
    assert_eq!(mode("normal/web.service.d") & 0o700, 0o700);
}

fn without_a_scope_the_directory_tells() {
    let mut root = root();
    root.variable("HOME", "/home/anna");
    root.file("home/anna/.config/systemd/user/hers.service", CELL).file(&service("web"), CELL);
    // Longer than any path may be, so that nothing is written there whoever runs this.
    let (code, log) = root.generator(&[&format!("/run/user{}", "/1000".repeat(1000))]);
    assert_eq!(code, 1);
    assert!(log.contains("hers.service: ") && !log.contains("web.service: "), "{log}");
}
