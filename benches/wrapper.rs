//! The wrapper by hand, to a static payload.

use std::fs;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

use crate::measure::{Contender, medians};
use crate::programs::Programs;
use crate::report::{Figure, Row};

const ROUNDS: usize = 300;

pub fn measure(programs: &Programs) -> Result<Vec<Row>, String> {
    let bundle = bundle(programs).map_err(|error| format!("a bundle for crun: {error}"))?;
    // A thread's mount namespace is its own affair, and what it starts has it, too.
    let inside = || {
        unified_hierarchy().map_err(|error| format!("the unified hierarchy: {error}"))?;
        both(programs, &bundle)
    };
    std::thread::scope(|scope| scope.spawn(inside).join().map_err(|_| "the measuring thread is gone".to_owned())?)
}

/// crun insists on it; not every container has it.
fn unified_hierarchy() -> nix::Result<()> {
    let none: Option<&str> = None;
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    mount(Some("cgroup2"), "/sys/fs/cgroup", Some("cgroup2"), MsFlags::empty(), none)
}

fn both(programs: &Programs, bundle: &str) -> Result<Vec<Row>, String> {
    let (wrapper, payload) = (programs.wrapper(), programs.floor("true"));
    let mut uts = [
        Contender::new("unitcell-exec", &[&wrapper, "--hostname=bench", "--", &payload]),
        Contender::new("static C", &[&programs.floor("uts"), &payload]),
        Contender::new("unshare", &["unshare", "-u", "--", &payload]),
        Contender::new("bwrap", &["bwrap", "--unshare-uts", "--hostname", "bench", "--bind", "/", "/", "--", &payload]),
    ];
    let mut several = [
        Contender::new(
            "unitcell-exec",
            &[&wrapper, "--private-mounts", "--hostname=bench", "--private-network", "--private-pids", "--", &payload],
        ),
        Contender::new("static C", &[&programs.floor("cell"), &payload]),
        Contender::new("unshare", &["unshare", "-m", "-u", "-n", "-p", "-f", "--mount-proc", "--", &payload]),
        Contender::new(
            "bwrap",
            &[
                "bwrap",
                "--unshare-uts",
                "--unshare-net",
                "--unshare-pid",
                "--bind",
                "/",
                "/",
                "--proc",
                "/proc",
                "--",
                &payload,
            ],
        ),
        Contender::new("crun", &["crun", "--cgroup-manager=disabled", "run", "-b", bundle, "unitcell-bench"]),
    ];
    let mut rows = compare("hostname", &mut uts, &[1.15, 0.75, 0.4])?;
    rows.extend(compare("mount, uts, net, pid", &mut several, &[1.15, 0.75, 0.4, 0.3])?);
    Ok(rows)
}

fn compare(what: &str, contenders: &mut [Contender], aims: &[f64]) -> Result<Vec<Row>, String> {
    let times = medians(contenders, ROUNDS)?;
    let rows = contenders.iter().zip(&times).skip(1).zip(aims).map(|((contender, time), aim)| Row {
        what: format!("wrapper: {what}"),
        beside: contender.name.clone(),
        ours: Figure::Time(times[0]),
        theirs: Figure::Time(*time),
        aim: Some(*aim),
    });
    Ok(rows.collect())
}

/// The same namespaces as an OCI bundle; crun has no others than in a root of its own.
fn bundle(programs: &Programs) -> std::io::Result<String> {
    let directory = programs.directory().join("bundle");
    fs::create_dir_all(directory.join("rootfs/proc"))?;
    fs::create_dir_all(directory.join("rootfs/dev"))?;
    fs::copy(programs.floor("true"), directory.join("rootfs/true"))?;
    let namespaces: Vec<_> =
        ["pid", "mount", "uts", "network"].iter().map(|kind| serde_json::json!({ "type": kind })).collect();
    let config = serde_json::json!({
        "ociVersion": "1.0.2",
        "process": { "user": { "uid": 0, "gid": 0 }, "args": ["/true"], "env": [], "cwd": "/" },
        "root": { "path": "rootfs" },
        "hostname": "bench",
        "mounts": [{ "destination": "/proc", "type": "proc", "source": "proc" }],
        "linux": { "namespaces": namespaces },
    });
    fs::write(directory.join("config.json"), config.to_string())?;
    Ok(directory.to_string_lossy().into_owned())
}
