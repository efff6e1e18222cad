use super::*;

#[track_caller]
fn all<T: PartialEq + std::fmt::Debug>(
    parse: impl Fn(&str) -> Result<T, ValueError>,
    good: &[(&str, T)],
    bad: &[&str],
) {
    for (text, value) in good {
        assert_eq!(parse(text).as_ref(), Ok(value), "{text:?}");
    }
    for text in bad {
        let error = parse(text).expect_err(text);
        assert!(!error.expected.is_empty() && !error.expected.ends_with('.'), "{error}");
    }
}

#[test]
fn isolation() {
    all(Isolation::parse, &[("require", Isolation::Require), ("try", Isolation::Try)], &["", "yes", "Try", "try "]);
}

#[test]
fn booleans_are_systemds() {
    let yes = ["1", "yes", "y", "true", "t", "on", "YES", "On"].map(|text| (text, true));
    let no = ["0", "no", "n", "false", "f", "off", "NO", "Off"].map(|text| (text, false));
    all(parse_boolean, &[yes, no].concat(), &["", "2", "enabled", "yes ", "ja"]);
}

#[test]
fn private_users() {
    use PrivateUsers::{Full, Identity, No, SelfOnly};
    let good = [("no", No), ("0", No), ("yes", SelfOnly), ("on", SelfOnly), ("self", SelfOnly), ("identity", Identity)];
    all(PrivateUsers::parse, &good, &["", "Self", "some", "subuid", "full:1", "subuid:", "subuid:a:b", "subuid:a b"]);
    all(PrivateUsers::parse, &[("full", Full)], &[]);
    assert_eq!(PrivateUsers::parse("subuid:web"), Ok(PrivateUsers::Subordinate("web".to_owned())));
}

#[test]
fn protect_hostname() {
    use ProtectHostname::{No, Private, Yes};
    let name = || Some("web".to_owned());
    let good = [
        ("no", No),
        ("off", No),
        ("yes", Yes(None)),
        ("1", Yes(None)),
        ("private", Private(None)),
        ("yes:web", Yes(name())),
        ("true:web", Yes(name())),
        ("private:web", Private(name())),
        ("private:%H-%i", Private(Some("%H-%i".to_owned()))),
    ];
    all(ProtectHostname::parse, &good, &["", "no:web", "web", "yes:", "private:", "private:-", "yes:a:b", "Private"]);
}

#[test]
fn protect_control_groups() {
    use ProtectControlGroups::{No, Private, Strict, Yes};
    let good = [("no", No), ("yes", Yes), ("private", Private), ("strict", Strict)];
    all(ProtectControlGroups::parse, &good, &["", "full", "strict ", "Private", "private:x"]);
}

#[test]
fn id_ranges() {
    let range = |inside, outside, count| IdRange { inside, outside, count };
    let good = [
        ("0:100000:65536", range(0, 100_000, 65536)),
        ("0:0:1", range(0, 0, 1)),
        // 4294967295 is (uid_t) -1 and stands for no id.
        ("0:0:4294967295", range(0, 0, u32::MAX)),
        ("4294967294:0:1", range(4_294_967_294, 0, 1)),
    ];
    let bad = [
        "",
        "0",
        "0:0",
        "0:0:0",
        "0:0:1:1",
        ":0:1",
        "a:0:1",
        "0x1:0:1",
        "+1:0:1",
        "-1:0:1",
        " 0:0:1",
        "0:0: 1",
        "4294967295:0:1",
        "0:4294967295:1",
        "1:0:4294967295",
        "0:4294967294:2",
        "0:0:4294967296",
        "99999999999:0:1",
    ];
    all(parse_id_range, &good, &bad);
    for (text, range) in good {
        assert_eq!(range.to_string(), text);
    }
}

#[test]
fn id_ranges_overlap_on_either_side() {
    let overlap = |a: &str, b: &str| {
        let (a, b) = (parse_id_range(a).unwrap(), parse_id_range(b).unwrap());
        assert_eq!(a.overlaps(&b), b.overlaps(&a));
        a.overlaps(&b)
    };
    assert!(overlap("0:100:10", "9:500:1"), "inside");
    assert!(overlap("0:100:10", "50:109:5"), "outside");
    assert!(!overlap("0:100:10", "10:110:1"));
    assert!(overlap("0:0:4294967295", "4294967294:4294967294:1"));
}

#[test]
fn hostnames() {
    let owned = |text: &'static str| (text, text.to_owned());
    let longest = "a".repeat(64);
    let good = ["a", "web", "web.example", "1", "a-b", "A.B-c.9", "%H", "%p-%i", "%i is not judged"].map(owned);
    all(parse_hostname, &good, &["", ".", "a.", ".a", "a..b", "-a", "a-", "a.-b", "a_b", "a b", "ä", "a/b", "a\n"]);
    assert!(parse_hostname(&longest).is_ok());
    assert!(parse_hostname(&format!("{longest}a")).is_err());
}

#[test]
fn domainnames() {
    let owned = |text: &'static str| (text, text.to_owned());
    let good = ["nis", "(none)", "a.b", "$x", "%H nis"].map(owned);
    all(parse_domainname, &good, &["", "two words", "tab\there", "ä", "a\0"]);
    assert!(parse_domainname(&"a".repeat(64)).is_ok());
    assert!(parse_domainname(&"a".repeat(65)).is_err());
}

#[test]
fn names_of_network_namespaces() {
    let owned = |text: &'static str| (text, text.to_owned());
    let good = ["blue", "a:b_c.d-9", "%i", "a-%i"].map(owned);
    all(parse_netns_name, &good, &["", ".", "..", "../etc", ".hidden", "-x", "a/b", "a b", "ä", "a@b"]);
    assert!(parse_netns_name(&"a".repeat(200)).is_ok());
    assert!(parse_netns_name(&"a".repeat(201)).is_err());
}

#[test]
fn paths() {
    let owned = |text: &'static str| (text, text.to_owned());
    let good = ["/", "/run/ns/a b", "%t/ns", "/proc/1/ns/net"].map(owned);
    all(parse_path, &good, &["", "run/ns", "./run", "~/ns", " /run"]);
}

#[test]
fn offsets() {
    const SECOND: i64 = 1_000_000_000;
    let good = [
        ("0", 0),
        ("1", SECOND),
        ("497d", 497 * 86400 * SECOND),
        ("-1h 30s", -3630 * SECOND),
        ("-5", -5 * SECOND),
        ("1ns", 1),
        ("1.5s", SECOND * 3 / 2),
        ("292y", 292 * 31_557_600 * SECOND),
    ];
    all(
        parse_offset,
        &good,
        &["", "-", "soon", "1 day ago", "infinity", "-infinity", "--1s", "1h -30s", "293y", "1e3"],
    );
}

#[test]
fn namespaces_of_takes_a_unit_and_types() {
    let means = |text: &str| -> Vec<&str> {
        let of = NamespacesOf::parse(text).unwrap();
        assert_eq!(of.unit, "db@1.service");
        Kind::ALL.into_iter().filter(|&kind| of.means(kind)).map(Kind::proc_name).collect()
    };
    assert_eq!(means("db@1.service net  pid"), ["net", "pid"]);
    assert_eq!(means("db@1.service").len(), 8);
    assert_eq!(means("db@1.service ~mnt user pid time"), ["cgroup", "ipc", "uts", "net"]);
    for text in ["db", "db@.service", "db.socket", "db.service network", "db.service net ~pid", "a b.service"] {
        assert!(NamespacesOf::parse(text).is_err(), "{text}");
    }
    assert_eq!(NamespacesOf::parse("%p-db.service uts").unwrap().unit, "%p-db.service");
}

#[test]
fn namespaces_of_says_what_is_left_without_a_type() {
    let without_pid = |text: &str| Some(NamespacesOf::parse(text).unwrap().without(Kind::Pid)?.to_string());
    assert_eq!(without_pid("db.service").as_deref(), Some("db.service ~pid"));
    assert_eq!(without_pid("db.service net pid").as_deref(), Some("db.service net"));
    assert_eq!(without_pid("db.service ~net").as_deref(), Some("db.service ~net pid"));
    assert_eq!(without_pid("db.service pid"), None);
}
