//! Settings of the matrix in random company, in cells of all sorts: by a seed, so that what fails fails again.

use std::env;

use super::cases;
use super::identity_matrix::{PREPARE, ROWS, Row, make_image};
use super::identity_pair::{self, Cell, Outcome, Pair, Service};
use crate::case::Case;

cases![identity_in_random_company];

const PAIRS: u64 = 8;
const SEED: u64 = 1;
/// At a time: each is two services.
const BATCH: usize = 16;

#[rustfmt::skip]
const CELLS: &[Cell] = &[
    super::identity_matrix::CELL,
    Cell { text: "Hostname=cell\nDomainname=cell", kinds: &["uts"], differs: &["hostname ", "domainname "], mounts: &[], native: "" },
    Cell { text: "TimeOffsetBoottime=-10s\nTimeOffsetMonotonic=5s", kinds: &["time"], differs: &["timens_offsets "], mounts: &[], native: "" },
    Cell { text: "PrivatePIDs=yes\nDomainname=cell", kinds: &["pid", "uts", "mnt"], differs: &["sid_is_pid ", "pgid_is_pid ", "ppid ", "pid1_comm ", "domainname "], mounts: &["/proc", "/run", "/etc", "/var"], native: "" },
    Cell { text: "Init=yes", kinds: &["pid", "mnt"], differs: &["ppid ", "pid1_comm ", "environment NOTIFY_SOCKET="], mounts: &["/proc"], native: "" },
    Cell { text: "PrivateIPC=yes\nDomainname=cell", kinds: &["ipc", "uts", "mnt"], differs: &["domainname "], mounts: &[], native: "PrivateIPC=yes" },
    Cell { text: "PrivateNetwork=yes\nDomainname=cell", kinds: &["net", "uts", "mnt"], differs: &["domainname ", "sys_class_net "], mounts: &["/sys"], native: "PrivateNetwork=yes" },
    Cell { text: "ProtectControlGroups=private\nDomainname=cell", kinds: &["cgroup", "uts", "mnt"], differs: &["domainname ", "cgroup ", "environment MEMORY_PRESSURE_WATCH="], mounts: &["/sys/fs/cgroup"], native: "ProtectControlGroups=yes" },
    Cell { text: "PrivateUsers=identity\nDomainname=cell", kinds: &["user", "uts"], differs: &["domainname ", "uid_map ", "gid_map ", "setgroups "], mounts: &[], native: "PrivateUsers=yes" },
    Cell { text: "PrivateUsers=self\nTimeOffsetBoottime=1d", kinds: &["user", "time"], differs: &["timens_offsets ", "uid_map ", "gid_map ", "setgroups "], mounts: &[], native: "PrivateUsers=yes" },
    Cell { text: "UIDMap=0:0:65536\nGIDMap=0:0:65536", kinds: &["user"], differs: &["uid_map ", "gid_map ", "setgroups "], mounts: &["/run/credentials"], native: "PrivateUsers=yes" },
    Cell { text: "RootOverlay=yes", kinds: &["mnt"], differs: &[], mounts: &["/", "/tmp"], native: "" },
    Cell { text: "Overlay=/var/tmp:/usr:/etc", kinds: &["mnt"], differs: &[], mounts: &["/var/tmp"], native: "" },
    Cell { text: "ReadyWhen=path:/usr\nDomainname=cell", kinds: &["uts"], differs: &["domainname "], mounts: &[], native: "" },
    Cell { text: "ReadyWhen=path:/usr", kinds: &[], differs: &[], mounts: &[], native: "" },
    Cell { text: "NamespacesOf=identity-random-other.service uts time", kinds: &["uts", "time"], differs: &["hostname ", "domainname ", "timens_offsets "], mounts: &[], native: "" },
    Cell { text: "UTSNamespacePath=/run/identity-random-uts\nInit=yes", kinds: &["uts", "pid", "mnt"], differs: &["hostname ", "ppid ", "pid1_comm ", "environment NOTIFY_SOCKET="], mounts: &["/proc"], native: "" },
];

/// What others join, in namespaces that nothing has a name for.
const OTHER: &str = "[Service]\nExecStart=sleep infinity\n[X-Unitcell]\nHostname=other\nTimeOffsetBoottime=3s\n";

/// SplitMix64 (G. L. Steele, D. Lea, C. H. Flood: "Fast splittable pseudorandom number generators").
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % sides as u64) as usize
    }
}

/// Rows that can't be together: each says what is executed, or where.
fn is_exclusive(row: &Row) -> bool {
    ["ExecStart=", "Type=", "RootDirectory=", "RootImage=", "StandardInput="]
        .iter()
        .any(|key| row.settings.contains(key))
        || !row.socket.is_empty()
}

/// Two to six rows at once.
fn company(dice: &mut Dice, version: u32) -> Service {
    let mut service = Service::default();
    let mut exclusive = false;
    for _ in 0..dice.roll(5) + 2 {
        let row = &ROWS[dice.roll(ROWS.len())];
        if row.from > version || (exclusive && is_exclusive(row)) {
            continue;
        }
        exclusive |= is_exclusive(row);
        service.settings += row.settings;
        service.settings += "\n";
        service.socket = if row.socket.is_empty() { service.socket } else { row.socket };
        service.differs.extend(row.differs);
    }
    service
}

fn from_environment(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

fn identity_in_random_company(case: &Case) {
    let (pairs, seed) =
        (from_environment("UNITCELL_RANDOM_PAIRS", PAIRS), from_environment("UNITCELL_RANDOM_SEED", SEED));
    case.sh(PREPARE).ok();
    make_image(case);
    case.file("/etc/systemd/system/identity-random-other.service", OTHER);
    case.unit(crate::case::Scope::System, "identity-random-other.service");
    case.sh("touch /run/identity-random-uts && unshare --uts=/run/identity-random-uts hostname joined").ok();
    let mut dice = Dice(seed);
    let services: Vec<(Service, &Cell)> =
        (0..pairs).map(|_| (company(&mut dice, case.version()), &CELLS[dice.roll(CELLS.len())])).collect();
    let (mut failures, mut compared, mut refused, mut none) = (Vec::new(), 0, Vec::new(), 0);
    for (n, batch) in services.chunks(BATCH).enumerate() {
        let pairs: Vec<Pair> = batch
            .iter()
            .enumerate()
            .map(|(m, (service, cell))| Pair::write(case, n * BATCH + m, service.clone(), cell))
            .collect();
        for (outcome, pair) in identity_pair::run(case, &pairs).into_iter().zip(&pairs) {
            let what = || format!("{}[X-Unitcell]\n{}", pair.service.settings, pair.cell.text);
            match outcome {
                Outcome::Ran(found) if found.is_empty() => compared += 1,
                Outcome::Ran(found) => failures.push(format!("{}\n{found:#?}\n", what())),
                Outcome::Refused(journal) => refused.push(format!("{}\n{journal}\n", what())),
                Outcome::Neither => none += 1,
            }
        }
        let units =
            pairs.iter().flat_map(|pair| &pair.units).map(|unit| unit.name.as_str()).collect::<Vec<_>>().join(" ");
        case.sh(&format!("systemctl kill -s KILL {units}; systemctl stop {units}; systemctl reset-failed {units}"));
    }
    case.sh("umount /run/identity-random-uts; rm /run/identity-random-uts").ok();
    if env::var_os("UNITCELL_TEST_VERBOSE").is_some() {
        eprintln!("systemd {}: {compared} alike, {none} start in no way, {} refused", case.version(), refused.len());
        refused.iter().for_each(|refused| eprintln!("{refused}"));
    }
    assert!(failures.is_empty(), "seed {seed}, {} of {pairs} pairs:\n{}", failures.len(), failures.join("\n"));
    assert!(compared * 3 >= pairs, "of {pairs} pairs only {compared} are alike, the others do not start");
}
