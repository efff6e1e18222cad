//! All eight types of namespaces, made and joined in any combination.

use std::process::{Child, Stdio};

use crate::run::{command, root, wrapper};

const TYPES: [&str; 8] = ["cgroup", "ipc", "uts", "net", "pid", "time", "mnt", "user"];

/// Lists all descriptors.
const LIST: &str = "echo /proc/self/fd/*";

/// Where the namespace of a type comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum From {
    Outside,
    Made,
    Joined,
}

fn make(kind: &str) -> &'static str {
    match kind {
        "cgroup" => "--protect-control-groups=private",
        "ipc" => "--private-ipc",
        "uts" => "--hostname=web",
        "net" => "--private-network",
        "pid" => "--private-pids",
        "time" => "--time-offset-boottime=1d",
        "mnt" => "--private-mounts",
        _ => "--private-users=full",
    }
}

fn join(kind: &str, process: u32) -> String {
    let name = match kind {
        "net" => "network",
        "mnt" => "mount",
        kind => kind,
    };
    format!("--{name}-namespace-path=/proc/{process}/ns/{kind}")
}

/// `cgroup:[1]` and so on, of the process whose /proc directory this is.
fn namespaces(of: &str) -> Vec<String> {
    let link = |kind| std::fs::read_link(format!("/proc/{of}/ns/{kind}")).expect("a link");
    TYPES.iter().map(|kind| link(kind).to_string_lossy().into_owned()).collect()
}

/// A process in namespaces of its own of all types. It is no PID 1, so that all stay until it is killed.
fn other() -> (Child, u32) {
    let mut child = command("unshare")
        .args(["-C", "-i", "-u", "-n", "-p", "-T", "-m", "-U", "-r", "--fork", "--mount-proc"])
        .args(["sh", "-c", "echo ready; exec sleep 600"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("unshare(1) runs");
    let mut said = [0; 6];
    std::io::Read::read_exact(child.stdout.as_mut().expect("a pipe"), &mut said).expect("ready");
    let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).expect("children");
    let process = children.trim().parse().expect("one child");
    (child, process)
}

/// Not what would change mounts that are somebody else's; nor what can't be seen, since the /proc among
/// joined mounts shows the processes of its own PID namespace only.
fn is_possible(sources: &[From; 8]) -> bool {
    let of = |kind: &str| sources[TYPES.iter().position(|other| *other == kind).expect("a type")];
    // The mounts that show a new namespace of these types are made in a mount namespace of one's own.
    let mounts = ["cgroup", "ipc", "pid"].iter().any(|kind| of(kind) == From::Made);
    of("mnt") != From::Joined || (!mounts && of("pid") == From::Joined)
}

#[test]
fn any_combination_of_made_and_joined() {
    let Some(()) = root() else { return };
    let unified = nix::sys::statfs::statfs("/sys/fs/cgroup").expect("a file system").filesystem_type()
        == nix::sys::statfs::CGROUP2_SUPER_MAGIC;
    let (mut child, process) = other();
    let (outside, joined) = (namespaces("self"), namespaces(&process.to_string()));
    let passed = command("sh").args(["-c", LIST]).output().expect("sh(1) runs").stdout;
    let passed = String::from_utf8_lossy(&passed).trim_end().to_owned();
    // All that make, all that join, and a third of the rest, chosen the same way each time.
    let mut tried = 0;
    let mut failed = Vec::new();
    for number in 0..6561_u32 {
        let mut rest = number;
        let sources = [(); 8].map(|()| {
            let digit = rest % 3;
            rest /= 3;
            [From::Outside, From::Made, From::Joined][digit as usize]
        });
        let mixed = sources.contains(&From::Made) && sources.contains(&From::Joined);
        if !is_possible(&sources) || (mixed && number % 17 != 0) || (!unified && sources[0] == From::Made) {
            continue;
        }
        tried += 1;
        let mut options = Vec::new();
        for (kind, source) in TYPES.iter().zip(sources) {
            match source {
                From::Outside => {}
                From::Made => options.push(make(kind).to_owned()),
                From::Joined => options.push(join(kind, process)),
            }
        }
        let mut words: Vec<&str> = options.iter().map(String::as_str).collect();
        let links: Vec<String> = TYPES.iter().map(|kind| format!("/proc/self/ns/{kind}")).collect();
        let script = format!("{LIST}; exec readlink \"$@\"");
        words.extend(["--", "sh", "-c", &script, "sh"]);
        words.extend(links.iter().map(String::as_str));
        let outcome = wrapper(&words);
        let (descriptors, seen) = outcome.stdout.split_once('\n').unwrap_or_default();
        let seen: Vec<&str> = seen.lines().collect();
        let only_passed = descriptors == passed;
        let is_right = |place: usize| match sources[place] {
            // A mount namespace of its own is what other types need for their mounts.
            From::Outside if TYPES[place] == "mnt" => seen[place] != joined[place],
            From::Outside => seen[place] == outside[place],
            From::Made => seen[place] != outside[place] && seen[place] != joined[place],
            From::Joined => seen[place] == joined[place],
        };
        if outcome.status != Some(0) || !only_passed || seen.len() != TYPES.len() || !(0..TYPES.len()).all(is_right) {
            failed.push(format!("{options:?}: {outcome:?}"));
        }
    }
    child.kill().expect("an end");
    child.wait().expect("an end");
    let _ = command("kill").arg("-KILL").arg(process.to_string()).status();
    assert!(failed.is_empty(), "{} of {tried}: {:#?}", failed.len(), &failed[..failed.len().min(5)]);
    assert!(tried > 300, "{tried}");
}
