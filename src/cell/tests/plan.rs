use proptest::prelude::*;

use super::super::arbitrary::{cell_lines, manager, managers, service_lines, unit, unit_with};
use super::super::command::KEYS;
use super::*;
use crate::cell::{Cell, Directive, Kind, Maker, ProtectControlGroups};
use crate::unit::{Location, Scope};

/// Keys that make or join a namespace.
const NATIVE: [&str; 9] = [
    "PrivateNetwork",
    "NetworkNamespacePath",
    "PrivateIPC",
    "IPCNamespacePath",
    "PrivateMounts",
    "PrivatePIDs",
    "PrivateUsers",
    "ProtectHostname",
    "ProtectControlGroups",
];

fn values<'p>(plan: &'p Plan, key: &str) -> Vec<&'p str> {
    plan.service_lines.iter().filter(|(other, _)| *other == key).map(|(_, value)| value.as_str()).collect()
}

proptest! {
    #[test]
    fn the_same_goes_to_the_same(service in service_lines(), lines in cell_lines(), manager in managers()) {
        let unit = unit_with(&service, &lines);
        prop_assert_eq!(format!("{:?}", plan(&unit, &manager)), format!("{:?}", plan(&unit, &manager)));
    }

    #[test]
    fn a_refused_plan_starts_nothing(service in service_lines(), lines in cell_lines(), manager in managers()) {
        let plan = plan(&unit_with(&service, &lines), &manager);
        if !plan.is_refused() {
            return Ok(());
        }
        prop_assert!(plan.unit_lines.is_empty());
        prop_assert!(plan.service_lines.iter().all(|(key, _)| !NATIVE.contains(key)));
        for key in KEYS.into_iter().filter(|key| !matches!(*key, "ExecStart" | "ExecReloadPost")) {
            prop_assert_eq!(values(&plan, key), [""], "{}", key);
        }
        let starts = values(&plan, "ExecStart");
        prop_assert!(
            matches!(starts[..], ["", refusal] if refusal.starts_with(":+/usr/bin/unitcell-exec \"--refuse=")),
            "{starts:?}"
        );
    }

    #[test]
    fn what_is_native_stays_native(service in service_lines(), lines in cell_lines(), version in 252_u32..262) {
        let unit = unit_with(&service, &lines);
        let on = |version| plan(&unit, &manager(version, Scope::System)).decisions;
        for (older, newer) in on(version).iter().zip(on(version + 1)) {
            prop_assert_eq!(older.directive, newer.directive);
            if older.maker == Some(Maker::Native) {
                prop_assert_eq!(newer.maker, Some(Maker::Native), "{} from {} on", older.directive, version);
            }
        }
    }

    #[test]
    fn every_namespace_is_made_or_verified_by_the_wrapper(
        service in service_lines(), lines in cell_lines(), manager in managers(),
    ) {
        let unit = unit_with(&service, &lines);
        let cell = Cell { held: manager.scope == Scope::User, ..Cell::of_unit(&unit).0 };
        let plan = plan(&unit, &manager);
        if plan.is_refused() || cell.is_empty() {
            return Ok(());
        }
        let starts = values(&plan, "ExecStart");
        let command = starts.last().unwrap();
        for kind in Kind::ALL.into_iter().filter(|&kind| cell.source(kind).is_some()) {
            let made = cell.assigned.iter().any(|assigned| {
                assigned.directive.shapes(kind, &cell) && command.contains(&format!("--{}=", assigned.directive.flag))
            });
            let verified = command.contains(&format!("--verify={}:", kind.proc_name()));
            // A read-only cgroup tree is proved by the mount namespace that systemd made for it.
            let of_another = kind == Kind::Mount && cell.protect_control_groups == ProtectControlGroups::Yes;
            prop_assert!(made != verified || made && of_another, "{kind}: {command}");
        }
        // Who makes anything needs the privilege to, and is held by what the wrapper then drops.
        let sets_up = plan.decisions.iter().any(|decision| decision.maker == Some(Maker::Wrapper));
        let sets_up = sets_up || command.contains(" --sysfs=/sys ");
        prop_assert_eq!(command.starts_with('!'), sets_up, "{}", command);
    }

    #[test]
    fn no_namespace_has_two_makers(service in service_lines(), lines in cell_lines(), manager in managers()) {
        let unit = unit_with(&service, &lines);
        let (cell, _) = Cell::of_unit(&unit);
        let plan = plan(&unit, &manager);
        for kind in Kind::ALL {
            let of_kind = |decision: &&Decision| {
                let directive = Directive::by_name(decision.directive).unwrap();
                directive.kind == Some(kind)
            };
            let makers: Vec<Option<Maker>> = plan.decisions.iter().filter(of_kind).map(|one| one.maker).collect();
            prop_assert!(makers.windows(2).all(|pair| pair[0] == pair[1]), "{kind}: {:?}", cell.assigned);
        }
    }
}

#[test]
fn a_unit_without_a_cell_is_left_alone() {
    let plan = plan(&unit("[Service]\nExecStart=/usr/bin/payload\n"), &manager(252, Scope::System));
    assert!(plan.is_empty() && !plan.is_refused() && plan.decisions.is_empty());
}

#[test]
fn a_cell_that_asks_for_nothing_is_left_alone() {
    let plan = plan(&unit_with(&[], &["PrivateNetwork=no", "Isolation=try"]), &manager(252, Scope::System));
    assert!(plan.is_empty());
    assert_eq!(plan.decisions.len(), 2);
}

#[test]
fn one_part_by_the_wrapper_takes_the_whole_namespace_along() {
    // systemd 262 can set the host name, but nobody but the wrapper the domain name.
    let plan = plan(&unit_with(&[], &["Hostname=web", "Domainname=nis"]), &manager(262, Scope::System));
    assert!(plan.decisions.iter().all(|decision| decision.maker == Some(Maker::Wrapper)));
    assert!(values(&plan, "ProtectHostname").is_empty());
}

#[test]
fn the_wrapper_makes_the_user_namespace_whenever_it_makes_another() {
    let on = |version| plan(&unit_with(&[], &["PrivateUsers=self", "Hostname=web"]), &manager(version, Scope::System));
    assert_eq!(values(&on(262), "PrivateUsers"), ["yes"]);
    let older = on(252);
    assert!(values(&older, "PrivateUsers").is_empty());
    assert!(values(&older, "ExecStart")[1].contains("--private-users=self"));
}

#[test]
fn refusals_survive_specifiers_and_variables() {
    let path = Path::new("/etc/systemd/system/50% $HOME.service");
    let at = Location::start(&Arc::from(path));
    let finding = Finding::error(Some(at), "\"no\" \\ good", "mend it");
    let name = UnitName::new("web.service").unwrap();
    let lines = Plan::refusing(&name, "/usr/bin/unitcell-exec", vec![finding]).service_lines;
    assert_eq!(
        lines.last(),
        Some(&(
            "ExecStart",
            ":+/usr/bin/unitcell-exec \"--refuse=/etc/systemd/system/50%% $HOME.service:1:1: \
             \\\"no\\\" \\\\ good; mend it\""
                .to_owned()
        ))
    );
}

#[test]
fn a_wrong_value_is_all_that_is_told() {
    // That the other map is missing, too, would send the reader astray.
    let plan = plan(&unit_with(&[], &["UIDMap=0:1", "GIDMap=0:1:1"]), &manager(252, Scope::System));
    let messages: Vec<&str> = plan.findings.iter().map(|finding| finding.message.as_str()).collect();
    assert!(matches!(messages[..], [message] if message.starts_with("UIDMap=0:1: ")), "{messages:?}");
}
