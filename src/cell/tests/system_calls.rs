use super::super::arbitrary::unit;
use super::*;

fn denied(text: &str, version: u32) -> String {
    denied_to_wrapper(&unit(&format!("[Service]\n{text}\n")), version, true).unwrap().to_string()
}

const MOUNT: &str = "~fsconfig:kill fsmount:kill fsopen:kill fspick:kill mount:kill mount_setattr:kill move_mount:kill";

#[test]
fn what_a_filter_denies_is_found_by_systemds_rules() {
    assert_eq!(denied("", 262), "");
    let service = denied("SystemCallFilter=@system-service", 262);
    assert_eq!(service, format!("{MOUNT} pivot_root:kill setdomainname:kill sethostname:kill umount2:kill"));
    assert!(denied("SystemCallFilter=@system-service", 257).contains("open_tree:kill"));
    // The first line decides which sort of list it is; later ones add and take away.
    assert_eq!(
        denied("SystemCallFilter=@system-service @mount\nSystemCallFilter=~mount:EPERM umount2", 262),
        "~mount:EPERM setdomainname:kill sethostname:kill umount2:kill"
    );
    assert_eq!(denied("SystemCallFilter=~@mount:EACCES\nSystemCallFilter=@mount", 262), "");
    assert_eq!(denied("SystemCallFilter=~unshare:38 @debug", 262), "~unshare:ENOSYS");
}

#[test]
fn the_error_number_is_the_units() {
    assert_eq!(denied("SystemCallFilter=~setns\nSystemCallErrorNumber=ENOENT", 262), "~setns:ENOENT");
    assert_eq!(denied("SystemCallFilter=~setns:kill\nSystemCallErrorNumber=EPERM", 262), "~setns:kill");
    let wrong = denied_to_wrapper(&unit("[Service]\nSystemCallFilter=~setns:EWHAT\n"), 262, true).unwrap_err();
    assert!(wrong.message.contains("EWHAT"), "{wrong}");
}

#[test]
fn clocks_are_no_need_of_the_wrapper() {
    assert_eq!(denied("SystemCallFilter=~@clock", 262), "");
    let clock = |text: &str| clock_calls(&unit(&format!("[Service]\n{text}\n")), 262).unwrap();
    assert!(
        clock("SystemCallFilter=~adjtimex:EACCES").to_string().starts_with("~adjtimex:EACCES clock_adjtime:EPERM ")
    );
    assert_eq!(clock("").names(), "adjtimex clock_adjtime clock_adjtime64 clock_settime clock_settime64 settimeofday");
}

#[test]
fn all_names_are_calls() {
    for (_, words) in GROUPS {
        for word in words.split_ascii_whitespace().filter(|word| !word.starts_with('@')) {
            assert!(Call::find(word).is_some(), "{word}");
        }
    }
    assert_eq!(members("@known", 262).into_iter().collect::<std::collections::HashSet<_>>().len(), CALLS.len());
}

#[test]
fn lists_read_back() {
    for text in ["~mount:EPERM unshare:kill", "~setns:4095"] {
        assert_eq!(DeniedCalls::parse(text).unwrap().to_string(), text);
    }
    for text in ["mount", "~nothing", "~mount:what", "~mount:0"] {
        DeniedCalls::parse(text).unwrap_err();
    }
}
