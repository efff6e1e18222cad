//! Settings of systemd.exec(5), one by one and together: what each gives to a service, it gives to
//! the same service in a cell that the wrapper sets up, and what it denies stays denied.

use super::cases;
use super::identity_pair::{self, Cell, Outcome, Pair, Service};
use crate::case::Case;

cases![identity_by_settings];

/// A service's settings.
pub struct Row {
    pub settings: &'static str,
    /// The first systemd that knows them.
    pub from: u32,
    /// A `.socket` unit beside the service.
    pub socket: &'static str,
    /// What differs by its nature, beside what the cell asks for.
    pub differs: &'static [&'static str],
}

const fn row(settings: &'static str) -> Row {
    Row { settings, from: 0, socket: "", differs: &[] }
}

const fn from(from: u32, settings: &'static str) -> Row {
    Row { from, ..row(settings) }
}

/// One whose filter the wrapper loads: systemd has one for each architecture, the wrapper one for
/// all, and what is only moved out of the wrapper's way takes one more.
const fn moved(settings: &'static str) -> Row {
    Row { differs: &["status Seccomp_filters"], ..row(settings) }
}

/// One that no systemd can make.
pub const CELL: Cell = Cell {
    text: "TimeOffsetMonotonic=1s\nDomainname=cell",
    kinds: &["time", "uts"],
    differs: &["timens_offsets ", "domainname "],
    mounts: &[],
    native: "",
};

/// Of a user made up for the unit.
const DYNAMIC: &[&str] = &["uid ", "gid ", "groups ", "status Uid ", "status Gid ", "status Groups "];

/// What a service takes along into a root of its own, to run and to leave its dump.
macro_rules! in_root {
    ($settings:literal) => {
        concat!($settings, "\nBindPaths=/run/unitcell-tests\nBindReadOnlyPaths=/usr/lib/unitcell-tests")
    };
}

/// That root, as a directory and as an image, and a PAM session that leaves something behind.
pub const PREPARE: &str = "
    echo 'session required pam_limits.so' >/etc/pam.d/unitcell
    echo 'tester - nofile 777' >/etc/security/limits.d/unitcell.conf
    for dir in dev etc proc run sys tmp usr/lib/unitcell-tests var/lib var/cache var/log var/tmp root home; do
        mkdir -p /srv/root/$dir
    done
    echo ID=test >/srv/root/etc/os-release
    [ -e /dev/loop-control ] || mknod /dev/loop-control c 10 237
    for number in $(seq 0 31); do [ -e /dev/loop$number ] || mknod /dev/loop$number b 7 $number; done";

/// From outside: the machines have no tool for a file system that all systemds take.
pub fn make_image(case: &Case) {
    let [image, root] = ["/srv/root.img", "/srv/root"].map(|path| case.path(path));
    let made = std::process::Command::new("mkfs.ext4").args(["-q", "-F", "-d"]).args([root, image]).arg("4M").status();
    assert!(made.expect("mkfs.ext4").success());
}

pub const ROWS: &[Row] = &[
    row(""),
    row("User=tester"),
    row("User=tester\nGroup=games\nSupplementaryGroups=audio video"),
    Row { differs: DYNAMIC, ..row("DynamicUser=yes\nReadWritePaths=/run/unitcell-tests") },
    row("CapabilityBoundingSet=CAP_CHOWN CAP_SYS_ADMIN"),
    row("User=tester\nCapabilityBoundingSet=CAP_KILL\nAmbientCapabilities=CAP_KILL CAP_CHOWN"),
    row("User=tester\nNoNewPrivileges=yes"),
    row("User=tester\nSecureBits=noroot noroot-locked"),
    moved("SystemCallFilter=@system-service\nSystemCallFilter=~@privileged @resources"),
    moved("User=tester\nSystemCallFilter=@system-service\nSystemCallErrorNumber=EPERM"),
    moved(
        "User=tester\nSystemCallFilter=@system-service\nSystemCallFilter=~@privileged @resources\nNoNewPrivileges=yes",
    ),
    moved("SystemCallFilter=~@mount @privileged:EACCES unshare:ENOSYS\nSystemCallErrorNumber=EPERM"),
    moved("User=tester\nSystemCallFilter=~@mount setns\nAmbientCapabilities=CAP_SYS_ADMIN"),
    row("SystemCallFilter=~@debug @keyring\nSystemCallErrorNumber=ENOANO"),
    row("User=tester\nSystemCallArchitectures=native"),
    moved("RestrictNamespaces=yes"),
    moved("User=tester\nRestrictNamespaces=ipc net"),
    moved("RestrictNamespaces=~uts time user"),
    // Where systemd does not know time namespaces, this denies them.
    moved("RestrictNamespaces=~user"),
    row("User=tester\nRestrictRealtime=yes"),
    row("RestrictSUIDSGID=yes\nCapabilityBoundingSet=~CAP_SYS_ADMIN"),
    row("LockPersonality=yes\nPersonality=x86"),
    row("User=tester\nMemoryDenyWriteExecute=yes"),
    row("RestrictAddressFamilies=AF_UNIX AF_INET"),
    moved("ProtectClock=yes"),
    moved("User=tester\nProtectClock=yes\nCapabilityBoundingSet=CAP_SYS_TIME CAP_KILL"),
    moved("User=tester\nProtectHostname=yes"),
    moved("ProtectHostname=yes\nPrivateTmp=yes"),
    row("ProtectKernelTunables=yes\nProtectKernelModules=yes\nProtectKernelLogs=yes"),
    row("User=tester\nPrivateDevices=yes"),
    row("User=tester\nPrivateDevices=yes\nProtectKernelLogs=yes\nAmbientCapabilities=CAP_MKNOD CAP_SYSLOG CAP_KILL"),
    row("User=tester\nLoadCredential=hosts:/etc/passwd\nSetCredential=word:secret"),
    Row { socket: "ListenStream=/run/%p.sock\nListenDatagram=@%p\nFileDescriptorName=door", ..row("User=tester") },
    Row { socket: "ListenDatagram=/run/%p.sock", ..row("StandardInput=socket\nStandardOutput=journal") },
    row("StandardInput=file:/etc/passwd\nStandardOutput=append:/run/%p.out\nStandardError=inherit"),
    row("StandardInput=data\nStandardInputText=words\nStandardError=null"),
    row("StandardOutput=truncate:/run/%p.out\nLogExtraFields=A=b\nLogLevelMax=notice\nSyslogIdentifier=x"),
    row("ProtectSystem=strict\nReadWritePaths=/run/unitcell-tests\nProtectHome=yes"),
    row("PrivateTmp=yes\nTemporaryFileSystem=/srv:ro\nProtectHome=tmpfs"),
    row("BindPaths=/usr:/mnt\nBindReadOnlyPaths=/etc:/media\nInaccessiblePaths=/boot\nReadOnlyPaths=/home"),
    Row { differs: &["mount 0:N /usr/bin/unitcell-exec "], ..row("NoExecPaths=/\nExecPaths=/usr") },
    row(in_root!("RootDirectory=/srv/root")),
    row(in_root!(
        "RootDirectory=/srv/root\nUser=tester\nSupplementaryGroups=audio\nRuntimeDirectory=%p\nType=notify\nExecStart=@payload@ notify calls"
    )),
    Row { differs: DYNAMIC, ..row(in_root!("RootDirectory=/srv/root\nDynamicUser=yes")) },
    moved(in_root!("RootImage=/srv/root.img\nRootImageOptions=ro\nUser=tester\nSystemCallFilter=@system-service")),
    row("ProtectProc=invisible\nProcSubset=pid\nUser=tester"),
    row("PrivateNetwork=yes\nPrivateIPC=yes\nPrivateMounts=yes"),
    row("PrivateUsers=yes\nSupplementaryGroups=audio"),
    row("User=tester\nPrivateUsers=yes\nCapabilityBoundingSet=CAP_KILL CAP_SYS_ADMIN"),
    row("ProtectControlGroups=yes\nDelegate=yes\nSlice=unitcell.slice"),
    row("UMask=0027\nLimitNOFILE=1000:2000\nLimitCORE=0\nLimitAS=8G\nLimitMEMLOCK=64K\nLimitRTTIME=1s"),
    row("Nice=5\nIOSchedulingClass=best-effort\nIOSchedulingPriority=6\nOOMScoreAdjust=100\nTimerSlackNSec=1ms"),
    row("CPUSchedulingPolicy=batch\nCPUAffinity=0\nCPUSchedulingResetOnFork=yes\nCoredumpFilter=all"),
    row("CPUSchedulingPolicy=rr\nCPUSchedulingPriority=3\nNUMAPolicy=default\nIOSchedulingClass=idle"),
    row("KeyringMode=inherit"),
    row("User=tester\nKeyringMode=shared"),
    row("IgnoreSIGPIPE=no\nUser=tester\nWorkingDirectory=~"),
    row(
        "User=tester\nRuntimeDirectory=%p\nStateDirectory=%p\nCacheDirectory=%p\nLogsDirectory=%p\nConfigurationDirectory=%p",
    ),
    row("Environment=A=b \"C=d e\"\nEnvironmentFile=/etc/os-release\nPassEnvironment=LANG\nUnsetEnvironment=ID"),
    row("FileDescriptorStoreMax=3\nNotifyAccess=all\nWatchdogSec=600"),
    row("User=tester\nPAMName=unitcell\nUMask=0077"),
    moved(
        "User=tester\nPAMName=unitcell\nAmbientCapabilities=CAP_KILL\nCapabilityBoundingSet=CAP_KILL CAP_CHOWN\nSystemCallFilter=~@mount",
    ),
    row("User=tester\nPAMName=unitcell\nSecureBits=noroot\nNoNewPrivileges=yes\nWorkingDirectory=~"),
    row("User=tester\nPAMName=unitcell\nPrivateUsers=yes"),
    row("User=tester\nUtmpIdentifier=unit\nTTYPath=/dev/console"),
    row("Type=oneshot\nRemainAfterExit=yes\nExecStart=-@@payload@ - exit 0\nExecStart=@payload@ exit 0 calls"),
    from(253, "OpenFile=/etc/passwd:users:read-only\nUser=tester"),
    from(254, "MemoryKSM=yes"),
    from(255, "SetLoginEnvironment=yes\nUser=tester"),
    from(257, "PrivateTmp=disconnected"),
    from(257, "PrivateUsers=identity\nUser=tester\nAmbientCapabilities=CAP_NET_ADMIN"),
    from(257, "ProtectControlGroups=strict"),
];

impl Row {
    fn service(&self) -> Service {
        Service { settings: self.settings.to_owned(), socket: self.socket, differs: self.differs.to_vec() }
    }
}

fn identity_by_settings(case: &Case) {
    case.sh(PREPARE).ok();
    make_image(case);
    let rows = ROWS.iter().filter(|row| row.from <= case.version());
    let pairs: Vec<Pair> = rows.enumerate().map(|(n, row)| Pair::write(case, n, row.service(), &CELL)).collect();
    let failures: Vec<String> = identity_pair::run(case, &pairs)
        .into_iter()
        .zip(&pairs)
        .filter_map(|(outcome, pair)| {
            let found = match outcome {
                Outcome::Ran(found) if found.is_empty() => return None,
                Outcome::Ran(found) => format!("{found:#?}"),
                Outcome::Refused(journal) => format!("refused: {journal}"),
                Outcome::Neither => pair.units.iter().map(|unit| unit.journal()).collect(),
            };
            Some(format!("{}: {found}", pair.service.settings))
        })
        .collect();
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), pairs.len(), failures.join("\n"));
}
