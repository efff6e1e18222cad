//! The directories that systemd searches for units, in order: `systemd.unit(5)`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Which service manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// PID 1.
    System,
    /// A user's.
    User,
}

/// The environment variables that the search path depends on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Env {
    pub systemd_unit_path: Option<OsString>,
    pub home: Option<OsString>,
    pub xdg_config_home: Option<OsString>,
    pub xdg_config_dirs: Option<OsString>,
    pub xdg_data_home: Option<OsString>,
    pub xdg_data_dirs: Option<OsString>,
    pub xdg_runtime_dir: Option<OsString>,
}

impl Env {
    /// Picks the variables out of an environment such as [`std::env::vars_os`].
    pub fn from_vars(vars: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut env = Self::default();
        for (name, value) in vars {
            let slot = match name.as_bytes() {
                b"SYSTEMD_UNIT_PATH" => &mut env.systemd_unit_path,
                b"HOME" => &mut env.home,
                b"XDG_CONFIG_HOME" => &mut env.xdg_config_home,
                b"XDG_CONFIG_DIRS" => &mut env.xdg_config_dirs,
                b"XDG_DATA_HOME" => &mut env.xdg_data_home,
                b"XDG_DATA_DIRS" => &mut env.xdg_data_dirs,
                b"XDG_RUNTIME_DIR" => &mut env.xdg_runtime_dir,
                _ => continue,
            };
            *slot = Some(value);
        }
        env
    }

    /// The user's directory of what lasts as long as the user is logged in.
    pub fn runtime_dir(&self) -> Option<PathBuf> {
        absolute(&self.xdg_runtime_dir)
    }

    /// The user's directory of settings.
    pub fn config_home(&self) -> Option<PathBuf> {
        home(&self.xdg_config_home, self, ".config")
    }
}

/// The three directories that a generator is called with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GeneratorDir {
    /// `generator.early`: wins over the administrator's units.
    Early,
    /// `generator`: wins over the vendor's units.
    Normal,
    /// `generator.late`: loses to all others.
    Late,
}

/// The search path without the generators' directories, the first directory winning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchPath {
    root: PathBuf,
    dirs: Vec<Arc<Path>>,
    early: Option<usize>,
    normal: Option<usize>,
    late: Option<usize>,
}

/// A place in the search path while it is put together.
enum Place {
    Dir(PathBuf),
    Generator(GeneratorDir),
}

impl SearchPath {
    /// The search path of a manager whose root directory is `root`.
    pub fn new(scope: Scope, root: &Path, env: &Env) -> Self {
        let defaults = || match scope {
            Scope::System => system_places(),
            Scope::User => user_places(env),
        };
        let places = match env.systemd_unit_path.as_deref().map(OsStr::as_bytes) {
            None => defaults(),
            Some(list) => {
                let (list, append) = match list.strip_suffix(b":") {
                    Some(list) => (list, true),
                    None => (list, false),
                };
                let mut places: Vec<Place> = split_colons(list).map(Place::Dir).collect();
                if append {
                    places.extend(defaults());
                }
                places
            }
        };

        let mut path = Self { root: root.to_owned(), dirs: Vec::new(), early: None, normal: None, late: None };
        for place in places {
            match place {
                Place::Dir(dir) if path.dirs.iter().any(|d| **d == *dir) => {}
                Place::Dir(dir) => path.dirs.push(dir.into()),
                Place::Generator(GeneratorDir::Early) => path.early = Some(path.dirs.len()),
                Place::Generator(GeneratorDir::Normal) => path.normal = Some(path.dirs.len()),
                Place::Generator(GeneratorDir::Late) => path.late = Some(path.dirs.len()),
            }
        }
        path
    }

    /// Below which the directories are looked for.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The directories as seen from inside [`Self::root`], the first one winning.
    pub fn dirs(&self) -> &[Arc<Path>] {
        &self.dirs
    }

    /// Whether a file in `dir` wins over one of the same name in a generator's directory.
    ///
    /// `None` when one of the two is not in the search path at all, as with a
    /// `SYSTEMD_UNIT_PATH=` that replaces the defaults.
    pub fn wins_over(&self, dir: &Path, generator: GeneratorDir) -> Option<bool> {
        let dir = self.dirs.iter().position(|d| **d == *dir)?;
        let generator = match generator {
            GeneratorDir::Early => self.early,
            GeneratorDir::Normal => self.normal,
            GeneratorDir::Late => self.late,
        };
        Some(dir < generator?)
    }

    /// Where in the search path `path` lies, and what remains of it below that directory.
    pub(super) fn strip<'p>(&self, path: &'p Path) -> Option<&'p Path> {
        let tails = self.dirs.iter().filter_map(|d| path.strip_prefix(d).ok());
        tails.into_iter().find(|tail| !tail.as_os_str().is_empty())
    }
}

fn dir(path: &str) -> Place {
    Place::Dir(PathBuf::from(path))
}

fn system_places() -> Vec<Place> {
    vec![
        dir("/etc/systemd/system.control"),
        dir("/run/systemd/system.control"),
        dir("/run/systemd/transient"),
        Place::Generator(GeneratorDir::Early),
        dir("/etc/systemd/system"),
        dir("/etc/systemd/system.attached"),
        dir("/run/systemd/system"),
        dir("/run/systemd/system.attached"),
        Place::Generator(GeneratorDir::Normal),
        dir("/usr/local/lib/systemd/system"),
        // Only where /lib is not merged into /usr; a scan skips it where it is.
        dir("/lib/systemd/system"),
        dir("/usr/lib/systemd/system"),
        Place::Generator(GeneratorDir::Late),
    ]
}

fn user_places(env: &Env) -> Vec<Place> {
    let config_home = env.config_home();
    let data_home = home(&env.xdg_data_home, env, ".local/share");
    let runtime = env.runtime_dir();
    let below = |base: &Option<PathBuf>, tail: &str| base.as_ref().map(|b| b.join(tail));

    let mut places = Vec::new();
    let mut add = |path: Option<PathBuf>| places.extend(path.map(Place::Dir));
    add(below(&config_home, "systemd/user.control"));
    add(below(&runtime, "systemd/user.control"));
    add(below(&runtime, "systemd/transient"));
    places.push(Place::Generator(GeneratorDir::Early));

    let mut add = |path: Option<PathBuf>| places.extend(path.map(Place::Dir));
    add(below(&config_home, "systemd/user"));
    // The two `.attached` exist for users on new systemds only.
    add(below(&config_home, "systemd/user.attached"));
    for base in list(&env.xdg_config_dirs, "/etc/xdg") {
        add(Some(base.join("systemd/user")));
    }
    add(Some("/etc/systemd/user".into()));
    add(below(&runtime, "systemd/user"));
    add(below(&runtime, "systemd/user.attached"));
    add(Some("/run/systemd/user".into()));
    places.push(Place::Generator(GeneratorDir::Normal));

    let mut add = |path: Option<PathBuf>| places.extend(path.map(Place::Dir));
    add(below(&data_home, "systemd/user"));
    for base in list(&env.xdg_data_dirs, "/usr/local/share:/usr/share") {
        add(Some(base.join("systemd/user")));
    }
    add(Some("/usr/local/lib/systemd/user".into()));
    add(Some("/usr/local/share/systemd/user".into()));
    add(Some("/usr/lib/systemd/user".into()));
    add(Some("/usr/share/systemd/user".into()));
    places.push(Place::Generator(GeneratorDir::Late));
    places
}

/// Where a user's files are that are no units, the first directory winning: `name` below the user's own
/// directories and `name/user` below the system's, in the order of those of units.
pub fn user_directories(env: &Env, name: &str) -> Vec<PathBuf> {
    let of_all = |base: &str| Path::new(base).join(name).join("user");
    let below = |base: PathBuf| base.join(name);
    let mut directories: Vec<PathBuf> = env.config_home().into_iter().map(below).collect();
    directories.extend(list(&env.xdg_config_dirs, "/etc/xdg").into_iter().map(below));
    directories.push(of_all("/etc"));
    directories.extend(env.runtime_dir().map(below));
    directories.push(of_all("/run"));
    directories.extend(home(&env.xdg_data_home, env, ".local/share").map(below));
    directories.extend(list(&env.xdg_data_dirs, "/usr/local/share:/usr/share").into_iter().map(below));
    directories.extend(["/usr/local/lib", "/usr/lib"].map(of_all));
    directories
}

/// A base directory of one's own: the XDG variable, or a default below `$HOME`.
fn home(variable: &Option<OsString>, env: &Env, default: &str) -> Option<PathBuf> {
    absolute(variable).or_else(|| Some(absolute(&env.home)?.join(default)))
}

fn absolute(variable: &Option<OsString>) -> Option<PathBuf> {
    variable.as_ref().map(PathBuf::from).filter(|p| p.is_absolute())
}

fn list(variable: &Option<OsString>, default: &str) -> Vec<PathBuf> {
    let text = variable.as_deref().filter(|v| !v.is_empty());
    split_colons(text.unwrap_or(OsStr::new(default)).as_bytes()).collect()
}

/// Relative entries are left out: what they are relative to, only the manager knows.
fn split_colons(list: &[u8]) -> impl Iterator<Item = PathBuf> + '_ {
    let parts = list.split(|b| *b == b':').map(|p| Path::new(OsStr::from_bytes(p)));
    parts.filter(|p| p.is_absolute()).map(|p| p.components().collect())
}

#[cfg(test)]
#[path = "tests/search_path.rs"]
mod tests;
