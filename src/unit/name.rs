//! Unit names: `systemd.unit(5)`.

use std::fmt;

use super::escape::is_name_byte;
pub use super::escape::{escape, escape_path, unescape};

/// The longest name of a unit, in bytes.
pub const NAME_MAX: usize = 255;

/// The suffix of a unit's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum UnitType {
    Service,
    Mount,
    Swap,
    Socket,
    Target,
    Device,
    Automount,
    Timer,
    Path,
    Slice,
    Scope,
}

impl UnitType {
    /// Every type that systemd knows.
    pub const ALL: [Self; 11] = [
        Self::Service,
        Self::Mount,
        Self::Swap,
        Self::Socket,
        Self::Target,
        Self::Device,
        Self::Automount,
        Self::Timer,
        Self::Path,
        Self::Slice,
        Self::Scope,
    ];

    /// The suffix, without its dot.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Mount => "mount",
            Self::Swap => "swap",
            Self::Socket => "socket",
            Self::Target => "target",
            Self::Device => "device",
            Self::Automount => "automount",
            Self::Timer => "timer",
            Self::Path => "path",
            Self::Slice => "slice",
            Self::Scope => "scope",
        }
    }

    /// From the suffix, without its dot.
    pub fn from_suffix(suffix: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.as_str() == suffix)
    }

    /// Whether a link in the search path may give a unit of this type a second name.
    pub(super) fn may_alias(self) -> bool {
        matches!(self, Self::Service | Self::Socket | Self::Target | Self::Device | Self::Timer | Self::Path)
    }

    /// Whether there can be templates of this type.
    pub(super) fn may_template(self) -> bool {
        matches!(self, Self::Service | Self::Socket | Self::Target | Self::Timer | Self::Path)
    }
}

impl fmt::Display for UnitType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which of the three sorts a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NameKind {
    /// `foo.service`
    Plain,
    /// `foo@.service`
    Template,
    /// `foo@bar.service`
    Instance,
}

/// Why a text is not a unit name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// More than [`NAME_MAX`] bytes.
    #[error("a unit name has at most 255 characters")]
    TooLong,
    /// No `.service` or the like at its end.
    #[error("a unit name ends with a unit type such as \".service\"")]
    NoType,
    /// A character that names don't have.
    #[error("a unit name has only letters, digits and \":-_.\\@\"")]
    BadCharacter,
    /// Nothing before `@` or the dot.
    #[error("a unit name starts with something before '@' and the type")]
    NoPrefix,
}

/// The valid name of a unit.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnitName {
    name: Box<str>,
    at: Option<u8>,
    dot: u8,
    type_: UnitType,
}

impl UnitName {
    /// Checks a name as systemd does.
    pub fn new(name: &str) -> Result<Self, NameError> {
        let (at, dot, type_) = Self::check(name)?;
        Ok(Self { name: name.into(), at, dot, type_ })
    }

    fn check(name: &str) -> Result<(Option<u8>, u8, UnitType), NameError> {
        if name.len() > NAME_MAX {
            return Err(NameError::TooLong);
        }
        let (head, suffix) = name.rsplit_once('.').ok_or(NameError::NoType)?;
        let type_ = UnitType::from_suffix(suffix).ok_or(NameError::NoType)?;
        if !head.bytes().all(|b| b == b'@' || is_name_byte(b)) {
            return Err(NameError::BadCharacter);
        }
        let at = head.find('@');
        if head.is_empty() || at == Some(0) {
            return Err(NameError::NoPrefix);
        }
        let narrow = |i: usize| u8::try_from(i).map_err(|_| NameError::TooLong);
        Ok((at.map(narrow).transpose()?, narrow(head.len())?, type_))
    }

    /// The type of a valid name, without making a [`UnitName`] of it.
    pub(super) fn type_of(name: &str) -> Option<UnitType> {
        Self::check(name).ok().map(|(_, _, type_)| type_)
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// What stands before `@`, or before the type.
    pub fn prefix(&self) -> &str {
        &self.name[..usize::from(self.at.unwrap_or(self.dot))]
    }

    /// The instance of `foo@instance.service`.
    pub fn instance(&self) -> Option<&str> {
        let text = &self.name[usize::from(self.at?) + 1..usize::from(self.dot)];
        (!text.is_empty()).then_some(text)
    }

    /// `foo@.service` for `foo@instance.service`; `None` for all but instances.
    pub fn template(&self) -> Option<UnitName> {
        self.instance()?;
        let at = usize::from(self.at?);
        let name = format!("{}{}", &self.name[..=at], &self.name[usize::from(self.dot)..]);
        Some(Self { name: name.into(), at: self.at, dot: self.at? + 1, type_: self.type_ })
    }

    /// The instance of this template (or another instance of the same template).
    pub fn with_instance(&self, instance: &str) -> Result<UnitName, NameError> {
        let suffix = &self.name[usize::from(self.dot)..];
        Self::new(&format!("{}@{instance}{suffix}", self.prefix()))
    }

    /// The type, by the suffix.
    pub fn type_(&self) -> UnitType {
        self.type_
    }

    /// Plain, template or instance.
    pub fn kind(&self) -> NameKind {
        match (self.at, self.instance()) {
            (None, _) => NameKind::Plain,
            (Some(_), None) => NameKind::Template,
            (Some(_), Some(_)) => NameKind::Instance,
        }
    }

    /// Whether this is the name of a template.
    pub fn is_template(&self) -> bool {
        self.kind() == NameKind::Template
    }

    /// Names whose `.d` directories hold drop-ins for this unit, the most specific first.
    ///
    /// For `a-b@i.service`: itself, `a-b@.service`, `a-.service`, `a-@i.service`,
    /// `a-@.service`, and last `service`, the type. Within one directory of the search path
    /// they win over each other in this order; the type's come after all others.
    pub fn dropin_stems(&self) -> Vec<String> {
        let mut stems = Vec::new();
        self.push_stems(&mut stems);
        stems.push(self.type_.as_str().to_owned());
        stems
    }

    fn push_stems(&self, stems: &mut Vec<String>) {
        // Templates and instances reach the same prefixes on two ways.
        if stems.iter().any(|s| **s == *self.name) {
            return;
        }
        stems.push(self.as_str().to_owned());
        if let Some(template) = self.template() {
            template.push_stems(stems);
        }
        if let Some(shorter) = self.dash_parent() {
            shorter.push_stems(stems);
        }
    }

    /// The name cut after the last dash that still leaves something to cut.
    fn dash_parent(&self) -> Option<UnitName> {
        // A dash at the very end is that of an earlier cut; only one such is jumped over.
        let prefix = self.prefix();
        let body = prefix.strip_suffix('-').unwrap_or(prefix);
        let dash = body.rfind('-').filter(|i| *i > 0)?;
        let cut = &prefix[..=dash];
        let suffix = &self.name[usize::from(self.dot)..];
        match self.instance() {
            Some(instance) => Self::new(&format!("{cut}@{instance}{suffix}")).ok(),
            None => Self::new(&format!("{cut}{suffix}")).ok(),
        }
    }
}

impl fmt::Debug for UnitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.name, f)
    }
}

impl fmt::Display for UnitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl std::str::FromStr for UnitName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        Self::new(name)
    }
}

#[cfg(test)]
#[path = "tests/name.rs"]
mod tests;
