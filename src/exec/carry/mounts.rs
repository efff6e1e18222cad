//! The steps that mount what the cell asks for, in a root of its own if it asks for one.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use super::credentials::{Credentials, Owner};
use super::resolver::Resolver;
use crate::cell::{Mount, Overlay, Root};
use crate::sys::mount::{self, Anew, Devices, Places};

/// What the steps so far have taken hold of and made.
#[derive(Debug)]
pub struct Mounts {
    places: Places,
    owner: Owner,
    prepared: Vec<(Mount, Prepared)>,
}

/// What a mount shows.
#[derive(Debug)]
enum Prepared {
    Tree(OwnedFd),
    Anew(Anew),
    Devices(Devices),
    Credentials(Option<Credentials>),
    Resolver(Resolver),
}

impl Mounts {
    /// Before anything is mounted; `owner` is the payload.
    pub fn new(owner: Owner) -> io::Result<Mounts> {
        Ok(Mounts { places: Places::new()?, owner, prepared: Vec::new() })
    }

    /// Takes hold of what `mount` shows.
    pub fn prepare(&mut self, mount: &Mount) -> io::Result<()> {
        let prepared = match mount {
            Mount::Bind { source, recursive, flags, .. } => {
                let tree = mount::tree(Path::new(source), *recursive)?;
                mount::restrict(&tree, *flags)?;
                Prepared::Tree(tree)
            }
            Mount::Overlay(Overlay { lower, upper, .. }) => {
                let upper = upper.as_ref().map(|(upper, work)| (Path::new(upper), Path::new(work)));
                Prepared::Tree(mount::overlay(lower, upper)?)
            }
            Mount::Proc(_) => Prepared::Anew(Anew::proc()?),
            Mount::Sysfs(_) => Prepared::Anew(Anew::sysfs()?),
            Mount::Dev(_) => Prepared::Devices(Devices::open()?),
            Mount::Credentials(path) => Prepared::Credentials(Credentials::read(Path::new(path))?),
            Mount::Resolver(name) => Prepared::Resolver(Resolver::open(name, &self.places)?),
            Mount::Tmpfs { .. } => return Ok(()),
        };
        self.prepared.push((mount.clone(), prepared));
        Ok(())
    }

    /// Makes another root the process's.
    pub fn enter_root(&mut self, root: &Root) -> io::Result<()> {
        let is_ours = *root == Root::Overlay;
        let root = match root {
            Root::Directory(path) => mount::Root::directory(Path::new(path))?,
            Root::Overlay => mount::Root::throw_away_overlay(&self.places)?,
        };
        mount::enter_root(&root)?;
        if is_ours { self.places.made(&root) } else { Ok(()) }
    }

    /// Mounts, in the root that was entered.
    pub fn mount(&mut self, mount: &Mount) -> io::Result<()> {
        let path = Path::new(mount.destination());
        if let Mount::Tmpfs { options, flags, .. } = mount {
            let tmpfs = mount::tmpfs(options, *flags)?;
            self.places.attach(&tmpfs, path)?;
            return self.places.made(&tmpfs);
        }
        match self.take(mount).ok_or(io::ErrorKind::NotFound)? {
            Prepared::Tree(tree) => self.places.attach(&tree, path),
            Prepared::Anew(anew) => self.renew(path, anew),
            Prepared::Devices(devices) => devices.mount(path, &mut self.places),
            Prepared::Resolver(resolver) => resolver.mount(&mut self.places),
            // There may be none.
            Prepared::Credentials(None) => Ok(()),
            Prepared::Credentials(Some(credentials)) => self.places.attach(&credentials.file_system(self.owner)?, path),
        }
    }

    /// Mounts /proc of the PID namespace, if the root has a place for it.
    pub fn proc(&mut self) -> io::Result<()> {
        if !mount::is_directory("/proc")? {
            return Ok(());
        }
        let proc = match self.take(&Mount::Proc("/proc".to_owned())) {
            Some(Prepared::Anew(proc)) => proc,
            _ => Anew::proc()?,
        };
        self.renew(Path::new("/proc"), proc)
    }

    /// Mounts /sys of the network namespace, if there is one.
    pub fn sysfs(&self) -> io::Result<()> {
        if mount::is_directory("/sys")? { self.renew(Path::new("/sys"), Anew::sysfs()?) } else { Ok(()) }
    }

    fn renew(&self, path: &Path, anew: Anew) -> io::Result<()> {
        let place = self.places.open(path, true)?;
        anew.mount(&place, &self.places.canonical(path, &place)?, self.places.proc())
    }

    fn take(&mut self, mount: &Mount) -> Option<Prepared> {
        let index = self.prepared.iter().position(|(prepared, _)| prepared == mount)?;
        Some(self.prepared.remove(index).1)
    }
}
