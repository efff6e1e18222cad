//! `NamespacesOf=`: the namespaces that another unit has and the manager has not.

use std::io;

use super::Wrapper;
use crate::cell::{Kind, Kinds, NamespacesOf, Types};
use crate::inspect::{HIERARCHY, MainProcess, Process};
use crate::sys::namespace::Namespace;

impl Wrapper<'_> {
    pub(super) fn open_of_unit(&mut self, of: &NamespacesOf) -> io::Result<()> {
        let meant: Vec<Kind> = Kind::ALL.into_iter().filter(|&kind| of.means(kind)).collect();
        // The service's root need not have any.
        let own_files = self.request.own_files.as_deref();
        let hierarchy = own_files.map_or_else(|| HIERARCHY.into(), |directory| directory.join("cgroup"));
        let main = MainProcess::of_unit(&of.unit, &meant, &hierarchy)?;
        let mut found = Vec::new();
        for &kind in &meant {
            if main.process.namespace(kind)? == of_the_manager(&main.manager, kind)? {
                if matches!(of.types, Types::These(_)) {
                    return Err(io::Error::other(format!("{} has no {kind} namespace of its own", of.unit)));
                }
                continue;
            }
            found.push((kind, Namespace::open(main.process.namespace_path(kind))?));
        }
        // Only now is it sure that all this was not of another process with the same number.
        main.is_still_there()?;
        if found.is_empty() && of.types == Types::AllBut(Kinds::NONE) {
            return Err(io::Error::other(format!("{} has no namespace of its own", of.unit)));
        }
        if found.iter().any(|(kind, _)| *kind == Kind::Mount) {
            self.directory = Some(std::env::current_dir()?);
        }
        self.keep(found)
    }
}

/// Without the privilege to look at the manager, this process stands for it: it has not left yet.
fn of_the_manager(manager: &Process, kind: Kind) -> io::Result<u64> {
    manager.namespace(kind).or_else(|_| Process::current().namespace(kind))
}
