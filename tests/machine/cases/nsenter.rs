//! `unitcell nsenter` in the place of nsenter(1).

use super::cases;
use crate::case::Case;
use crate::classic;

cases![nsenter_does_what_the_classic_one_does, nsenter_takes_units_beside_what_the_classic_one_takes];

fn nsenter_does_what_the_classic_one_does(case: &Case) {
    classic::run(case, include_str!("../classic/nsenter.txt"));
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
