//! `unitcell nsenter` in the place of nsenter(1).

use super::cases;
use crate::case::Case;
use crate::classic;
use crate::terminal;

cases![
    nsenter_does_what_the_classic_one_does,
    nsenter_takes_units_beside_what_the_classic_one_takes,
    nsenter_at_a_terminal_of_its_own,
];

fn nsenter_does_what_the_classic_one_does(case: &Case) {
    classic::run(case, include_str!("../classic/nsenter.txt"));
    classic::has_all_options(case, "nsenter");
}

fn nsenter_takes_units_beside_what_the_classic_one_takes(case: &Case) {
    let web = case.service("web", "", "Hostname=inside\nPrivatePIDs=yes\nPrivateNetwork=yes\nDomainname=nis");
    web.dump();
    let name = &web.name;
    let enter = |options: &str| case.sh(&format!("unitcell nsenter -t {options}"));
    // All of its namespaces where none is chosen, and the name as systemctl takes it.
    let all = enter(&format!("{name} -- sh -c 'uname -n; ip -br link | cut -d\" \" -f1; head -c7 /proc/1/comm'"));
    assert_eq!(all.ok(), "inside\nlo\npayload");
    assert_eq!(enter(&format!("{} -u uname -n", name.trim_end_matches(".service"))).ok(), "inside");
    assert_eq!(enter(&format!("{name} -n uname -n")).ok(), case.sh("uname -n").ok());
    assert_eq!(enter(&format!("{name} -c grep -o '{name}$' /proc/self/cgroup")).ok(), name);

    // A unit without a process, and none.
    web.stop().ok();
    let stopped = enter(&format!("{name} true"));
    assert_eq!(stopped.code, Some(3), "{stopped:?}");
    assert!(stopped.stderr.contains("is inactive") && stopped.stderr.contains("systemctl start"), "{stopped:?}");
    assert_eq!(enter("no-such-unit.service true").code, Some(4));

    let netns = case.unique("ns");
    case.sh(&format!("ip netns add {netns}")).ok();
    assert_eq!(enter(&format!("{netns} ip -br link | cut -d' ' -f1")).ok(), "lo");
    assert_eq!(enter(&format!("{netns} -n ip -br link | cut -d' ' -f1")).ok(), "lo");
    let more = enter(&format!("{netns} -n -m true"));
    assert_eq!(more.code, Some(1), "{more:?}");
    case.sh(&format!("ip netns delete {netns}")).ok();
}

fn nsenter_at_a_terminal_of_its_own(case: &Case) {
    let web = case.service("web", "", "Hostname=inside\nPrivatePIDs=yes");
    web.dump();
    let enter = format!("unitcell nsenter --pty -t {}", web.name);
    // Of our size, which follows when that changes; Ctrl-C reaches the command, and nobody else who would end.
    let command = format!(
        "tty; {enter} -- sh -c 'trap \"echo got int; exit 7\" INT; trap \"stty size; echo resized\" WINCH; tty; stty size; \
         uname -n; while :; do sleep 0.1; done'"
    );
    let seen = terminal::run(case, &command, &["see:inside", "size:44", "see:resized", "type:\\x03"]);
    for words in ["33 99", "44 50", "got int", "end=7"] {
        assert!(seen.contains(words), "{words}: {seen}");
    }
    let terminals: Vec<&str> = seen.lines().filter(|line| line.starts_with("/dev/pts/")).collect();
    assert!(terminals.len() == 2 && terminals[0] != terminals[1], "{seen}");
    // What is typed, and its end; the end of what is piped in; the end by a signal, and what can't be done.
    let seen = terminal::run(case, &format!("{enter} cat"), &["type:typed\\r", "see:typed\\r\\ntyped", "type:\\x04"]);
    assert!(seen.contains("end=0"), "{seen}");
    let piped = case.sh(&format!("printf 'a\\nb' | {enter} cat; echo code=$?"));
    assert!(piped.stdout.ends_with("bcode=0\n"), "{piped:?}");
    let printed = case.sh(&format!("{enter} seq 1 20000 </dev/null | tail -n1"));
    assert_eq!(printed.ok().trim(), "20000");
    let seen = terminal::run(case, &format!("{enter} -- sh -c 'kill -KILL $$'"), &[]);
    assert!(seen.contains("end=137"), "{seen}");
    let seen = terminal::run(case, &format!("{enter} /nonexistent"), &[]);
    assert!(seen.contains("can't execute /nonexistent") && seen.contains("end=127"), "{seen}");
    // Leaving it alone hangs it up, and being asked to end ends it.
    for (act, end) in [("type:\\x1d\\x1d\\x1d", "end=0"), ("term:", "end=143")] {
        let seen = terminal::run(case, &format!("{enter} -- sh -c 'echo up; exec sleep 4321'"), &["see:up", act]);
        assert!(seen.contains(end), "{act}: {seen}");
        let gone = case.sh("for n in $(seq 100); do pgrep -xf 'sleep 4321' || exit 0; sleep 0.1; done; exit 1");
        assert!(gone.success(), "{act}: {gone:?}");
    }
    web.assert_state("active");
}
