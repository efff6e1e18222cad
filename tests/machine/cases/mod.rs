//! The cases, a file for each room of features. A new one is a function and its name in `cases!`.

mod boot;
mod cell;
mod closed;
mod daemons;
mod health;
mod identity;
mod identity_matrix;
mod identity_moved;
mod identity_pair;
mod identity_random;
mod init;
mod ipnetns;
mod lsns;
mod mounts;
mod namespaces_of;
mod net;
mod netns;
mod netns_host;
mod nsenter;
mod pid;
mod ready;
mod relay;
mod run;
mod see;
mod surroundings;
mod tutorial;
mod unshare;
mod user;
mod user_netns;

use std::ops::RangeInclusive;

use crate::case::Case;
use crate::image::Profile;
use crate::machine::Power;

#[derive(Clone)]
pub struct Entry {
    pub name: &'static str,
    pub run: fn(&Case),
    pub versions: RangeInclusive<u32>,
    /// No other case is under way on the machine meanwhile.
    pub alone: bool,
    /// Which of the machines of a version.
    pub power: Power,
    /// And of which packages.
    pub profile: Profile,
}

/// `cases![a, b: alone, c(257..=u32::MAX)]`: functions of the file; `alone` for one that
/// changes what others see, `powerless` for a machine whose PID 1 lacks CAP_SYS_ADMIN,
/// `daemons` for one that has the daemons, and the systemd versions for one that is not for all.
macro_rules! cases {
    ($($name:ident $(($versions:expr))? $(: $mark:ident)?),* $(,)?) => {
        pub const CASES: &[$crate::cases::Entry] = &[$($crate::cases::Entry {
            name: stringify!($name),
            run: $name,
            versions: $crate::cases::optional!(0..=u32::MAX $(, $versions)?),
            alone: false $(|| $crate::cases::is_mark!($mark, alone))?,
            power: if false $(|| $crate::cases::is_mark!($mark, powerless))? {
                $crate::machine::Power::WithoutSysAdmin
            } else {
                $crate::machine::Power::Whole
            },
            profile: if false $(|| $crate::cases::is_mark!($mark, daemons))? {
                $crate::image::Profile::Daemons
            } else {
                $crate::image::Profile::Base
            },
        }),*];
    };
}

macro_rules! optional {
    ($default:expr) => {
        $default
    };
    ($default:expr, $given:expr) => {
        $given
    };
}

macro_rules! is_mark {
    (alone, alone) => {
        true
    };
    (powerless, powerless) => {
        true
    };
    (daemons, daemons) => {
        true
    };
    ($mark:ident, $other:ident) => {
        false
    };
}

use {cases, is_mark, optional};

pub fn all() -> Vec<Entry> {
    [
        boot::CASES,
        cell::CASES,
        closed::CASES,
        daemons::CASES,
        health::CASES,
        identity::CASES,
        identity_matrix::CASES,
        identity_moved::CASES,
        identity_random::CASES,
        init::CASES,
        ipnetns::CASES,
        lsns::CASES,
        mounts::CASES,
        namespaces_of::CASES,
        net::CASES,
        nsenter::CASES,
        netns::CASES,
        netns_host::CASES,
        pid::CASES,
        ready::CASES,
        relay::CASES,
        see::CASES,
        surroundings::CASES,
        run::CASES,
        tutorial::CASES,
        unshare::CASES,
        user::CASES,
        user_netns::CASES,
    ]
    .concat()
}
