//! Sets of capabilities, capabilities(7), and their text in unit files.

use std::fmt;

use crate::unit::value::split_inversion;

/// Names in the order of their numbers, linux/capability.h.
const NAMES: [&str; 41] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
];

/// The number of the capability that making namespaces takes.
pub const CAP_SYS_ADMIN: u32 = 21;

/// What settings take out of the bounding set, each as systemd.exec(5) says.
pub const TAKEN_AWAY: [(&str, CapabilitySet); 4] = [
    ("PrivateDevices", CapabilitySet(1 << CAP_MKNOD | 1 << CAP_SYS_RAWIO)),
    ("ProtectKernelModules", CapabilitySet(1 << CAP_SYS_MODULE)),
    ("ProtectKernelLogs", CapabilitySet(1 << CAP_SYSLOG)),
    ("ProtectClock", CapabilitySet(1 << CAP_SYS_TIME | 1 << CAP_WAKE_ALARM)),
];
const CAP_SYS_MODULE: u32 = 16;
const CAP_SYS_RAWIO: u32 = 17;
const CAP_SYS_TIME: u32 = 25;
const CAP_MKNOD: u32 = 27;
const CAP_SYSLOG: u32 = 34;
const CAP_WAKE_ALARM: u32 = 35;

/// A set of capabilities, one bit each by its number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CapabilitySet(pub u64);

impl CapabilitySet {
    /// None at all.
    pub const EMPTY: CapabilitySet = CapabilitySet(0);
    /// All, also those that a newer kernel has.
    pub const FULL: CapabilitySet = CapabilitySet(u64::MAX);

    /// Applies one assignment of `CapabilityBoundingSet=` or `AmbientCapabilities=`: the first
    /// one replaces the set's `initial` value and later ones add to it or, with `~`, take from
    /// it; an empty one starts again. systemd passes over a name that it does not know, and so
    /// do we: such a capability can't be had in any case.
    pub fn assign(&mut self, text: &str, initial: CapabilitySet) {
        let (invert, names) = split_inversion(text);
        let named = names.split_ascii_whitespace().filter_map(number).fold(0, |set, number| set | 1 << number);
        *self = CapabilitySet(match (named == 0 || *self == initial, invert) {
            (true, true) => !named,
            (true, false) => named,
            (false, true) => self.0 & !named,
            (false, false) => self.0 | named,
        });
    }

    /// Is there none in it?
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its members but the capability of this number.
    pub fn without(self, number: u32) -> CapabilitySet {
        CapabilitySet(self.0 & !(1 << number))
    }

    /// Its members but those of the other.
    pub fn minus(self, other: CapabilitySet) -> CapabilitySet {
        CapabilitySet(self.0 & !other.0)
    }

    /// Is the capability of this number in it?
    pub fn contains(self, number: u32) -> bool {
        number < 64 && self.0 & (1 << number) != 0
    }
}

fn number(name: &str) -> Option<usize> {
    NAMES
        .iter()
        .position(|known| known.eq_ignore_ascii_case(name))
        .or_else(|| name.parse().ok().filter(|&number| number < 63))
}

/// Text that [`CapabilitySet::assign`] reads back as the same set.
impl fmt::Display for CapabilitySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A set that has the bits which no kernel uses yet came from a `~` list: say it that way,
        // so that a capability that only a newer kernel knows keeps its place in it.
        let inverted = self.contains(63);
        let mut separator = if inverted { "~" } else { "" };
        for number in (0..63).filter(|&number| self.contains(number) != inverted) {
            match NAMES.get(number as usize) {
                Some(name) => write!(f, "{separator}{name}")?,
                None => write!(f, "{separator}{number}")?,
            }
            separator = " ";
        }
        if inverted && separator == "~" { f.write_str("~") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bounding(lines: &[&str]) -> CapabilitySet {
        lines.iter().fold(CapabilitySet::FULL, |mut set, line| {
            set.assign(line, CapabilitySet::FULL);
            set
        })
    }

    #[test]
    fn lines_merge_as_systemd_exec_says() {
        // The two examples of systemd.exec(5), CapabilityBoundingSet=.
        assert_eq!(
            bounding(&["CAP_CHOWN CAP_DAC_OVERRIDE", "CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH"]),
            CapabilitySet(0b111)
        );
        assert_eq!(bounding(&["CAP_CHOWN CAP_DAC_OVERRIDE", "~CAP_DAC_OVERRIDE CAP_KILL"]), CapabilitySet(0b1));
        assert_eq!(bounding(&["CAP_CHOWN", ""]), CapabilitySet::EMPTY);
        assert_eq!(bounding(&["CAP_CHOWN", "~"]), CapabilitySet::FULL);
        assert_eq!(bounding(&["~cap_sys_admin"]), CapabilitySet(!(1 << 21)));
    }

    proptest! {
        #[test]
        fn display_reads_back(bits: u64) {
            let set = CapabilitySet(bits);
            // Any initial value but the set itself that an assignment replaces.
            let mut back = CapabilitySet::EMPTY;
            back.assign(&set.to_string(), CapabilitySet::EMPTY);
            prop_assert_eq!(back, set);
        }
    }
}
