use proptest::prelude::*;

use super::super::arbitrary::{cell, cell_lines};
use super::*;
use crate::cell::capability::CapabilitySet;
use crate::cell::system_calls::DeniedCalls;

fn identities() -> impl Strategy<Value = Identity> {
    (any::<[bool; 7]>(), any::<u64>()).prop_map(|(has, bits)| Identity {
        user: has[0].then(|| "web".to_owned()),
        group: has[1].then(|| "www".to_owned()),
        supplementary_groups: if has[2] { vec!["a".to_owned()] } else { Vec::new() },
        bounding: has[3].then_some(CapabilitySet(bits)),
        ambient: if has[4] { CapabilitySet(bits) } else { CapabilitySet::EMPTY },
        drop_ambient: has[3],
        secure_bits: has[5].then_some(1),
        no_new_privileges: has[6],
        restrict_namespaces: has[5].then(|| Kinds::from_iter([Kind::Ipc])),
        denied_calls: if has[4] { vec![DeniedCalls::parse("~mount:EPERM").unwrap()] } else { Vec::new() },
    })
}

fn circumstances() -> impl Strategy<Value = Circumstances> {
    any::<[bool; 4]>().prop_map(|[verify, hand_over, ready, privileged]| {
        let step = Step::Verify { kind: Kind::Network, manager: 1, directives: "PrivateNetwork=".to_owned() };
        Circumstances {
            verify: if verify { vec![step] } else { Vec::new() },
            hand_over,
            ready,
            privileged,
            ..Circumstances::default()
        }
    })
}

/// Looks, and changes nothing.
fn only_looks(step: &Step) -> bool {
    matches!(
        step,
        Step::Verify { .. } | Step::ProtectProgram | Step::LookUpUser | Step::Open(..) | Step::MakeUserNamespace(_)
    )
}

fn enters_user_namespace(step: &Step) -> bool {
    matches!(step, Step::Join(Kind::User))
}

/// The namespaces that a step puts the process into.
fn gains(step: &Step) -> Kinds {
    match step {
        Step::Unshare(_) | Step::Join(_) => step.kinds(),
        _ => Kinds::NONE,
    }
}

/// systemd's order of dropping privilege; none for all other steps.
fn rank(step: &Step) -> Option<u32> {
    Some(match step {
        Step::SetGroups => 1,
        Step::RestrictNamespaces(_) => 2,
        Step::LimitCapabilities(_) => 3,
        Step::SetUser => 4,
        Step::DropAmbient => 5,
        Step::RaiseAmbient(_) => 6,
        Step::KeepCapabilities => 7,
        Step::SetSecureBits(_) => 8,
        Step::NoNewPrivileges => 9,
        Step::CheckDirectory | Step::EnterDirectory(_) => 10,
        Step::KeepSession => 11,
        Step::Ready => 12,
        Step::FindCommand => 13,
        Step::DenyCalls(_) => 14,
        Step::Exec => 15,
        _ => return None,
    })
}

proptest! {
    #[test]
    fn order(lines in cell_lines(), identity in identities(), circumstances in circumstances()) {
        let Some(cell) = cell(&lines) else { return Ok(()) };
        let list = steps(&cell, &identity, &circumstances);

        // Exec is last, and there once.
        prop_assert_eq!(list.iter().position(|step| *step == Step::Exec), Some(list.len() - 1));

        // All paths are opened, and all names looked up, before anything changes.
        let first_change = list.iter().position(|step| !only_looks(step)).unwrap();
        prop_assert!(!list[first_change..].iter().any(only_looks), "{list:?}");

        // What needs a namespace comes after it, and no namespace is entered twice.
        let mut held = Kinds::NONE;
        for step in &list {
            prop_assert!(step.needs().without(held).is_empty(), "{step:?} in {list:?}");
            let gained = gains(step);
            prop_assert!(gained.without(held) == gained, "{step:?} in {list:?}");
            held = held.with(gained);
            if let Step::Join(kind) = step {
                let opens = |other: &Step| match other {
                    Step::Open(opened, _) => opened == kind,
                    Step::MakeUserNamespace(_) => *kind == Kind::User,
                    _ => false,
                };
                prop_assert_eq!(list.iter().filter(|other| opens(other)).count(), 1);
            }
        }

        // Nothing of the cell is left out.
        for kind in Kind::ALL {
            if cell.source(kind).is_some() {
                prop_assert!(held.contains(kind), "{kind} is missing in {list:?}");
            }
        }

        // The user namespace has a step of its own: first without privilege, last with it.
        prop_assert!(list.iter().all(|step| !matches!(step, Step::Unshare(kinds) if kinds.contains(Kind::User))));
        if let Some(enters) = list.iter().position(enters_user_namespace) {
            if circumstances.privileged {
                prop_assert!(list[enters + 1..].iter().all(|step| rank(step).is_some()), "{list:?}");
            } else {
                prop_assert_eq!(enters, first_change, "{:?}", list);
            }
        }

        // Privilege goes in systemd's order, behind all that needs it.
        let ranks: Vec<u32> = list.iter().filter_map(rank).collect();
        prop_assert!(ranks.is_sorted_by(|a, b| a < b), "{list:?}");
        if let Some(first) = list.iter().position(|step| rank(step).is_some()) {
            prop_assert!(
                list[first..].iter().all(|step| rank(step).is_some() || enters_user_namespace(step)),
                "{list:?}"
            );
        }

        // One call makes all namespaces, or each has its own when one may be missing.
        let made: Vec<Kinds> =
            list.iter().filter_map(|step| if let Step::Unshare(kinds) = step { Some(*kinds) } else { None }).collect();
        match cell.isolation {
            Isolation::Require => prop_assert!(made.len() <= 1),
            Isolation::Try => prop_assert!(made.iter().all(|kinds| kinds.iter().count() == 1)),
        }

        // Mounts reach the host at no time, and each other again at the end.
        let at = |wanted: &Step| list.iter().position(|step| step == wanted);
        let mounting = |step: &Step| {
            matches!(
                step,
                Step::MountSys
                    | Step::MountCgroup { .. }
                    | Step::MountMqueue
                    | Step::MountProc
                    | Step::Prepare(_)
                    | Step::EnterRoot(_)
                    | Step::Mount(_)
                    | Step::ReturnToDirectory
            )
        };
        for (i, step) in list.iter().enumerate().filter(|(_, step)| mounting(step)) {
            prop_assert!(at(&Step::DetachMounts(Propagation::Shared)).is_some_and(|detached| detached < i), "{step:?} in {list:?}");
            prop_assert!(at(&Step::ShareMounts).is_some_and(|shared| shared > i), "{step:?} in {list:?}");
        }
    }

    #[test]
    fn every_step_says_what_it_does(lines in cell_lines(), identity in identities(), circumstances in circumstances()) {
        let Some(cell) = cell(&lines) else { return Ok(()) };
        for step in steps(&cell, &identity, &circumstances) {
            let text = step.to_string();
            prop_assert!(!text.is_empty() && !text.contains('\n'), "{text:?}");
            // Whatever is about a namespace is also about a directive that can be named.
            let status = step.exit_status() as u8;
            prop_assert!(status >= 200, "{step:?} has the exit status {status}");
        }
    }
}

#[test]
fn nothing_asked_is_nothing_done() {
    assert_eq!(steps(&Cell::default(), &Identity::default(), &Circumstances::default()), [Step::Exec]);
}

#[test]
fn maps_of_ids_are_systemds() {
    let maps = |line: &str| {
        let cell = cell(&[line]).unwrap();
        let circumstances = Circumstances { privileged: true, ..Circumstances::default() };
        let list = steps(&cell, &Identity::default(), &circumstances);
        list.into_iter().find_map(|step| if let Step::MakeUserNamespace(maps) = step { Some(maps) } else { None })
    };
    let all = |count, deny_setgroups| {
        let range = vec![IdRange { inside: 0, outside: 0, count }];
        Some(IdMaps::Ranges { uids: range.clone(), gids: range, deny_setgroups })
    };
    assert_eq!(maps("PrivateUsers=self"), Some(IdMaps::SelfOnly));
    assert_eq!(maps("PrivateUsers=identity"), all(65536, true));
    // One extent, `0 0 4294967295`.
    assert_eq!(maps("PrivateUsers=full"), all(u32::MAX, false));
}

#[test]
fn groups_are_set_on_the_side_that_their_ids_mean() {
    let position = |lines: &[&str], wanted: fn(&Step) -> bool| {
        let identity = Identity { user: Some("web".to_owned()), ..Identity::default() };
        let circumstances = Circumstances { privileged: true, ..Circumstances::default() };
        steps(&cell(lines).unwrap(), &identity, &circumstances).iter().position(wanted).unwrap()
    };
    let groups = |step: &Step| *step == Step::SetGroups;
    let maps = ["UIDMap=0:100000:65536", "GIDMap=0:100000:65536"];
    assert!(position(&maps, groups) > position(&maps, enters_user_namespace), "inside");
    let same = ["PrivateUsers=self"];
    assert!(position(&same, groups) < position(&same, enters_user_namespace), "outside");
}

#[test]
fn exit_statuses_are_those_of_systemd_exec() {
    let status = |step: Step| step.exit_status() as u8;
    assert_eq!(status(Step::Exec), 203);
    assert_eq!(status(Step::SetGroups), 216);
    assert_eq!(status(Step::SetUser), 217);
    assert_eq!(status(Step::LookUpUser), 217);
    assert_eq!(status(Step::RaiseAmbient(CapabilitySet::FULL)), 218);
    assert_eq!(status(Step::LoopbackUp), 225);
    assert_eq!(status(Step::Join(Kind::Network)), 225);
    assert_eq!(status(Step::Unshare(Kinds::from_iter([Kind::Network]))), 225);
    assert_eq!(status(Step::Unshare(Kinds::from_iter([Kind::Network, Kind::Uts]))), 226);
    assert_eq!(status(Step::Open(Kind::Mount, "/x".to_owned())), 226);
    assert_eq!(status(Step::NoNewPrivileges), 227);
    assert_eq!(status(Step::SetSecureBits(1)), 213);
    assert_eq!(status(Step::LockHostname), 228);
    assert_eq!(status(Step::CheckDirectory), 200);
}
