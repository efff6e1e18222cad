use super::*;

fn name() -> UnitName {
    UnitName::new("run-u1.service").unwrap()
}

fn made(settings: &[(&'static str, &str, &str)]) -> Vec<Property> {
    let settings: Vec<_> =
        settings.iter().map(|(section, key, value)| (*section, (*key).to_owned(), (*value).to_owned())).collect();
    properties(&unit(name(), &settings), &[]).unwrap()
}

fn one(key: &str, value: &str) -> Property {
    let section = section_of(key).unwrap_or_else(|| panic!("{key}"));
    let mut made = made(&[(section, key, value)]);
    assert_eq!(made.len(), 1, "{key}={value}: {made:?}");
    made.remove(0)
}

fn signature(property: &Property) -> String {
    property.value.value_signature().to_string()
}

#[test]
fn every_type_is_what_systemd_takes() {
    for (key, value, name, kind) in [
        ("Description", "a b", "Description", "s"),
        ("RemainAfterExit", "on", "RemainAfterExit", "b"),
        ("Nice", "-5", "Nice", "i"),
        ("UMask", "027", "UMask", "u"),
        ("WatchdogSec", "1min 5s", "WatchdogUSec", "t"),
        ("MemoryMax", "64M", "MemoryMax", "t"),
        ("MemoryMax", "50%", "MemoryMaxScale", "u"),
        ("Environment", "A=1 'B=c d'", "Environment", "as"),
        ("EnvironmentFile", "-/etc/x", "EnvironmentFiles", "a(sb)"),
        ("SystemCallFilter", "~@mount", "SystemCallFilter", "(bas)"),
        ("CapabilityBoundingSet", "~", "CapabilityBoundingSet", "t"),
        ("SuccessExitStatus", "3 SIGTERM", "SuccessExitStatus", "(aiai)"),
        ("AllowedCPUs", "0-3,8", "AllowedCPUs", "ay"),
        ("BindPaths", "/a:/b:norbind", "BindPaths", "a(ssbt)"),
        ("TemporaryFileSystem", "/t:size=1M", "TemporaryFileSystem", "a(ss)"),
        ("ConditionPathExists", "|!/x", "Conditions", "a(sbbs)"),
        ("IPAddressAllow", "10.0.0.0/8 localhost", "IPAddressAllow", "a(iayu)"),
        ("DeviceAllow", "/dev/null rw", "DeviceAllow", "a(ss)"),
        ("IOReadBandwidthMax", "/dev/vda 5M", "IOReadBandwidthMax", "a(st)"),
        ("LogExtraFields", "A=1", "LogExtraFields", "aay"),
        ("StandardOutput", "append:/tmp/x", "StandardOutputFileToAppend", "s"),
        ("ExecStopPost", "-!/bin/true", "ExecStopPost", "a(sasb)"),
        ("ExecStopPost", ":/bin/true", "ExecStopPostEx", "a(sasas)"),
        ("PrivateUsers", "yes", "PrivateUsers", "b"),
        ("PrivateUsers", "identity", "PrivateUsersEx", "s"),
        ("ProtectHostname", "private:web", "ProtectHostnameEx", "(ss)"),
        ("Delegate", "cpu memory", "DelegateControllers", "as"),
    ] {
        let property = one(key, value);
        assert_eq!((property.name.as_str(), signature(&property).as_str()), (name, kind), "{key}={value}");
    }
}

#[test]
fn values_say_the_same() {
    assert_eq!(one("WatchdogSec", "1min 5s").value, 65_000_000_u64.into());
    assert_eq!(one("TimeoutStopSec", "infinity").value, u64::MAX.into());
    assert_eq!(one("MemoryMax", "1.5K").value, 1536_u64.into());
    assert_eq!(one("CPUQuota", "20%").value, 200_000_u64.into());
    assert_eq!(one("AllowedCPUs", "0-3,8").value, vec![0b1111_u8, 1].into());
    assert_eq!(one("CapabilityBoundingSet", "CAP_CHOWN CAP_KILL").value, 0b10_0001_u64.into());
    assert_eq!(one("RestrictNamespaces", "yes").value, 0_u64.into());
    assert_eq!(one("RestrictNamespaces", "~user").value, one("RestrictNamespaces", "no").value_without(0x1000_0000));
    assert_eq!(one("LogLevelMax", "warning").value, 4_i32.into());
    assert_eq!(one("KillSignal", "SIGINT").value, 2_i32.into());
    let limits = made(&[("Service", "LimitNOFILE", "1K:2K")]);
    assert_eq!(limits[0], Property::new("LimitNOFILE", 2048_u64));
    assert_eq!(limits[1], Property::new("LimitNOFILESoft", 1024_u64));
}

impl Property {
    fn value_without(&self, bits: u64) -> Variant<'static> {
        let Variant::U64(value) = self.value else { panic!("{self:?}") };
        (value & !bits).into()
    }
}

#[test]
fn a_command_keeps_its_words_and_its_prefixes() {
    let own = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let plain = |path: &str, words: &[&str], failure: bool| vec![(path.to_owned(), own(words), failure)].into();
    let command = |line: &str| one("ExecStart", line).value;
    let words = ["/bin/echo", "a b", "100%", ";", "$HOME"];
    assert_eq!(command("/bin/echo \"a b\" 100% \";\" $HOME"), plain("/bin/echo", &words, false));
    assert_eq!(command("-!/bin/a"), plain("/bin/a", &["/bin/a"], true));
    assert_eq!(command("@/bin/a b c"), plain("/bin/a", &["b", "c"], false));

    let with_user = made(&[("Service", "User", "tester"), ("Service", "ExecStart", "-:!/bin/a")]);
    let flags = own(&["ignore-failure", "no-setuid", "no-env-expand"]);
    assert_eq!(with_user[1], Property::new("ExecStartEx", vec![("/bin/a".to_owned(), own(&["/bin/a"]), flags)]));
}

#[test]
fn the_wrapper_gets_words_that_systemd_would_change_as_escapes() {
    let command = |line: &str| one("ExecStart", line).value;
    let words = |list: &[&str]| {
        let path = "/usr/bin/unitcell-exec".to_owned();
        let words: Vec<String> = list.iter().map(|word| (*word).to_owned()).collect();
        Variant::from(vec![(path.clone(), [vec![path], words].concat(), false)])
    };
    assert_eq!(
        command("/usr/bin/unitcell-exec --hostname=web -- /bin/sh -c \"a; \\\\$b %n\""),
        words(&["--escaped=expand", "--hostname=web", "--", "/bin/sh", "-c", "a\\x3b \\x5c\\x24b %n"])
    );
    assert_eq!(
        command(":/usr/bin/unitcell-exec -- /bin/echo $HOME"),
        words(&["--escaped=keep", "--", "/bin/echo", "\\x24HOME"])
    );
    assert_eq!(command("/usr/bin/unitcell-exec -- /bin/echo a\\\\b"), words(&["--", "/bin/echo", "a\\b"]));
}

#[test]
fn what_is_reset_is_not_sent() {
    let settings = [
        ("Service", "ExecStart".to_owned(), "/bin/a".to_owned()),
        ("Service", "SecureBits".to_owned(), "noroot".to_owned()),
    ];
    let lines = [
        ("Service", "ExecStart", String::new()),
        ("Service", "ExecStart", "/bin/b".to_owned()),
        ("Service", "SecureBits", String::new()),
    ];
    let properties = properties(&unit(name(), &settings), &lines).unwrap();
    assert_eq!(properties.len(), 1, "{properties:?}");
    assert_eq!(properties[0], one("ExecStart", "/bin/b"));
}

#[test]
fn what_is_none_is_told() {
    let settings = [("Service", "MemoryMax".to_owned(), "lots".to_owned())];
    let error = properties(&unit(name(), &settings), &[]).unwrap_err();
    assert_eq!(error.to_string(), "MemoryMax=lots: takes a number of bytes, such as 64M, or infinity");
    assert_eq!((section_of("Nonsense"), nearest("MemoryMx")), (None, Some("MemoryMax")));
}

/// Every key that a plan may emit can be sent.
#[test]
fn all_that_a_plan_says_is_known() {
    for key in [
        "After",
        "BindsTo",
        "AssertPathExists",
        "Type",
        "NotifyAccess",
        "ExecPaths",
        "CapabilityBoundingSet",
        "SecureBits",
        "NetworkNamespacePath",
        "PrivateNetwork",
        "IPCNamespacePath",
        "PrivateIPC",
        "UserNamespacePath",
        "PrivateUsers",
        "PrivateMounts",
        "PrivatePIDs",
        "ProtectHostname",
        "ProtectControlGroups",
        "ExecStart",
    ] {
        assert!(section_of(key).is_some(), "{key}");
    }
}
