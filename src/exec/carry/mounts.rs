//! The steps that mount what the cell asks for, in a root of its own if it asks for one.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use crate::cell::{Mount, Overlay, Root};
use crate::sys::mount::{self, Devices, Places};

/// What the steps so far have taken hold of and made.
#[derive(Debug)]
pub struct Mounts {
    places: Places,
    prepared: Vec<(Mount, Prepared)>,
}

/// What a mount shows.
#[derive(Debug)]
enum Prepared {
    Tree(OwnedFd),
    Devices(Devices),
}

impl Mounts {
    /// Before anything is mounted.
    pub fn new() -> io::Result<Mounts> {
        Ok(Mounts { places: Places::new()?, prepared: Vec::new() })
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
            Mount::Dev(_) => Prepared::Devices(Devices::open()?),
            Mount::Tmpfs { .. } | Mount::Proc(_) | Mount::Sysfs(_) => return Ok(()),
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
        match mount {
            Mount::Tmpfs { destination, options, flags } => {
                let tmpfs = mount::tmpfs(options, *flags)?;
                self.places.attach(&tmpfs, Path::new(destination))?;
                self.places.made(&tmpfs)
            }
            Mount::Proc(path) => self.renew(path, mount::proc),
            Mount::Sysfs(path) => self.renew(path, mount::sysfs),
            Mount::Bind { destination, .. } | Mount::Overlay(Overlay { destination, .. }) => match self.take(mount)? {
                Prepared::Tree(tree) => self.places.attach(&tree, Path::new(destination)),
                Prepared::Devices(_) => unreachable!("of a tree"),
            },
            Mount::Dev(path) => match self.take(mount)? {
                Prepared::Devices(devices) => devices.mount(Path::new(path), &mut self.places),
                Prepared::Tree(_) => unreachable!("of devices"),
            },
        }
    }

    /// Mounts /proc of the PID namespace, if the root has a place for it.
    pub fn proc(&self) -> io::Result<()> {
        if !mount::is_directory("/proc")? {
            return Ok(());
        }
        self.renew("/proc", mount::proc)
    }

    /// Mounts /sys of the network namespace, if there is one.
    pub fn sysfs(&self) -> io::Result<()> {
        if !mount::is_directory("/sys")? {
            return Ok(());
        }
        self.renew("/sys", mount::sysfs)
    }

    fn renew(&self, path: &str, renew: fn(&Path, &OwnedFd) -> io::Result<()>) -> io::Result<()> {
        let place = self.places.open(Path::new(path), true)?;
        renew(&self.places.canonical(&place)?, self.places.proc())
    }

    fn take(&mut self, mount: &Mount) -> io::Result<Prepared> {
        let index = self.prepared.iter().position(|(prepared, _)| prepared == mount);
        index.map(|index| self.prepared.remove(index).1).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}
