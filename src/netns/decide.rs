//! What to do, given what is there: the record that `up` left, and the pin.

use super::Identity;

/// What has the name of a pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pin {
    /// Nothing.
    Missing,
    /// An empty file that no namespace is mounted upon: somebody came no further.
    Empty,
    /// A network namespace.
    Namespace(Identity),
    /// Anything else.
    Occupied,
}

/// What `up` has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpAction {
    /// It is all there, and it is ours.
    Keep,
    /// Somebody else made it: use it. A record of an earlier one of ours is void.
    Adopt,
    /// Make it.
    Make,
    /// Touch nothing.
    Refuse,
}

/// One thing that `down` has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DownAction {
    /// Take the namespace off its pin.
    Unmount,
    /// Remove the empty file.
    Unlink,
    /// Remove the record.
    Forget,
}

/// What makes the namespace be there.
pub fn up(record: Option<Identity>, pin: Pin) -> UpAction {
    match pin {
        Pin::Namespace(found) if record == Some(found) => UpAction::Keep,
        Pin::Namespace(_) => UpAction::Adopt,
        Pin::Missing | Pin::Empty => UpAction::Make,
        Pin::Occupied => UpAction::Refuse,
    }
}

/// What removes all that [`up`] made, in order, and nothing else. The record goes last, so that a
/// crash in between can be gone on from.
pub fn down(record: Option<Identity>, pin: Pin) -> &'static [DownAction] {
    use DownAction::{Forget, Unlink, Unmount};
    match (record, pin) {
        (None, _) => &[],
        (Some(made), Pin::Namespace(found)) if made == found => &[Unmount, Unlink, Forget],
        (Some(_), Pin::Empty) => &[Unlink, Forget],
        (Some(_), Pin::Missing | Pin::Namespace(_) | Pin::Occupied) => &[Forget],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Identity = Identity { inode: 7, cookie: Some(70) };
    /// The same inode number, given out a second time.
    const OTHER: Identity = Identity { inode: 7, cookie: Some(71) };
    const ALL: [Pin; 5] = [Pin::Missing, Pin::Empty, Pin::Namespace(OURS), Pin::Namespace(OTHER), Pin::Occupied];

    /// What the actions leave behind.
    fn after(actions: &[DownAction], record: Option<Identity>, pin: Pin) -> (Option<Identity>, Pin) {
        actions.iter().fold((record, pin), |(record, pin), action| match action {
            DownAction::Unmount => (record, Pin::Empty),
            DownAction::Unlink => {
                assert_eq!(pin, Pin::Empty, "only an empty file is unlinked");
                (record, Pin::Missing)
            }
            DownAction::Forget => (None, pin),
        })
    }

    #[test]
    fn down_removes_what_up_made_and_nothing_else() {
        for record in [None, Some(OURS)] {
            for pin in ALL {
                let (record_after, pin_after) = after(down(record, pin), record, pin);
                assert_eq!(record_after, None);
                let ours = record.is_some() && matches!(pin, Pin::Empty | Pin::Namespace(OURS));
                assert_eq!(pin_after, if ours { Pin::Missing } else { pin });
            }
        }
    }

    #[test]
    fn down_can_be_cut_short_anywhere_and_called_again() {
        for pin in ALL {
            let whole = after(down(Some(OURS), pin), Some(OURS), pin);
            for done in 0..down(Some(OURS), pin).len() {
                let (record, left) = after(&down(Some(OURS), pin)[..done], Some(OURS), pin);
                assert_eq!(after(down(record, left), record, left), whole);
            }
        }
    }

    #[test]
    fn up_makes_only_where_nothing_is_and_keeps_what_it_made() {
        for record in [None, Some(OURS)] {
            assert_eq!(up(record, Pin::Missing), UpAction::Make);
            assert_eq!(up(record, Pin::Empty), UpAction::Make);
            assert_eq!(up(record, Pin::Namespace(OTHER)), UpAction::Adopt);
            assert_eq!(up(record, Pin::Occupied), UpAction::Refuse);
        }
        assert_eq!(up(Some(OURS), Pin::Namespace(OURS)), UpAction::Keep);
        assert_eq!(up(None, Pin::Namespace(OURS)), UpAction::Adopt);
    }
}
