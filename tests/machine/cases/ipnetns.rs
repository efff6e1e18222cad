//! `unitcell netns` beside `ip netns`: the same words, the same answers, and each sees what the other made.

use std::fmt::Write;

use serde_json::Value;

use super::cases;
use crate::case::{Case, Scope};
use crate::schema;

cases![
    everyday_namespace,
    ipnetns_answers_alike: alone,
    ipnetns_sees_the_same,
    ipnetns_monitors_alike,
    ipnetns_executes_alike,
    ipnetns_writes_json_as_its_schema_says
];

/// The kernel takes a namespace down some time after its last user has gone, and its number with it: that of
/// a2, which `auto` has chosen.
const GONE: &str = "while ip netns list-id | grep -q '^nsid 0 '; do sleep .02; done";

/// Each is said to `ip` and to `unitcell` in a machine of nothing else; `@` stands for either.
const WORDS: &[&str] = &[
    "@ netns",
    "@ netns list",
    "@ netns add",
    "@ netns add a1",
    "@ netns add a1",
    "@ netns a a2",
    "@ netns list",
    "@ netns ls",
    "@ netns lst",
    "@ netns show",
    "@ netns l",
    "@ netns list-id",
    "@ netns set a1",
    "@ netns set a1 5",
    "@ netns set a1 6",
    "@ netns se nope 6",
    "@ netns set a2 auto",
    "@ netns set a2 -3",
    "@ netns set a2 x",
    "@ netns list",
    "@ netns list-id",
    "@ netns list-i nsid 5",
    "@ netns list-id nsid 77",
    "@ netns list-id bogus",
    "@ netns list-id target-nsid",
    "@ netns list-id target-nsid 5 nsid 5",
    "@ -j netns list-id target-nsid 5 nsid 5",
    "@ netns list-id target-nsid 44",
    "@ netns list-id nsid 05",
    "@ netns list-id nsid 0x5",
    "@ netns list-id nsid 08",
    "@ netns exec a1 ip netns set a2 9",
    "@ netns list-id target-nsid 5",
    "@ netns list-id target-nsid 5 nsid 9",
    "@ netns list-id nsid 9 target-nsid 5",
    "@ -n a1 netns list-id",
    "@ -j netns list-id target-nsid 5",
    "@ netns exec",
    "@ netns exec a1",
    "@ netns exec nope true",
    "@ netns exec a1 sh -c 'exit 7'",
    "@ netns exec a1 sh -c 'kill -9 $$'",
    "@ netns exec a1 sh -c 'kill -13 $$'",
    "@ netns exec a1 /nonexistent",
    "@ netns exec a1 -- true",
    "@ netns e a1 cat /sys/class/net/lo/flags",
    "@ netns exec a1 ls /sys/class/net",
    "@ netns exec a1 ip netns identify",
    "@ netns exec a1 sh -c 'grep -c . /proc/self/mountinfo >/dev/null; findmnt -no PROPAGATION /'",
    "@ netns pids",
    "@ netns pids a1",
    "@ netns p a1 extra",
    "@ netns pids nope",
    "@ netns identify $$",
    "@ netns identify",
    "@ netns i 999999",
    "@ netns identify x",
    "@ netns identify 1 2",
    "@ netns attach",
    "@ netns attach a3",
    "@ netns attach a3 $$",
    "@ netns attach a3 $$",
    "@ netns attach a4 999999",
    "@ netns attach a4 x",
    "@ netns at a1 $$",
    "@ netns identify $$",
    "@ netns pids a3 | grep -c .",
    "@ netns del nope",
    "@ netns delete",
    "@ netns d a3",
    "@ netns de a2",
    GONE,
    "@ netns list",
    "@ netns add a/b",
    "@ netns add .",
    "@ netns add ..",
    "@ netns add ''",
    "@ netns add 'a b'",
    "@ netns foo",
    "@ netns help",
    "@ -j netns list",
    "@ -j -p netns list",
    "@ -json netns list-id",
    "@ -j -pretty netns list-id",
    "@ -a netns exec sh -c 'echo hi; exit 3'",
    "@ -all netns exec /nonexistent",
    "@ -all netns exec",
    "@ -n a1 netns identify",
    "@ -netns nope netns list",
    "touch /run/netns/empty; @ netns list; @ netns del empty",
    "@ -all netns del",
    "@ -j netns list",
    "@ netns",
    "@ -all netns exec true",
    "@ -a netns del",
];

fn ipnetns_answers_alike(case: &Case) {
    let (ip, ours) = (answers(case, "ip"), answers(case, "unitcell"));
    let mut differences = String::new();
    for ((words, ip), ours) in WORDS.iter().zip(&ip).zip(&ours) {
        if ip != ours {
            writeln!(differences, "{words}\n  ip:       {ip:?}\n  unitcell: {ours:?}").unwrap();
        }
    }
    assert!(differences.is_empty(), "{differences}");
    assert_eq!((ip.len(), ours.len()), (WORDS.len(), WORDS.len()));
    // Else the two may only have failed alike.
    assert!(ip.iter().filter(|(code, _)| *code == 0).count() > WORDS.len() / 2, "{ip:?}");
}

/// The exit status and standard output of each of the words, said in namespaces of their own.
fn answers(case: &Case, program: &str) -> Vec<(i32, Vec<String>)> {
    let mut script = "mount -t tmpfs none /run/netns; exec 2>/dev/null </dev/null\n".to_owned();
    for words in WORDS {
        writeln!(script, "{}\necho \"=$?\"", words.replace('@', program)).unwrap();
    }
    let path = format!("/run/{}-{program}.sh", case.unique("words"));
    case.file(&path, &script);
    let output = case.sh(&format!("mkdir -p /run/netns; unshare -n -m -p -f --mount-proc sh {path}"));
    let (mut all, mut lines) = (Vec::new(), Vec::new());
    for line in output.ok().lines() {
        match line.strip_prefix('=') {
            Some(code) => all.push((code.parse().unwrap(), normal(std::mem::take(&mut lines)))),
            None => lines.push(line.to_owned()),
        }
    }
    all
}

/// The order of a directory is nobody's choice, and JSON has many ways to be written.
fn normal(mut lines: Vec<String>) -> Vec<String> {
    if let Ok(Value::Array(items)) = serde_json::from_str(&lines.join("\n")) {
        lines = items.iter().map(Value::to_string).collect();
    }
    lines.sort();
    lines
}

fn ipnetns_sees_the_same(case: &Case) {
    let names = [case.unique("ip"), case.unique("ours"), case.unique("up")];
    let [theirs, ours, up] = names.each_ref().map(String::as_str);
    case.sh(&format!("ip netns add {theirs}; unitcell netns add {ours}; unitcell netns up {up}")).ok();
    for list in ["ip netns list", "unitcell netns list"] {
        let listed = case.sh(list).ok().to_owned();
        for name in &names {
            assert!(listed.lines().any(|line| line.split(' ').next() == Some(name)), "{list}: {listed}");
        }
    }
    let long = case.sh("unitcell netns list --long").ok().to_owned();
    assert!(long.lines().any(|line| line.starts_with(up) && line.ends_with(" unitcell")), "{long}");

    // A process in it, whoever asks, and whoever put it there.
    case.sh(&format!(
        "unitcell netns exec {theirs} sleep 300 & echo $! >/run/{theirs}.pid
         ip netns exec {ours} sleep 300 & echo $! >/run/{ours}.pid
         sleep 0.5"
    ))
    .ok();
    for name in [theirs, ours] {
        let pid = case.sh(&format!("cat /run/{name}.pid")).ok().to_owned();
        for program in ["ip", "unitcell"] {
            assert_eq!(case.sh(&format!("{program} netns identify {pid}")).ok(), name);
            assert_eq!(case.sh(&format!("{program} netns pids {name}")).ok(), pid);
        }
        case.sh(&format!("kill {pid}; rm /run/{name}.pid")).ok();
    }

    // Numbers are the kernel's, so they are the same for both.
    case.sh(&format!("ip netns set {ours} 700; unitcell netns set {theirs} 701")).ok();
    for program in ["ip", "unitcell"] {
        let numbers = case.sh(&format!("{program} netns list-id")).ok().to_owned();
        for (number, name) in [(700, ours), (701, theirs)] {
            assert!(numbers.contains(&format!("nsid {number} (iproute2 netns name: {name})")), "{numbers}");
        }
    }

    for command in [format!("delete {ours}s"), format!("pids {ours}s"), format!("exec {ours}s true")] {
        let slip = case.sh(&format!("unitcell netns {command}"));
        assert!(!slip.success() && slip.stderr.contains(&format!("did you mean {ours}?")), "{slip:?}");
    }

    // Each takes down what the other made; a name that `up` gave leaves no record.
    case.sh(&format!("ip netns delete {ours}; unitcell netns delete {theirs}; unitcell netns delete {up}")).ok();
    assert!(!case.sh(&format!("ls -d /run/netns/{}* /run/unitcell/netns/{up}", case.unique(""))).success());
    // As many mounts for a name as `ip` makes, and none for those that are gone.
    let again = case.unique("again");
    let [theirs, ours] = ["ip", "unitcell"].map(|program| {
        let count = format!("{program} netns add {again}; grep -c /run/netns/{again} /proc/1/mountinfo");
        case.sh(&format!("{count}; unitcell netns delete {again}")).ok().to_owned()
    });
    assert_eq!(ours, theirs);
    assert!(!case.sh(&format!("grep -q /run/netns/{} /proc/1/mountinfo", case.unique(""))).success());
    // What is no pin is not removed.
    case.file(&format!("/run/netns/{again}"), "mine");
    let refused = case.sh(&format!("unitcell netns delete {again}"));
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("is neither a network namespace nor an empty file"), "{refused:?}");
    assert_eq!(case.read(&format!("/run/netns/{again}")), "mine");
}

fn ipnetns_monitors_alike(case: &Case) {
    let name = case.unique("ns");
    let script = format!(
        "mkdir -p /run/netns
         for program in ip unitcell; do
             stdbuf -oL $program netns monitor >/run/{name}.$program & eval $program=$!
         done
         # Until both listen: each writes something only when it does.
         for n in $(seq 100); do
             ip netns add {name}-ready; ip netns delete {name}-ready
             if grep -q ready /run/{name}.ip && grep -q ready /run/{name}.unitcell; then break; fi
             sleep 0.1
         done
         unitcell netns add {name}; ip netns delete {name}; ip netns add {name}; unitcell netns delete {name}
         sleep 0.5
         kill $ip $unitcell
         for program in ip unitcell; do grep '{name}$' /run/{name}.$program; echo =; rm /run/{name}.$program; done"
    );
    let output = case.sh(&script);
    let told: Vec<&str> = output.ok().split("=").map(str::trim).collect();
    let expected = format!("add {name}\ndelete {name}\nadd {name}\ndelete {name}");
    assert_eq!(told, [expected.as_str(), expected.as_str(), ""]);
}

fn ipnetns_executes_alike(case: &Case) {
    let name = case.unique("ns");
    for file in ["resolv.conf", "hosts", "not-there"] {
        case.file(&format!("/etc/netns/{name}/{file}"), &format!("# of {name}\n"));
    }
    case.sh(&format!("ip netns add {name}; touch -a /etc/resolv.conf /etc/hosts")).ok();
    let both = |script: &str| {
        let [ip, ours] = ["ip", "unitcell"].map(|program| {
            let words = ["env", "-u", "PWD", program, "netns", "exec", &name, "sh", "-c", script];
            case.exec(&words)
        });
        assert_eq!((&ours.stdout, ours.code), (&ip.stdout, ip.code), "{script}");
        ours
    };
    // The files of /etc/netns are those in /etc, and the one that has no place is told of and no harm.
    let seen = both("cat /etc/resolv.conf /etc/hosts; ls /etc/not-there");
    assert_eq!(seen.stdout, format!("# of {name}\n").repeat(2));
    assert!(seen.stderr.contains("not-there is not used"), "{}", seen.stderr);
    assert!(!case.read("/etc/hosts").contains(&name), "outside they are what they were");
    // Capabilities, signals, descriptors, environment, session: all as it was.
    both("grep -E '^(Cap|Sig[ICB]|NoNewPrivs|Seccomp:|Groups|Uid)' /proc/self/status");
    both("ls -l /proc/self/fd | sed 's/.* -> //' | grep -v /proc | tr -d 0-9");
    both("env | grep -v ^_ | sort; ulimit -a; umask; pwd");
    // Mounts made inside stay there, and what the host mounts later arrives.
    both("mount -t tmpfs none /mnt && findmnt -no FSTYPE /mnt");
    assert!(!case.sh("findmnt /mnt").success());
    // It is the process that was started, not a child of it.
    let same = case.sh(&format!("sh -c 'echo $$; exec unitcell netns exec {name} sh -c \"echo \\$\\$\"'"));
    let pids: Vec<&str> = same.ok().lines().collect();
    assert_eq!(pids[0], pids[1]);
    case.sh(&format!("ip netns delete {name}; rm -r /etc/netns/{name}")).ok();
}

fn ipnetns_writes_json_as_its_schema_says(case: &Case) {
    let name = case.unique("ns");
    let json = |verb: &str, words: &str| -> Value {
        let output = case.sh(&format!("unitcell netns {words}"));
        let value = serde_json::from_str(output.ok()).unwrap_or_else(|error| panic!("{words}: {error}: {output:?}"));
        schema::check(&format!("netns {verb}"), &value);
        value
    };
    for (words, state) in
        [("up", "made"), ("up", "kept"), ("reload", "reloaded"), ("down", "removed"), ("down", "absent")]
    {
        assert_eq!(json("change", &format!("{words} {name} --json"))[0]["state"], state);
    }
    // However many names, it is one document; what fails is told of beside it.
    let other = case.unique("other");
    for (words, state) in [("up", "made"), ("down", "removed")] {
        let both = json("change", &format!("{words} {name} {other} --json=short"));
        let of = |change: &Value| (change["name"].clone(), change["state"].clone());
        let both: Vec<_> = both.as_array().unwrap().iter().map(of).collect();
        assert_eq!(both, [&name, &other].map(|name| (name.as_str().into(), state.into())));
    }
    case.file(&format!("/run/netns/{other}"), "mine");
    let some =
        case.sh(&format!("unitcell netns up {other} {name} --json; echo; unitcell netns down {name} >/dev/null"));
    let made: Value = serde_json::from_str(&some.stdout).unwrap_or_else(|error| panic!("{error}: {some:?}"));
    schema::check("netns change", &made);
    assert_eq!((made.as_array().unwrap().len(), &made[0]["name"]), (1, &name.as_str().into()), "{some:?}");
    assert!(some.stderr.contains(&format!("network namespace {other}: ")), "{some:?}");
    let added = json("add", &format!("--json=short add {name} --veth"));
    assert_eq!(added["path"], format!("/run/netns/{name}"));
    let row = |rows: &Value| rows.as_array().unwrap().iter().find(|row| row["name"] == name.as_str()).unwrap().clone();
    let number = row(&json("list", "--json list"))["id"].clone();
    assert_eq!(row(&json("list-long", "list --long --json=pretty"))["made_by_unitcell"], true);
    assert_eq!(row(&json("list-id", "list-id --json"))["nsid"], number);
    assert_eq!(json("identify", "identify 1 --json"), Value::Null);
    let inside = case.sh(&format!("unitcell netns exec {name} unitcell netns identify --json"));
    assert_eq!(inside.ok(), format!("{name:?}"));
    assert_eq!(json("pids", &format!("pids {name} --json")), Value::Array(Vec::new()));
    // Until it listens, something is deleted again and again.
    let told = case.sh(&format!(
        "unitcell netns monitor --json >/run/{name}.told & ear=$!
         until test -s /run/{name}.told; do ip netns add {name}-x; ip netns delete {name}-x; done
         kill $ear; head -n1 /run/{name}.told; rm /run/{name}.told; unitcell netns delete {name}"
    ));
    schema::check("netns monitor", &serde_json::from_str(told.ok()).expect("JSON"));
}

/// The one-liner, an "internet" that knows no way to the cell, and a client inside.
fn everyday_namespace(case: &Case) {
    let (name, internet) = (case.unique("web"), case.unique("internet"));
    case.sh(&format!(
        "ip netns add {internet} && ip link add everyday0 type veth peer name eth0 netns {internet} &&
         ip addr add 198.51.100.1/24 dev everyday0 && ip link set everyday0 up &&
         ip -n {internet} addr add 198.51.100.200/24 dev eth0 && ip -n {internet} link set eth0 up &&
         ip -n {internet} link set lo up"
    ))
    .ok();
    let added = case.sh(&format!("unitcell netns add {name} --veth --nat --dns=198.51.100.53"));
    for words in ["link add uc-", "address add", "route add default via", "nft add rule inet unitcell-", "netns delete"]
    {
        assert!(added.ok().contains(words), "{words:?} is not in: {}", added.stdout);
    }
    let link = added.stdout.split("link add ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().to_owned();
    assert!(case.sh(&format!("ip link show {link} && nft list table inet unitcell-{name}")).success());
    assert!(case.read(&format!("/run/unitcell/{name}.netns")).contains("Address=auto"));
    let again = case.sh(&format!("unitcell netns add {name} --veth"));
    assert_eq!(again.code, Some(1), "{again:?}");

    // Whoever serves out there sees the host's address.
    let serve = format!(
        "ip netns exec {internet} python3 -c '
import socket
s = socket.create_server((\"198.51.100.200\", 8080)); open(\"/run/{internet}.up\", \"w\").close()
c, peer = s.accept(); c.send(peer[0].encode()); c.close()' &
         for n in $(seq 100); do test -e /run/{internet}.up && break; sleep 0.1; done; rm /run/{internet}.up
         unitcell netns exec {name} python3 -c '
import socket
print(socket.create_connection((\"198.51.100.200\", 8080), 10).recv(99).decode())
print(open(\"/etc/resolv.conf\").read())'; wait"
    );
    let seen = case.sh(&serve);
    assert!(seen.ok().starts_with("198.51.100.1\n"), "{seen:?}");
    assert!(seen.stdout.contains("nameserver 198.51.100.53"), "{seen:?}");

    // A service joins it by its name, and finds it up.
    case.unit(Scope::System, &format!("unitcell-netns@{name}.service"));
    let unit = case.service("client", "", &format!("NetworkNamespace={name}"));
    assert_eq!(unit.dump().interfaces(), ["eth0", "lo"]);
    unit.stop().ok();
    case.systemctl(&["stop", &format!("unitcell-netns@{name}.service")]).ok();
    assert!(case.sh(&format!("unitcell netns up {name}")).success(), "its file is there until it is deleted");

    case.sh(&format!("unitcell netns delete {name}")).ok();
    for remains in [
        format!("ls -d /run/netns/{name}"),
        format!("ls -d /run/unitcell/{name}.netns"),
        format!("ls -d /run/unitcell/netns/{name}"),
        format!("ip link show {link}"),
        format!("nft list table inet unitcell-{name}"),
    ] {
        assert!(!case.sh(&remains).success(), "{remains}");
    }
    assert_eq!(case.sh(&format!("unitcell netns delete {name}")).code, Some(1));

    // The same by hand: what is printed does it.
    let commands = added.stdout.lines().filter_map(|line| line.strip_prefix("    ")).collect::<Vec<_>>().join("\n");
    let by_hand =
        case.sh(&format!("set -e\n{commands}\nip -n {name} route get 198.51.100.200\nip netns delete {name}"));
    assert!(by_hand.ok().contains("dev eth0"), "{by_hand:?}");
    // They have all links forward. Of IPv4 packets others want that, too.
    case.sh("sysctl -w net.ipv6.conf.all.forwarding=0").ok();
    case.sh(&format!("nft delete table inet unitcell-{name}; ip netns delete {internet}")).ok();
}
