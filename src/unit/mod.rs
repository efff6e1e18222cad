//! Unit-file text, read as systemd reads it.
//!
//! [`SearchPath`] knows the directories, [`UnitSet`] lists and reads them once, and a [`Unit`]
//! is what systemd would see after it merged a fragment with its drop-ins. [`exec`] and
//! [`value`] take single values apart; [`name`] does names and their escaping.
//!
//! The rules are those of `systemd.syntax(7)`, `systemd.unit(5)`, `systemd.service(5)` and
//! `systemd.time(7)`.

pub mod error;
pub mod escape;
pub mod exec;
pub mod files;
pub mod finding;
pub mod hidden;
pub mod location;
pub mod merged;
pub mod name;
mod path;
mod read;
mod scan;
pub mod search_path;
pub mod set;
pub mod similar;
pub mod syntax;
pub mod timespan;
pub mod value;
pub mod words;

pub use error::{Error, ErrorKind};
pub use exec::{ExecCommand, Prefixes};
pub use finding::Finding;
pub use location::Location;
pub use merged::Unit;
pub use name::{NameError, NameKind, UnitName, UnitType};
pub use search_path::{Env, GeneratorDir, Scope, SearchPath, user_directories};
pub use set::UnitSet;
pub use syntax::{Assignment, Header, Parsed, Warning, WarningKind};
pub use words::Word;
