//! Named network namespaces, and the example of the README.

use super::cases;
use crate::case::{Case, Scope};

cases![
    example_of_the_readme,
    two_services_share_a_named_namespace,
    stopping_the_namespace_stops_its_services,
    namespace_that_ip_made_is_used_and_left,
    missing_owner_fails_the_start,
    tool_agrees_with_the_generator,
];

fn example_of_the_readme(case: &Case) {
    let name = case.unique("ns");
    let cell = format!("NetworkNamespace={name}\nHostname=web\nPrivatePIDs=yes\nTimeOffsetBoottime=497d");
    case.unit(Scope::System, &format!("unitcell-netns@{name}.service"));
    let unit = case.service("web", "User=nobody", &cell);
    let dump = unit.dump();
    assert_eq!((dump.hostname(), dump.pid(), dump.interfaces()), ("web", 1, vec!["lo".to_owned()]));
    assert_eq!(dump.get("lo_up"), true);
    assert!(dump.clock("boottime") > 497.0 * 86400.0);
    assert_eq!(dump.get("uid")[0], 65534);
    let inode = case.sh(&format!("stat -c %i /run/netns/{name}")).ok().trim().to_owned();
    assert_eq!(dump.ns("net"), format!("net:[{inode}]"));
    let shown = case.sh(&format!("unitcell show {}", unit.name));
    for words in ["497d", "web", name.as_str(), "PID 1"] {
        assert!(shown.ok().contains(words), "{words:?} is not in: {}", shown.stdout);
    }
    unit.stop().ok();
    assert_eq!(unit.result(), "success");
}

fn two_services_share_a_named_namespace(case: &Case) {
    let name = case.unique("ns");
    let owner = case.unit(Scope::System, &format!("unitcell-netns@{name}.service"));
    let cell = format!("NetworkNamespace={name}");
    let (one, two) = (case.service("one", "", &cell), case.service("two", "", &format!("{cell}\nHostname=two")));
    assert_eq!(one.dump().ns("net"), two.dump().ns("net"));
    assert_ne!(one.dump().ns("net"), case.manager_ns("net"));
    assert!(case.sh("ip netns list").ok().lines().any(|line| line.starts_with(&name)));
    // The restart of one leaves the namespace as it is.
    let before = one.dump().ns("net").to_owned();
    one.restart().ok();
    assert_eq!(one.dump().ns("net"), before);
    owner.assert_state("active");
}

fn stopping_the_namespace_stops_its_services(case: &Case) {
    let name = case.unique("ns");
    let owner = case.unit(Scope::System, &format!("unitcell-netns@{name}.service"));
    let unit = case.service("web", "", &format!("NetworkNamespace={name}"));
    unit.dump();
    owner.stop().ok();
    unit.assert_state("inactive");
    assert!(!case.sh(&format!("test -e /run/netns/{name} || test -e /run/unitcell/netns/{name}")).success());
}

fn namespace_that_ip_made_is_used_and_left(case: &Case) {
    let name = case.unique("ns");
    case.sh(&format!("ip netns add {name}")).ok();
    let inode = case.sh(&format!("stat -c %i /run/netns/{name}")).ok().trim().to_owned();
    let owner = case.unit(Scope::System, &format!("unitcell-netns@{name}.service"));
    let unit = case.service("web", "", &format!("NetworkNamespace={name}"));
    assert_eq!(unit.dump().ns("net"), format!("net:[{inode}]"));
    owner.stop().ok();
    assert_eq!(case.sh(&format!("stat -c %i /run/netns/{name}")).ok().trim(), inode, "it is not ours to remove");
    case.sh(&format!("ip netns delete {name}")).ok();
}

fn missing_owner_fails_the_start(case: &Case) {
    let name = case.unique("ns");
    // What describes it is wrong, so the owner refuses to start.
    case.sh("mkdir -p /etc/unitcell").ok();
    case.file(&format!("/etc/unitcell/{name}.netns"), "[NetworkNamespace]\nDNS=nowhere\n");
    case.unit(Scope::System, &format!("unitcell-netns@{name}.service"));
    let unit = case.service("web", "", &format!("NetworkNamespace={name}"));
    assert!(!unit.start().success());
    unit.assert_never_ran();
}

fn tool_agrees_with_the_generator(case: &Case) {
    let unit =
        case.prepare(Scope::System, "web", "User=nobody", "Hostname=web\nPrivateNetwork=yes\nTimeOffsetBoottime=1d");
    let generated = case.read(&format!("/run/systemd/generator/{}.d/zz-unitcell.conf", unit.name));
    let explained = case.sh(&format!("unitcell explain {}", unit.name));
    assert!(explained.ok().contains(generated.trim_end()), "{}\n---\n{generated}", explained.stdout);
    assert!(case.sh(&format!("unitcell verify {}", unit.name)).success());
    let bad = case.prepare(Scope::System, "bad", "", "Hostname=a_b");
    let verified = case.sh(&format!("unitcell verify {}", bad.name));
    assert_eq!(verified.code, Some(1));
    assert!(verified.stdout.contains("cell.conf:2:10: error: Hostname=a_b"), "{verified:?}");
}
