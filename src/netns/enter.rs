//! Going into a named network namespace for good, as `ip netns exec` does.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::{Error, Places};
use crate::cell::resolver::FILES;
use crate::sys;
use crate::sys::namespace::Namespace;

/// Takes the process into it: with mounts of its own, so that /sys shows what is there, and the files
/// that are kept for it are those in /etc. Which of them have nothing in /etc to be mounted upon is told.
pub fn enter(places: &Places, name: &str) -> Result<Vec<String>, Error> {
    let path = places.pin(name);
    let failed = |action| Error::system(action, &path);
    let namespace = Namespace::open(&path).map_err(failed("open"))?;
    let files = files(places, name)?;
    namespace.enter(libc::CLONE_NEWNET.cast_unsigned()).map_err(failed("enter"))?;
    sys::namespace::make(libc::CLONE_NEWNS.cast_unsigned()).map_err(failed("make mounts of its own for"))?;
    sys::mount::detach_from_host().map_err(failed("make mounts of its own for"))?;
    sys::mount::own_sysfs().map_err(failed("mount the /sys of"))?;
    let mut unused = Vec::new();
    for file in files {
        let target = places.etc.join(file.file_name().unwrap_or_default());
        match sys::pin::bind(&file, &target) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                unused.push(format!("{} is not used: there is no {}", file.display(), target.display()));
            }
            // The command must not see the host's name servers instead.
            Err(error) => return Err(Error::system("mount over what it replaces in /etc", &file)(error)),
        }
    }
    Ok(unused)
}

/// All that the administrator keeps for it, and those of ours that are not among them.
fn files(places: &Places, name: &str) -> Result<Vec<PathBuf>, Error> {
    let directory = places.of_administrator(name);
    let mut files = match fs::read_dir(&directory) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
    .map_err(Error::system("read", &directory))?;
    for ours in FILES.map(|file| places.record(name).join(file)) {
        if ours.exists() && !files.iter().any(|file| file.file_name() == ours.file_name()) {
            files.push(ours);
        }
    }
    Ok(files)
}
