//! How a service in a named network namespace finds names: by that namespace's files, and not by
//! asking the host's resolvers over sockets that no network namespace keeps apart.

/// The files that may be there for a namespace, each in the place of the one in /etc.
pub const FILES: [&str; 3] = ["resolv.conf", "hosts", "nsswitch.conf"];

/// Where systemd-resolved listens for nss-resolve(8), and the daemon that the C library asks before all
/// else. The directories are hidden, not the sockets: one that is made later, or anew, would be seen.
pub const HIDDEN: [&str; 2] = ["/run/systemd/resolve", "/run/nscd"];

/// The settings for a service in the namespace `name`, which may hold specifiers. systemd follows a
/// link at /etc/resolv.conf, also to where it is hidden. What is not there is left as it is.
pub fn lines(name: &str) -> [(&'static str, String); 2] {
    let binds = FILES.map(|file| format!("-/run/unitcell/netns/{name}/{file}:/etc/{file}"));
    let hidden = HIDDEN.map(|directory| format!("{directory}:ro"));
    [("BindReadOnlyPaths", binds.join(" ")), ("TemporaryFileSystem", hidden.join(" "))]
}
