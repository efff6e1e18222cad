//! Settings of systemd.exec(5), one by one and together: what each gives to a service, it gives to
//! the same service in a cell that the wrapper sets up, and what it denies stays denied.

use super::cases;
use crate::case::{Case, Scope, Unit};
use crate::dump::Dump;
use crate::machine::wait_for;

cases![identity_by_settings];

/// A service's settings.
struct Row {
    settings: &'static str,
    /// The first systemd that knows them.
    from: u32,
    /// A `.socket` unit beside the service.
    socket: &'static str,
    /// What differs by its nature, beside what the cell asks for.
    differs: &'static [&'static str],
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

/// In a cell that no systemd can make.
pub const CELL: &str = "TimeOffsetMonotonic=1s\nDomainname=cell";

/// What the cell changes by its nature.
const ASKED_FOR: [&str; 2] = ["timens_offsets ", "domainname "];

/// Of a user made up for the unit.
const DYNAMIC: &[&str] = &["uid ", "gid ", "groups ", "status Uid ", "status Gid ", "status Groups "];

/// What a service takes along into a root of its own, to run and to leave its dump.
macro_rules! in_root {
    ($settings:literal) => {
        concat!($settings, "\nBindPaths=/run/unitcell-tests\nBindReadOnlyPaths=/usr/lib/unitcell-tests")
    };
}

/// That root, as a directory and as an image, and a PAM session that leaves something behind.
const PREPARE: &str = "
    echo 'session required pam_limits.so' >/etc/pam.d/unitcell
    echo 'tester - nofile 777' >/etc/security/limits.d/unitcell.conf
    for dir in dev etc proc run sys tmp usr/lib/unitcell-tests var/lib var/cache var/log var/tmp root home; do
        mkdir -p /srv/root/$dir
    done
    echo ID=test >/srv/root/etc/os-release
    [ -e /dev/loop-control ] || mknod /dev/loop-control c 10 237
    for number in $(seq 0 31); do [ -e /dev/loop$number ] || mknod /dev/loop$number b 7 $number; done";

/// From outside: the machines have no tool for a file system that all systemds take.
fn make_image(case: &Case) {
    let [image, root] = ["/srv/root.img", "/srv/root"].map(|path| case.path(path));
    let made = std::process::Command::new("mkfs.ext4").args(["-q", "-F", "-d"]).args([root, image]).arg("4M").status();
    assert!(made.expect("mkfs.ext4").success());
}

const ROWS: &[Row] = &[
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
    row("ProtectKernelTunables=yes\nProtectKernelModules=yes\nProtectKernelLogs=yes"),
    row("User=tester\nPrivateDevices=yes"),
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
    row("User=tester\nUtmpIdentifier=unit\nTTYPath=/dev/console"),
    row("Type=oneshot\nRemainAfterExit=yes\nExecStart=-@@payload@ - exit 0\nExecStart=@payload@ exit 0 calls"),
    from(253, "OpenFile=/etc/passwd:users:read-only\nUser=tester"),
    from(254, "MemoryKSM=yes"),
    from(255, "SetLoginEnvironment=yes\nUser=tester"),
    from(257, "PrivateTmp=disconnected"),
    from(257, "PrivateUsers=identity\nUser=tester\nAmbientCapabilities=CAP_NET_ADMIN"),
    from(257, "ProtectControlGroups=strict"),
];

/// A row's service, as it is and in the cell.
struct Pair<'c> {
    row: &'static Row,
    units: [Unit<'c>; 2],
}

fn identity_by_settings(case: &Case) {
    case.sh(PREPARE).ok();
    make_image(case);
    let rows = ROWS.iter().filter(|row| row.from <= case.version());
    let pairs: Vec<Pair> = rows.enumerate().map(|(n, row)| pair(case, n, row)).collect();
    case.daemon_reload();
    start(case, &pairs);

    let mut failures = Vec::new();
    let mut dumps: Vec<[Option<Dump>; 2]> = pairs.iter().map(|_| [None, None]).collect();
    wait_for(
        || {
            for (pair, found) in pairs.iter().zip(&mut dumps) {
                for (unit, dump) in pair.units.iter().zip(found) {
                    *dump = dump.take().or_else(|| Dump::read(&case.path(&unit.dump_path())));
                }
            }
            dumps.iter().flatten().all(Option::is_some)
        },
        std::time::Duration::from_secs(45),
    );
    for (pair, found) in pairs.iter().zip(&dumps) {
        match found {
            [Some(native), Some(wrapped)] => {
                let unexpected = unexpected(case, pair, native, wrapped);
                if !unexpected.is_empty() {
                    failures.push(format!("{}: {unexpected:#?}", pair.row.settings));
                }
            }
            _ => {
                let whys =
                    pair.units.iter().zip(found).filter(|(_, dump)| dump.is_none()).map(|(unit, _)| unit.journal());
                failures.push(format!("{}: no dump: {}", pair.row.settings, whys.collect::<String>()));
            }
        }
    }
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), pairs.len(), failures.join("\n"));
}

/// What differs, and should not.
fn unexpected(case: &Case, pair: &Pair, native: &Dump, wrapped: &Dump) -> Vec<String> {
    let expected = |line: &String| {
        let item = &line[1..];
        let asked_for = ASKED_FOR.iter().chain(pair.row.differs).any(|expected| item.starts_with(expected));
        asked_for || item.starts_with("ns_") || item.starts_with("status CapInh")
    };
    let mut found: Vec<String> = wrapped.differences(native).into_iter().filter(|line| !expected(line)).collect();
    for kind in ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"] {
        let own = |dump: &Dump| dump.ns(kind) != case.manager_ns(kind);
        let asked_for = matches!(kind, "time" | "uts");
        if own(wrapped) != (own(native) || asked_for) {
            found.push(format!("{kind} namespace: native {}, wrapped {}", own(native), own(wrapped)));
        }
    }
    // systemd leaves what loading filters took in this set of a user, and the wrapper does not.
    let inheritable = |dump: &Dump| u64::from_str_radix(dump.status("CapInh"), 16).expect("a set");
    let (left, gained) = (inheritable(native) & !inheritable(wrapped), inheritable(wrapped) & !inheritable(native));
    if left & !LEFT_BEHIND != 0 || gained != 0 {
        found.push(format!("CapInh: native {}, wrapped {}", native.status("CapInh"), wrapped.status("CapInh")));
    }
    found
}

/// CAP_SETPCAP and CAP_SYS_ADMIN.
const LEFT_BEHIND: u64 = 1 << 8 | 1 << 21;

fn pair<'c>(case: &'c Case, n: usize, row: &'static Row) -> Pair<'c> {
    let unit = |sort: &str, cell: &str| {
        let name = case.unique(&format!("{sort}{n}"));
        let unit = case.unit(Scope::System, &format!("{name}.service"));
        let mut text = unit.fill_in(&format!("[Service]\n{}\n", row.settings));
        if !text.contains("ExecStart=") {
            text += &unit.fill_in("ExecStart=@payload@ sleep-handled calls\n");
        }
        let cell = if cell.is_empty() { String::new() } else { format!("[X-Unitcell]\n{cell}\n") };
        case.file(&format!("/etc/systemd/system/{name}.service"), &format!("{text}{cell}"));
        if !row.socket.is_empty() {
            case.unit(Scope::System, &format!("{name}.socket"));
            case.file(&format!("/etc/systemd/system/{name}.socket"), &format!("[Socket]\n{}\n", row.socket));
        }
        unit
    };
    Pair { row, units: [unit("a", ""), unit("b", CELL)] }
}

/// All of them at once.
fn start(case: &Case, pairs: &[Pair]) {
    let names = |suffix: &str, of: &dyn Fn(&Pair) -> bool| {
        let units = pairs.iter().filter(|pair| of(pair)).flat_map(|pair| &pair.units);
        units.map(|unit| unit.name.replace(".service", suffix)).collect::<Vec<_>>()
    };
    let sockets = names(".socket", &|pair| !pair.row.socket.is_empty());
    case.sh(&format!("systemctl start {}", sockets.join(" "))).ok();
    case.sh(&format!("systemctl start --no-block {}", names(".service", &|_| true).join(" "))).ok();
}
