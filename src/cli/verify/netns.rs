//! What `verify` finds in `.netns` files.

use std::path::Path;
use std::sync::Arc;

use crate::netns::description::Descriptions;
use crate::unit::{Error, Finding, files};

/// Is an argument about such a file, or a drop-in of one?
pub fn is_description(text: &str) -> bool {
    text.ends_with(".netns") || name_of_dropin(Path::new(text)).is_some()
}

/// All there are in the search path, each with its findings.
pub fn everything(descriptions: &Descriptions) -> Vec<(String, Vec<Finding>)> {
    match descriptions.names() {
        Ok(names) => names.iter().map(|name| (format!("{name}.netns"), descriptions.read(name).1)).collect(),
        Err(error) => vec![(error.at.file.display().to_string(), vec![unreadable(error)])],
    }
}

/// What an argument means: with a slash a file, which is taken with all that belongs to it where it
/// is in the search path, else a name there.
pub fn argument(descriptions: &Descriptions, text: &str) -> (String, Vec<Finding>) {
    let path = Path::new(text);
    let name = name_of_dropin(path).or_else(|| files::stem(path, ".netns")).unwrap_or(text);
    let label = format!("{name}.netns");
    let (description, findings) = descriptions.read(name);
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let known = description.as_ref().is_some_and(|description| {
        description.files.is_empty() || description.files.iter().any(|file| descriptions.within(file) == absolute)
    });
    if known || (!text.contains('/') && description.is_some()) {
        return (label, findings);
    }
    let findings = match files::read(path, &Arc::from(path)) {
        Ok(file) => descriptions.read_files(name, &[file]).1,
        Err(error) => vec![unreadable(error)],
    };
    (label, findings)
}

/// The NAME of `NAME.netns.d/FILE.conf`.
fn name_of_dropin(path: &Path) -> Option<&str> {
    let directory = path.parent().filter(|_| path.extension().is_some_and(|extension| extension == "conf"))?;
    files::stem(directory, ".netns.d")
}

fn unreadable(error: Error) -> Finding {
    Finding::error(Some(error.at), error.kind.to_string(), error.kind.remedy())
}
