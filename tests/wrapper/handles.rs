//! What a hostile payload finds: no way to the host by a descriptor, a process beside it, or the wrapper
//! before it.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Stdio};

use nix::unistd::{AccessFlags, access};

use crate::manager;
use crate::run::{Outcome, WRAPPER, command, root};

/// Runs a payload with a manager, and the descriptors 5 and 9 beside the standard ones.
fn run(options: &[&str], script: &str) -> Outcome {
    run_by(&[&[WRAPPER], options, &["--"]].concat(), script)
}

fn run_by(wrapper: &[&str], script: &str) -> Outcome {
    let directory = tempfile::tempdir().expect("a directory");
    let socket = directory.path().join("notify");
    manager::listen(&socket);
    // Not executed by the shell, which would have to wait for whom the wrapper hands over to, too.
    let output = command("sh")
        .args(["-c", "exec 5</dev/null 9</dev/null; \"$@\"; exit $?", "sh"])
        .args(wrapper)
        .args(["sh", "-c", script])
        .env("NOTIFY_SOCKET", &socket)
        .current_dir("/usr")
        .output();
    output.expect("sh(1) runs").into()
}

const CELLS: &[&[&str]] = &[
    &["--private-network"],
    &["--private-ipc"],
    &["--private-mounts"],
    &["--hostname=web"],
    &["--time-offset-boottime=1d"],
    &["--private-users=full"],
    &["--private-pids"],
    &["--private-pids", "--init"],
    &["--private-pids", "--hand-over"],
    &["--private-pids", "--init", "--hand-over", "--relay=all"],
    &["--ready-when=path:/not/there"],
    &["--private-pids", "--init", "--ready-when=path:/not/there"],
    &["--root-directory=/"],
    &["--root-overlay"],
    &["--private-mounts", "--overlay=/mnt:/etc:/usr", "--bind=/usr:/srv", "--tmpfs=/tmp", "--dev=/dev"],
    &["--user=nobody", "--protect-hostname=yes"],
    &["--private-pids", "--init", "--user=nobody", "--system-call-filter=~mount:EPERM"],
];

#[test]
fn nothing_is_open_but_what_was_handed_over() {
    let Some(()) = root() else { return };
    let list = "cd /proc/self/fd; echo *";
    let passed = run_by(&[], list);
    for options in CELLS {
        assert_eq!(run(options, list), passed, "{options:?}");
    }
}

/// Tells of every process beside the payload what leads from it to files.
const LOOK: &str = r#"
    for process in /proc/[0-9]*; do
        [ "$(cat $process/comm)" = unitcell-exec ] || continue
        echo beside
        [ -w $process/exe ] && echo "writable: $process/exe"
        [ $process/cwd -ef / ] || [ $process/cwd -ef . ] || echo "another directory: $(readlink $process/cwd)"
        [ $process/root -ef / ] || echo "another root: $(readlink $process/root)"
        for fd in $process/fd/*; do
            case $fd:$(readlink $fd) in
                */[012]:*|*:anon_inode:*|*:socket:*|*:pipe:*) ;;
                *) echo "$fd: $(readlink $fd)";;
            esac
        done
    done"#;

#[test]
fn root_of_a_cell_reaches_nothing_by_what_is_beside_it() {
    let Some(()) = root() else { return };
    access(WRAPPER, AccessFlags::W_OK).expect("the file itself is one to write to");
    let cells: [(&[&str], usize); 5] = [
        (&["--private-pids", "--init"], 1),
        (&["--private-pids", "--ready-when=path:/not/there"], 1),
        (&["--private-pids", "--init", "--ready-when=path:/not/there"], 2),
        (&["--private-pids", "--init", "--root-directory=/", "--proc=/proc"], 1),
        (&["--private-pids", "--root-overlay", "--ready-when=path:/not/there"], 1),
    ];
    for (options, count) in cells {
        let outcome = run(options, LOOK);
        assert_eq!((outcome.status, outcome.stdout), (Some(0), "beside\n".repeat(count)), "{options:?}");
    }
}

#[test]
fn nobody_else_looks_into_what_is_beside_it() {
    let Some(()) = root() else { return };
    let tries = r#"
        cat /proc/1/comm
        readlink /proc/1/cwd /proc/1/root /proc/1/exe /proc/1/fd/*; cat /proc/1/environ && echo environ"#;
    // Of the same user; and one who is root, but of the user namespace only.
    let cells: [&[&str]; 2] = [&["--user=nobody"], &["--private-users=full"]];
    for options in cells {
        let outcome = run(&[&["--private-pids", "--init"], options].concat(), tries);
        assert_eq!(outcome.stdout, "unitcell-exec\n", "{options:?}: {outcome:?}");
    }
}

/// A root directory can have a link in it that leads back to the wrapper.
#[test]
fn the_wrapper_as_its_own_payload_can_not_be_written_to() {
    let Some(()) = root() else { return };
    let directory = tempfile::tempdir().expect("a directory");
    let link = directory.path().join("app");
    std::os::unix::fs::symlink("/proc/self/exe", &link).expect("a link");
    // There to be looked at while its own payload runs.
    let mut child = command(WRAPPER)
        .args(["--root-directory=/", "--"])
        .arg(link)
        .args(["--private-pids", "--", "sh", "-c", "echo ready; read line"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the wrapper runs");
    let mut said = [0; 6];
    child.stdout.as_mut().expect("a pipe").read_exact(&mut said).expect("ready");
    let written = access(format!("/proc/{}/exe", child.id()).as_str(), AccessFlags::W_OK);
    drop(child.stdin.take());
    child.wait().expect("an end");
    assert_eq!(written, Err(nix::Error::EROFS));
}

/// A script can name the process's own file as what is to read it, and is then read by the wrapper, over and
/// over. Where the service's root is not the host's, that file is one that it could not write to otherwise.
#[test]
fn the_wrapper_as_an_interpreter_can_not_be_written_to() {
    let Some(()) = root() else { return };
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name);
    let bind = format!("--bind={0}:{0}", directory.path().display());
    let overlay = format!("--overlay=/mnt:/usr:{}", directory.path().display());
    let cells: [&[&str]; 6] = [
        &["--root-directory=/"],
        &["--root-overlay"],
        &["--private-pids", "--root-overlay"],
        &["--tmpfs=/mnt"],
        &[&bind],
        &[&overlay],
    ];
    for (n, options) in cells.into_iter().enumerate() {
        for (name, interpreter) in [("self", "/proc/self/exe".into()), ("link", path("link")), ("first", path("first"))]
        {
            let app = path(&format!("{name}{n}"));
            let _ = std::os::unix::fs::symlink("/proc/self/exe", path("link"));
            let _ = std::os::unix::fs::symlink("/proc/1/exe", path("first"));
            std::fs::write(&app, format!("#!{} --search-path=/\n", interpreter.display())).expect("a script");
            assert!(command("chmod").arg("755").arg(&app).status().expect("chmod(1) runs").success());
            if name == "first" && !options.contains(&"--private-pids") {
                continue;
            }
            let mut child = command(WRAPPER).args(options).arg("--").arg(&app).spawn().expect("the wrapper runs");
            let found = runs_as(&child, &app);
            let written = access(format!("/proc/{found}/exe").as_str(), AccessFlags::W_OK);
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(found), nix::sys::signal::Signal::SIGKILL);
            let _ = child.kill();
            child.wait().expect("an end");
            assert_eq!(written, Err(nix::Error::EROFS), "{options:?} {name}");
        }
    }
}

/// The process that runs this script: the child itself, or the one child that it has.
fn runs_as(child: &Child, script: &Path) -> i32 {
    let name = script.file_name().and_then(|name| name.to_str()).expect("UTF-8");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let below = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).unwrap_or_default();
        for pid in [child.id().to_string().as_str(), below.trim()] {
            if std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim() == name) {
                return pid.parse().expect("a number");
            }
        }
        assert!(std::time::Instant::now() < deadline, "{name} is not run");
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}

/// Somebody who is root in user and PID namespaces of its own, and looks at everything that comes in.
struct Hostile {
    unshare: Child,
    lines: std::sync::mpsc::Receiver<String>,
    process: String,
}

impl Hostile {
    fn start() -> Hostile {
        let watch = r#"
            echo ready
            while :; do
                for process in /proc/[0-9]*; do
                    [ "$(cat $process/comm)" = unitcell-exec ] || continue
                    echo seen
                    found=$(readlink $process/exe $process/cwd $process/root $process/fd/*)
                    # It may be the payload by now.
                    [ "$(cat $process/comm)" = unitcell-exec ] && echo $found
                done
            done 2>/dev/null"#;
        let mut unshare = command("unshare")
            .args(["-U", "-r", "-p", "-m", "--fork", "--kill-child", "--mount-proc", "sh", "-c", watch])
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare(1) runs");
        let (send, lines) = std::sync::mpsc::channel();
        let output = BufReader::new(unshare.stdout.take().expect("a pipe"));
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        assert_eq!(lines.recv().expect("a line"), "ready");
        let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", unshare.id()));
        Hostile { process: children.expect("children").trim().to_owned(), unshare, lines }
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        let _ = self.unshare.kill();
        let _ = self.unshare.wait();
    }
}

#[test]
fn who_is_in_a_joined_namespace_sees_the_wrapper_and_gets_nowhere() {
    let Some(()) = root() else { return };
    let hostile = Hostile::start();
    let join = |name: &str, kind: &str| format!("--{name}-namespace-path=/proc/{}/ns/{kind}", hostile.process);
    let joins = [join("user", "user"), join("pid", "pid"), join("mount", "mnt")];
    // The execs are held up, so that there is something to be seen before they happen.
    let mut seen = false;
    for _ in 0..20 {
        let ran = command("strace")
            .args(["-f", "-qq", "-o/dev/null", "--inject=execve:delay_enter=400000", WRAPPER])
            .args(&joins)
            .args(["--", "true"])
            .output()
            .expect("strace(1) runs");
        assert!(ran.status.success(), "{ran:?}");
        let lines: Vec<String> = hostile.lines.try_iter().collect();
        assert!(lines.iter().all(|line| line == "seen" || line.is_empty()), "{lines:?}");
        seen = !lines.is_empty();
        if seen {
            break;
        }
    }
    assert!(seen, "it sees nothing at all");
    assert!(Path::new(&format!("/proc/{}", hostile.process)).exists());
}
