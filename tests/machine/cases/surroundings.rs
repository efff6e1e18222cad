//! What systemd gives a service beside its command holds in a cell, too.

use super::cases;
use crate::case::Case;

cases![surroundings_journal_stream_is_standard_error, surroundings_manager_is_named_where_it_is_seen,];

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
