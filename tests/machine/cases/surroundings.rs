//! What systemd gives a service beside its command holds in a cell, too.

use std::time::Duration;

use super::cases;
use super::relay::SPEAKER;
use crate::case::Case;
use crate::machine::wait_for;

cases![
    surroundings_journal_stream_is_standard_error,
    surroundings_manager_is_named_where_it_is_seen,
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
        let relayed = case.service(
            "relayed",
            &format!("Type=notify-reload\nExecStart=python3 {script} reload /run/{} 4931", case.unique("told")),
            &format!("NamespacesOf={} mnt\nReadyWhen=tcp:4931", other.name),
        );
        assert!(wait_for(|| relayed.state() == "active", Duration::from_secs(10)), "{}", relayed.journal());
    }
    let silent = case.service("silent", "", &format!("NamespacesOf={} mnt", other.name));
    assert_eq!(silent.dump().env("NOTIFY_SOCKET"), None);
}
