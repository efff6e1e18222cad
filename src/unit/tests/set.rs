use std::fs;
use std::os::unix::fs::symlink;

use rustix::fs::{CWD, FileType, Mode};
use tempfile::TempDir;

use super::*;
use crate::unit::{Env, Scope, UnitType};

const NEEDLE: &[u8] = b"X-Unitcell";
const CELL: &str = "[X-Unitcell]\nHostname=h\n";

/// A root directory with `/etc` and `/usr` unit directories.
struct Machine {
    root: TempDir,
}

impl Machine {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for dir in ["etc/systemd/system", "usr/lib/systemd/system"] {
            fs::create_dir_all(root.path().join(dir)).unwrap();
        }
        Self { root }
    }

    fn path(&self, path: &str) -> PathBuf {
        let path = path.replacen("etc/", "etc/systemd/system/", 1);
        self.root.path().join(path.replacen("usr/", "usr/lib/systemd/system/", 1))
    }

    fn file(&self, path: &str, text: &str) -> &Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn link(&self, path: &str, target: &str) -> &Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
        self
    }

    fn scan(&self) -> UnitSet {
        let path = SearchPath::new(Scope::System, self.root.path(), &Env::default());
        UnitSet::scan(&path, &[UnitType::Service, UnitType::Socket], NEEDLE)
    }
}

fn name(name: &str) -> UnitName {
    UnitName::new(name).unwrap()
}

fn found(set: &UnitSet) -> Vec<String> {
    set.names_with_needle().iter().map(|n| n.to_string()).collect()
}

fn aliases(unit: &Unit) -> Vec<&str> {
    unit.aliases.iter().map(UnitName::as_str).collect()
}

/// Paths, without the long and always equal part.
fn short<'a>(paths: impl IntoIterator<Item = &'a Arc<Path>>) -> Vec<String> {
    let short = |p: &Arc<Path>| {
        let p = p.display().to_string();
        p.replace("/etc/systemd/system/", "etc/").replace("/usr/lib/systemd/system/", "usr/")
    };
    paths.into_iter().map(short).collect()
}

#[test]
fn higher_directories_win() {
    let m = Machine::new();
    m.file("usr/a.service", CELL).file("etc/a.service", "[Service]\nType=oneshot\n");
    m.file("usr/b.service", "[Service]\nType=simple\n").file("etc/b.service", CELL);
    m.file("usr/c.service", CELL).file("etc/c.service.d/x.conf", "[Service]\nType=exec\n");
    m.file("usr/c.service.d/x.conf", CELL).file("usr/c.service.d/y.conf", CELL);
    let set = m.scan();
    assert_eq!(found(&set), ["b.service", "c.service"]);
    assert!(set.contains(&name("a.service")) && !set.contains(&name("z.service")));
    let c = set.load(&name("c.service")).unwrap();
    assert_eq!(short(&c.fragment), ["usr/c.service"]);
    assert_eq!(short(&c.dropins), ["etc/c.service.d/x.conf", "usr/c.service.d/y.conf"]);
    assert_eq!(c.last("Service", "Type").unwrap().value, "exec");
    let a = set.load(&name("a.service")).unwrap();
    assert_eq!(short(&a.fragment), ["etc/a.service"]);
    assert_eq!(a.section("X-Unitcell").count(), 0);
}

#[test]
fn dropins_of_all_names_sorted_by_file_name() {
    let m = Machine::new();
    m.file("usr/foo-bar.service", "[Service]\n").link("usr/ali.service", "foo-bar.service");
    let all = [
        "etc/service.d/a.conf",
        "usr/foo-bar.service.d/a.conf",
        "etc/foo-.service.d/b.conf",
        "usr/foo-bar.service.d/b.conf",
        "usr/foo-bar.service.d/c.conf",
        "etc/ali.service.d/c.conf",
        "etc/service.d/d.conf",
        "usr/ali.service.d/d.conf",
        "etc/service.d/e.conf",
        "usr/foo-.service.d/e.conf",
        "etc/service.d/f.conf",
        "usr/service.d/f.conf",
    ];
    for path in all {
        m.file(path, CELL);
    }
    m.file("etc/foo-bar.service.d/.hidden.conf", CELL).file("etc/foo-bar.service.d/g.txt", CELL);
    let set = m.scan();
    for by in ["foo-bar.service", "ali.service"] {
        let unit = set.load(&name(by)).unwrap();
        assert_eq!((unit.name.as_str(), aliases(&unit)), ("foo-bar.service", vec!["ali.service"]));
        let expected = [
            "usr/foo-bar.service.d/a.conf",
            "etc/foo-.service.d/b.conf",
            "usr/foo-bar.service.d/c.conf",
            "usr/ali.service.d/d.conf",
            "usr/foo-.service.d/e.conf",
            "etc/service.d/f.conf",
        ];
        assert_eq!(short(&unit.dropins), expected);
    }
}

#[test]
fn masks() {
    let m = Machine::new();
    m.file("usr/a.service", CELL).link("etc/a.service", "/dev/null");
    m.file("usr/b.service", CELL).file("etc/b.service", "");
    m.file("usr/c.service", "[Service]\n").file("usr/c.service.d/x.conf", CELL);
    m.link("etc/c.service.d/x.conf", "/dev/null").file("etc/c.service.d/y.conf", "");
    m.link("etc/d.service", "a.service");
    let set = m.scan();
    assert!(found(&set).is_empty());
    for masked in ["a.service", "b.service", "d.service"] {
        let unit = set.load(&name(masked)).unwrap();
        assert!(unit.masked && unit.fragment.is_some(), "{masked}");
    }
    let c = set.load(&name("c.service")).unwrap();
    assert!(!c.masked && c.dropins.is_empty());
}

#[test]
fn templates_and_instances() {
    let m = Machine::new();
    m.file("usr/foo-bar@.service", CELL);
    m.file("etc/foo-bar@one.service.d/x.conf", "[Service]\nUser=one\n");
    m.file("etc/foo-bar@two.service.d/x.conf", CELL);
    m.file("etc/foo-bar@three.service", "[Service]\n");
    m.link("etc/foo-bar@four.service", "../../../usr/lib/systemd/system/foo-bar@.service");
    m.link("usr/other@.service", "foo-bar@.service");
    let set = m.scan();
    let expected = ["foo-bar@.service", "foo-bar@one.service", "foo-bar@three.service", "foo-bar@two.service"];
    assert_eq!(found(&set), expected);

    let load = |n: &str| set.load(&name(n)).unwrap();
    let one = load("other@one.service");
    assert_eq!((one.name.as_str(), aliases(&one)), ("foo-bar@one.service", vec!["other@one.service"]));
    assert_eq!(short(&one.fragment), ["usr/foo-bar@.service"]);
    assert_eq!(short(&one.dropins), ["etc/foo-bar@one.service.d/x.conf"]);
    assert_eq!(short(&load("foo-bar@four.service").fragment), ["usr/foo-bar@.service"]);
    assert_eq!(short(&load("foo-bar@three.service").fragment), ["etc/foo-bar@three.service"]);
    assert_eq!(aliases(&load("foo-bar@.service")), ["other@.service"]);
    assert_eq!(load("foo-bar@.service").name.as_str(), "foo-bar@.service");
}

#[test]
fn an_instance_that_is_an_alias() {
    let m = Machine::new();
    m.file("usr/real@.service", "[Service]\n").link("usr/alias@x.service", "real@.service");
    m.file("etc/alias@.service.d/x.conf", CELL);
    let set = m.scan();
    let unit = set.load(&name("alias@x.service")).unwrap();
    assert_eq!((unit.name.as_str(), aliases(&unit)), ("real@x.service", vec!["alias@x.service"]));
    assert_eq!(short(&unit.dropins), ["etc/alias@.service.d/x.conf"]);
    assert_eq!(set.load(&name("real@x.service")).unwrap(), unit);
    assert_eq!(found(&set), ["alias@.service", "real@x.service"]);
}

#[test]
fn prefix_and_type_dropins_concern_all_they_apply_to() {
    let m = Machine::new();
    m.file("usr/foo-a.service", "[Service]\n").file("usr/foo-b@.service", "[Service]\n");
    m.file("usr/bar.service", "[Service]\n").file("usr/foo-a.socket", "[Socket]\n");
    m.file("etc/foo-.service.d/x.conf", CELL);
    assert_eq!(found(&m.scan()), ["foo-a.service", "foo-b@.service"]);
    m.file("etc/socket.d/x.conf", CELL);
    assert_eq!(found(&m.scan()), ["foo-a.service", "foo-a.socket", "foo-b@.service"]);
}

#[test]
fn only_dropins_in_sight() {
    let m = Machine::new();
    m.file("etc/gone.service.d/x.conf", CELL);
    let set = m.scan();
    assert_eq!(found(&set), ["gone.service"]);
    let unit = set.load(&name("gone.service")).unwrap();
    assert_eq!((unit.fragment, unit.masked, unit.dropins.len()), (None, false, 1));
}

#[test]
fn links() {
    let m = Machine::new();
    // Out of the search path: the unit keeps the name of the link.
    let outside = m.root.path().join("opt");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("real.service"), CELL).unwrap();
    m.link("etc/linked.service", "/opt/real.service").link("etc/dangling.service", "/opt/none");
    // To the same name further down: no effect. To another type, or other instance: invalid.
    m.file("usr/same.service", CELL).link("etc/same.service", "/usr/lib/systemd/system/same.service");
    m.file("usr/t.socket", "[Socket]\n").link("etc/bad.service", "t.socket");
    m.file("usr/bad.service", CELL);
    let set = m.scan();
    assert_eq!(found(&set), ["bad.service", "linked.service", "same.service"]);
    let path = |n: &str| short(&set.load(&name(n)).unwrap().fragment);
    assert_eq!(path("linked.service"), ["etc/linked.service"]);
    assert_eq!(path("same.service"), ["usr/same.service"]);
    let error = set.load(&name("dangling.service")).unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Io(_)));
}

#[test]
fn merged_usr_is_read_once() {
    let m = Machine::new();
    symlink("usr/lib", m.root.path().join("lib")).unwrap();
    m.file("usr/a.service", CELL).file("usr/a.service.d/x.conf", "[Unit]\n");
    m.link("etc/alias.service", "/lib/systemd/system/a.service");
    let set = m.scan();
    assert_eq!(set.names().count(), 2);
    let unit = set.load(&name("alias.service")).unwrap();
    assert_eq!((unit.name.as_str(), unit.dropins.len()), ("a.service", 1));
}

#[test]
fn loops_are_errors() {
    let m = Machine::new();
    m.link("etc/a.service", "b.service").link("etc/b.service", "a.service");
    m.link("etc/c.service", "/opt/c.service").link("etc/c.service.d", "c.service.d");
    fs::create_dir(m.root.path().join("opt")).unwrap();
    symlink("c.service", m.root.path().join("opt/c.service")).unwrap();
    let set = m.scan();
    assert!(found(&set).is_empty());
    assert_eq!(set.problems().len(), 1);
    for looped in ["a.service", "b.service", "c.service"] {
        let error = set.load(&name(looped)).unwrap_err();
        assert!(matches!(error.kind, ErrorKind::SymlinkLoop), "{looped}: {error}");
    }
}

#[test]
fn odd_files_never_hang_and_break_their_own_unit_only() {
    let m = Machine::new();
    let fifo = |path: &str| {
        let mode = Mode::RUSR | Mode::WUSR;
        rustix::fs::mknodat(CWD, m.path(path), FileType::Fifo, mode, 0).unwrap();
    };
    fs::create_dir(m.path("etc/dir.service")).unwrap();
    fifo("etc/fifo.service");
    m.file("usr/p.service", "[Service]\n").file("etc/p.service.d/a.conf", CELL);
    fifo("etc/p.service.d/fifo.conf");
    let big = fs::File::create(m.path("etc/big.service")).unwrap();
    big.set_len(17 << 20).unwrap();
    m.file("etc/nul.service", "[X-Unitcell]\n\0").file("etc/fine.service", CELL);
    m.link("etc/zero.service", "/dev/zero");

    let set = m.scan();
    assert_eq!(found(&set), ["big.service", "fine.service", "nul.service", "p.service"]);
    let kind = |n: &str| set.load(&name(n)).unwrap_err().kind;
    assert!(matches!(kind("dir.service"), ErrorKind::NotRegular));
    assert!(matches!(kind("fifo.service"), ErrorKind::NotRegular));
    assert!(matches!(kind("big.service"), ErrorKind::FileTooLarge(_)));
    assert!(matches!(kind("nul.service"), ErrorKind::Nul));
    assert!(set.load(&name("fine.service")).is_ok());
    assert!(set.load(&name("p.service")).is_ok());
}

#[test]
fn a_large_unit_is_read_whole() {
    let m = Machine::new();
    let padding = "# padding\n".repeat(100_000);
    m.file("etc/a.service", &format!("[Service]\n{padding}{CELL}"));
    let set = m.scan();
    assert_eq!(found(&set), ["a.service"]);
    assert_eq!(set.load(&name("a.service")).unwrap().assignments.len(), 1);
}
