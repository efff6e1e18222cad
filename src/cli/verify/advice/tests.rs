use std::fs;

use super::*;
use crate::cell::{Kind, plan};
use crate::unit::{Env, Scope, UnitName};

const DROPIN: &str = "/run/systemd/generator/web.service.d/zz-unitcell.conf";

fn manager(version: u32) -> Manager {
    Manager {
        version,
        scope: Scope::System,
        namespaces: Kind::ALL.into_iter().map(|kind| (kind, 1)).collect(),
        privileged: true,
        wrapper: "/usr/bin/unitcell-exec".to_owned(),
    }
}

/// The messages and remedies about a unit with this text, `ExecStart=` and all.
fn about(text: &str, version: u32, root: &Path) -> String {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("web.service");
    fs::write(&file, format!("[Service]\nExecStart=true\n{text}")).unwrap();
    let unit = Unit::from_file(&file).unwrap();
    let manager = manager(version);
    let plan = plan(&unit, &manager);
    let dropin = (!plan.is_empty()).then(|| (DROPIN.into(), String::new()));
    let subject = Subject { name: UnitName::new("web.service").unwrap(), unit: Some(unit.clone()), plan, dropin };
    let descriptions = Descriptions::new(Scope::System, root, &Env::default());
    let surroundings = Surroundings { manager: &manager, root, descriptions: &descriptions, live: false };
    let all = advice(&subject, &unit, &surroundings);
    let line = |one: &Advice| {
        let line = one.at.as_ref().map_or(0, |at| at.line);
        format!("{line}: {}; {}\n", one.message, one.remedy)
    };
    all.iter().map(line).collect()
}

fn on(text: &str, version: u32) -> String {
    about(text, version, Path::new("/nowhere"))
}

#[test]
fn a_section_that_nobody_reads_is_found() {
    for section in ["Unitcell", "X-UnitCell", "x-unitcell", "X-Unit-Cell"] {
        let text = on(&format!("[{section}]\nHostname=web\nPrivateIPC=yes\n"), 257);
        assert!(text.starts_with(&format!("4: nobody reads the section [{section}]")), "{text}");
        assert_eq!(text.matches("nobody reads").count(), 1, "{text}");
    }
    assert!(!on("[X-Other]\nHostname=web\n", 257).contains("nobody reads"));
}

#[test]
fn a_directive_that_systemd_passes_over_is_found_in_its_section() {
    for (line, version) in
        [("PrivatePIDs=yes", 252), ("Hostname=web", 262), ("PrivateUsers=identity", 252), ("ReadyWhen=tcp:80", 262)]
    {
        let text = on(&format!("{line}\n"), version);
        assert!(text.contains(&format!("3: {line} in [Service] is passed over by systemd {version}")), "{text}");
        assert!(text.contains("move it to [X-Unitcell]"), "{text}");
    }
    for (line, version) in [
        ("PrivateNetwork=yes", 252),
        ("PrivateUsers=identity", 257),
        ("ProtectHostname=yes", 252),
        ("PrivatePIDs=", 252),
    ] {
        assert!(!on(&format!("{line}\n"), version).contains("passed over"), "{line} on {version}");
    }
    assert!(on("[Unit]\nPrivateNetwork=yes\n", 262).contains("in [Unit] is passed over"));
}

#[test]
fn a_first_process_that_no_signal_reaches_is_pointed_out() {
    assert!(on("[X-Unitcell]\nPrivatePIDs=yes\n", 252).contains("gets no SIGTERM"));
    assert!(on("KillSignal=SIGINT\n[X-Unitcell]\nPrivatePIDs=yes\n", 262).contains("gets no SIGINT"));
    for quiet in [
        "KillSignal=SIGKILL\n[X-Unitcell]\nPrivatePIDs=yes\n",
        "[X-Unitcell]\nPrivatePIDs=yes\nInit=yes\n",
        "[X-Unitcell]\nPrivateIPC=yes\n",
    ] {
        assert!(!on(quiet, 252).contains("has a handler"), "{quiet}");
    }
}

#[test]
fn a_number_that_systemd_can_t_take_is_pointed_out() {
    assert!(on("Type=notify\n[X-Unitcell]\nPrivatePIDs=yes\n", 252).contains("MAINPID= that the service tells"));
    for quiet in ["[X-Unitcell]\nPrivatePIDs=yes\n", "Type=notify\n[X-Unitcell]\nInit=yes\n"] {
        assert!(!on(quiet, 252).contains("MAINPID="), "{quiet}");
    }
}

#[test]
fn a_resolver_out_of_reach_is_found_unless_there_is_another() {
    let root = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let found = || about("[X-Unitcell]\nNetworkNamespace=blue\n", 252, root.path()).contains("no host name is found");
    assert!(!found(), "nobody knows");
    write("run/systemd/resolve/stub-resolv.conf", "# stub\nnameserver 127.0.0.53\n");
    fs::create_dir_all(root.path().join("etc")).unwrap();
    std::os::unix::fs::symlink("../run/systemd/resolve/stub-resolv.conf", root.path().join("etc/resolv.conf")).unwrap();
    assert!(found());
    write("etc/unitcell/blue.netns", "[NetworkNamespace]\nDNS=10.200.0.1\n");
    assert!(!found());
    fs::remove_file(root.path().join("etc/unitcell/blue.netns")).unwrap();
    write("etc/netns/blue/resolv.conf", "nameserver 10.0.0.1\n");
    assert!(!found());
}

#[test]
fn what_systemd_has_itself_is_told() {
    assert!(
        on("[X-Unitcell]\nPrivateNetwork=yes\nPrivateIPC=yes\n", 252)
            .contains("systemd 252 has PrivateNetwork=, PrivateIPC= itself")
    );
    assert!(on("[X-Unitcell]\nHostname=web\n", 262).contains("systemd 262 has Hostname= itself"));
    for text in [
        "[X-Unitcell]\nHostname=web\n",
        "[X-Unitcell]\nPrivateNetwork=yes\nTimeOffsetBoottime=1d\n",
        "[X-Unitcell]\nNetworkNamespace=blue\n",
    ] {
        assert!(!on(text, 252).contains("itself"), "{text}");
    }
}

#[test]
fn the_assertion_is_proposed_once() {
    assert!(on("[X-Unitcell]\nHostname=web\n", 252).contains(&format!("AssertPathExists={DROPIN}")));
    let guarded = "[Unit]\nAssertPathExists=/run/systemd/generator/%n.d/zz-unitcell.conf\n[X-Unitcell]\nHostname=web\n";
    assert!(!on(guarded, 252).contains("to rule that out"));
}

#[test]
fn what_another_generator_undoes_is_found() {
    let root = tempfile::tempdir().unwrap();
    let found = |place: &str| {
        let directory = root.path().join("run/systemd").join(place);
        fs::create_dir_all(directory.parent().unwrap()).unwrap();
        fs::write(&directory, "[Unit]\nAfter=b.service\n[Service]\nNice=1\nExecStart=\n").unwrap();
        let text = about("[X-Unitcell]\nDomainname=web\n", 252, root.path());
        fs::remove_file(directory).unwrap();
        text.contains("5: another generator's ExecStart= comes after that of /run/systemd/generator/web.service.d/")
    };
    for place in [
        "generator/web.service.d/zzz.conf",
        "generator.early/web.service.d/zz-unitcell.conf",
        "generator.late/service.d/~.conf",
    ] {
        assert!(found(place), "{place}");
    }
    for place in [
        "generator/web.service.d/50-a.conf",
        "generator/web.service.d/zz-unitcell.conf",
        "generator/web.service.d/zzz.txt",
        "generator.early/other.service.d/zzz.conf",
    ] {
        assert!(!found(place), "{place}");
    }
}
