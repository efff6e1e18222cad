//! What the generator has no reason to say: the unit starts as it is, but perhaps not as was meant.

use std::fs;
use std::path::Path;

use super::Severity;
use crate::cell::native::native_line;
use crate::cell::{Cell, DIRECTIVES, Directive, Maker, Manager, SECTION};
use crate::cli::subject::Subject;
use crate::netns::description::{directories, read};
use crate::unit::words::escape_specifiers;
use crate::unit::{Assignment, Location, Unit};

/// One thing to say.
#[derive(Debug, PartialEq, Eq)]
pub struct Advice {
    pub severity: Severity,
    pub at: Option<Location>,
    pub message: String,
    pub remedy: String,
}

impl Advice {
    fn warning(at: Option<Location>, message: impl Into<String>, remedy: impl Into<String>) -> Advice {
        Advice { severity: Severity::Warning, at, message: message.into(), remedy: remedy.into() }
    }

    fn hint(at: Option<Location>, message: impl Into<String>, remedy: impl Into<String>) -> Advice {
        Advice { severity: Severity::Hint, at, message: message.into(), remedy: remedy.into() }
    }
}

/// Where the units are judged.
#[derive(Debug)]
pub struct Surroundings<'s> {
    pub manager: &'s Manager,
    pub root: &'s Path,
    /// Is it this machine, under the manager that runs?
    pub live: bool,
}

/// All there is to say about a unit.
pub fn advice(subject: &Subject, unit: &Unit, surroundings: &Surroundings) -> Vec<Advice> {
    let mut all = Vec::new();
    if unit.masked {
        all.push(Advice::warning(None, "the unit is masked: it never starts", ""));
        return all;
    }
    all.extend(sections(unit));
    all.extend(misplaced(unit, surroundings.manager));
    if !subject.has_cell() {
        all.push(Advice::warning(None, format!("the unit has no [{SECTION}] section: it starts without a cell"), ""));
        return all;
    }
    if subject.plan.is_refused() {
        return all;
    }
    let (cell, _) = Cell::of_unit(unit);
    all.extend(native_alone(subject, surroundings.manager));
    all.extend(signals(unit, &cell));
    all.extend(numbers_inside(unit, &cell));
    all.extend(name_servers(&cell, surroundings.root));
    if surroundings.live {
        all.extend(in_force(subject));
    }
    all.extend(assertion(subject, unit));
    all
}

/// Sections whose name is nearly ours: nobody reads them.
fn sections(unit: &Unit) -> Vec<Advice> {
    let bare = |name: &str| name.to_ascii_lowercase().trim_start_matches("x-").replace(['-', '_'], "");
    let nearly = |section: &str| section != SECTION && bare(section) == bare(SECTION);
    let mut seen: Vec<&str> = Vec::new();
    let mut all = Vec::new();
    for line in &unit.assignments {
        if nearly(&line.section) && !seen.contains(&line.section.as_str()) {
            seen.push(&line.section);
            let message = format!("nobody reads the section [{}]: what it asks for is not done", line.section);
            all.push(Advice::warning(Some(line.at.clone()), message, format!("write [{SECTION}]")));
        }
    }
    all
}

/// Our directives in sections of systemd's, which passes over what it does not know.
fn misplaced(unit: &Unit, manager: &Manager) -> Vec<Advice> {
    let has_it = |directive: &Directive, line: &Assignment| {
        let mut cell = Cell::default();
        let understood = (directive.set)(&mut cell, &line.value).is_ok();
        // `PrivatePIDs=no` is done wherever it stands.
        line.section == "Service"
            && understood
            && (cell.is_empty()
                || (is_key_of_systemd(directive, &cell) && directive.native.had_by(manager.version, &cell)))
    };
    let of_systemd = ["Unit", "Service", "Install"];
    let foreign = unit.assignments.iter().filter(|line| of_systemd.contains(&line.section.as_str()));
    let known = foreign.filter_map(|line| Some((line, Directive::by_name(&line.key)?)));
    known
        .filter(|(line, directive)| !line.value.is_empty() && !has_it(directive, line))
        .map(|(line, _)| {
            let message = format!(
                "{}={} in [{}] is passed over by systemd {}, or not all of it is done",
                line.key, line.value, line.section, manager.version
            );
            Advice::warning(Some(line.at.clone()), message, format!("move it to [{SECTION}]"))
        })
        .collect()
}

/// Has systemd the directive under the same name? For Hostname= it is another one that does it.
fn is_key_of_systemd(directive: &Directive, cell: &Cell) -> bool {
    let key = directive.kind.and_then(|kind| native_line(cell, kind)).map(|(key, _)| key);
    key == Some(directive.name)
}

/// Where systemd has all of it, the section adds but the proof.
fn native_alone(subject: &Subject, manager: &Manager) -> Option<Advice> {
    let decisions = &subject.plan.decisions;
    let native = |name: &str| DIRECTIVES.iter().any(|directive| directive.name == name && directive.kind.is_some());
    let made: Vec<_> = decisions.iter().filter(|decision| native(decision.directive)).collect();
    let all =
        !made.is_empty() && made.len() == decisions.len() && made.iter().all(|one| one.maker == Some(Maker::Native));
    // A name is ours alone, whoever joins the namespace.
    let ours = made.iter().any(|decision| decision.directive == "NetworkNamespace");
    (all && !ours).then(|| {
        let names: Vec<String> = made.iter().map(|decision| format!("{}=", decision.directive)).collect();
        Advice::hint(
            made[0].at.clone(),
            format!("systemd {} has {} itself: this section adds the proof that it was done", manager.version, names.join(", ")),
            "keep it where a namespace that can't be had must stop the start, or where older systemd runs the unit, too",
        )
    })
}

/// PID 1 of a PID namespace gets no signal that it has no handler for.
fn signals(unit: &Unit, cell: &Cell) -> Option<Advice> {
    let is_first = cell.private_pids && !cell.init;
    let setting = |key| unit.last("Service", key).map(|line| line.value.as_str());
    let never_asked = setting("KillSignal").is_some_and(|signal| matches!(signal, "SIGKILL" | "KILL" | "9"))
        || setting("KillMode") == Some("none");
    (is_first && !never_asked).then(|| {
        let signal = setting("KillSignal").unwrap_or("SIGTERM");
        Advice::hint(
            cell.location("PrivatePIDs"),
            format!(
                "as PID 1 of its namespace the service gets no {signal} unless it has a handler for it: \
                 a stop takes TimeoutStopSec= then, and ends with SIGKILL"
            ),
            "where the program has no handler, add Init=yes, or set KillSignal=SIGKILL",
        )
    })
}

/// Without an init nothing stays beside the service that could translate what it tells systemd.
fn numbers_inside(unit: &Unit, cell: &Cell) -> Option<Advice> {
    let service_type = unit.last("Service", "Type").map(|line| line.value.as_str());
    let speaks = matches!(service_type, Some("notify" | "notify-reload"));
    (cell.private_pids && !cell.init && speaks).then(|| {
        Advice::hint(
            cell.location("PrivatePIDs"),
            "a MAINPID= that the service tells systemd is passed over: it is a number inside of the PID namespace",
            "where the service tells of another main process, add Init=yes",
        )
    })
}

/// A resolver on the host's loopback can't be reached from another network namespace.
fn name_servers(cell: &Cell, root: &Path) -> Option<Advice> {
    let name = cell.network_namespace.as_ref()?;
    let below = |path: &str| root.join(path.trim_start_matches('/'));
    let own = [format!("/etc/netns/{name}/resolv.conf"), format!("/run/unitcell/netns/{name}/resolv.conf")];
    if own.iter().any(|path| below(path).exists()) {
        return None;
    }
    if read(&directories(root), name).0.is_some_and(|description| !description.general.dns.is_empty()) {
        return None;
    }
    let text = fs::read_to_string(below("/etc/resolv.conf")).ok()?;
    let server = |line: &str| {
        let server = line.strip_prefix("nameserver")?.trim();
        (server.starts_with("127.") || server == "::1").then(|| server.to_owned())
    };
    let server = text.lines().find_map(server)?;
    Some(Advice::warning(
        cell.location("NetworkNamespace"),
        format!(
            "/etc/resolv.conf names {server}, which is another one in the network namespace {name}: no host name is found there"
        ),
        format!("set DNS= in [NetworkNamespace] of /etc/unitcell/{name}.netns, or write /etc/netns/{name}/resolv.conf"),
    ))
}

/// Since the last daemon-reload the files may have changed, or a drop-in have come that wins over ours.
fn in_force(subject: &Subject) -> Option<Advice> {
    let (path, text) = subject.dropin.as_ref()?;
    let there = fs::read_to_string(path).ok();
    (there.as_ref() != Some(text)).then(|| {
        let what = match there {
            None => "the drop-in that carries the cell is not there",
            Some(_) => "the drop-in that carries the cell is not the one that these files come to",
        };
        Advice::warning(
            None,
            format!("{what} ({}): the unit starts as it was when systemd last read its files", path.display()),
            "`systemctl daemon-reload`; if that does not help, `unitcell doctor` tells whether the generator runs",
        )
    })
}

/// Nothing that a generator writes can help where the generator itself is gone.
fn assertion(subject: &Subject, unit: &Unit) -> Option<Advice> {
    let (path, _) = subject.dropin.as_ref()?;
    let path = escape_specifiers(&path.display().to_string());
    let guarded = unit.list("Unit", "AssertPathExists").iter().any(|line| line.value.contains("zz-unitcell.conf"));
    (!guarded).then(|| {
        Advice::hint(
            None,
            "should unitcell-generator ever be missing, the service would start without its cell",
            format!("to rule that out, add to [Unit]: AssertPathExists={path}"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::{Kind, plan};
    use crate::unit::{Scope, UnitName};

    fn manager(version: u32) -> Manager {
        Manager {
            version,
            scope: Scope::System,
            namespaces: Kind::ALL.into_iter().map(|kind| (kind, 1)).collect(),
            privileged: true,
            wrapper: "/usr/bin/unitcell-exec".to_owned(),
        }
    }

    /// The messages and remedies about a unit with this text, `ExecStart=` and all.
    fn about(text: &str, version: u32, root: &Path) -> String {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("web.service");
        fs::write(&file, format!("[Service]\nExecStart=true\n{text}")).unwrap();
        let unit = Unit::from_file(&file).unwrap();
        let manager = manager(version);
        let plan = plan(&unit, &manager);
        let dropin = (!plan.is_empty()).then(|| ("/run/x.conf".into(), String::new()));
        let subject = Subject { name: UnitName::new("web.service").unwrap(), unit: Some(unit.clone()), plan, dropin };
        let surroundings = Surroundings { manager: &manager, root, live: false };
        let all = advice(&subject, &unit, &surroundings);
        let line = |one: &Advice| {
            let line = one.at.as_ref().map_or(0, |at| at.line);
            format!("{line}: {}; {}\n", one.message, one.remedy)
        };
        all.iter().map(line).collect()
    }

    fn on(text: &str, version: u32) -> String {
        about(text, version, Path::new("/nowhere"))
    }

    #[test]
    fn a_section_that_nobody_reads_is_found() {
        for section in ["Unitcell", "X-UnitCell", "x-unitcell", "X-Unit-Cell"] {
            let text = on(&format!("[{section}]\nHostname=web\nPrivateIPC=yes\n"), 257);
            assert!(text.starts_with(&format!("4: nobody reads the section [{section}]")), "{text}");
            assert_eq!(text.matches("nobody reads").count(), 1, "{text}");
        }
        assert!(!on("[X-Other]\nHostname=web\n", 257).contains("nobody reads"));
    }

    #[test]
    fn a_directive_that_systemd_passes_over_is_found_in_its_section() {
        for (line, version) in
            [("PrivatePIDs=yes", 252), ("Hostname=web", 262), ("PrivateUsers=identity", 252), ("ReadyWhen=tcp:80", 262)]
        {
            let text = on(&format!("{line}\n"), version);
            assert!(text.contains(&format!("3: {line} in [Service] is passed over by systemd {version}")), "{text}");
            assert!(text.contains("move it to [X-Unitcell]"), "{text}");
        }
        for (line, version) in [
            ("PrivateNetwork=yes", 252),
            ("PrivateUsers=identity", 257),
            ("ProtectHostname=yes", 252),
            ("PrivatePIDs=", 252),
        ] {
            assert!(!on(&format!("{line}\n"), version).contains("passed over"), "{line} on {version}");
        }
        assert!(on("[Unit]\nPrivateNetwork=yes\n", 262).contains("in [Unit] is passed over"));
    }

    #[test]
    fn a_first_process_that_no_signal_reaches_is_pointed_out() {
        assert!(on("[X-Unitcell]\nPrivatePIDs=yes\n", 252).contains("gets no SIGTERM"));
        assert!(on("KillSignal=SIGINT\n[X-Unitcell]\nPrivatePIDs=yes\n", 262).contains("gets no SIGINT"));
        for quiet in [
            "KillSignal=SIGKILL\n[X-Unitcell]\nPrivatePIDs=yes\n",
            "[X-Unitcell]\nPrivatePIDs=yes\nInit=yes\n",
            "[X-Unitcell]\nPrivateIPC=yes\n",
        ] {
            assert!(!on(quiet, 252).contains("has a handler"), "{quiet}");
        }
    }

    #[test]
    fn a_number_that_systemd_can_t_take_is_pointed_out() {
        assert!(on("Type=notify\n[X-Unitcell]\nPrivatePIDs=yes\n", 252).contains("MAINPID= that the service tells"));
        for quiet in ["[X-Unitcell]\nPrivatePIDs=yes\n", "Type=notify\n[X-Unitcell]\nInit=yes\n"] {
            assert!(!on(quiet, 252).contains("MAINPID="), "{quiet}");
        }
    }

    #[test]
    fn a_resolver_out_of_reach_is_found_unless_there_is_another() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let found =
            || about("[X-Unitcell]\nNetworkNamespace=blue\n", 252, root.path()).contains("no host name is found");
        assert!(!found(), "nobody knows");
        write("run/systemd/resolve/stub-resolv.conf", "# stub\nnameserver 127.0.0.53\n");
        fs::create_dir_all(root.path().join("etc")).unwrap();
        std::os::unix::fs::symlink("../run/systemd/resolve/stub-resolv.conf", root.path().join("etc/resolv.conf"))
            .unwrap();
        assert!(found());
        write("etc/unitcell/blue.netns", "[NetworkNamespace]\nDNS=10.200.0.1\n");
        assert!(!found());
        fs::remove_file(root.path().join("etc/unitcell/blue.netns")).unwrap();
        write("etc/netns/blue/resolv.conf", "nameserver 10.0.0.1\n");
        assert!(!found());
    }

    #[test]
    fn what_systemd_has_itself_is_told() {
        assert!(
            on("[X-Unitcell]\nPrivateNetwork=yes\nPrivateIPC=yes\n", 252)
                .contains("systemd 252 has PrivateNetwork=, PrivateIPC= itself")
        );
        assert!(on("[X-Unitcell]\nHostname=web\n", 262).contains("systemd 262 has Hostname= itself"));
        for text in [
            "[X-Unitcell]\nHostname=web\n",
            "[X-Unitcell]\nPrivateNetwork=yes\nTimeOffsetBoottime=1d\n",
            "[X-Unitcell]\nNetworkNamespace=blue\n",
        ] {
            assert!(!on(text, 252).contains("itself"), "{text}");
        }
    }

    #[test]
    fn the_assertion_is_proposed_once() {
        assert!(on("[X-Unitcell]\nHostname=web\n", 252).contains("AssertPathExists=/run/x.conf"));
        let guarded =
            "[Unit]\nAssertPathExists=/run/systemd/generator/%n.d/zz-unitcell.conf\n[X-Unitcell]\nHostname=web\n";
        assert!(!on(guarded, 252).contains("to rule that out"));
    }
}
