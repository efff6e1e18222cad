//! The verbs that look: diff, show, graph and doctor.

use super::cases;
use crate::case::{Case, Scope};
use crate::schema;
use crate::terminal;
use serde_json::Value;

cases![
    see_what_two_services_share: alone,
    see_network_in_a_picture,
    see_no_alarm_while_systemd_reads_its_files: alone,
    see_doctor_find_what_is_wrong: alone,
    see_at_a_terminal,
    see_drop_ins_that_win: alone,
];

/// What a verb says in JSON, which must be as its schema says.
fn json(case: &Case, verb: &str, arguments: &str) -> Value {
    let output = case.sh(&format!("unitcell {verb} --json=short {arguments}"));
    let value = serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{verb}: {error}: {output:?}"));
    schema::check(verb, &value);
    value
}

fn see_what_two_services_share(case: &Case) {
    let name = case.unique("ns");
    case.unit(Scope::System, &format!("unitcell-netns@{name}.service"));
    let one = case.service("one", "", &format!("NetworkNamespace={name}\nHostname=one"));
    let two = case.service("two", "", &format!("NetworkNamespace={name}\nHostname=two"));
    one.dump();
    two.dump();
    let difference = json(case, "diff", &format!("{} {}", one.name, two.name));
    let row = |kind: &str| {
        let rows = difference["namespaces"].as_array().unwrap();
        rows.iter().find(|row| row["type"] == kind).unwrap().clone()
    };
    assert_eq!((&row("net")["shared"], &row("net")["netns"]), (&true.into(), &name.clone().into()));
    assert_eq!((&row("uts")["shared"], &row("ipc")["shared"]), (&false.into(), &true.into()));
    assert_eq!(format!("net:[{}]", row("net")["one"]), one.dump().ns("net"));
    // A name, a file and a process.
    for other in [name.clone(), format!("/run/netns/{name}"), format!("/proc/{}/ns/net", two.main_pid())] {
        let text = case.sh(&format!("unitcell diff {} {other}", one.name));
        assert!(text.ok().contains("yes") && text.stdout.lines().count() == 2, "{}", text.stdout);
    }
    let shown = case.sh(&format!("unitcell show {}", one.name));
    assert!(shown.ok().contains("shared with") && shown.stdout.contains(&two.name), "{}", shown.stdout);
    let shown = json(case, "show", &name);
    assert_eq!(shown["units"], Value::from(vec![one.name.clone(), two.name.clone()]));
    assert_eq!(shown["interfaces"][0]["name"], "lo");
    let shown = json(case, "show", &one.name);
    assert_eq!(shown["namespaces"][1]["shared_with"], Value::from(vec![two.name.clone()]));
    // What verify has to say of it, and explain.
    let explained = json(case, "explain", &one.name);
    assert_eq!(explained["directives"].as_array().unwrap().len(), 2);
    let place = format!("/etc/systemd/system/{}.d/cell.conf", two.name);
    case.file(&place, "[Service]\nHostname=lost\n[X-UnitCell]\nHostname=lost\n[X-Unitcell]\nPrivatePIDs=yes\n");
    let verified = json(case, "verify", &two.name);
    let found = |words: &str| {
        let all = verified.as_array().unwrap().iter();
        all.filter(|one| one["message"].as_str().unwrap().contains(words)).map(|one| one["line"].clone()).next()
    };
    assert_eq!(found("Hostname=lost in [Service] is passed over"), Some(2.into()), "{verified:#}");
    assert_eq!(found("nobody reads the section [X-UnitCell]"), Some(4.into()), "{verified:#}");
    assert_eq!(found("gets no SIGTERM"), Some(6.into()), "{verified:#}");
    assert!(found("is not the one that these files come to").is_some(), "before daemon-reload: {verified:#}");
    two.systemctl(&["daemon-reload"]).ok();
    let text = case.sh(&format!("unitcell verify {}", two.name));
    assert!(text.ok().contains("move it to [X-Unitcell]") && !text.stdout.contains("these files"), "{}", text.stdout);
    // What the remedy is depends.
    for (command, remedy) in [
        ("verify /nonexistent/x.service", "help: give the path of a file that is there"),
        ("verify /etc/passwd", "help: name a unit file"),
        ("verify /etc/systemd/system/dbus.service.d/..", "help: name a unit file"),
        ("show dbus.socket", "help: such a unit has no processes of its own"),
        ("run --hostname=web --service-type=bogus -- true", "help: correct the value"),
    ] {
        let told = case.sh(&format!("unitcell {command}"));
        assert!(!told.success() && (told.stdout.clone() + &told.stderr).contains(remedy), "{command}: {told:?}");
    }
    // A slip of the finger.
    let slip = one.name.replace("one", "oen");
    for command in ["show", "explain", "verify", "lsns -p"] {
        let output = case.sh(&format!("unitcell {command} {slip}"));
        assert_eq!(output.code, Some(4), "{output:?}");
        assert!(output.stderr.contains(&format!("did you mean {}?", one.name)), "{command}: {}", output.stderr);
    }
}

fn see_network_in_a_picture(case: &Case) {
    let name = case.unique("ns");
    let owner = case.unit(Scope::System, &format!("unitcell-netns@{name}.service"));
    let unit = case.service("web", "", &format!("NetworkNamespace={name}\nPrivateIPC=yes"));
    unit.dump();
    let links = format!(
        "ip link add gbr type bridge && ip link add gve type veth peer name eth0 netns {name} && ip link set gve master gbr && \
         ip -n {name} address add 10.200.9.2/24 dev eth0 && ip -n {name} link set eth0 up"
    );
    case.sh(&links).ok();
    let number = |link: &str| case.sh(&format!("cat /sys/class/net/{link}/ifindex")).ok().to_owned();
    let (bridge, host) = (number("gbr"), number("gve"));
    let inside = case.sh(&format!("ip netns exec {name} cat /sys/class/net/eth0/ifindex")).ok().to_owned();
    let inode = case.sh(&format!("stat -c %i /run/netns/{name}")).ok().to_owned();
    let own = case.sh("stat -Lc %i /proc/1/ns/net").ok().to_owned();
    let graph = json(case, "graph", &unit.name);
    assert_eq!(graph["units"][0]["name"], unit.name.as_str());
    let dot = case.sh(&format!("unitcell graph {}", unit.name));
    for line in [
        format!("\"unit {}\" -> ns{inode};", unit.name),
        format!("if{inode}_{inside} -> if{own}_{host} [style=bold"),
        format!("if{own}_{host} -> if{own}_{bridge};"),
        "eth0\\n10.200.9.2/24".to_owned(),
        "ipc".to_owned(),
    ] {
        assert!(dot.ok().contains(&line), "{line} is not in {}", dot.stdout);
    }
    let mermaid = case.sh(&format!("unitcell graph --format=mermaid {}", unit.name));
    assert!(mermaid.ok().starts_with("flowchart LR\n") && mermaid.stdout.contains(" === "), "{}", mermaid.stdout);
    case.file("/run/graph.py", "import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.stdin)");
    case.sh("unitcell graph --format=svg | python3 /run/graph.py").ok();
    let plain = case.service("plain", "", "");
    plain.dump();
    assert_ne!(case.sh(&format!("unitcell graph {}", plain.name)).code, Some(0), "nothing to draw");
    case.sh("ip link delete gve; ip link delete gbr").ok();
    owner.stop();
}

/// Generators' drop-ins are away for that long. Here it lasts until verify has looked, and waits or is through.
fn see_no_alarm_while_systemd_reads_its_files(case: &Case) {
    let unit = case.service("web", "", "Hostname=web");
    unit.dump();
    let looked = format!("/run/{}", case.unique("looked"));
    let generator = "/etc/systemd/system-generators/unitcell-generator";
    let text = format!(
        "#!/bin/sh\n> \"$1/held\"\nuntil test -e {looked}; do sleep .02; done\n\
         exec /usr/lib/systemd/system-generators/unitcell-generator \"$@\"\n"
    );
    case.file(generator, &text);
    let told = case.sh(&format!(
        "chmod +x {generator}; systemctl daemon-reload & reload=$!; held=/run/systemd/generator/held; \
         until test -e $held; do sleep .02; done; unitcell verify {} & \
         while ls -l /proc/$!/exe 2>/dev/null | grep -vq unitcell; do sleep .02; done; \
         until ! test -e /proc/$!/exe || ls -l /proc/$!/fd | grep -q socket; do sleep .02; done; \
         > {looked}; wait $!; code=$?; wait $reload; rm {looked} {generator}; exit $code",
        unit.name
    ));
    case.daemon_reload();
    assert!(!told.ok().contains("is not there") && told.stdout.contains("hint: "), "{told:?}");
}

fn see_doctor_find_what_is_wrong(case: &Case) {
    let report = json(case, "doctor", "");
    assert_eq!(report["ok"], true, "{report:#}");
    let checks = report["checks"].as_array().unwrap();
    let found = |words: &str| checks.iter().any(|check| check["found"].as_str().unwrap().contains(words));
    for words in [
        &format!("systemd is version {}", case.version()),
        "the system generator is /usr/lib/systemd/system-generators/unitcell-generator, version",
        "the wrapper is /usr/bin/unitcell-exec, version",
        "UTS namespaces can be made",
        "network namespaces can be made",
        "PID namespaces can be made",
        "time namespaces can be made",
        "user namespaces can be made",
        "cgroup namespaces can be made",
        "mount namespaces can be made",
        "nftables can masquerade",
    ] {
        assert!(found(words), "{words}: {report:#}");
    }
    let masked = "/etc/systemd/system-generators/unitcell-generator";
    case.sh(&format!("mkdir -p /etc/systemd/system-generators; ln -s /dev/null {masked}")).ok();
    let broken = case.sh("unitcell doctor");
    case.sh(&format!("rm {masked}; rmdir /etc/systemd/system-generators; true")).ok();
    assert_eq!(broken.code, Some(1), "{broken:?}");
    assert!(
        broken.stdout.contains("the system generator is masked") && broken.stdout.contains(&format!("rm {masked}"))
    );
    // An ordinary user is told about their own chances.
    // Root of a user namespace can't come back from another network namespace.
    let inside = case.user_sh(crate::machine::USER, "unshare -Ur unitcell doctor");
    assert!(matches!(inside.code, Some(0 | 1)) && !inside.stdout.is_empty(), "{inside:?}");
    let user = case.user_sh(crate::machine::USER, "unitcell doctor");
    assert!(user.stdout.contains("tester has subordinate uids: 65536 from 100000"), "{user:?}");
}

/// What a person sees: colours, lines that fit, and a pager where it is much; and none of it in a pipe.
fn see_at_a_terminal(case: &Case) {
    let long = "long-".repeat(30);
    let unit = case.service("web", &format!("ExecStart=@payload@ sleep-handled {long}"), "Hostname=web");
    unit.dump();
    let plain = |text: &str| {
        let mut parts = text.split("\x1b[");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |all, part| all + part.split_once('m').map_or("", |(_, rest)| rest))
    };
    let at_terminal = |command: &str| {
        terminal::run(case, &format!("unset SYSTEMD_COLORS SYSTEMD_PAGER; export TERM=xterm; {command}"), &[])
    };
    let fits = |text: &str| plain(text).lines().all(|line| line.trim_end().chars().count() <= 99);

    // A command line gives way, sentences take more lines.
    let lsns = format!("unitcell lsns --no-pager -p {}", unit.name);
    let seen = at_terminal(&lsns);
    assert!(seen.contains("\x1b[") && seen.contains('…') && fits(&seen), "{seen}");
    let whole = case.sh(&lsns);
    assert!(whole.ok().contains(&long) && !whole.stdout.contains("\x1b["), "{whole:?}");
    let doctor = at_terminal("unitcell doctor --no-pager");
    let words = |text: &str| plain(text).split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let verify = format!("unitcell verify --no-pager {}", unit.name);
    let (seen, piped) = (at_terminal(&verify), case.sh(&verify));
    assert!(fits(&seen) && words(&seen).starts_with(&words(piped.ok())), "{seen}\n{piped:?}");
    assert!(piped.stdout.lines().any(|line| line.chars().count() > 99), "{piped:?}");
    let piped = words(case.sh("unitcell doctor").ok());
    assert!(fits(&doctor) && words(&doctor)[..piped.len()] == piped[..], "{doctor}\n{piped:?}");
    assert!(!at_terminal("NO_COLOR=1 unitcell doctor --no-pager").contains("\x1b[1m"));

    // What is longer than the terminal has lines is shown in a pager, and nothing else.
    let paged = |command: &str| plain(&at_terminal(command)).lines().any(|line| line.starts_with("PAGED:"));
    let explain = format!("SYSTEMD_PAGER='sed s/^/PAGED:/' unitcell explain {}", unit.name);
    assert!(paged(&format!("LINES=5 {explain}")));
    assert!(!paged(&explain), "it is short");
    assert!(!paged(&format!("LINES=5 {explain} --no-pager")));
    assert!(!paged(&format!("LINES=5 {explain} | cat")));

    // What the generator would tell the journal is told to a person, and only where it is not known.
    let verify = |options: &str| case.sh(&format!("unitcell verify --root=/srv {options}")).stderr;
    assert_eq!(verify("--systemd-version=252"), "");
    assert!(verify("").starts_with("warning: can't tell which systemd this is: taking it for 252\n  help: "));
    let nowhere = case.sh("unitcell verify --root=/run/no-root --systemd-version=252");
    assert!(nowhere.code == Some(1) && nowhere.stderr.contains("/run/no-root: No such file"), "{nowhere:?}");
}

/// Whatever comes after ours would undo the cell. So nothing does, but for what another generator makes.
fn see_drop_ins_that_win(case: &Case) {
    let unit = case.prepare(Scope::System, "late", "", "Domainname=nis");
    let prefix = unit.name.strip_suffix("late.service").unwrap();
    let reset = unit.fill_in("[Service]\nType=exec\nExecStart=\nExecStart=@payload@ sleep-handled\n");
    let places = [
        format!("/etc/systemd/system/{}.d/zzz.conf", unit.name),
        format!("/etc/systemd/system/{prefix}.service.d/zz-unitcell.conf"),
        format!("/run/systemd/system/{}.d/~~~.conf", unit.name),
        format!("/etc/systemd/system.control/{}.d/zzzz.conf", unit.name),
        format!("/run/systemd/system.control/{}.d/~.conf", unit.name),
        format!("/run/systemd/transient/{}.d/z~.conf", unit.name),
    ];
    for place in &places {
        case.file(place, &reset);
    }
    // This one is for all services.
    case.file("/usr/lib/systemd/system/service.d/\u{e9}.conf", "[Service]\nEnvironment=LATE=1\n");
    case.daemon_reload();
    let domain = || {
        unit.restart().ok();
        case.sh(&format!("nsenter -t {} -u cat /proc/sys/kernel/domainname", unit.main_pid())).ok().to_owned()
    };
    let last = || unit.show("DropInPaths").trim_end_matches('"').rsplit('/').next().unwrap().to_owned();
    assert_eq!(domain(), "nis", "{}", unit.journal());
    assert!(last().ends_with("-zz-unitcell.conf"), "{}", unit.show("DropInPaths"));
    assert!(unit.show("DropInPaths").split(' ').count() > places.len(), "{}", unit.show("DropInPaths"));
    // What is set at run time is another drop-in, and takes no daemon-reload.
    case.systemctl(&["set-property", "--runtime", &unit.name, "TasksMax=100"]).ok();
    assert_eq!(domain(), "nis");
    case.daemon_reload();
    assert_eq!(domain(), "nis");
    assert!(last().ends_with("-zz-unitcell.conf"), "{}", unit.show("DropInPaths"));
    assert_eq!(undone(case, &unit.name), []);

    let generator = format!("/run/systemd/system-generators/{}", case.unique("generator"));
    let script =
        format!("#!/bin/sh\nmkdir -p \"$2/{0}.d\" && printf '%s' '{reset}' >\"$2/{0}.d/\u{f6}.conf\"\n", unit.name);
    case.file(&generator, &script);
    case.sh(&format!("chmod +x {generator}")).ok();
    case.daemon_reload();
    assert_ne!(domain(), "nis", "{}", unit.show("DropInPaths"));
    let place = format!("/run/systemd/generator.early/{}.d/\u{f6}.conf", unit.name);
    assert_eq!(undone(case, &unit.name), [2, 3, 4].map(|line| (place.clone(), line)));
    assert_eq!(case.sh(&format!("unitcell verify {}", unit.name)).code, Some(1));
    case.sh(&format!("rm {generator}; systemctl revert {}", unit.name)).ok();

    // An instance has that of its template, whose name goes by what comes after any of them.
    let template = case.unique("late@");
    case.file(
        &format!("/etc/systemd/system/{template}.service"),
        "[Service]\nExecStart=/bin/sleep 300\n[X-Unitcell]\nDomainname=nis\n",
    );
    case.file(&format!("/etc/systemd/system/{template}a.service.d/zzz.conf"), "[Service]\nNice=1\n");
    case.daemon_reload();
    for instance in ["", "a", "b"] {
        let name = format!("{template}{instance}.service");
        let verified = json(case, "verify", &name);
        let all: Vec<&Value> = verified.as_array().unwrap().iter().collect();
        assert_eq!(all.len(), 1, "{verified:#}");
        let path = all[0]["remedy"].as_str().unwrap().split_once("AssertPathExists=").unwrap().1;
        assert!(case.path(&path.replace("%%", "%")).exists(), "{name}: {path}");
    }
}

/// Where verify finds what undoes a cell.
fn undone(case: &Case, name: &str) -> Vec<(String, u64)> {
    let verified = json(case, "verify", name);
    let all = verified.as_array().unwrap().iter();
    let undone = all.filter(|one| one["message"].as_str().unwrap().contains("undoes what the cell asks for"));
    undone.map(|one| (one["file"].as_str().unwrap().to_owned(), one["line"].as_u64().unwrap())).collect()
}
