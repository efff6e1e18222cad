//! Nothing but the namespaces changes: a service, with the wrapper and without, is who it is.

use super::cases;
use crate::case::Case;
use crate::dump::Dump;

cases![
    identity_of_root,
    identity_of_a_user,
    identity_of_a_user_with_groups,
    identity_of_group_alone,
    identity_of_a_dynamic_user,
    identity_of_a_dynamic_user_with_no_name,
    identity_with_ambient_capabilities,
    identity_with_bounding_set,
    identity_with_capabilities_taken_away,
    identity_of_root_with_bounding_set,
    identity_with_no_new_privileges,
    identity_with_implied_no_new_privileges,
    identity_with_secure_bits,
    identity_with_credentials_and_directories,
    identity_with_limits_and_more,
    identity_of_exclamation_mark,
    arguments_are_expanded_as_natively,
    working_directory_that_the_user_may_not_enter,
    missing_user_fails_as_natively,
];

/// What a service sees of itself as it is, and in a cell that only the wrapper can make.
#[track_caller]
fn both(case: &Case, service: &str) -> (Dump, Dump) {
    let dump = |name, cell| {
        let unit = case.service(name, service, cell);
        let dump = unit.dump();
        unit.stop().ok();
        dump
    };
    (dump("one", ""), dump("two", "TimeOffsetMonotonic=1s"))
}

/// Compares the two.
#[track_caller]
fn assert_same(case: &Case, service: &str) {
    let (native, wrapped) = both(case, service);
    let differences: Vec<String> = wrapped
        .differences(&native)
        .into_iter()
        .filter(|line| !EXPECTED.iter().any(|expected| line.contains(expected)))
        .collect();
    assert_eq!(differences, [""; 0], "native and wrapped differ");
}

/// What a time namespace changes by its nature.
const EXPECTED: [&str; 2] = ["ns_time", "timens_offsets"];

fn identity_of_root(case: &Case) {
    assert_same(case, "");
}

fn identity_of_a_user(case: &Case) {
    assert_same(case, "User=nobody");
    assert_same(case, "User=1000");
}

fn identity_of_a_user_with_groups(case: &Case) {
    case.sh("id member || { useradd --no-create-home member && groupadd cells && gpasswd -a member cells; }").ok();
    assert_same(case, "User=member\nSupplementaryGroups=audio video\nSupplementaryGroups=audio");
    assert_same(case, "User=member\nGroup=games");
}

fn identity_of_group_alone(case: &Case) {
    assert_same(case, "Group=games\nSupplementaryGroups=audio");
}

fn identity_of_a_dynamic_user(case: &Case) {
    let dynamic = "DynamicUser=yes\nReadWritePaths=/run/unitcell-tests";
    let (native, wrapped) = both(case, dynamic);
    assert!(
        wrapped.get("uid")[0].as_u64().is_some_and(|uid| (61184..=65519).contains(&uid)),
        "{:?}",
        wrapped.get("uid")
    );
    for field in ["CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp"] {
        assert_eq!(wrapped.status(field), native.status(field), "{field}");
    }
    // 257 leaves CAP_SYS_ADMIN and CAP_SETPCAP behind in the inheritable set; we do not.
    assert_eq!(wrapped.status("CapInh"), "0000000000000000");
    assert_eq!(wrapped.get("uid")[0], wrapped.get("gid")[0]);
    assert_eq!(wrapped.env("HOME"), native.env("HOME"));
}

/// systemd makes one up where the unit's is none for a user.
fn identity_of_a_dynamic_user_with_no_name(case: &Case) {
    for name in ["dotted.name", "that-is-longer-than-a-user-may-be-called"] {
        let unit = case.service(name, "DynamicUser=yes\nReadWritePaths=/run/unitcell-tests", "TimeOffsetMonotonic=1s");
        let dump = unit.dump();
        let user = dump.env("USER").expect("systemd sets it");
        assert!(user.starts_with("_du") && user.len() == 19, "{user}");
        // Beside links by the name, which lead nowhere.
        let known = case.sh(&format!("grep -ls {user} /run/systemd/dynamic-uid/*")).stdout;
        let uid = known.lines().find_map(|file| file.rsplit('/').next()?.parse::<u32>().ok());
        assert_eq!(dump.get("uid")[0].as_u64(), uid.map(u64::from));
        assert_eq!(dump.get("gid")[0], dump.get("uid")[0]);
    }
}

fn identity_with_ambient_capabilities(case: &Case) {
    assert_same(case, "User=nobody\nAmbientCapabilities=CAP_NET_BIND_SERVICE CAP_NET_RAW");
    assert_same(case, "AmbientCapabilities=CAP_NET_BIND_SERVICE");
    assert_same(
        case,
        "User=nobody\nAmbientCapabilities=CAP_NET_BIND_SERVICE CAP_SYS_ADMIN\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE",
    );
}

fn identity_with_bounding_set(case: &Case) {
    assert_same(case, "User=nobody\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE CAP_KILL");
    assert_same(case, "User=nobody\nCapabilityBoundingSet=");
    assert_same(case, "User=nobody\nCapabilityBoundingSet=~CAP_SYS_ADMIN");
}

/// Whoever enters a user namespace has all capabilities in its bounding set.
fn identity_with_capabilities_taken_away(case: &Case) {
    let settings = "PrivateDevices=yes\nProtectKernelModules=yes\nProtectKernelLogs=yes\nProtectClock=yes";
    for user in ["", "User=tester\nAmbientCapabilities=CAP_MKNOD CAP_SYSLOG CAP_KILL"] {
        let service = format!("{settings}\n{user}");
        let native_unit = case.service("one", &format!("{service}\nPrivateUsers=yes"), "");
        let native = native_unit.dump();
        native_unit.stop().ok();
        for cell in ["PrivateUsers=self\nDomainname=cell", "PrivateUsers=self\nTimeOffsetMonotonic=1s"] {
            let unit = case.service("two", &service, cell);
            let wrapped = unit.dump();
            for set in ["CapBnd", "CapPrm", "CapEff", "CapAmb"] {
                assert_eq!(wrapped.status(set), native.status(set), "{set}, {user}, {cell}");
            }
            unit.stop().ok();
        }
    }
}

fn identity_of_root_with_bounding_set(case: &Case) {
    assert_same(case, "CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE");
    assert_same(case, "CapabilityBoundingSet=~CAP_SYS_ADMIN CAP_SYS_TIME");
}

fn identity_with_no_new_privileges(case: &Case) {
    assert_same(case, "User=nobody\nNoNewPrivileges=yes");
}

fn identity_with_implied_no_new_privileges(case: &Case) {
    for setting in [
        "RestrictRealtime=yes",
        "LockPersonality=yes",
        "RestrictAddressFamilies=AF_UNIX AF_INET",
        "PrivateDevices=yes",
        "RestrictNamespaces=~user",
    ] {
        let service = format!("User=nobody\n{setting}");
        let (native, wrapped) = both(case, &service);
        assert_eq!(wrapped.status("NoNewPrivs"), native.status("NoNewPrivs"), "{setting}");
        assert_eq!(wrapped.status("CapEff"), native.status("CapEff"), "{setting}");
    }
}

fn identity_with_secure_bits(case: &Case) {
    assert_same(case, "User=nobody\nSecureBits=noroot noroot-locked");
    assert_same(case, "SecureBits=keep-caps-locked no-setuid-fixup");
}

fn identity_with_credentials_and_directories(case: &Case) {
    assert_same(case, "User=nobody\nSetCredential=a:b\nRuntimeDirectory=unitcell-identity\nUMask=0027");
}

fn identity_with_limits_and_more(case: &Case) {
    assert_same(
        case,
        "User=nobody\nLimitNOFILE=1000\nNice=5\nOOMScoreAdjust=100\nIgnoreSIGPIPE=no\nTimerSlackNSec=1ms\nEnvironment=A=b \"C=d e\"\nWorkingDirectory=/usr",
    );
    assert_same(
        case,
        "KeyringMode=inherit\nCPUSchedulingPolicy=batch\nStandardInput=null\nStandardOutput=file:/dev/null",
    );
}

fn identity_of_exclamation_mark(case: &Case) {
    assert_same(case, "User=nobody\nExecStart=!@payload@ sleep-handled");
}

fn arguments_are_expanded_as_natively(case: &Case) {
    let arguments = r#"Environment="W=a b" EMPTY=
ExecStart=@payload@ sleep-handled $W "$W" ${W}z $EMPTY ${EMPTY} x$$y 100%% %p '\x41\n' "a;b" \;"#;
    let native = case.service("one", arguments, "").dump();
    let wrapped = case.service("two", arguments, "TimeOffsetMonotonic=1s\nHostname=%p").dump();
    let normal = |dump: &Dump| -> Vec<String> {
        dump.argv()
            .into_iter()
            .map(|word| word.replace(&case.unique("two"), "NAME").replace(&case.unique("one"), "NAME"))
            .collect()
    };
    assert_eq!(normal(&wrapped), normal(&native));
    assert_eq!(wrapped.hostname(), case.unique("two"));
    // `:` leaves variables alone, `@` names the program.
    let colon = case.service("colon", "ExecStart=:@payload@ sleep-handled $W x$$y", "TimeOffsetMonotonic=1s").dump();
    assert_eq!(colon.argv()[3..], ["$W", "x$$y"]);
    let named = case
        .service(
            "named",
            "ExecStart=@/usr/lib/unitcell-tests/payload other-name @dump@ sleep-handled",
            "TimeOffsetMonotonic=1s",
        )
        .dump();
    assert_eq!(named.argv()[0], "other-name");
    let relative = case
        .service(
            "relative",
            "ExecSearchPath=/usr/lib/unitcell-tests\nExecStart=payload @dump@ sleep-handled",
            "TimeOffsetMonotonic=1s",
        )
        .dump();
    assert_eq!(relative.argv()[0], "payload");
}

fn working_directory_that_the_user_may_not_enter(case: &Case) {
    case.service("web", "User=nobody\nWorkingDirectory=/root", "TimeOffsetMonotonic=1s").assert_failed_with(200);
}

fn missing_user_fails_as_natively(case: &Case) {
    case.service("web", "User=nobody-of-that-name", "TimeOffsetMonotonic=1s").assert_failed_with(217);
}
