//! Carrying changes out: each is written down before it is made, and struck out after it was taken
//! back. So a crash anywhere leaves nothing that the ledger does not tell of.

use super::change::{Change, Made, changes, teardown};
use super::ledger::Ledger;
use super::scene::Scene;
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
        Ok(Carrier { scene: Scene::open(places, name, true)?, places, name, ledger })
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
        Ok(())
    }

    fn ensure(&mut self, thing: &Thing) -> Result<(), Error> {
        let mut shared = thing.shared_as().map(|key| Shared::open(self.places, &key)).transpose()?;
        let known = self.ledger.made().iter().find(|made| made.thing == *thing).cloned();
        let ours = match &shared {
            Some(shared) => shared.is_ours(),
            None => known.is_some(),
        };
        if !ours && self.scene.is_there(thing)? {
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
                made
            }
        };
        if let Some(shared) = &mut shared {
            shared.join(self.name, &made)?;
        }
        self.scene.make(thing, made.before.as_deref())
    }
}

/// Takes back all that was made for a name, but for what goes with the namespace if that goes.
/// Goes on after an error; what could not be taken back stays in the ledger. The result says
/// whether the namespace may go: a link that could not leave it would be lost.
pub fn take_down(places: &Places, name: &str, pinned: Option<Identity>, goes: bool) -> (bool, Vec<Error>) {
    let opened = Ledger::open(places, name).and_then(|ledger| {
        let there = pinned.is_some() && ledger.about() == pinned;
        Ok((ledger, there, Scene::open(places, name, there)?))
    });
    let (mut ledger, there, mut scene) = match opened {
        Ok(opened) => opened,
        Err(error) => return (false, vec![error]),
    };
    let (mut may_go, mut errors, mut left) = (true, Vec::new(), Vec::new());
    for made in teardown(ledger.made(), goes || !there) {
        if let Err(error) = undo(places, name, &mut scene, made) {
            may_go &= !(there && matches!(made.thing, Thing::Moved { .. }));
            errors.push(error);
            left.insert(0, made.clone());
        }
    }
    errors.extend(ledger.keep(left).err());
    (may_go, errors)
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
