//! Sections and keys that nobody reads where they stand.

use super::Advice;
use crate::cell::native::native_line;
use crate::cell::{Cell, Directive, Manager, SECTION};
use crate::unit::{Assignment, Unit};

/// Sections whose name is nearly ours: nobody reads them.
pub fn nearly_ours(unit: &Unit) -> Vec<Advice> {
    let bare = |name: &str| name.to_ascii_lowercase().trim_start_matches("x-").replace(['-', '_'], "");
    let nearly = |section: &str| section != SECTION && bare(section) == bare(SECTION);
    let mut seen: Vec<&str> = Vec::new();
    let mut all = Vec::new();
    for line in &unit.assignments {
        if nearly(&line.section) && !seen.contains(&line.section.as_str()) {
            seen.push(&line.section);
            let message = format!("nobody reads the section [{}]: what it asks for is not done", line.section);
            all.push(Advice::warning(Some(line.at.clone()), message, format!("write [{SECTION}]")));
        }
    }
    all
}

/// Our directives in sections of systemd's, which passes over what it does not know.
pub fn misplaced(unit: &Unit, manager: &Manager) -> Vec<Advice> {
    let has_it = |directive: &Directive, line: &Assignment| {
        let mut cell = Cell::default();
        let understood = (directive.set)(&mut cell, &line.value).is_ok();
        // `PrivatePIDs=no` is done wherever it stands.
        line.section == "Service"
            && understood
            && (cell.is_empty()
                || (is_key_of_systemd(directive, &cell) && directive.native.had_by(manager.version, &cell)))
    };
    let of_systemd = ["Unit", "Service", "Install"];
    let foreign = unit.assignments.iter().filter(|line| of_systemd.contains(&line.section.as_str()));
    let known = foreign.filter_map(|line| Some((line, Directive::by_name(&line.key)?)));
    known
        .filter(|(line, directive)| !line.value.is_empty() && !has_it(directive, line))
        .map(|(line, _)| {
            let message = format!(
                "{}={} in [{}] is passed over by systemd {}, or not all of it is done",
                line.key, line.value, line.section, manager.version
            );
            Advice::warning(Some(line.at.clone()), message, format!("move it to [{SECTION}]"))
        })
        .collect()
}

/// Has systemd the directive under the same name? For Hostname= it is another one that does it.
fn is_key_of_systemd(directive: &Directive, cell: &Cell) -> bool {
    let key = directive.kind.and_then(|kind| native_line(cell, kind)).map(|(key, _)| key);
    key == Some(directive.name)
}
