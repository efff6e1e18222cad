//! `unitcell lsns` beside the lsns of util-linux: each question is put to the classic one twice, which
//! proves the comparison, and then to ours.

use super::cases;
use crate::case::{Case, Scope};
use crate::schema;

cases![
    see_lsns_as_the_classic_one: alone,
    see_lsns_with_units_and_names: alone,
    see_units_of_processes_as_systemd_does,
];

/// Processes that stay, in namespaces of all sorts.
fn populate(case: &Case) -> Pins<'_> {
    let pins = Pins(case);
    let run = |name: &str, words: &str| {
        let unit = case.unit(Scope::System, &format!("{}.service", case.unique(name)));
        case.sh(&format!("systemd-run -q --unit={} {words}", unit.name)).ok();
    };
    run("nested", "unshare -U -r -p -f -n -m -u sleep 1001");
    run("deep", "unshare -U -r unshare -U -r sleep 1002");
    run("net", "-p PrivateNetwork=yes -p User=nobody sleep 1003");
    run("many", "-p PrivateIPC=yes sh -c 'sleep 1004 & sleep 1005 & exec sleep 1006'");
    // Namespaces without a process: pinned by name, pinned elsewhere, and kept by a socket.
    case.sh("mkdir -p /run/netns /run/pins; touch /run/pins/uts; unshare --uts=/run/pins/uts true").ok();
    case.sh("ip netns add red; ip netns add blue; ip link add vred type veth peer name eth0 netns red").ok();
    let script = "import ctypes,os,socket,time; libc=ctypes.CDLL(None); own=os.open('/proc/self/ns/net',0); \
                  libc.unshare(0x40000000); s=socket.socket(); libc.setns(own,0); os.close(own); time.sleep(1007)";
    case.file("/run/keeps-a-socket.py", script);
    run("socket", "python3 /run/keeps-a-socket.py");
    case.sh("until test $(pgrep -cf '^(/usr/bin/)?sleep 100[1-6]$') = 6; do sleep 0.05; done").ok();
    let kept = "pid=$(pgrep -f keeps-a-socke[t]); ls -l /proc/$pid/fd | grep -q socket: && test /proc/$pid/ns/net -ef /proc/1/ns/net";
    case.sh(&format!("until {kept}; do sleep 0.05; done")).ok();
    pins
}

/// Takes the pins away again, however the case ends.
struct Pins<'c>(&'c Case);

impl Drop for Pins<'_> {
    fn drop(&mut self) {
        self.0.sh("ip netns delete red; ip netns delete blue; umount /run/pins/uts; rm -r /run/pins");
    }
}

/// As it is but for widths, which depend on what stands in columns that only one of the two has.
fn lines(text: &str) -> Vec<String> {
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|l| !l.is_empty()).collect()
}

fn see_lsns_as_the_classic_one(case: &Case) {
    let _pins = populate(case);
    let init = |kind: &str| case.sh(&format!("stat -Lc %i /proc/1/ns/{kind}")).ok().to_owned();
    let inside = case.sh("stat -Lc %i /proc/$(pgrep -f '^sleep 1001$')/ns/pid").ok().to_owned();
    let pid = case.sh("pgrep -f '^sleep 1006$'").ok().to_owned();
    // util-linux 2.38 does not look for namespaces without processes; what it has to say of the others is the same.
    let old = case.sh("lsns --help | grep -q persistent").code != Some(0);
    let shared = "NS,TYPE,PATH,NPROCS,PID,PPID,UID,USER,ONS,PNS,COMMAND";
    let mut questions = vec![
        format!("-l -n -o {shared}"),
        "-l -r -n -o NS,TYPE,PID,COMMAND".to_owned(),
        format!("-p {pid} -o NS,TYPE,NPROCS,PID,USER,COMMAND"),
        format!("-p {pid} -r -o NS,COMMAND -t net"),
        format!("{inside} -o PID,PPID,USER,COMMAND"),
        format!("-l {inside} -o NS,PID"),
        "-t mnt -o NS,NPROCS,COMMAND".to_owned(),
        "-n -t uts -t ipc -o ns,type,pid,command".to_owned(),
    ];
    if !old {
        let newer = [
            "-o NS,TYPE,NPROCS,PID,USER,COMMAND",
            "-T -o NS,TYPE,NPROCS,PID,USER,COMMAND",
            "-Tparent -t user -t pid -o NS,PID",
            "--tree=process -o NS,COMMAND",
            "-P -o NS,TYPE,NPROCS,USER",
            "-P -t net -o NS,NSFS",
            "-W -t net -P -o NSFS,NS",
            "-t net -Q 'NPROCS>0' -o NS,NETNSID,NSFS",
            "-Q 'NPROCS==1 and TYPE=~\"^[mu]\"' -o NS,TYPE",
            "-Q 'PID eq 1 || !PID' -o NS",
            "-Q 'not (COMMAND =~ \"sleep\") && NPROCS < 1K' -o NS,COMMAND",
        ];
        questions.extend(newer.map(str::to_owned));
    }
    for question in &questions {
        let ask = |program: &str| {
            let output = case.sh(&format!("exec {program} {question}"));
            // It only counts itself where the shell has not made room for it.
            lines(output.ok())
        };
        let classic = ask("lsns");
        assert!(!classic.is_empty(), "lsns {question}");
        assert_eq!(classic, ask("lsns"), "the comparison itself: lsns {question}");
        let mut ours = ask("unitcell lsns");
        if old && !question.contains(&inside) && !question.starts_with("-p") {
            ours.retain(|line| !without_process(line));
        }
        assert_eq!(classic, ours, "lsns {question}");
    }
    // The same as JSON, key by key.
    let json = |program: &str| -> serde_json::Value {
        let text = case.sh(&format!("exec {program} -J -l -p 1 -o {shared}"));
        serde_json::from_str(text.ok()).expect("JSON")
    };
    assert_eq!(json("lsns"), json("unitcell lsns"));
    let all = case.sh("unitcell lsns --json=short --output-all");
    schema::check("lsns", &serde_json::from_str(all.ok()).expect("JSON"));
    let processes = case.sh(&format!("unitcell lsns --json {inside}"));
    schema::check("lsns", &serde_json::from_str(processes.ok()).expect("JSON"));
    assert_eq!(json("lsns")["namespaces"].as_array().unwrap().len(), 8);
    // And the same ends.
    for wrong in ["-t foo", "-o foo", "12", "abc", "-T=foo", "--bogus", &format!("-p 1 {}", init("net"))] {
        let code = |program: &str| case.sh(&format!("{program} {wrong}")).code;
        assert_ne!(code("lsns"), Some(0), "lsns {wrong}");
        assert_ne!(code("unitcell lsns"), Some(0), "unitcell lsns {wrong}");
    }
}

/// Neither a path nor a process stands between the type and what follows.
fn without_process(line: &str) -> bool {
    line.split(' ').nth(2).is_none_or(|third| third == "0")
}

fn see_lsns_with_units_and_names(case: &Case) {
    let _pins = populate(case);
    let unit = case.service("cell", "User=nobody", "Hostname=web\nPrivateNetwork=yes");
    unit.dump();
    let rows = case.sh(&format!("unitcell lsns --json=short -l -p {} -o TYPE,UNIT,HOSTNAME,NPROCS", unit.name));
    let rows: serde_json::Value = serde_json::from_str(rows.ok()).unwrap();
    let uts = rows["namespaces"].as_array().unwrap().iter().find(|row| row["type"] == "uts").unwrap().clone();
    assert_eq!((&uts["unit"], &uts["hostname"], &uts["nprocs"]), (&unit.name.clone().into(), &"web".into(), &1.into()));
    let user = case.user_service("own", "", "");
    user.dump();
    let shown = case.sh(&format!("unitcell lsns -n -t uts -p {} -o UNIT", user.main_pid()));
    assert_eq!(shown.ok().trim(), "init.scope", "the lowest process stands for the namespace");
    let inode = case.sh("stat -Lc %i /proc/1/ns/uts").ok().to_owned();
    let processes = case.sh(&format!("unitcell lsns {inode} -l -o PID,UNIT"));
    let line = format!("{} {}", user.main_pid(), user.name);
    assert!(lines(processes.ok()).contains(&line), "{line} is not in {}", processes.stdout);
    // Names, and namespaces that nothing but a socket keeps.
    let names = lines(case.sh("unitcell lsns -n -t net -P -o NETNS,NSFS,NETNSID").ok());
    assert!(names.contains(&"red /run/netns/red 0".to_owned()), "{names:?}");
    assert!(names.contains(&"blue /run/netns/blue unassigned".to_owned()), "{names:?}");
    assert_eq!(names.len(), 3, "and the socket's: {names:?}");
    // Who may not look at other users' processes still sees the own, and pins.
    let few = case.user_sh(crate::machine::USER, "unitcell lsns -n -t uts -o NPROCS");
    assert_eq!(few.ok().lines().count(), 2, "{}", few.stdout);
}

/// Of each line `PID UNIT` that is read: the unit, and the one that systemd itself names.
const ASK_SYSTEMD: &str = r#"
import json, subprocess, sys
SYSTEMD = "org.freedesktop.systemd1"
def ask(*words):
    told = subprocess.run(["busctl", "--json=short", *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return json.loads(told.stdout)["data"] if told.returncode == 0 else None
for line in sys.stdin:
    # One that has ended meanwhile has no unit.
    if len(line.split()) != 2: continue
    pid, unit = line.split()
    found = ask("call", SYSTEMD, "/org/freedesktop/systemd1", SYSTEMD + ".Manager", "GetUnitByPID", "u", pid)
    if found: print(unit, ask("get-property", SYSTEMD, found[0], SYSTEMD + ".Unit", "Id"))
"#;

fn see_units_of_processes_as_systemd_does(case: &Case) {
    let unit = case.unit(Scope::System, &format!("{}\\x2dodd@a:b.service", case.unique("unit")));
    let several = "sh -c 'sleep 1011 & exec sleep 1012'";
    case.sh(&format!("systemd-run -q '--unit={}' -p Delegate=yes {several}", unit.name)).ok();
    case.sh("until test $(pgrep -cf '^sleep 101[12]$') = 2; do sleep 0.05; done").ok();
    let script = format!("/run/{}.py", case.unique("ask"));
    case.file(&script, ASK_SYSTEMD);
    let told = case.sh(&format!("unitcell lsns -n -l -o PID,UNIT $(stat -Lc %i /proc/1/ns/uts) | python3 {script}"));
    let pairs: Vec<(&str, &str)> = told.ok().lines().filter_map(|line| line.split_once(' ')).collect();
    assert!(pairs.iter().filter(|(ours, _)| *ours == unit.name).count() == 2 && pairs.len() > 5, "{told:?}");
    for (ours, theirs) in pairs {
        // Of the units of a user's manager the system's knows but the manager.
        assert!(ours == theirs || theirs.starts_with("user@"), "{ours} is {theirs} to systemd: {told:?}");
    }
}
