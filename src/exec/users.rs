//! From the names of a user and its groups to ids, as systemd resolves them.
//!
//! A static program can't load NSS modules. So names are looked for in the files, then among
//! systemd's dynamic users, and only then asked of getent(1), which reaches all the rest.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cell::identity::Identity;

/// What is set, and what is left as systemd set it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Ids {
    /// The user id.
    pub uid: Option<u32>,
    /// The group id.
    pub gid: Option<u32>,
    /// The supplementary groups; none leaves them alone, as systemd does with an empty list.
    pub groups: Option<Vec<u32>>,
}

struct User {
    /// Without a name nothing but the id is known of it.
    name: Option<String>,
    uid: u32,
    gid: Option<u32>,
}

/// Where users and groups are looked up.
pub struct Database {
    /// Has passwd and group.
    files: PathBuf,
    /// Has the dynamic users.
    dynamic: PathBuf,
    /// Is getent(1) the one that knows the rest?
    asks_getent: bool,
}

impl Database {
    /// The one of the system that the process sees; or copies of the files that systemd goes by, in a root
    /// that may have others in their places.
    pub fn of_system_or(copies: Option<&Path>) -> Database {
        match copies {
            None => Database { files: "/etc".into(), dynamic: "/run/systemd/dynamic-uid".into(), asks_getent: true },
            Some(directory) => {
                Database { files: directory.into(), dynamic: directory.join("dynamic-uid"), asks_getent: false }
            }
        }
    }

    /// All by which files may call a user: its name and its number.
    pub fn names_of(&self, user: &str) -> io::Result<Vec<String>> {
        let found = self.find_user(user)?;
        Ok(found.name.into_iter().chain([found.uid.to_string()]).collect())
    }

    /// Looks up all that `identity` names.
    pub fn look_up(&self, identity: &Identity) -> io::Result<Ids> {
        let user = identity.user.as_deref().map(|name| self.find_user(name)).transpose()?;
        let group = identity.group.as_deref().map(|name| self.find_group(name)).transpose()?;
        let gid = match &user {
            Some(user) => Some(group.or(user.gid).ok_or_else(|| {
                not_found(format!("the user {} has no entry that names its group, and no group is given", user.uid))
            })?),
            None => group,
        };
        let mut groups = match (&user, gid) {
            (Some(User { name: Some(name), .. }), Some(gid)) if gid != 0 => self.groups_of(name, gid)?,
            _ => Vec::new(),
        };
        for name in &identity.supplementary_groups {
            let gid = self.find_group(name)?;
            if !groups.contains(&gid) {
                groups.push(gid);
            }
        }
        Ok(Ids { uid: user.map(|user| user.uid), gid, groups: (!groups.is_empty()).then_some(groups) })
    }

    fn find_user(&self, wanted: &str) -> io::Result<User> {
        if matches!(wanted, "root" | "0") {
            return Ok(User { name: Some("root".to_owned()), uid: 0, gid: Some(0) });
        }
        let number = wanted.parse().ok();
        let matching = |entry: &str| {
            let mut fields = entry.split(':');
            let (name, uid, gid) = (fields.next()?, fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
            let found = if let Some(number) = number { uid == number } else { name == wanted };
            found.then(|| User { name: Some(name.to_owned()), uid, gid: Some(gid) })
        };
        let dynamic = || {
            let id = dynamic_user(&self.dynamic, wanted)?;
            Some(User { name: Some(wanted.to_owned()), uid: id, gid: Some(id) })
        };
        let bare = || Some(User { name: None, uid: number?, gid: None });
        in_file(&self.files.join("passwd"), matching)?
            .or_else(dynamic)
            .or_else(|| self.getent("passwd", wanted)?.lines().find_map(matching))
            .or_else(bare)
            .ok_or_else(|| not_found(format!("there is no user {wanted}")))
    }

    fn find_group(&self, wanted: &str) -> io::Result<u32> {
        if let Ok(number) = wanted.parse() {
            return Ok(number);
        }
        let matching = |entry: &str| {
            let mut fields = entry.split(':');
            let (name, gid) = (fields.next()?, fields.nth(1)?.parse().ok()?);
            (name == wanted).then_some(gid)
        };
        in_file(&self.files.join("group"), matching)?
            .or_else(|| dynamic_user(&self.dynamic, wanted))
            .or_else(|| self.getent("group", wanted)?.lines().find_map(matching))
            .ok_or_else(|| not_found(format!("there is no group {wanted}")))
    }

    /// What getgrouplist(3) gives: `gid` and every group that has the user as a member.
    fn groups_of(&self, user: &str, gid: u32) -> io::Result<Vec<u32>> {
        let mut groups = vec![gid];
        let mut add = |group: u32| {
            if !groups.contains(&group) {
                groups.push(group);
            }
        };
        let member_of = |entry: &str| {
            let mut fields = entry.split(':').skip(2);
            let (gid, members) = (fields.next()?.parse().ok()?, fields.next()?);
            members.split(',').any(|member| member == user).then_some(gid)
        };
        lines(&self.files.join("group"))?.lines().filter_map(member_of).for_each(&mut add);
        if groups_have_other_sources(&lines(&self.files.join("nsswitch.conf"))?)
            && let Some(answer) = self.getent("initgroups", user)
        {
            answer.split_ascii_whitespace().skip(1).filter_map(|gid| gid.parse().ok()).for_each(&mut add);
        }
        Ok(groups)
    }

    fn getent(&self, database: &str, key: &str) -> Option<String> {
        if !self.asks_getent {
            return None;
        }
        let output = Command::new("/usr/bin/getent")
            .args(["--", database, key])
            .env_clear()
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

fn not_found(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, message)
}

/// Does nsswitch.conf(5) look for group members anywhere but in the file and in systemd?
fn groups_have_other_sources(nsswitch: &str) -> bool {
    nsswitch
        .lines()
        .filter_map(|line| line.split('#').next()?.split_once(':'))
        .filter(|(database, _)| matches!(database.trim(), "group" | "initgroups"))
        .flat_map(|(_, sources)| sources.split_ascii_whitespace())
        .any(|source| !source.starts_with('[') && !matches!(source, "files" | "compat" | "systemd"))
}

/// The id of a dynamic user. Each has a file here that is named by the id and holds the name;
/// only root may read it.
fn dynamic_user(directory: &Path, wanted: &str) -> Option<u32> {
    fs::read_dir(directory).ok()?.flatten().find_map(|entry| {
        let id = entry.file_name().to_str()?.parse().ok()?;
        (fs::read_to_string(entry.path()).ok()?.trim_end() == wanted).then_some(id)
    })
}

fn in_file<T>(path: &Path, matching: impl Fn(&str) -> Option<T>) -> io::Result<Option<T>> {
    Ok(lines(path)?.lines().find_map(matching))
}

/// A file's text; one that is not there has none.
fn lines(path: &Path) -> io::Result<String> {
    match fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_group_sources_are_seen() {
        assert!(!groups_have_other_sources("passwd: files ldap\ngroup: files [SUCCESS=merge] systemd # ldap\n"));
        assert!(groups_have_other_sources("group: files sss\n"));
        assert!(groups_have_other_sources("initgroups: ldap\n"));
    }

    #[test]
    fn dynamic_users_are_found_by_the_content_of_their_files() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("61184"), "web\n").unwrap();
        fs::write(directory.path().join("direct:web"), "61184").unwrap();
        assert_eq!(dynamic_user(directory.path(), "web"), Some(61184));
        assert_eq!(dynamic_user(directory.path(), "we"), None);
    }
}
