//! The kernel: each type of namespace is tried, not looked up.

use std::process::{Command, Stdio};

use ipnet::{IpNet, Ipv4Net};

use super::{Check, Files};
use crate::cell::Kind;
use crate::generator::facts::installed_wrapper;
use crate::netlink::{self, nat::Nat};
use crate::sys::namespace::{aside, make};

const AREA: &str = "kernel";

/// For each type what has the wrapper make one, and the kernel's option that it takes.
const SAMPLES: [(Kind, &str, &str); 8] = [
    (Kind::Uts, "--hostname=unitcell-doctor", "CONFIG_UTS_NS"),
    (Kind::Network, "--private-network", "CONFIG_NET_NS"),
    (Kind::Ipc, "--private-ipc", "CONFIG_IPC_NS"),
    (Kind::Pid, "--private-pids", "CONFIG_PID_NS"),
    (Kind::Mount, "--private-mounts", "CONFIG_NAMESPACES"),
    (Kind::Cgroup, "--protect-control-groups=private", "CONFIG_CGROUPS"),
    (Kind::Time, "--time-offset-boottime=1s", "CONFIG_TIME_NS, and Linux 5.6"),
    (Kind::User, "--private-users=self", "CONFIG_USER_NS"),
];

pub fn checks(files: &Files) -> Vec<Check> {
    let release = files.read("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut checks = vec![version(&release)];
    let root = nix::unistd::geteuid().is_root();
    let wrapper = installed_wrapper();
    if files.path(&wrapper).exists() {
        checks.extend(SAMPLES.iter().map(|sample| try_sample(&wrapper, sample, root)));
    }
    checks.extend(limits(files));
    if root {
        checks.push(nft());
    }
    checks
}

/// What the mounts of cells need is of 5.12.
fn version(release: &str) -> Check {
    let mut numbers = release.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if version >= (5, 12) {
        return Check::ok(AREA, format!("Linux is version {release}"));
    }
    Check::warning(
        AREA,
        format!("Linux is version {release}: what changes mounts (PrivatePIDs=, ProtectControlGroups=) needs 5.12"),
        "upgrade the kernel",
    )
}

/// Has the wrapper make a namespace, and run `true` in it.
fn try_sample(wrapper: &str, (kind, option, needs): &(Kind, &str, &str), root: bool) -> Check {
    let mut command = Command::new(wrapper);
    command.arg(option);
    if !root && *kind != Kind::User {
        // Who has no privilege has it in a user namespace.
        command.arg("--private-users=self");
    }
    let outcome = command.args(["--", "/bin/true"]).stdin(Stdio::null()).output();
    let reason = match outcome {
        Ok(output) if output.status.success() => return Check::ok(AREA, format!("{kind} namespaces can be made")),
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            text.lines()
                .last()
                .unwrap_or("no reason given")
                .trim_start_matches(|c| "<0123456789>".contains(c))
                .to_owned()
        }
        Err(error) => error.to_string(),
    };
    let fix = match kind {
        _ if !root => "see about user namespaces below, or try as root".to_owned(),
        Kind::User => format!("see below; the kernel needs {needs}"),
        _ => format!("the kernel needs {needs}; in a container its manager must allow it, too"),
    };
    Check::warning(AREA, format!("{kind} namespaces can't be made: {reason}"), fix)
}

/// How many namespaces of each type there may be; 0 is a way to forbid them.
fn limits(files: &Files) -> Vec<Check> {
    let limit = |kind: Kind| {
        let name = format!("max_{}_namespaces", kind.proc_name());
        let number: u64 = files.read(&format!("/proc/sys/user/{name}"))?.parse().ok()?;
        // A service has a handful, and some churn.
        (number < 16).then(|| {
            let found = format!("there may be {number} {kind} namespaces at most for each user");
            let fix = format!("`sysctl user.{name}=65536`, and a file in /etc/sysctl.d to keep it");
            if number == 0 { Check::error(AREA, found, fix) } else { Check::warning(AREA, found, fix) }
        })
    };
    Kind::ALL.into_iter().filter_map(limit).collect()
}

/// IPMasquerade= has the kernel's own nftables do it: tried in a network namespace that goes again.
fn nft() -> Check {
    let flag = Kind::Network.clone_flag();
    let tried: Result<(), netlink::Error> = aside(flag, || {
        make(flag)?;
        Nat::open()?.masquerade("unitcell-doctor", &[IpNet::V4(Ipv4Net::default())])
    });
    match tried {
        Ok(()) => Check::ok(AREA, "nftables can masquerade, for IPMasquerade="),
        Err(reason) => Check::warning(
            AREA,
            format!("nftables can't masquerade, as IPMasquerade= has it: {reason}"),
            "`modprobe nf_tables nft_chain_nat nft_masq`, or a kernel with CONFIG_NFT_MASQ",
        ),
    }
}
