//! Carrying changes out: each is written down before it is made, and struck out after it was taken
//! back. So a crash anywhere leaves nothing that the ledger does not tell of.

use super::change::{Change, Made, changes, teardown};
use super::ledger::Ledger;
use super::scene::Scene;
use super::scene::moved::carried;
use super::shared::Shared;
use super::thing::Thing;
use super::{Error, Identity, Places};

/// One name, while it is worked upon.
#[derive(Debug)]
pub struct Carrier<'c> {
    /// Where.
    pub scene: Scene<'c>,
    places: &'c Places,
    name: &'c str,
    ledger: Ledger,
    /// Links that were not there before: nobody else has done anything to them.
    fresh: Vec<Thing>,
}

impl<'c> Carrier<'c> {
    /// Opens the ledger and the namespace, which is there. What the ledger tells of another
    /// namespace, which is gone, is taken back first.
    pub fn open(places: &'c Places, name: &'c str, identity: Identity) -> Result<Carrier<'c>, Error> {
        let mut ledger = Ledger::open(places, name)?;
        if ledger.about() != Some(identity) {
            let mut gone = Scene::open(places, name, false)?;
            for made in teardown(ledger.made(), true) {
                undo(places, name, &mut gone, made)?;
            }
            ledger.begin(identity)?;
        }
        Ok(Carrier { scene: Scene::open(places, name, true)?, places, name, ledger, fresh: Vec::new() })
    }

    /// Makes what is desired out of what there is.
    pub fn make(&mut self, desired: &[Thing]) -> Result<(), Error> {
        let made = self.ledger.made().to_vec();
        for change in changes(&made, desired) {
            match change {
                Change::Undo(made) => {
                    undo(self.places, self.name, &mut self.scene, made)?;
                    self.ledger.strike(&made.thing)?;
                }
                Change::Ensure(thing) => self.ensure(thing)?,
            }
        }
        self.scene.send()
    }

    /// Is it to be waited for?
    pub fn is_awaited(&self, thing: &Thing) -> bool {
        let of_thing = |made: &&Made| made.thing == *thing && matches!(thing, Thing::Moved { .. });
        self.ledger.made().iter().find(of_thing).is_none_or(|moved| carried(moved.before.as_deref()))
    }

    fn ensure(&mut self, thing: &Thing) -> Result<(), Error> {
        let mut shared = thing.shared_as().map(|key| Shared::open(self.places, &key)).transpose()?;
        let known = self.ledger.made().iter().find(|made| made.thing == *thing).cloned();
        let ours = match &shared {
            Some(shared) => shared.is_ours(),
            None => known.is_some(),
        };
        let fresh = self.fresh.iter().any(|link| thing.is_of(link));
        if !ours && !fresh && self.scene.is_there(thing)? {
            // Somebody else's, which `down` must not take away.
            return match known {
                Some(_) => self.ledger.strike(thing),
                None => Ok(()),
            };
        }
        let made = match known {
            Some(made) => made,
            None => {
                let made = Made { thing: thing.clone(), before: self.scene.before(thing)? };
                self.ledger.add(made.clone())?;
                self.fresh.extend(thing.is_new_link().then(|| thing.clone()));
                made
            }
        };
        if let Some(shared) = &mut shared {
            shared.join(self.name, &made)?;
        }
        self.scene.make(thing, made.before.as_deref())
    }
}

/// Takes back all that was made for a name, but for what goes with the namespace if that `goes`. Goes
/// on after an error; what could not be taken back stays in the ledger.
pub fn take_down<'c>(
    places: &'c Places,
    name: &'c str,
    pinned: Option<Identity>,
    goes: bool,
) -> Result<Parting<'c>, Error> {
    let ledger = Ledger::open(places, name)?;
    let there = pinned.is_some() && ledger.about() == pinned;
    let scene = Scene::open(places, name, there)?;
    let mut parting =
        Parting { places, name, scene, ledger, may_go: true, left: Vec::new(), going: Vec::new(), errors: Vec::new() };
    let made = parting.ledger.made().to_vec();
    for made in teardown(&made, goes || !there) {
        if there && goes && made.thing.is_pair() {
            parting.going.push(made.clone());
            continue;
        }
        let undone = parting.undo(made);
        parting.may_go &= undone || !(there && matches!(made.thing, Thing::Moved { .. }));
    }
    // Whatever is open in there keeps it alive.
    parting.scene.leave();
    Ok(parting)
}

/// A name that is taken down: what is left of it when the namespace goes.
#[derive(Debug)]
pub struct Parting<'c> {
    places: &'c Places,
    name: &'c str,
    scene: Scene<'c>,
    ledger: Ledger,
    /// A link that could not leave the namespace would be lost with it.
    pub may_go: bool,
    left: Vec<Made>,
    /// Pairs whose inner ends go with the namespace, and the outer ones with those. That takes the
    /// kernel far less time than to remove one while somebody waits.
    going: Vec<Made>,
    /// All that went wrong.
    pub errors: Vec<Error>,
}

impl Parting<'_> {
    fn undo(&mut self, made: &Made) -> bool {
        let undone = undo(self.places, self.name, &mut self.scene, made);
        if let Err(error) = undone {
            self.errors.push(error);
            self.left.insert(0, made.clone());
            return false;
        }
        true
    }

    /// The rest, once the namespace is off its pin: waits until the outer ends are gone. Those that
    /// stay, for somebody keeps the namespace alive, are removed.
    pub fn end(mut self) -> Vec<Error> {
        for made in std::mem::take(&mut self.going) {
            if self.may_go {
                self.errors.extend(self.scene.await_gone(&made.thing).err());
            }
            self.undo(&made);
        }
        self.errors.extend(self.ledger.keep(self.left).err());
        self.errors
    }
}

/// Takes one thing back, unless another name needs it, too.
fn undo(places: &Places, name: &str, scene: &mut Scene<'_>, made: &Made) -> Result<(), Error> {
    let Some(key) = made.thing.shared_as() else { return scene.undo(made) };
    let mut shared = Shared::open(places, &key)?;
    if let Some(made) = shared.last(name) {
        scene.undo(made)?;
    }
    shared.leave(name)
}
