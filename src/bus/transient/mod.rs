//! From the lines of a unit file to the properties of a transient unit.
//!
//! Pure: text in, typed values of D-Bus out, as systemctl and systemd-run send them.

mod command;
mod network;
mod resource;
mod table;
mod value;

use std::io::{stderr, stdin, stdout};
use std::os::fd::{AsFd, BorrowedFd};

use zbus::{Fd, Variant};

use crate::unit::words::escape_specifiers;
use crate::unit::{Assignment, Unit, UnitName};
pub use table::{nearest, section_of};

/// A property of a transient unit.
#[derive(Debug, PartialEq)]
pub struct Property {
    /// Its name, which is not always that of the setting.
    pub name: String,
    /// Its value, of the type that systemd takes.
    pub value: Variant<'static>,
}

impl Property {
    /// A property.
    pub fn new(name: impl Into<String>, value: impl Into<Variant<'static>>) -> Property {
        Property { name: name.into(), value: value.into() }
    }
}

/// A setting that no property can be made of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}={value}: {reason}")]
pub struct Untranslatable {
    key: String,
    value: String,
    reason: String,
}

/// A unit that is in no file yet, of settings as they were given.
///
/// They mean what they say: to systemd, a transient unit has no specifiers, and what the plan takes
/// for one must not be there. [`properties`] undoes this.
pub fn unit(name: UnitName, settings: &[(&'static str, String, String)]) -> Unit {
    let escaped = settings.iter().map(|(section, key, value)| (*section, key.as_str(), escape_specifiers(value)));
    Unit::transient(name, escaped)
}

/// The properties that a unit has with these lines after its own.
pub fn properties(
    unit: &Unit,
    lines: &[(&'static str, &'static str, String)],
) -> Result<Vec<Property>, Untranslatable> {
    let more = Unit::transient(unit.name.clone(), lines.iter().cloned());
    let all = unit.assignments.iter().chain(&more.assignments);
    let mut kept: Vec<&Assignment> = Vec::new();
    for line in all.filter(|line| table::is_systemds(&line.section)) {
        if line.value.is_empty() {
            // Nothing was there before a transient unit, so going back to the default is to say nothing.
            kept.retain(|other| (&other.section, &other.key) != (&line.section, &line.key));
        } else {
            kept.push(line);
        }
    }
    const OF_THE_USER: [&str; 5] = ["User", "Group", "SupplementaryGroups", "DynamicUser", "PAMName"];
    let has_user = kept.iter().any(|line| OF_THE_USER.contains(&line.key.as_str()));
    let mut properties = Vec::new();
    for line in kept {
        let failed = |reason: String| Untranslatable { key: line.key.clone(), value: plain(&line.value), reason };
        let made = table::translate(line, has_user).map_err(failed)?;
        properties.extend(made);
    }
    Ok(properties)
}

/// Our own standard streams, for the service to have.
pub fn standard_streams() -> std::io::Result<[Property; 3]> {
    let property = |name: &str, fd: BorrowedFd<'_>| -> std::io::Result<Property> {
        Ok(Property::new(format!("{name}FileDescriptor"), Variant::Fd(Fd::Owned(fd.try_clone_to_owned()?))))
    };
    Ok([
        property("StandardInput", stdin().as_fd())?,
        property("StandardOutput", stdout().as_fd())?,
        property("StandardError", stderr().as_fd())?,
    ])
}

/// Text without the escapes for specifiers.
fn plain(text: &str) -> String {
    text.replace("%%", "%")
}

#[cfg(test)]
#[path = "../tests/transient.rs"]
mod tests;
