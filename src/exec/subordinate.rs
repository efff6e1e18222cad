//! The ids that /etc/subuid and /etc/subgid give to somebody for user namespaces, subuid(5).

use std::fs;
use std::io;
use std::path::Path;

use super::users::Database;
use crate::sys::id_map::IdRange;
use crate::sys::subid::{self, Subids};

/// As many ids as a system has of its own. More nobody maps, and fewer do, too.
const WANTED: u32 = 65536;

/// A uid_map and a gid_map with `owner`'s subordinate ids: root and all that follow, in the order in which
/// the files have them, or their copies in the directory of our `own_files`.
pub fn maps(owner: &str, own_files: Option<&Path>) -> io::Result<(Vec<IdRange>, Vec<IdRange>)> {
    let names = Database::of_system_or(own_files).names_of(owner)?;
    let of = |path: &str| {
        let copy = own_files.zip(Path::new(path).file_name()).map(|(directory, name)| directory.join(name));
        let text = match fs::read_to_string(copy.as_deref().unwrap_or(Path::new(path))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(io::Error::new(error.kind(), format!("{path}: {error}")));
            }
            text => text.unwrap_or_default(),
        };
        let map = map_of(&text, &names);
        match map.is_empty() {
            false => Ok(map),
            true => Err(io::Error::new(
                io::ErrorKind::NotFound,
                format!("{path} has no entry for {owner}; add the line {owner}:{}:{WANTED}", first_free(&text)),
            )),
        }
    };
    Ok((of("/etc/subuid")?, of("/etc/subgid")?))
}

fn map_of(text: &str, names: &[String]) -> Vec<IdRange> {
    let mut map: Vec<IdRange> = Vec::new();
    let mut inside = 0;
    for Subids { first, count, .. } in subid::of(text, names) {
        let count = count.min(WANTED - inside);
        let range = IdRange { inside, outside: first, count };
        // A range that stands there twice can be mapped once.
        if count > 0 && first.checked_add(count).is_some() && !map.iter().any(|other| other.overlaps(&range)) {
            map.push(range);
            inside += count;
        }
    }
    map
}

/// The first id above all that are given away already; useradd(8) begins at the same one.
fn first_free(text: &str) -> u32 {
    subid::parse(text).map(|ids| ids.first.saturating_add(ids.count)).fold(100_000, u32::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str =
        "web:100000:65536\nother:165536:1000\n1000:200000:10\n\n# no\nweb2:1:2:3\n1000:300000:70000\nx:y:z\n";

    fn ranges(names: &[&str]) -> String {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        map_of(FILE, &names).iter().map(|range| format!("{range} ")).collect()
    }

    #[test]
    fn ranges_follow_each_other_up_to_65536() {
        assert_eq!(ranges(&["web", "999"]), "0:100000:65536 ");
        assert_eq!(ranges(&["user", "1000"]), "0:200000:10 10:300000:65526 ");
        assert_eq!(ranges(&["other"]), "0:165536:1000 ");
        assert_eq!(ranges(&["web2", "x", "#", "nobody"]), "");
    }

    #[test]
    fn line_to_add_takes_nobodys_ids() {
        assert_eq!(first_free(FILE), 370_000);
        assert_eq!(first_free(""), 100_000);
    }
}
