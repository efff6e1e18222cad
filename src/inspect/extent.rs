//! The maps of a user namespace, user_namespaces(7).

use serde::Serialize;

/// One line of uid_map or gid_map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Extent {
    /// The first id inside.
    pub inside: u32,
    /// The first id outside: in the user namespace of who read the map.
    pub outside: u32,
    /// How many.
    pub count: u32,
}

impl Extent {
    /// Reads the text of a map.
    pub fn parse_map(text: &str) -> Option<Vec<Extent>> {
        let extent = |line: &str| {
            let mut numbers = line.split_whitespace().map(|number| number.parse().ok());
            Some(Extent { inside: numbers.next()??, outside: numbers.next()??, count: numbers.next()?? })
        };
        text.lines().map(extent).collect()
    }

    /// The id inside that the outer `id` is.
    pub fn inside_of(&self, id: u32) -> Option<u32> {
        let offset = id.checked_sub(self.outside).filter(|offset| *offset < self.count)?;
        self.inside.checked_add(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_translates_ids_inwards() {
        let map = Extent::parse_map("         0     100000      65536\n     70000          5          1\n").unwrap();
        assert_eq!(map[0], Extent { inside: 0, outside: 100_000, count: 65_536 });
        assert_eq!(map[0].inside_of(100_033), Some(33));
        assert_eq!(map[0].inside_of(165_536), None);
        assert_eq!(map[1].inside_of(5), Some(70_000));
        assert_eq!(Extent::parse_map("0 1\n"), None);
        assert_eq!(Extent::parse_map(""), Some(Vec::new()));
    }
}
