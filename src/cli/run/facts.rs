//! What the plan needs to know of the manager that will run the service.

use crate::bus::transient::Property;
use crate::bus::{self, Address, Change, Place, Started, Systemd};
use crate::cell::{Kind, Manager};
use crate::generator::facts::installed_wrapper;
use crate::inspect::Process;
use crate::unit::Scope;

/// The manager at the other end, with those of its namespaces that can be read.
pub async fn manager(systemd: &Systemd, address: &Address) -> Result<Manager, bus::Error> {
    let namespaces = match own_process(systemd, address).await? {
        Some(process) => of_process(&process),
        None => Vec::new(),
    };
    Ok(Manager {
        version: systemd.version().await?,
        scope: address.scope,
        namespaces,
        // What that decides is decided for units whose commands are unknown, and ours are known.
        privileged: false,
        wrapper: installed_wrapper(),
    })
}

/// The manager's process, if it is one that is in sight here: the bus tells its number, but in which
/// PID namespace that counts nobody tells; so its control group must be the manager's, too.
async fn own_process(systemd: &Systemd, address: &Address) -> Result<Option<Process>, bus::Error> {
    if address.place != Place::Here {
        return Ok(None);
    }
    let (group, pid) = systemd.process().await?;
    let process = Process::new(if address.scope == Scope::System { 1 } else { pid });
    let is_it =
        process.control_group().ok().flatten().is_some_and(|of_process| of_process == format!("{group}/init.scope"));
    Ok(is_it.then_some(process))
}

fn of_process(process: &Process) -> Vec<(Kind, u64)> {
    Kind::ALL.into_iter().filter_map(|kind| Some((kind, process.namespace(kind).ok()?))).collect()
}

/// Lets the manager itself tell which namespaces it is in: those of a process that it starts, and that
/// asks for nothing. For a manager elsewhere, and for one that keeps its files in /proc to itself, as a
/// user's does from 262 on.
pub async fn ask_for_namespaces(systemd: &Systemd, name: &str) -> Result<Vec<(Kind, u64)>, bus::Error> {
    const TELL: &str = r#"systemd-notify --status="$(readlink /proc/self/ns/* | tr '\n' ' ')""#;
    let command = ["/bin/sh", "-c", TELL].map(str::to_owned).to_vec();
    let properties = [
        Property::new("Description", "Tells unitcell its namespaces".to_owned()),
        Property::new("Type", "oneshot".to_owned()),
        Property::new("NotifyAccess", "all".to_owned()),
        Property::new("CollectMode", "inactive-or-failed".to_owned()),
        Property::new("AddRef", true),
        Property::new("ExecStartEx", vec![("/bin/sh".to_owned(), command, vec!["no-env-expand".to_owned()])]),
    ];
    let mut started = Started::start(systemd, name, &properties).await?;
    while !matches!(started.next().await?, Change::Job(_)) {}
    Ok(parse(&started.outcome().await?.status_text))
}

/// `mnt:[4026531840] net:[4026531833] …`
fn parse(text: &str) -> Vec<(Kind, u64)> {
    let mut found: Vec<(Kind, u64)> = text
        .split_ascii_whitespace()
        .filter_map(|word| {
            let (name, inode) = word.strip_suffix(']')?.split_once(":[")?;
            Some((Kind::from_proc_name(name)?, inode.parse().ok()?))
        })
        .collect();
    // `pid` and `pid_for_children` read alike; the former comes first.
    found.dedup_by_key(|(kind, _)| *kind);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_read() {
        let text = "cgroup:[1] ipc:[2] pid:[3] pid:[3] time:[4] user:[5] uts:[x] odd";
        assert_eq!(parse(text), [(Kind::Cgroup, 1), (Kind::Ipc, 2), (Kind::Pid, 3), (Kind::Time, 4), (Kind::User, 5)]);
    }
}
