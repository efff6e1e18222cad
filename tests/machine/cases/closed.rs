//! Fail closed: what can't be had stops the start, and the service never runs without it.

use super::cases;
use crate::case::{Case, Scope, Unit};

cases![
    wrapper_without_cap_sys_admin_does_not_start,
    bounding_set_without_cap_sys_admin_still_has_its_cell,
    missing_namespace_file_fails,
    namespace_file_of_another_type_fails,
    native_directive_that_fails_open_is_caught,
    unknown_key_is_refused,
    line_without_equals_is_refused,
    bad_value_is_refused,
    contradiction_is_refused,
    plus_prefix_is_refused,
    refusal_survives_success_exit_status,
    refusal_is_told_in_another_root,
    refusal_does_not_run_stop_post,
    admins_later_dropin_does_not_undo_the_cell,
    admins_dropin_of_the_same_name_does_not_undo_the_cell,
    dropin_of_a_prefix_and_of_the_type,
    template_and_instance,
    alias_counts_as_the_unit,
    cell_in_a_socket_is_refused,
    one_bad_unit_disturbs_no_other,
    try_goes_on_without,
    try_never_renames_the_host,
    filters_that_leave_the_wrapper_little,
    masked_generator_undoes_everything: alone,
    // (252 does not even boot without CAP_SYS_ADMIN.)
    manager_without_cap_sys_admin(257..=u32::MAX): powerless,
];

#[track_caller]
fn assert_refused(unit: &Unit<'_>, words: &str) {
    unit.assert_failed_with(78);
    assert!(unit.journal().contains(words), "{words:?} is not in: {}", unit.journal());
}

fn wrapper_without_cap_sys_admin_does_not_start(case: &Case) {
    for (option, code) in [
        ("--hostname=web", 226),
        ("--private-pids", 226),
        ("--private-network", 225),
        ("--time-offset-boottime=1d", 226),
    ] {
        let name = option.trim_start_matches('-').split('=').next().unwrap();
        let unit = case.service(
            name,
            &format!("CapabilityBoundingSet=~CAP_SYS_ADMIN\nExecStart=unitcell-exec {option} -- @payload@"),
            "",
        );
        unit.assert_failed_with(code);
        assert!(unit.journal().contains("Operation not permitted"), "{}", unit.journal());
    }
}

/// The unit's bounding set is the service's, not the wrapper's: the cell is complete.
fn bounding_set_without_cap_sys_admin_still_has_its_cell(case: &Case) {
    let dump = case
        .service(
            "web",
            "CapabilityBoundingSet=~CAP_SYS_ADMIN",
            "Hostname=web\nTimeOffsetBoottime=9d\nPrivateNetwork=yes",
        )
        .dump();
    assert_eq!(dump.hostname(), "web");
    for kind in ["uts", "time", "net"] {
        assert_ne!(dump.ns(kind), case.manager_ns(kind), "{kind}");
    }
    assert_eq!(u64::from_str_radix(dump.status("CapBnd"), 16).unwrap() & 1 << 21, 0);
}

fn missing_namespace_file_fails(case: &Case) {
    case.service("net", "", "NetworkNamespacePath=/run/no-such-file").assert_never_ran();
    let unit = case.service("uts", "", "UTSNamespacePath=/run/no-such-file");
    unit.assert_failed_with(226);
    let journal = unit.journal();
    assert!(
        journal.contains("UTSNamespacePath= (") && journal.contains("/run/no-such-file: No such file"),
        "{journal}"
    );
}

fn namespace_file_of_another_type_fails(case: &Case) {
    let unit = case.service("uts", "", "UTSNamespacePath=/proc/1/ns/net");
    unit.assert_failed_with(226);
    assert!(unit.journal().contains("no namespace of this type"), "{}", unit.journal());
}

/// The manager's own network namespace stands for whatever made systemd go on without another.
fn native_directive_that_fails_open_is_caught(case: &Case) {
    let unit = case.service("net", "", "NetworkNamespacePath=/proc/1/ns/net");
    unit.assert_failed_with(225);
    let journal = unit.journal();
    assert!(journal.contains("NetworkNamespacePath= (") && journal.contains("gone on without"), "{journal}");
}

fn unknown_key_is_refused(case: &Case) {
    let unit = case.service("web", "", "Hostname=web\nHostnam=other");
    assert_refused(&unit, "cell.conf:3:1: Hostnam= is no directive of [X-Unitcell]; did you mean Hostname=?");
}

fn line_without_equals_is_refused(case: &Case) {
    let unit = case.service("web", "", "Hostname=web\nPrivateNetwork: yes");
    assert_refused(&unit, "cell.conf:3:1: the line is no assignment");
}

fn bad_value_is_refused(case: &Case) {
    assert_refused(&case.service("host", "", "Hostname=a_b"), "cell.conf:2:10: Hostname=a_b: takes a host name");
    assert_refused(&case.service("bool", "", "PrivatePIDs=maybe"), "PrivatePIDs=maybe: takes a boolean");
    assert_refused(&case.service("map", "", "UIDMap=0:1"), "takes INSIDE:OUTSIDE:COUNT");
    assert_refused(&case.service("time", "", "TimeOffsetBoottime=soon"), "takes a signed time span");
}

fn contradiction_is_refused(case: &Case) {
    assert_refused(
        &case.service("net", "", "PrivateNetwork=yes\nNetworkNamespacePath=/run/netns/a"),
        "in more than one way",
    );
    assert_refused(&case.service("map", "", "UIDMap=0:1:1"), "UIDMap= stands without GIDMap=");
}

fn plus_prefix_is_refused(case: &Case) {
    assert_refused(&case.service("web", "ExecStart=+@payload@", "Hostname=web"), "the prefix '+'");
}

fn refusal_survives_success_exit_status(case: &Case) {
    let unit = case.service(
        "web",
        "SuccessExitStatus=78\nRestart=always\nExecCondition=true\nExecStartPre=true",
        "Nonsense=1",
    );
    assert_refused(&unit, "Nonsense=");
    assert_eq!(unit.state(), "failed");
}

/// Where the wrapper, which tells it, is not.
fn refusal_is_told_in_another_root(case: &Case) {
    let root = format!("/run/{}", case.unique("root"));
    case.sh(&format!("mkdir -p {root}/data")).ok();
    let service = format!("RootDirectory={root}\nWorkingDirectory=/data\nExecStart=/bin/payload");
    let unit = case.service("web", &service, "TimeOffset=1h");
    assert_refused(&unit, "TimeOffset");
    case.sh(&format!("rm -r {root}")).ok();
}

fn refusal_does_not_run_stop_post(case: &Case) {
    let file = format!("/run/{}", case.unique("ran"));
    let unit = case.service("web", &format!("ExecStopPost=touch {file}\nExecStartPre=touch {file}"), "Nonsense=1");
    assert_refused(&unit, "Nonsense=");
    assert!(!case.sh(&format!("test -e {file}")).success());
}

fn admins_later_dropin_does_not_undo_the_cell(case: &Case) {
    let unit = case.prepare(Scope::System, "web", "", "Hostname=web\nTimeOffsetBoottime=1d");
    case.file(
        &format!("/etc/systemd/system/{}.d/zzz-mine.conf", unit.name),
        &format!(
            "[Service]\nExecStart=\nExecStart=/usr/lib/unitcell-tests/payload {} sleep-handled later\n",
            unit.dump_path()
        ),
    );
    case.daemon_reload();
    unit.start().ok();
    let dump = unit.dump();
    assert_eq!((dump.hostname(), dump.argv().last().map(String::as_str)), ("web", Some("later")));
}

fn admins_dropin_of_the_same_name_does_not_undo_the_cell(case: &Case) {
    let unit = case.prepare(Scope::System, "web", "", "Hostname=web");
    case.file(&format!("/etc/systemd/system/{}.d/zz-unitcell.conf", unit.name), "[Service]\nEnvironment=A=mine\n");
    case.daemon_reload();
    unit.start().ok();
    let dump = unit.dump();
    assert_eq!((dump.hostname(), dump.env("A").as_deref()), ("web", Some("mine")));
}

fn dropin_of_a_prefix_and_of_the_type(case: &Case) {
    let unit = case.prepare(Scope::System, "prefix-web", "", "");
    case.file(
        &format!("/etc/systemd/system/{}-.service.d/cell.conf", case.unique("prefix")),
        "[X-Unitcell]\nHostname=by-prefix\n",
    );
    case.daemon_reload();
    unit.start().ok();
    assert_eq!(unit.dump().hostname(), "by-prefix");
}

fn template_and_instance(case: &Case) {
    let template = case.unique("web@");
    case.file(
        &format!("/etc/systemd/system/{template}.service"),
        "[Service]\nExecStart=/usr/lib/unitcell-tests/payload /run/unitcell-tests/%n.json sleep-handled\n[X-Unitcell]\nHostname=i-%i\n",
    );
    case.file(
        &format!("/etc/systemd/system/{template}own.service.d/cell.conf"),
        "[X-Unitcell]\nHostname=own\nTimeOffsetBoottime=1d\n",
    );
    case.daemon_reload();
    let one = case.unit(Scope::System, &format!("{template}one.service"));
    let own = case.unit(Scope::System, &format!("{template}own.service"));
    one.start().ok();
    own.start().ok();
    assert_eq!(one.dump().hostname(), "i-one");
    assert_eq!(own.dump().hostname(), "own");
    assert_ne!(own.dump().ns("time"), case.manager_ns("time"));
}

fn alias_counts_as_the_unit(case: &Case) {
    let unit = case.prepare(Scope::System, "web", "", "");
    let alias = case.unique("alias.service");
    case.sh(&format!("ln -s {} /etc/systemd/system/{alias}", unit.name)).ok();
    case.file(&format!("/etc/systemd/system/{alias}.d/cell.conf"), "[X-Unitcell]\nHostname=by-alias\n");
    case.daemon_reload();
    unit.start().ok();
    assert_eq!(unit.dump().hostname(), "by-alias");
    case.sh(&format!("rm /etc/systemd/system/{alias}")).ok();
}

fn cell_in_a_socket_is_refused(case: &Case) {
    let name = case.unique("web.socket");
    case.file(
        &format!("/etc/systemd/system/{name}"),
        &format!("[Socket]\nListenStream=/run/{name}\nAccept=yes\n[X-Unitcell]\nPrivateNetwork=yes\n"),
    );
    case.file(&format!("/etc/systemd/system/{}@.service", case.unique("web")), "[Service]\nExecStart=true\n");
    case.daemon_reload();
    assert!(!case.systemctl(&["start", &name]).success());
}

fn one_bad_unit_disturbs_no_other(case: &Case) {
    let bad = case.unique("bad");
    case.file(&format!("/etc/systemd/system/{bad}.service"), "[Service]\nExecStart=true\n[X-Unitcell\nHostname=web\n");
    let nul = case.unique("nul");
    case.file(
        &format!("/etc/systemd/system/{nul}.service"),
        "[Service]\nExecStart=sleep infinity\n[X-Unitcell]\nHostname=w\0eb\n",
    );
    case.sh(&format!("ln -s {0}.service /etc/systemd/system/{0}.service", case.unique("loop"))).ok();
    let good = case.service("good", "", "Hostname=good");
    assert_eq!(good.dump().hostname(), "good");
    for name in [&bad, &nul] {
        assert!(!case.systemctl(&["start", &format!("{name}.service")]).success(), "{name} must not start");
    }
    let nul = case.unit(Scope::System, &format!("{nul}.service"));
    assert!(nul.journal().contains("contains a NUL byte"), "{}", nul.journal());
    case.sh(&format!("rm /etc/systemd/system/{0}.service", case.unique("loop"))).ok();
}

fn try_goes_on_without(case: &Case) {
    let unit = case.service("web", "CapabilityBoundingSet=~CAP_SYS_ADMIN\nExecStart=unitcell-exec --isolation=try --hostname=web --private-pids -- @payload@ sleep-handled", "");
    let dump = unit.dump();
    assert_eq!(dump.ns("uts"), case.manager_ns("uts"));
    let journal = unit.journal();
    assert!(journal.contains("going on without") && journal.contains("Hostname="), "{journal}");
    // And with all that it takes, it has all of it.
    assert_eq!(case.service("whole", "", "Isolation=try\nHostname=web").dump().hostname(), "web");
}

fn try_never_renames_the_host(case: &Case) {
    let before = case.sh("uname -n").ok().to_owned();
    // May set the name, may not make a namespace.
    let unit = case.service("web", "RestrictNamespaces=yes\nExecStart=unitcell-exec --isolation=try --hostname=not-the-host --domainname=not -- @payload@ sleep-handled", "");
    assert_eq!(unit.dump().ns("uts"), case.manager_ns("uts"));
    assert_eq!(case.sh("uname -n").ok(), before);
}

fn masked_generator_undoes_everything(case: &Case) {
    let mask = "/etc/systemd/system-generators/unitcell-generator";
    case.sh(&format!("mkdir -p /etc/systemd/system-generators; ln -s /dev/null {mask}")).ok();
    let unit = case.prepare(Scope::System, "web", "", "Hostname=web");
    case.daemon_reload();
    unit.start().ok();
    let hostname = unit.dump().hostname().to_owned();
    case.sh(&format!("rm {mask}")).ok();
    case.daemon_reload();
    assert_ne!(hostname, "web");
    assert_eq!(case.sh("find /run/systemd/generator -name '*unitcell*'").stdout.lines().count(), 1, "and back again");
}

/// The filters of the unit bind the wrapper, too: where it only verifies, it does with what any program needs.
fn filters_that_leave_the_wrapper_little(case: &Case) {
    for (name, service) in [
        ("families", "RestrictAddressFamilies=AF_INET"),
        (
            "calls",
            "SystemCallFilter=@system-service\nSystemCallFilter=~@network-io @privileged\nSystemCallErrorNumber=EPERM",
        ),
        ("namespaces", "RestrictNamespaces=yes\nNoNewPrivileges=yes\nUser=tester"),
        ("paths", "NoExecPaths=/\nExecPaths=/usr/lib/unitcell-tests/payload /usr/lib /lib /lib64"),
    ] {
        let dump = case.service(name, service, "PrivateNetwork=yes").dump();
        assert_ne!(dump.ns("net"), case.manager_ns("net"), "{name}");
    }
}

/// Where systemd itself would log a line and run the service on the host.
fn manager_without_cap_sys_admin(case: &Case) {
    let native = case.service("native", "PrivateNetwork=yes\nPrivateIPC=yes\nProtectHostname=yes", "").dump();
    for kind in ["net", "ipc", "uts"] {
        assert_eq!(native.ns(kind), case.manager_ns(kind), "systemd {} does not fail open: {kind}", case.version());
    }
    let whole = "Hostname=web\nPrivatePIDs=yes\nPrivateNetwork=yes\nTimeOffsetBoottime=497d";
    let unit = case.service("whole", "", whole);
    unit.assert_never_ran();
    assert!(!unit.start().success());
    for (cell, code) in [
        ("PrivateNetwork=yes", 225),
        ("PrivateIPC=yes", 226),
        ("PrivateMounts=yes", 226),
        ("ProtectHostname=yes", 226),
        ("Hostname=web", 226),
        ("Domainname=nis", 226),
        ("TimeOffsetMonotonic=1s", 226),
    ] {
        let name = cell.split('=').next().unwrap();
        let unit = case.service(name, "", cell);
        unit.assert_failed_with(code);
        let journal = unit.journal();
        assert!(journal.contains(&format!("{name}= (")), "{journal}");
    }
}
