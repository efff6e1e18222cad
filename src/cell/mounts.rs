//! Mounts: what stands where in the cell's mount namespace, and the texts that say so.
//!
//! Paths are separated by colons; a colon of a path is written `\:` and a backslash `\\`, as in
//! systemd's own lists of paths.

use super::value::{ValueError, has_specifier};
use crate::sys::mount::Flags;

/// One mount, made in the order in which they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mount {
    /// A file or directory, seen in another place.
    Bind {
        /// What is seen, as it is called before anything is mounted.
        source: String,
        /// Where.
        destination: String,
        /// With all that is mounted below it?
        recursive: bool,
        /// What it takes away.
        flags: Flags,
    },
    /// An empty file system in memory.
    Tmpfs {
        /// Where.
        destination: String,
        /// What tmpfs(5) is told.
        options: Vec<(String, String)>,
        /// What it takes away.
        flags: Flags,
    },
    /// Procfs of the PID namespace.
    Proc(String),
    /// Sysfs of the network namespace.
    Sysfs(String),
    /// A minimal /dev.
    Dev(String),
    /// Copies of the credentials there, for whom the service is in its user namespace.
    Credentials(String),
    /// The files by which names are looked up in this network namespace of a user's manager, over those in
    /// /etc; the host's own resolvers are hidden.
    Resolver(String),
    /// Directories laid over each other.
    Overlay(Overlay),
}

/// `Overlay=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlay {
    /// Where.
    pub destination: String,
    /// The directories that are only read, the uppermost first.
    pub lower: Vec<String>,
    /// The directory that is written to, and one for the kernel's work.
    pub upper: Option<(String, String)>,
}

/// A root that the cell has for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Root {
    /// The directory at this path.
    Directory(String),
    /// A throw-away overlay over the root that there is.
    Overlay,
}

/// Which mounts of others appear in the cell, and which of the cell's elsewhere, mount_namespaces(7).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Propagation {
    /// None in either direction.
    Private,
    /// The host's appear in it.
    Slave,
    /// The same, and the cell's appear in namespaces that are made from it.
    #[default]
    Shared,
    /// What the host does with its own.
    Unchanged,
}

impl Propagation {
    /// One of the four words of unshare(1).
    pub fn parse(text: &str) -> Result<Propagation, ValueError> {
        match text {
            "private" => Ok(Propagation::Private),
            "slave" => Ok(Propagation::Slave),
            "shared" => Ok(Propagation::Shared),
            "unchanged" => Ok(Propagation::Unchanged),
            _ => Err(ValueError::new("takes private, slave, shared or unchanged")),
        }
    }
}

impl Overlay {
    /// `DEST:LOWER[:LOWER…][:upperdir=UPPER:workdir=WORK]`, the last two together and last.
    pub fn parse(text: &str) -> Result<Overlay, ValueError> {
        let expected = || {
            ValueError::new(
                "takes DEST:LOWER[:LOWER…][:upperdir=UPPER:workdir=WORK], absolute paths, a colon in them written \\:",
            )
        };
        let fields = fields(text)?;
        let named = |field: &String, name: &str| field.strip_prefix(name).map(str::to_owned);
        let (lower, upper) = match &fields[..] {
            [rest @ .., upper, work] if named(upper, "upperdir=").is_some() => {
                let pair = named(upper, "upperdir=").zip(named(work, "workdir="));
                (rest, Some(pair.ok_or_else(expected)?))
            }
            all => (all, None),
        };
        let [destination, lower @ ..] = lower else { return Err(expected()) };
        let paths = lower.iter().chain(upper.iter().flat_map(|(upper, work)| [upper, work]));
        if lower.is_empty() || !paths.chain([destination]).all(|path| is_absolute(path)) {
            return Err(expected());
        }
        // The kernel wants something to be laid over something.
        if lower.len() < 2 && upper.is_none() {
            return Err(ValueError::new(
                "takes two directories at least, or one with upperdir= and workdir=; BindReadOnlyPaths= shows one alone",
            ));
        }
        let overlay = Overlay { destination: destination.clone(), lower: lower.to_vec(), upper };
        below_the_root(&overlay.destination)?;
        Ok(overlay)
    }
}

impl Mount {
    /// Where it is to be.
    pub fn destination(&self) -> &str {
        match self {
            Mount::Bind { destination, .. }
            | Mount::Tmpfs { destination, .. }
            | Mount::Proc(destination)
            | Mount::Sysfs(destination)
            | Mount::Dev(destination)
            | Mount::Credentials(destination) => destination,
            Mount::Resolver(_) => "/etc",
            Mount::Overlay(overlay) => &overlay.destination,
        }
    }

    /// `SRC[:DEST[:OPTIONS]]`.
    pub fn parse_bind(text: &str, read_only: bool) -> Result<Mount, ValueError> {
        let expected = || {
            ValueError::new(
                "takes SRC[:DEST[:OPTIONS]], absolute paths, options of rbind, norbind, nosuid, nodev and noexec",
            )
        };
        let fields = fields(text)?;
        let (source, destination, options) = match &fields[..] {
            [source] => (source, source, ""),
            [source, destination] => (source, destination, ""),
            [source, destination, options] => (source, destination, options.as_str()),
            _ => return Err(expected()),
        };
        if !is_absolute(source) || !is_absolute(destination) {
            return Err(expected());
        }
        below_the_root(destination)?;
        let mut recursive = true;
        let mut flags = Flags { read_only, ..Flags::default() };
        for option in options.split(',').filter(|option| !option.is_empty()) {
            match option {
                "rbind" => recursive = true,
                "norbind" => recursive = false,
                "nosuid" => flags.nosuid = true,
                "nodev" => flags.nodev = true,
                "noexec" => flags.noexec = true,
                _ => return Err(expected()),
            }
        }
        Ok(Mount::Bind { source: source.clone(), destination: destination.clone(), recursive, flags })
    }

    /// `PATH[:OPTIONS]`; as systemd's TemporaryFileSystem=, it is nodev and of mode 0755 unless
    /// the options say otherwise, and nosuid beside.
    pub fn parse_tmpfs(text: &str) -> Result<Mount, ValueError> {
        const KEYS: [&str; 6] = ["size", "nr_blocks", "nr_inodes", "mode", "uid", "gid"];
        let expected = || {
            ValueError::new(
                "takes PATH[:OPTIONS], an absolute path, options of size=, nr_blocks=, nr_inodes=, mode=, uid=, gid=, \
                 ro, rw, suid, nosuid, dev, nodev, exec and noexec",
            )
        };
        let fields = fields(text)?;
        let (destination, given) = match &fields[..] {
            [destination] => (destination, ""),
            [destination, options] => (destination, options.as_str()),
            _ => return Err(expected()),
        };
        if !is_absolute(destination) {
            return Err(expected());
        }
        below_the_root(destination)?;
        let mut options = vec![("mode".to_owned(), "0755".to_owned())];
        let mut flags = Flags { nosuid: true, nodev: true, ..Flags::default() };
        for option in given.split(',').filter(|option| !option.is_empty()) {
            match (option, option.split_once('=')) {
                ("ro", _) => flags.read_only = true,
                ("rw", _) => flags.read_only = false,
                ("suid", _) => flags.nosuid = false,
                ("nosuid", _) => flags.nosuid = true,
                ("dev", _) => flags.nodev = false,
                ("nodev", _) => flags.nodev = true,
                ("exec", _) => flags.noexec = false,
                ("noexec", _) => flags.noexec = true,
                (_, Some((key, value))) if KEYS.contains(&key) && !value.is_empty() => {
                    options.retain(|(other, _)| other != key);
                    options.push((key.to_owned(), value.to_owned()));
                }
                _ => return Err(expected()),
            }
        }
        Ok(Mount::Tmpfs { destination: destination.clone(), options, flags })
    }

    /// One path, of a mount that takes nothing else.
    pub fn parse_destination(text: &str) -> Result<String, ValueError> {
        if !is_absolute(text) {
            return Err(ValueError::new("takes an absolute path"));
        }
        below_the_root(text)?;
        Ok(text.to_owned())
    }
}

fn is_absolute(path: &str) -> bool {
    path.starts_with(['/', '%']) && (has_specifier(path) || !path.split('/').any(|part| part == ".."))
}

fn below_the_root(destination: &str) -> Result<(), ValueError> {
    let is_root = destination.split('/').all(|part| matches!(part, "" | "."));
    if is_root { Err(ValueError::new("can't mount upon / itself: RootOverlay= does that")) } else { Ok(()) }
}

/// The text between colons, escapes taken away.
fn fields(text: &str) -> Result<Vec<String>, ValueError> {
    let mut fields = vec![String::new()];
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let character = match character {
            ':' => {
                fields.push(String::new());
                continue;
            }
            '\\' => match characters.next() {
                Some(escaped @ (':' | '\\')) => escaped,
                _ => {
                    return Err(ValueError::new(
                        "has a backslash that escapes nothing: only \\: and \\\\ have a meaning",
                    ));
                }
            },
            other => other,
        };
        fields.last_mut().expect("there is always one").push(character);
    }
    Ok(fields)
}

#[cfg(test)]
#[path = "tests/mounts.rs"]
mod tests;
