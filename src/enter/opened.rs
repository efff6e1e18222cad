//! Namespaces that are open, and the order in which they are entered.

use std::io;

use super::{Error, Target};
use crate::cell::{Kind, Kinds};
use crate::sys::namespace::{self, Namespace};

/// The namespaces to enter.
#[derive(Debug, Default)]
pub struct Opened {
    /// The target's, all at once by its descriptor.
    pub of_target: Kinds,
    /// By a file of each.
    pub files: Vec<(Kind, Namespace)>,
}

impl Opened {
    /// Of which types they are.
    pub fn kinds(&self) -> Kinds {
        self.of_target.with(self.files.iter().map(|(kind, _)| *kind).collect())
    }

    /// The last one that was asked for counts.
    pub fn put(&mut self, kind: Kind, namespace: Namespace) {
        self.of_target.remove(kind);
        self.files.retain(|(other, _)| *other != kind);
        self.files.push((kind, namespace));
    }

    /// Enters them all. A user namespace comes last where that gives privilege up, and first where
    /// it gives some; which it is, the kernel knows.
    pub fn enter(self, target: Option<&Target>) -> Result<(), Error> {
        let of_target = target.filter(|_| !self.of_target.is_empty());
        if let (Some(target), []) = (of_target, self.files.as_slice())
            && namespace::enter_of(target.pidfd(), self.of_target.clone_flags()).is_ok()
        {
            return Ok(());
        }
        let user = Kinds::from_iter([Kind::User]);
        let mut groups: Vec<Group> =
            self.files.into_iter().map(|(kind, namespace)| Group::File(kind, namespace)).collect();
        if let Some(target) = of_target {
            let others = self.of_target.without(user);
            let parts = [others, self.of_target.without(others)];
            groups.extend(
                parts.into_iter().filter(|kinds| !kinds.is_empty()).map(|kinds| Group::OfTarget(target, kinds)),
            );
        }
        let (user, others): (Vec<_>, Vec<_>) = groups.into_iter().partition(|group| group.kinds().contains(Kind::User));
        let refused: Vec<Group> = others.into_iter().filter(|group| group.enter().is_err()).collect();
        user.iter().chain(&refused).try_for_each(Group::enter_each)
    }
}

/// Namespaces that are entered by one call.
#[derive(Debug)]
enum Group<'t> {
    OfTarget(&'t Target, Kinds),
    File(Kind, Namespace),
}

impl Group<'_> {
    fn kinds(&self) -> Kinds {
        match self {
            Group::OfTarget(_, kinds) => *kinds,
            Group::File(kind, _) => Kinds::from_iter([*kind]),
        }
    }

    fn enter(&self) -> io::Result<()> {
        match self {
            Group::OfTarget(target, kinds) => namespace::enter_of(target.pidfd(), kinds.clone_flags()),
            Group::File(kind, namespace) => namespace.enter(kind.clone_flag()),
        }
    }

    /// The same; where all at once fails, one by one, which tells the one that can't be entered.
    fn enter_each(&self) -> Result<(), Error> {
        let failed = |kind: Kind| Error::of_namespaces(format!("enter the {kind} namespace"));
        match self {
            Group::OfTarget(target, kinds) => match self.enter() {
                Ok(()) => Ok(()),
                Err(_) => kinds.iter().try_for_each(|kind| {
                    target.namespace(kind).and_then(|file| file.enter(kind.clone_flag())).map_err(failed(kind))
                }),
            },
            Group::File(kind, namespace) => namespace.enter(kind.clone_flag()).map_err(failed(*kind)),
        }
    }
}
