//! Structured entries in the journal; `units/unitcell.catalog` explains them.

use libsystemd::logging::{Priority, journal_send};

use crate::cell::netns_owner;

/// An event that the catalog has an entry for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// A named network namespace is there.
    Up,
    /// A named network namespace of somebody else is used.
    Adopted,
    /// It is there no more.
    Down,
    /// It could not be brought up or down.
    Failed,
}

impl Entry {
    fn message_id(self) -> &'static str {
        match self {
            Entry::Up => "d80b1e8f68b34497923acb791aad224f",
            Entry::Adopted => "a313c93aa60e44bcb2572acdcbe871b4",
            Entry::Down => "b658e765c4d34f0f9663f54365b77d39",
            Entry::Failed => "3af2818025e04c56bffe3e10ca1f6149",
        }
    }

    fn priority(self) -> Priority {
        match self {
            Entry::Up | Entry::Down => Priority::Info,
            Entry::Adopted => Priority::Notice,
            Entry::Failed => Priority::Error,
        }
    }
}

/// Does standard error lead to the journal? Then a structured entry says more than a line.
pub fn connected() -> bool {
    libsystemd::logging::connected_to_journal()
}

/// Tells of a named network namespace.
pub fn netns(entry: Entry, name: &str, message: &str) -> Result<(), libsystemd::errors::SdError> {
    // The journal finds out by the sender's process id which unit an entry is of, and would not find a process
    // that has ended; an entry about a unit is shown with it, too, systemd.journal-fields(7).
    // Only root may name one as the object of what it says.
    let unit = netns_owner(name);
    let of = if nix::unistd::geteuid().is_root() { "OBJECT_SYSTEMD_UNIT" } else { "USER_UNIT" };
    let fields =
        [("MESSAGE_ID", entry.message_id()), ("SYSLOG_IDENTIFIER", "unitcell"), ("UNITCELL_NETNS", name), (of, &unit)];
    journal_send(entry.priority(), message, fields.into_iter())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalog_explains_every_entry() {
        let catalog = include_str!("../../units/unitcell.catalog");
        for entry in [Entry::Up, Entry::Adopted, Entry::Down, Entry::Failed] {
            assert!(catalog.contains(&format!("-- {}\n", entry.message_id())), "{entry:?}");
        }
    }
}
