//! How a service in a named network namespace finds names: by that namespace's files, and not by
//! asking the host's resolvers over sockets that no network namespace keeps apart.

/// Where `unitcell netns up` writes the files.
const FILES: &str = "/run/unitcell/netns";

/// Where systemd-resolved listens for nss-resolve(8), and the daemon that the C library asks before all
/// else. The directories are hidden, not the sockets: one that is made later, or anew, would be seen.
const HIDDEN: &str = "/run/systemd/resolve:ro /run/nscd:ro";

/// The settings for a service in the namespace `name`, which may hold specifiers. systemd follows a
/// link at /etc/resolv.conf, also to where it is hidden. What is not there is left as it is.
pub fn lines(name: &str) -> [(&'static str, String); 2] {
    let binds = ["resolv.conf", "hosts", "nsswitch.conf"].map(|file| format!("-{FILES}/{name}/{file}:/etc/{file}"));
    [("BindReadOnlyPaths", binds.join(" ")), ("TemporaryFileSystem", HIDDEN.to_owned())]
}
