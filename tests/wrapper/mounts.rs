//! Mounts and roots, by hand.

use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Stdio;

use tempfile::TempDir;

use crate::run::{Outcome, WRAPPER, namespaces, root, wrapper};

fn directory() -> TempDir {
    tempfile::Builder::new().prefix("unitcell-mounts-").tempdir_in("/var/tmp").expect("a directory")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// A directory with nothing in it but mount points, and the options that make it a root with
/// programs.
fn bare_root() -> (TempDir, Vec<String>) {
    let root = directory();
    let mut options = vec![format!("--root-directory={}", text(root.path()))];
    for name in ["bin", "lib", "lib64", "sbin", "usr", "etc", "dev", "proc", "sys", "tmp"] {
        fs::create_dir(root.path().join(name)).expect("a mount point");
        let shown = Path::new("/").join(name);
        if matches!(name, "bin" | "lib" | "lib64" | "sbin" | "usr") && shown.is_dir() {
            options.push(format!("--bind-ro={}", text(&shown)));
        }
    }
    (root, options)
}

#[track_caller]
fn run(options: &[impl AsRef<str>], more: &[&str], script: &str) -> Outcome {
    let mut words: Vec<&str> = options.iter().map(AsRef::as_ref).collect();
    words.extend(more);
    words.extend(["--", "sh", "-c", script]);
    wrapper(&words)
}

/// Runs well, and says this.
#[track_caller]
fn says(options: &[impl AsRef<str>], more: &[&str], script: &str, expected: &str) {
    let outcome = run(options, more, script);
    assert_eq!((outcome.status, outcome.stdout.trim_end()), (Some(0), expected), "{}", outcome.stderr);
}

#[test]
fn root_of_mounts_and_no_way_out_of_it() {
    let Some(own) = namespaces() else { return };
    let (root, options) = bare_root();
    let outside = directory();
    fs::write(outside.path().join("secret"), "").expect("a file");
    // A destination that a link would lead outside, by the parent of the root and by procfs.
    symlink(format!("/../../..{}", text(outside.path())), root.path().join("up")).expect("a link");
    let more = [own, &["--private-pids", "--dev=/dev", "--tmpfs=/tmp", "--proc=/proc"]].concat();
    let script = format!(
        "pwd; echo /proc/[0-9]*; grep -c ' / / ' /proc/self/mountinfo; ls -d /../secret /..{0} /proc/1/root{0} 2>/dev/null; \
         echo x >/dev/null; head -c3 /dev/zero | wc -c; ls /dev; readlink /dev/ptmx; touch /usr/x 2>/dev/null || echo no",
        text(outside.path())
    );
    let devices = "fd\nfull\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero";
    let all: Vec<&str> = options.iter().map(String::as_str).chain(more).collect();
    says(&all, &[], &script, &format!("/\n/proc/1\n0\n3\n{devices}\npts/ptmx\nno"));

    let bind = format!("--bind={}:/up", text(outside.path()));
    let escaping = run(&all, &[&bind], "ls /up");
    assert_eq!(escaping.status, Some(226), "{}", escaping.stderr);
    assert!(escaping.stderr.contains("there is no such mount point"), "{}", escaping.stderr);
    // Nothing was made where the link leads.
    assert_eq!(fs::read_dir(outside.path()).expect("a directory").count(), 1);
    fs::create_dir(root.path().join("etc/in")).expect("a directory");
    fs::remove_file(root.path().join("up")).expect("a link");
    symlink("/../../etc/in", root.path().join("up")).expect("a link");
    says(&all, &[&bind], "ls /etc/in", "secret");
}

#[test]
fn procfs_links_lead_to_no_mount_point() {
    let Some(()) = root() else { return };
    let (root, options) = bare_root();
    symlink("/proc/self/root/mnt", root.path().join("out")).expect("a link");
    let outcome = run(&options, &["--bind=/proc", "--tmpfs=/out"], "true");
    assert_eq!(outcome.status, Some(226), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("can't mount a tmpfs at /out: Too many levels of symbolic links"), "{outcome:?}");
}

#[test]
fn what_is_shown_is_what_was_there_before() {
    let Some(own) = namespaces() else { return };
    let dir = directory();
    let path = |name: &str| format!("{}{name}", text(dir.path()));
    fs::create_dir(path("/a")).expect("a directory");
    fs::write(path("/a/file"), "").expect("a file");
    let options = [format!("--tmpfs={}", path("")), format!("--bind={}:{}", path("/a"), path("/b/c"))];
    says(&options, own, &format!("find {} -mindepth 1 | wc -l; ls {}", path(""), path("/b/c")), "3\nfile");
    // On the disk it would be a trace.
    let missing = run(&[format!("--bind={}:{}", path("/a"), path("/b"))], own, "true");
    assert_eq!(missing.status, Some(226));
    assert!(!Path::new(&path("/b")).exists());
}

#[test]
fn working_directory_is_the_one_that_is_seen() {
    let Some(own) = namespaces() else { return };
    let dir = directory();
    let options = [format!("--tmpfs={}", text(dir.path())), format!("--working-directory={}", text(dir.path()))];
    fs::write(dir.path().join("below"), "").expect("a file");
    says(&options, own, "pwd; ls", text(dir.path()));
    // As it is without the option, too.
    let output = crate::run::command(WRAPPER)
        .args(own)
        .args([&options[0], "--", "ls"])
        .current_dir(dir.path())
        .output()
        .expect("the wrapper runs");
    assert_eq!(Outcome::from(output), Outcome { status: Some(0), stdout: String::new(), stderr: String::new() });
    let missing = run(&["--working-directory=/not/there"], own, "true");
    assert_eq!(missing.status, Some(200), "{}", missing.stderr);
}

#[test]
fn overlays() {
    let Some(()) = root() else { return };
    let dir = directory();
    let path = |name: &str| format!("{}/{name}", text(dir.path()));
    for name in ["l:1", "l2", "upper", "work", "dest"] {
        fs::create_dir(path(name)).expect("a directory");
    }
    for (file, content) in [("l:1/a", "upper"), ("l2/a", "lower"), ("l2/b", "b")] {
        fs::write(path(file), content).expect("a file");
    }
    let dest = path("dest");
    let layers = format!("--overlay={dest}:{}:{}", path("l\\:1"), path("l2"));
    let read_only = run(&[&layers], &[], &format!("cat {dest}/a {dest}/b; touch {dest}/c"));
    assert_eq!((read_only.status, read_only.stdout.as_str()), (Some(1), "upperb"), "{}", read_only.stderr);
    let written = format!("{layers}:upperdir={}:workdir={}", path("upper"), path("work"));
    says(&[&written], &[], &format!("echo c >{dest}/c; rm {dest}/b; ls {dest}"), "a\nc");
    assert_eq!(fs::read_to_string(path("upper/c")).expect("a file"), "c\n");
    assert!(Path::new(&path("l2/b")).exists());
    // What the mount of a layer takes away stays away.
    let noexec = [format!("--tmpfs={}:noexec", path("l2")), "--".to_owned(), WRAPPER.to_owned()];
    says(&noexec, &[&layers], &format!("grep -o '{dest} [a-z,]*noexec' /proc/self/mountinfo | wc -l"), "1");
    // More than the kernel takes in one string.
    let layer = |number: u32| path(&format!("layer{number}"));
    (0..30).for_each(|number| fs::create_dir(layer(number)).expect("a directory"));
    let many: String = (0..30).map(|number| format!(":{}", layer(number))).collect();
    says(&[format!("{layers}{many}")], &[], &format!("cat {dest}/a"), "upper");
}

#[test]
fn root_overlay_is_thrown_away() {
    let Some(()) = root() else { return };
    let dir = directory();
    let file = format!("{}/file", text(dir.path()));
    fs::write(&file, "before").expect("a file");
    let script = format!("echo after >{file}; cat {file}; ls /proc/self/fd | wc -l; pwd; findmnt -no FSTYPE / | uniq");
    let here = std::env::current_dir().expect("a directory");
    let outcome = run(&["--root-overlay", "--private-pids", "--private-network"], &[], &script);
    let fds = run(&["--private-pids"], &[], "ls /proc/self/fd | wc -l").stdout;
    assert_eq!(outcome.stdout, format!("after\n{fds}{}\noverlay\n", text(&here)), "{}", outcome.stderr);
    assert_eq!(fs::read_to_string(&file).expect("a file"), "before");
    // What is mounted is still there, and as it was.
    let mounts = |options: &[&str]| {
        let outcome = run(options, &[], "cut -d' ' -f4,5,6 /proc/self/mountinfo");
        let mut lines: Vec<String> =
            outcome.stdout.lines().filter(|line| !line.contains(" / ")).map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(mounts(&["--root-overlay"]), mounts(&["--private-mounts"]));
}

#[test]
fn network_namespace_has_its_own_sys() {
    let Some(own) = namespaces() else { return };
    let script = "ls /sys/class/net; cut -d' ' -f5 /proc/self/mountinfo | grep '^/sys/' | sort";
    let before = run(&["--private-mounts"], own, "cut -d' ' -f5 /proc/self/mountinfo | grep '^/sys/' | sort").stdout;
    says(&["--private-network"], own, script, format!("lo\n{before}").trim_end());
}

#[test]
fn propagation() {
    let Some(own) = namespaces() else { return };
    let fields = |word: &str| {
        let options = ["--private-mounts", &format!("--mount-propagation={word}")];
        let outcome = run(&options, own, "cut -d' ' -f7- /proc/self/mountinfo | sed 's/ - .*//'");
        assert_eq!(outcome.status, Some(0), "{}", outcome.stderr);
        outcome.stdout
    };
    let count = |word: &str, field: &str| fields(word).lines().filter(|line| line.contains(field)).count();
    let all = fields("private").lines().count();
    assert_eq!((count("private", "shared:"), count("private", "master:")), (0, 0));
    assert_eq!(count("slave", "shared:"), 0);
    assert_eq!(count("shared", "shared:"), all);
    let wrong = wrapper(&["--mount-propagation=unchanged", "--tmpfs=/mnt", "true"]);
    assert_eq!(wrong.status, Some(2), "{}", wrong.stderr);
}

#[test]
fn capabilities_are_kept() {
    let Some(()) = root() else { return };
    let capabilities = |options: &[&str]| {
        let outcome = run(
            options,
            &[],
            "id -u; grep -E 'Cap(Prm|Eff|Amb)' /proc/self/status | sort -u -k2 | wc -l; grep CapEff /proc/self/status",
        );
        assert_eq!(outcome.status, Some(0), "{}", outcome.stderr);
        outcome.stdout
    };
    let all = capabilities(&[]).lines().last().expect("a line").to_owned();
    assert_eq!(capabilities(&["--user=65534", "--group=65534", "--keep-caps"]), format!("65534\n1\n{all}\n"));
    let none = capabilities(&["--user=65534", "--group=65534"]);
    assert_eq!(none, "65534\n1\nCapEff:\t0000000000000000\n");
}

#[test]
fn wrong_mounts_are_told_with_their_reason() {
    let Some(own) = namespaces() else { return };
    let cases = [
        ("--bind=/not/there:/mnt", "can't open /not/there: No such file or directory"),
        ("--bind=/etc/passwd:/mnt", "can't mount /etc/passwd at /mnt with all below it: "),
        ("--tmpfs=/mnt:size=1x", "can't mount a tmpfs at /mnt: Invalid argument"),
        ("--root-directory=/etc/passwd", "can't make /etc/passwd the root: "),
        (
            "--overlay=/mnt:/not/there:/usr",
            "can't lay directories over each other: /not/there, /usr; read-only: /not/there: No such",
        ),
    ];
    for (option, message) in cases {
        let outcome = run(&[option], own, "echo ran");
        assert_eq!((outcome.status, outcome.stdout.as_str()), (Some(226), ""), "{option}");
        assert!(outcome.stderr.contains(message), "{option}: {}", outcome.stderr);
    }
}

#[test]
fn credentials_are_for_the_user_inside() {
    let Some(()) = root() else { return };
    let dir = directory();
    let path = text(dir.path());
    fs::write(dir.path().join("word"), "abc\n").expect("a file");
    let options =
        ["--uid-map=0:100000:10", "--gid-map=0:100000:10", &format!("--credentials={path}")].map(str::to_owned);
    let script = format!(
        "cd {path} && cat word; stat -c '%u %g %a' . word; touch x 2>/dev/null || echo read-only; stat -f -c %T ."
    );
    says(&options, &[], &script, "abc\n0 0 500\n0 0 400\nread-only\nramfs");
    says(&options, &["--user=7", "--group=8"], &script, "abc\n7 8 500\n7 8 400\nread-only\nramfs");
    assert_eq!(fs::read_dir(path).expect("a directory").count(), 1);
    // In one that somebody else has made, too.
    let mut other = crate::run::command(WRAPPER)
        .args(&options[..2])
        .args(["--", "sh", "-c", "echo ready; read line"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the wrapper runs");
    let mut said = [0; 6];
    other.stdout.as_mut().expect("a pipe").read_exact(&mut said).expect("ready");
    let join = format!("--user-namespace-path=/proc/{}/ns/user", other.id());
    let joined = [join.as_str(), &options[2]];
    says(&joined, &[], &script, "abc\n0 0 500\n0 0 400\nread-only\nramfs");
    says(&joined, &["--user=7", "--group=8"], &script, "abc\n7 8 500\n7 8 400\nread-only\nramfs");
    drop(other.stdin.take());
    other.wait().expect("an end");
    // What is none can't be given.
    fs::create_dir(dir.path().join("directory")).expect("a directory");
    let outcome = run(&options, &[], "true");
    assert_eq!(outcome.status, Some(226), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("can't read the credentials in"), "{}", outcome.stderr);
}
