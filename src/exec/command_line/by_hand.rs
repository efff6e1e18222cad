//! Options for use by hand, which no directive stands for: mounts, and what goes with them.

use std::ffi::OsStr;

use super::control::{Control, Parsed};
use crate::cell::value::parse_netns_name;
use crate::cell::{Mount, Propagation, ValueError};

/// All of them.
#[rustfmt::skip]
pub(super) static BY_HAND: &[Control] = &[
    Control { flag: "root-directory", value: Some("DIR"),
        set: |parsed, text| { parsed.request.cell.root_directory = Some(absolute(text)?); Ok(()) },
        summary: "make DIR the root, and unmount the old one" },
    Control { flag: "bind", value: Some("SRC[:DEST[:OPTIONS]]"),
        set: |parsed, text| mount(parsed, text, |text| Mount::parse_bind(text, false)),
        summary: "show SRC, as it is called outside, at DEST; rbind, norbind, nosuid, nodev, noexec" },
    Control { flag: "bind-ro", value: Some("SRC[:DEST[:OPTIONS]]"),
        set: |parsed, text| mount(parsed, text, |text| Mount::parse_bind(text, true)),
        summary: "the same, read-only with all below it" },
    Control { flag: "tmpfs", value: Some("PATH[:OPTIONS]"),
        set: |parsed, text| mount(parsed, text, Mount::parse_tmpfs),
        summary: "an empty tmpfs; size=, nr_inodes=, mode=, uid=, gid=, ro, noexec, suid, dev" },
    Control { flag: "proc", value: Some("PATH"),
        set: |parsed, text| mount(parsed, text, |text| Mount::parse_destination(text).map(Mount::Proc)),
        summary: "procfs of the PID namespace" },
    Control { flag: "sysfs", value: Some("PATH"),
        set: |parsed, text| mount(parsed, text, |text| Mount::parse_destination(text).map(Mount::Sysfs)),
        summary: "sysfs of the network namespace" },
    Control { flag: "dev", value: Some("PATH"),
        set: |parsed, text| mount(parsed, text, |text| Mount::parse_destination(text).map(Mount::Dev)),
        summary: "a minimal /dev: null, zero, full, random, urandom, tty, pts, shm, console" },
    Control { flag: "credentials", value: Some("DIR"),
        set: |parsed, text| mount(parsed, text, |text| Mount::parse_destination(text).map(Mount::Credentials)),
        summary: "the files of DIR, copied for whom the command is in its user namespace" },
    Control { flag: "resolver", value: Some("NAME"),
        set: |parsed, text| mount(parsed, text, |text| parse_netns_name(text).map(Mount::Resolver)),
        summary: "resolv.conf and the like of this user's network namespace, the host's resolvers hidden" },
    Control { flag: "mount-propagation", value: Some("private|slave|shared|unchanged"),
        set: |parsed, text| {
            parsed.request.cell.propagation = Propagation::parse(utf8(text)?).map_err(|error| error.to_string())?;
            Ok(())
        },
        summary: "how mounts of the host get here, and from here to namespaces made in here" },
    Control { flag: "working-directory", value: Some("DIR"),
        set: |parsed, text| { parsed.request.working_directory = Some(absolute(text)?); Ok(()) },
        summary: "where the command starts" },
    Control { flag: "keep-caps", value: None,
        set: |parsed, _| { parsed.request.keep_capabilities = true; Ok(()) },
        summary: "let all capabilities reach the command, whoever it is" },
];

fn utf8(text: &OsStr) -> Result<&str, String> {
    text.to_str().ok_or_else(|| "takes text in UTF-8".to_owned())
}

fn absolute(text: &OsStr) -> Result<String, String> {
    let text = utf8(text)?;
    if text.starts_with('/') { Ok(text.to_owned()) } else { Err("takes an absolute path".to_owned()) }
}

fn mount(
    parsed: &mut Parsed,
    text: &OsStr,
    parse: impl FnOnce(&str) -> Result<Mount, ValueError>,
) -> Result<(), String> {
    parsed.request.cell.mounts.push(parse(utf8(text)?).map_err(|error| error.to_string())?);
    Ok(())
}
