use super::*;

struct Fake {
    directory: tempfile::TempDir,
}

impl Fake {
    fn new(files: &[(&str, &str)]) -> Fake {
        let directory = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = directory.path().join(path.trim_start_matches('/'));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Fake { directory }
    }

    fn files(&self) -> Files {
        Files { root: self.directory.path().to_owned() }
    }
}

fn find<'c>(checks: &'c [Check], words: &str) -> &'c Check {
    checks.iter().find(|check| check.found.contains(words)).unwrap_or_else(|| panic!("{words:?} is not in {checks:#?}"))
}

#[test]
fn what_keeps_users_from_namespaces_is_named_with_its_fix() {
    for (file, value, words) in [
        ("/proc/sys/kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone"),
        ("/proc/sys/user/max_user_namespaces", "0", "user.max_user_namespaces"),
        ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "AppArmor"),
    ] {
        let fake = Fake::new(&[(file, value)]);
        let checks = users::checks(&fake.files());
        let check = find(&checks, words);
        assert_eq!(check.state, State::Warning);
        assert!(check.fix.as_ref().unwrap().contains("sysctl"), "{check:?}");
    }
    let fake = Fake::new(&[
        ("/proc/sys/kernel/unprivileged_userns_clone", "1\n"),
        ("/proc/sys/user/max_user_namespaces", "100"),
    ]);
    assert_eq!(find(&users::checks(&fake.files()), "may make user namespaces").state, State::Ok);
}

#[test]
fn a_generator_that_is_missing_or_masked_is_an_error() {
    let fake = Fake::new(&[]);
    let missing = installed::checks(&fake.files());
    assert_eq!(find(&missing, "system generator is not installed").state, State::Error);
    assert_eq!(find(&missing, "wrapper is not at").state, State::Error);
    let directory = fake.directory.path().join("etc/systemd/system-generators");
    std::fs::create_dir_all(&directory).unwrap();
    std::os::unix::fs::symlink("/dev/null", directory.join("unitcell-generator")).unwrap();
    let masked = installed::checks(&fake.files());
    let check = find(&masked, "system generator is masked");
    assert_eq!(check.state, State::Error);
    assert!(check.fix.as_ref().unwrap().starts_with("`rm /etc/systemd/system-generators/unitcell-generator`"));
}

#[test]
fn a_machine_without_systemd_and_an_old_one_are_errors() {
    let checks = manager::checks(&Fake::new(&[("/proc/1/comm", "tini\n")]).files());
    assert_eq!(find(&checks, "\"tini\"").state, State::Error);
    let old = Fake::new(&[("/usr/lib/systemd/libsystemd-shared-247.so", ""), ("/run/systemd/system/x", "")]);
    assert_eq!(find(&manager::checks(&old.files()), "version 247").state, State::Error);
    let new = Fake::new(&[
        ("/usr/lib/systemd/libsystemd-shared-258.so", ""),
        ("/run/systemd/system/x", ""),
        ("/sys/fs/cgroup/cgroup.controllers", ""),
    ]);
    let checks = manager::checks(&new.files());
    let polyfilled = find(&checks, "the wrapper does what it has not");
    assert!(
        polyfilled.found.contains("TimeOffsetBoottime=") && !polyfilled.found.contains(" Hostname="),
        "{polyfilled:?}"
    );
    assert!(
        find(&checks, "unified hierarchy").state == State::Ok && checks.iter().all(|check| check.state != State::Error)
    );
}

#[test]
fn limits_of_zero_forbid() {
    let fake = Fake::new(&[
        ("/proc/sys/user/max_net_namespaces", "0"),
        ("/proc/sys/user/max_uts_namespaces", "9"),
        ("/proc/sys/kernel/osrelease", "5.10.0-30-amd64"),
    ]);
    let checks = kernel::checks(&fake.files());
    assert_eq!(find(&checks, "0 network namespaces").state, State::Error);
    assert_eq!(find(&checks, "9 UTS namespaces").state, State::Warning);
    assert_eq!(find(&checks, "needs 5.12").state, State::Warning);
}
