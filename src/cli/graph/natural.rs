//! The order that people have names in: web2 before web10.

/// What to sort a name by.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Natural<'n> {
    parts: Vec<Part<'n>>,
    /// Where only zeros in front differ.
    name: &'n str,
}

/// Text, and the number after it: of two numbers the longer one is greater.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Part<'n> {
    text: &'n str,
    length: usize,
    digits: &'n str,
}

pub fn natural(name: &str) -> Natural<'_> {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let (text, from_digits) = rest.split_at(rest.find(|char: char| char.is_ascii_digit()).unwrap_or(rest.len()));
        let after = from_digits.find(|char: char| !char.is_ascii_digit()).unwrap_or(from_digits.len());
        let digits = from_digits[..after].trim_start_matches('0');
        parts.push(Part { text, length: digits.len(), digits });
        rest = &from_digits[after..];
    }
    Natural { parts, name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_as_numbers() {
        let sorted = ["", "a", "a1", "a2", "a02b", "a10", "a10b2", "a10b11", "a100", "b", "ä1", "ä20"];
        let mut names = sorted;
        names.reverse();
        names.sort_by(|a, b| natural(a).cmp(&natural(b)));
        assert_eq!(names, sorted);
        assert!(natural("a1") > natural("a01"), "and no two are the same");
    }
}
