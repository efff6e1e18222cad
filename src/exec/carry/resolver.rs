//! How a service finds names in a network namespace that no system's manager has put it into: by files
//! of that namespace, and not by asking the host's resolvers.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use crate::cell::resolver::{FILES, HIDDEN};
use crate::sys::mount::{self, Flags, Places};

/// What is to be mounted where.
#[derive(Debug)]
pub struct Resolver(Vec<(PathBuf, OwnedFd)>);

impl Resolver {
    /// Opens the files of a network namespace, and finds those of /etc that they take the places of: one
    /// may be a link to where nothing is to be seen later. What is not there is left as it is.
    pub fn open(name: &str, places: &Places) -> io::Result<Resolver> {
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").ok_or(io::Error::other("XDG_RUNTIME_DIR is not set"))?;
        let directory = Path::new(&runtime).join("unitcell/netns").join(name);
        // Without it the service would see the host's.
        std::fs::metadata(&directory)?;
        let mut found = Vec::new();
        for file in FILES {
            let Some(tree) = unless_missing(mount::tree(&directory.join(file), false))? else { continue };
            mount::restrict(&tree, Flags { read_only: true, ..Flags::default() })?;
            let name = Path::new("/etc").join(file);
            if let Some(place) = unless_missing(places.open(&name, false))? {
                found.push((places.canonical(&name, &place)?, tree));
            }
        }
        Ok(Resolver(found))
    }

    /// Hides the host's sockets, and mounts the files.
    pub fn mount(self, places: &mut Places) -> io::Result<()> {
        let mut hiding = Vec::new();
        for directory in HIDDEN {
            if mount::is_directory(directory)? {
                let harmless = Flags { nosuid: true, nodev: true, noexec: true, ..Flags::default() };
                let empty = mount::tmpfs(&[("mode".to_owned(), "0755".to_owned())], harmless)?;
                places.attach(&empty, Path::new(directory))?;
                places.made(&empty)?;
                hiding.push(empty);
            }
        }
        for (place, tree) in &self.0 {
            places.attach(tree, place)?;
        }
        let read_only = Flags { read_only: true, ..Flags::default() };
        hiding.iter().try_for_each(|empty| mount::restrict(empty, read_only))
    }
}

fn unless_missing<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}
