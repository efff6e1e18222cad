//! What to do, given what was made before and what there should be. Pure.

use serde::{Deserialize, Serialize};

use super::thing::Thing;

/// A thing that was made, or was about to be when something went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// The thing.
    #[serde(flatten)]
    pub thing: Thing,
    /// How it was before, where that is more than nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
}

/// One change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change<'c> {
    /// Take it back.
    Undo(&'c Made),
    /// See that it is there. What is there already stays untouched, and so do its connections.
    Ensure(&'c Thing),
}

/// What turns what was made into what there should be: what is not wanted any more goes, the last
/// one first, and then all that is wanted comes, in order.
pub fn changes<'c>(made: &'c [Made], desired: &'c [Thing]) -> Vec<Change<'c>> {
    let undo = made.iter().rev().filter(|made| !desired.contains(&made.thing)).map(Change::Undo);
    undo.chain(desired.iter().map(Change::Ensure)).collect()
}

/// What takes everything back. If the namespace itself goes then, or is gone, what is in it goes
/// with it; but not before moved links are out. And with a pair of links goes what they have.
pub fn teardown(made: &[Made], namespace_goes: bool) -> Vec<&Made> {
    let with_namespace = |made: &Made| namespace_goes && made.thing.goes_with_namespace();
    let with_pair = |one: &Made| made.iter().any(|pair| one.thing.goes_with(&pair.thing));
    made.iter().rev().filter(|made| !with_namespace(made) && !with_pair(made)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::thing::Side;
    use super::*;
    use proptest::prelude::*;

    fn thing(number: u8) -> Thing {
        Thing::Up { side: Side::Host, link: number.to_string() }
    }

    /// A system with a ledger: each change writes the ledger first and the system after it, and
    /// takes things from the system first and from the ledger after it.
    #[derive(Default, Clone, Debug, PartialEq)]
    struct World {
        ledger: Vec<Made>,
        system: Vec<Thing>,
    }

    impl World {
        /// Goes towards what is desired, and is killed after `steps` single writes.
        fn go(&mut self, desired: &[Thing], mut steps: usize) {
            let ledger = self.ledger.clone();
            for change in changes(&ledger, desired) {
                for half in 0..2 {
                    if steps == 0 {
                        return;
                    }
                    steps -= 1;
                    match (change, half) {
                        (Change::Undo(made), 0) => self.system.retain(|thing| *thing != made.thing),
                        (Change::Undo(made), _) => self.ledger.retain(|other| other != made),
                        (Change::Ensure(thing), 0) if self.ledger.iter().all(|made| made.thing != *thing) => {
                            self.ledger.push(Made { thing: thing.clone(), before: None });
                        }
                        (Change::Ensure(thing), 1) if !self.system.contains(thing) => self.system.push(thing.clone()),
                        (Change::Ensure(_), _) => {}
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_was_cut_short_is_gone_on_from(
            first in prop::collection::vec(0u8..12, 0..8),
            second in prop::collection::vec(0u8..12, 0..8),
            cuts in prop::collection::vec(0usize..20, 0..4),
        ) {
            let things = |numbers: &[u8]| -> Vec<Thing> {
                let mut things: Vec<Thing> = Vec::new();
                for number in numbers {
                    if !things.contains(&thing(*number)) {
                        things.push(thing(*number));
                    }
                }
                things
            };
            let (first, second) = (things(&first), things(&second));
            let mut world = World::default();
            for (index, cut) in cuts.iter().enumerate() {
                world.go(if index % 2 == 0 { &first } else { &second }, *cut);
                prop_assert!(
                    world.system.iter().all(|thing| world.ledger.iter().any(|made| made.thing == *thing)),
                    "nothing is there that the ledger does not tell of"
                );
            }
            world.go(&second, usize::MAX);
            let mut there = world.system.clone();
            there.sort_by_key(|thing| second.iter().position(|wanted| wanted == thing));
            prop_assert_eq!(there, second);
            world.go(&[], usize::MAX);
            prop_assert_eq!(world, World::default());
        }
    }

    #[test]
    fn moved_links_leave_before_the_namespace_goes() {
        let made = |thing| Made { thing, before: None };
        let all = [
            made(Thing::Moved { name: "wg0".into() }),
            made(Thing::Up { side: Side::Inside, link: "wg0".into() }),
            made(Thing::Nat { side: Side::Host, sources: vec![] }),
        ];
        assert_eq!(teardown(&all, true), [&all[2], &all[0]]);
        assert_eq!(teardown(&all, false), [&all[2], &all[1], &all[0]]);
    }

    #[test]
    fn what_a_pair_has_goes_with_it() {
        let made = |thing| Made { thing, before: None };
        let (side, link, address) = (Side::Host, "ve-blue".to_owned(), "10.1.0.1/24".parse().unwrap());
        let pair = Thing::Veth {
            name: "eth0".into(),
            mac: [2, 0, 0, 0, 0, 1],
            side: side.clone(),
            host_name: link.clone(),
            host_mac: [2, 0, 0, 0, 0, 2],
        };
        let all = [
            made(pair),
            made(Thing::Up { side: side.clone(), link: link.clone() }),
            made(Thing::Address { side: side.clone(), link, address, detect: false, shared: false }),
            made(Thing::Address { side: side.clone(), link: "br0".into(), address, detect: false, shared: true }),
            made(Thing::Mtu { side, link: "eth9".into(), bytes: 1400 }),
        ];
        assert_eq!(teardown(&all, true), [&all[4], &all[3], &all[0]]);
    }

    #[test]
    fn a_line_of_the_ledger_reads_back() {
        for before in [None, Some("1".to_owned())] {
            let made = Made { thing: Thing::Nat { side: Side::Named("red".into()), sources: vec![] }, before };
            let line = serde_json::to_string(&made).unwrap();
            assert_eq!(serde_json::from_str::<Made>(&line).unwrap(), made, "{line}");
        }
    }
}
