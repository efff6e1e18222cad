//! The ids that /etc/subuid and /etc/subgid give to somebody for user namespaces, subuid(5).

/// One line of either file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subids<'t> {
    /// A user's name or number.
    pub owner: &'t str,
    /// The first id.
    pub first: u32,
    /// How many.
    pub count: u32,
}

/// Reads either file; lines that are none of it are passed over, as newuidmap(1) does.
pub fn parse(text: &str) -> impl Iterator<Item = Subids<'_>> {
    text.lines().filter_map(|line| {
        let mut fields = line.trim().split(':');
        let ids =
            Subids { owner: fields.next()?, first: fields.next()?.parse().ok()?, count: fields.next()?.parse().ok()? };
        fields.next().is_none().then_some(ids)
    })
}

/// The same, of nobody but a user who has these names.
pub fn of<'t>(text: &'t str, names: &[String]) -> impl Iterator<Item = Subids<'t>> {
    parse(text).filter(move |ids| names.iter().any(|name| name == ids.owner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_the_name_or_the_number() {
        let text = "other:1:1\nweb:100000:65536\n\n# no\nweb:1:2:3\nweb:x:1\n1001:300000:5\nweb:9:9\n";
        let of = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            of(text, &names).map(|ids| (ids.first, ids.count)).collect::<Vec<_>>()
        };
        assert_eq!(of(&["web", "1000"]), [(100_000, 65_536), (9, 9)]);
        assert_eq!(of(&["x", "1001"]), [(300_000, 5)]);
        assert_eq!(of(&["x", "1002"]), []);
    }
}
