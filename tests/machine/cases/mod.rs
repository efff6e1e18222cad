//! The cases, a file for each room of features. A new one is a function and its name in `cases!`.

mod boot;
mod cell;
mod closed;
mod health;
mod identity;
mod pid;
mod ready;
mod user;

use std::ops::RangeInclusive;

use crate::case::Case;

#[derive(Clone)]
pub struct Entry {
    pub name: &'static str,
    pub run: fn(&Case),
    pub versions: RangeInclusive<u32>,
    /// No other case is under way on the machine meanwhile.
    pub alone: bool,
}

/// `cases![a, b: alone, c(257..=u32::MAX)]`: functions of the file; `alone` for one that
/// changes what others see, and the systemd versions for one that is not for all.
macro_rules! cases {
    ($($name:ident $(($versions:expr))? $(: $alone:ident)?),* $(,)?) => {
        pub const CASES: &[$crate::cases::Entry] = &[$($crate::cases::Entry {
            name: stringify!($name),
            run: $name,
            versions: $crate::cases::optional!(0..=u32::MAX $(, $versions)?),
            alone: $crate::cases::optional!(false $(, $alone)?),
        }),*];
    };
}

macro_rules! optional {
    (false, alone) => {
        true
    };
    ($default:expr) => {
        $default
    };
    ($default:expr, $given:expr) => {
        $given
    };
}

use {cases, optional};

pub fn all() -> Vec<Entry> {
    [boot::CASES, cell::CASES, closed::CASES, health::CASES, identity::CASES, pid::CASES, ready::CASES, user::CASES]
        .concat()
}
