//! What the generator writes, read by a real systemd: `systemd-analyze verify` loads units as PID 1
//! does, and tells every line that it does not understand.

use std::path::Path;
use std::process::Command;

use libtest_mimic::{Completion, Failed, Trial};

use crate::golden::Case;
use crate::root::Root;
use crate::tree::Tree;

/// A trial for each case that is about system units on the oldest systemd: what that one
/// understands, all do.
pub fn all(cases: &[Case]) -> Vec<Trial> {
    let mut trials = vec![Trial::ignorable_test("accepted::nonsense_is_told", nonsense_is_told)];
    for case in cases.iter().filter(|case| case.is_for_system_of("252")) {
        let name = format!("accepted::{}", case.name);
        let case = case.clone();
        trials.push(Trial::ignorable_test(name, move || {
            let root = case.root(Some("252"));
            let outcome = root.run();
            accepted(&root, &outcome.normal)
        }));
    }
    trials
}

fn accepted(root: &Root, written: &Tree) -> Result<Completion, Failed> {
    let Some(told) = verify(root, written)? else { return skipped() };
    // Anything else is about the case's own files and programs, most of which are not there.
    let about_ours: Vec<&str> = told.lines().filter(|line| line.contains("zz-unitcell.conf")).collect();
    if about_ours.is_empty() { Ok(Completion::Completed) } else { Err(about_ours.join("\n").into()) }
}

/// The other trials rely on it.
fn nonsense_is_told() -> Result<Completion, Failed> {
    let root = Root::new();
    root.file("etc/systemd/system/web.service", "[Service]\nExecStart=/bin/true\n");
    let path = root.output("normal").join("web.service.d/zz-unitcell.conf");
    std::fs::create_dir_all(path.parent().expect("a directory"))?;
    std::fs::write(&path, "[Service]\nNoSuchKey=1\n")?;
    let Some(told) = verify(&root, &Tree::read(&root.output("normal")))? else { return skipped() };
    assert!(told.lines().any(|line| line.contains("zz-unitcell.conf:2: ") && line.contains("NoSuchKey")), "{told}");
    Ok(Completion::Completed)
}

fn skipped() -> Result<Completion, Failed> {
    let why = "systemd-analyze(1) is not there";
    match std::env::var("UNITCELL_ALLOW_SKIP").as_deref() {
        Ok("1") => Ok(Completion::ignored_with(why)),
        _ => Err(format!("{why}; UNITCELL_ALLOW_SKIP=1 passes this over").into()),
    }
}

/// What systemd says about the units with a drop-in; none where there is no systemd.
fn verify(root: &Root, written: &Tree) -> Result<Option<String>, Failed> {
    let units: Vec<String> = written.0.keys().filter_map(|path| unit_of(path)).collect();
    if units.is_empty() {
        return Ok(Some(String::new()));
    }
    let dirs = ["etc/systemd/system", "etc/units", "usr/share/units", "usr/lib/systemd/system"];
    let mut search_path = root.output("normal").display().to_string();
    for dir in dirs.map(|dir| root.path(dir)).iter().filter(|dir| dir.exists()) {
        search_path.push_str(&format!(":{}", dir.display()));
    }
    let output = Command::new("systemd-analyze")
        .args(["verify", "--man=no", "--generators=no", "--"])
        .args(&units)
        .env("SYSTEMD_UNIT_PATH", search_path)
        .env("SYSTEMD_LOG_TARGET", "console")
        .env("LC_ALL", "C")
        .output();
    match output {
        Ok(output) => Ok(Some(String::from_utf8_lossy(&output.stderr).into_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// `web@x.service` for `web@.service.d/zz-unitcell.conf`; nothing for types that are made by the kernel or by programs.
fn unit_of(path: &str) -> Option<String> {
    let unit = Path::new(path).parent()?.to_str()?.strip_suffix(".d")?.replace("@.", "@x.");
    (!unit.ends_with(".scope") && !unit.ends_with(".device")).then_some(unit)
}
