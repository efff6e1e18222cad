//! The drop-in that carries the cell: whether it is there, and has the last word.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use super::Advice;
use crate::bus;
use crate::cli::subject::Subject;
use crate::unit::files::{Directories, ReadFile};
use crate::unit::words::escape_specifiers;
use crate::unit::{Error, Scope, Unit, UnitName};

/// Since the last daemon-reload the files may have changed, or a drop-in have come that wins over ours.
pub fn in_force(subject: &Subject, scope: Scope) -> Option<Advice> {
    let (path, text) = subject.dropin.as_ref()?;
    let look = || fs::read_to_string(path).ok();
    if look().as_ref() == Some(text) {
        return None;
    }
    bus::settle(scope);
    let there = look();
    (there.as_ref() != Some(text)).then(|| {
        let what = match there {
            None => "the drop-in that carries the cell is not there",
            Some(_) => "the drop-in that carries the cell is not the one that these files come to",
        };
        Advice::warning(
            None,
            format!("{what} ({}): the unit starts as it was when systemd last read its files", path.display()),
            "`systemctl daemon-reload`; if that does not help, `unitcell doctor` tells whether the generator runs",
        )
    })
}

/// Nothing that a generator writes can help where the generator itself is gone.
pub fn assertion(subject: &Subject, unit: &Unit) -> Option<Advice> {
    let (path, _) = subject.dropin.as_ref()?;
    let path = escape_specifiers(&path.display().to_string());
    let guarded = unit.list("Unit", "AssertPathExists").iter().any(|line| line.value.contains("zz-unitcell.conf"));
    (!guarded).then(|| {
        Advice::hint(
            None,
            "should unitcell-generator ever be missing, the service would start without its cell",
            format!("to rule that out, add to [Unit]: AssertPathExists={path}"),
        )
    })
}

/// What other generators write is out of the generator's sight, as they run at the same time. So it can't see
/// to it that its drop-in comes after theirs, as it does with all others.
pub fn undone(subject: &Subject, unit: &Unit, root: &Path) -> Vec<Advice> {
    let Some((path, _)) = &subject.dropin else { return Vec::new() };
    let lines = subject.plan.unit_lines.iter().map(|(key, _)| ("Unit", *key));
    let ours: HashSet<(&str, &str)> =
        lines.chain(subject.plan.service_lines.iter().map(|(key, _)| ("Service", *key))).collect();
    let later = match generated(unit, path, root) {
        Ok(files) => files.into_iter().filter(|file| file.path.file_name() >= path.file_name() && *file.path != **path),
        Err(error) => return vec![Advice::warning(Some(error.at), error.kind.to_string(), "")],
    };
    let lines = later.filter_map(|file| file.parsed).flat_map(|parsed| parsed.assignments);
    lines
        .filter(|line| ours.contains(&(&*line.section, &*line.key)))
        .map(|line| {
            let message = format!(
                "another generator's {}= comes after that of {}, and undoes what the cell asks for",
                line.key,
                path.display()
            );
            let remedy = "have that generator give its file a name that sorts before ours";
            Advice::error(Some(line.at), message, remedy)
        })
        .collect()
}

/// The drop-ins of a unit in the directories of generators, the one at `ours` among them.
fn generated(unit: &Unit, ours: &Path, root: &Path) -> Result<Vec<ReadFile>, Error> {
    let Some(normal) = ours.ancestors().nth(2).map(|path| path.display().to_string()) else { return Ok(Vec::new()) };
    let directories = [format!("{normal}.early"), normal.clone(), format!("{normal}.late")];
    let directories = Directories::new(root, directories.each_ref().map(String::as_str));
    let names = std::iter::once(&unit.name).chain(&unit.aliases);
    let mut stems: Vec<String> = names.flat_map(UnitName::dropin_stems).map(|stem| format!("{stem}.d")).collect();
    // The most specific name wins; here that is the last.
    stems.reverse();
    directories.dropins(&stems)
}
