//! The systemd that will run the service.

use super::Kind;
use crate::unit::Scope;

/// What the plan needs to know of the manager.
#[derive(Debug, Clone)]
pub struct Manager {
    /// Its version: 252, 257 …
    pub version: u32,
    /// Its scope.
    pub scope: Scope,
    /// The inode numbers of its own namespaces, as far as they could be read.
    pub namespaces: Vec<(Kind, u64)>,
    /// Has it the privilege to make namespaces, and nothing that takes it away? Then it can't go
    /// on without one that it was told to make.
    pub privileged: bool,
    /// Where the wrapper is installed.
    pub wrapper: String,
}

impl Manager {
    /// The inode number of its namespace of this kind.
    pub fn namespace(&self, kind: Kind) -> Option<u64> {
        self.namespaces.iter().find(|(other, _)| *other == kind).map(|(_, inode)| *inode)
    }
}
