//! What systemd gives a service beside its command holds in a cell, too.

use std::time::Duration;

use super::cases;
use super::relay::SPEAKER;
use crate::case::{Case, Scope};
use crate::machine::wait_for;

cases![
    surroundings_journal_stream_is_standard_error,
    surroundings_manager_is_named_where_it_is_seen,
    surroundings_credentials_are_for_the_user_inside,
    surroundings_hidden_notify_socket_is_told,
];

const CELL: &str = "PrivateNetwork=yes\nPrivateIPC=yes\nHostname=web\nTimeOffsetBoottime=1d";

/// By its inode number a program knows that it writes to the journal, sd_journal_stream_fd(3).
fn surroundings_journal_stream_is_standard_error(case: &Case) {
    for (name, more) in
        [("pid", "PrivatePIDs=yes"), ("init", "Init=yes"), ("user", "UIDMap=0:100000:65536\nGIDMap=0:100000:65536")]
    {
        let dump = case.service(name, "ExecStart=@payload@ sleep-handled", &format!("{CELL}\n{more}")).dump();
        let stream = dump.env("JOURNAL_STREAM").expect("systemd sets it");
        let (_, inode) = stream.split_once(':').expect("DEVICE:INODE");
        let fds = dump.get("fds").as_array().expect("a list");
        let standard_error = fds.iter().find(|fd| fd["fd"] == 2).expect("it is open");
        assert_eq!(standard_error["target"], format!("socket:[{inode}]"), "{name}");
    }
}

/// Where it has no number, it is not named, as with systemd's own PrivatePIDs= since 259 at least.
fn surroundings_manager_is_named_where_it_is_seen(case: &Case) {
    let plain = case.user_service("plain", "", "").dump();
    let web = |name, cell: &str| case.user_service(name, "", &format!("PrivateUsers=self\n{CELL}\n{cell}")).dump();
    let (seen, unseen) = (web("seen", ""), web("unseen", "PrivatePIDs=yes"));
    let native = case.user_service("native", "PrivateUsers=yes\nPrivatePIDs=yes", "").dump();
    assert_eq!(unseen.pid(), 1);
    assert!(plain.env("MANAGERPID").is_some());
    for name in ["MANAGERPID", "MANAGERPIDFDID"] {
        assert_eq!((seen.env(name), unseen.env(name)), (plain.env(name), None), "{name}");
        if case.version() >= 259 {
            assert_eq!(native.env(name), None, "{name}");
        }
    }
}

/// Whom systemd gives them to is somebody else, where the user namespace maps ids to others.
fn surroundings_credentials_are_for_the_user_inside(case: &Case) {
    let mapped = "UIDMap=0:100000:65536\nGIDMap=0:100000:65536";
    for (n, cell) in
        ["PrivateUsers=self\nHostname=web", "PrivateUsers=identity\nHostname=web", mapped, "PrivateUsers=subuid:tester"]
            .into_iter()
            .enumerate()
    {
        for (who, user) in [("root", ""), ("tester", "User=tester")] {
            let out = format!("/run/unitcell-tests/{}", case.unique(&format!("{who}{n}")));
            let unit = case.service(
                &format!("{who}{n}"),
                &format!(
                    "{user}\nSetCredential=word:abc\nType=oneshot\nStandardOutput=file:{out}\n\
                     ExecStart=sh -c 'cat $${{CREDENTIALS_DIRECTORY}}/word; echo; ls $$CREDENTIALS_DIRECTORY; id -un; \
                     stat -c %%a $$CREDENTIALS_DIRECTORY; touch $$CREDENTIALS_DIRECTORY/x 2>/dev/null || echo read-only'"
                ),
                cell,
            );
            assert_eq!(unit.result(), "success", "{}", unit.journal());
            let said = case.read(&out);
            let lines: Vec<&str> = said.lines().collect();
            assert!(matches!(lines[..], ["abc", "word", id, _, "read-only"] if id == who), "{cell} {said}");
            // Nobody else, neither within nor without.
            if n >= 2 {
                assert_eq!(lines[3], "500", "{cell}");
            }
        }
    }
    // So it is in one that another service has.
    let other = case.service("other", "ExecStart=sleep 1000", mapped);
    wait_for(
        || case.sh(&format!("grep -q 100000 /proc/{}/uid_map", other.main_pid())).success(),
        Duration::from_secs(20),
    );
    let path = format!("UserNamespacePath=/proc/{}/ns/user", other.main_pid());
    let of_unit = format!("NamespacesOf={} user", other.name);
    for (n, cell) in [path.clone(), format!("{path}\nHostname=web\nDomainname=cell"), of_unit].iter().enumerate() {
        for (who, user) in [("root", ""), ("tester", "User=tester")] {
            let unit = case.service(
                &format!("joined-{who}{n}"),
                &format!(
                    "{user}\nSetCredential=word:abc\nType=oneshot\nRemainAfterExit=yes\n\
                     ExecStart=sh -c 'test $$(cat $${{CREDENTIALS_DIRECTORY}}/word) = abc && test $$(id -un) = {who}'"
                ),
                cell,
            );
            assert_eq!(
                (unit.result().as_str(), unit.state().as_str()),
                ("success", "active"),
                "{cell} {}",
                unit.journal()
            );
        }
    }
    // Where a user manager has them, the user that it maps to gets nowhere.
    let credential = "SetCredential=word:abc\nType=oneshot\nRemainAfterExit=yes\n\
                      ExecStart=sh -c 'test $$(cat $${CREDENTIALS_DIRECTORY}/word) = abc'";
    let refused = case.user_service("refused", credential, "PrivateUsers=subuid:1000");
    refused.assert_failed_with(78);
    assert!(refused.journal().contains("where only the user gets in"), "{}", refused.journal());
    let unit = case.user_service("user", credential, &format!("PrivateUsers=self\n{CELL}"));
    assert_eq!((unit.result().as_str(), unit.state().as_str()), ("success", "active"), "{}", unit.journal());
}

/// A service that is to speak and could not would only time out. With a relay it can.
fn surroundings_hidden_notify_socket_is_told(case: &Case) {
    let other = case.service("other", "InaccessiblePaths=/run/systemd/notify", "");
    other.dump();
    let speaks = "Type=notify\nExecStart=@payload@ notify";
    let unit = case.service("web", speaks, &format!("NamespacesOf={} mnt", other.name));
    unit.assert_failed_with(226);
    let journal = unit.journal();
    assert!(
        journal.contains("/run/systemd/notify, where the service is to speak to systemd, is not there"),
        "{journal}"
    );
    if case.version() >= 253 {
        let script = format!("/run/{}.py", case.unique("speaker"));
        case.file(&script, SPEAKER);
        let told = format!("/run/{}", case.unique("told"));
        let relayed = case.prepare(
            Scope::System,
            "relayed",
            &format!("Type=notify-reload\nExecStart=python3 {script} reload {told} 4931"),
            &format!("NamespacesOf={} mnt\nReadyWhen=tcp:4931", other.name),
        );
        case.systemctl(&["start", "--no-block", &relayed.name]).ok();
        assert!(
            wait_for(|| case.sh(&format!("rm {told}")).success(), Duration::from_secs(20)),
            "{}",
            relayed.journal()
        );
        assert!(wait_for(|| relayed.state() == "active", Duration::from_secs(20)), "{}", relayed.journal());
    }
    let silent = case.service("silent", "", &format!("NamespacesOf={} mnt", other.name));
    assert_eq!(silent.dump().env("NOTIFY_SOCKET"), None);
}
