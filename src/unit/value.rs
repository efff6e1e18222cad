//! Values of the simple kinds.

pub use super::timespan::{TimespanError, parse_signed_timespan, parse_timespan};
use super::words::{UnbalancedQuotes, Word, Words};

/// Why a value is not valid: what was meant, in one sentence without the value itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{expected}")]
pub struct ValueError {
    /// What the key takes.
    pub expected: String,
}

impl ValueError {
    /// With what the key takes: `takes a boolean`.
    pub fn new(expected: impl Into<String>) -> ValueError {
        ValueError { expected: expected.into() }
    }
}

/// A boolean in any of the words that systemd takes for one.
pub fn parse_boolean(value: &str) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|w| w.eq_ignore_ascii_case(value));
    if is(&["1", "yes", "y", "true", "t", "on"]) {
        Some(true)
    } else if is(&["0", "no", "n", "false", "f", "off"]) {
        Some(false)
    } else {
        None
    }
}

/// The name of a named network namespace: a file in /run/netns, and the instance of a unit. It may
/// still hold specifiers.
pub fn parse_netns_name(text: &str) -> Result<String, ValueError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b":_.-".contains(&byte);
    let valid = !text.is_empty()
        && text.len() <= 200
        && !text.starts_with(['.', '-'])
        && text.bytes().all(|byte| allowed(byte) || byte == b'%');
    if !valid {
        return Err(ValueError::new(
            "takes the name of a network namespace: up to 200 of the characters a-z, A-Z, 0-9, ':', '_', '.' and '-', \
             the first no '.' or '-'",
        ));
    }
    Ok(text.to_owned())
}

/// A list without the `~` before it, and whether there is one: it turns the list's meaning round.
pub fn split_inversion(value: &str) -> (bool, &str) {
    match value.strip_prefix('~') {
        Some(list) => (true, list),
        None => (false, value),
    }
}

/// The words of a list, separated by white space; quotes and escapes as in command lines.
pub fn split_list(value: &str) -> Result<Vec<Word>, UnbalancedQuotes> {
    let mut words = Words::new(value);
    let mut list = Vec::new();
    while let Some(word) = words.next_word()? {
        list.push(word);
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans() {
        for yes in ["1", "yes", "Y", "TRUE", "t", "On"] {
            assert_eq!(parse_boolean(yes), Some(true), "{yes}");
        }
        for no in ["0", "no", "N", "False", "f", "oFF"] {
            assert_eq!(parse_boolean(no), Some(false), "{no}");
        }
        for neither in ["", "2", "yes ", "enable", "01", "ja"] {
            assert_eq!(parse_boolean(neither), None, "{neither}");
        }
    }

    #[test]
    fn lists() {
        let words = split_list(r#"a  "b c" d\x20e ''"#).unwrap();
        let words: Vec<_> = words.iter().map(|w| (w.as_str().unwrap(), w.offset)).collect();
        assert_eq!(words, [("a", 0), ("b c", 3), ("d e", 9), ("", 16)]);
        assert_eq!(split_list("a 'b").unwrap_err().offset, 2);
        assert!(split_list(" \t").unwrap().is_empty());
    }
}
