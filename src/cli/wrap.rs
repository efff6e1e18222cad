//! Lines of words, no wider than a terminal.

/// The text in lines of at most this width, which a word that is wider itself has alone; one line
/// where there is no width to mind.
pub fn wrap(text: &str, width: Option<usize>) -> Vec<String> {
    lines(text, width, 0)
}

/// Text that begins in this column of a line; the lines after it begin at `indent`.
pub fn hanging(text: &str, column: usize, indent: usize, width: Option<usize>) -> String {
    let width = width.map(|width| width.saturating_sub(indent));
    lines(text, width, column.saturating_sub(indent)).join(&format!("\n{:indent$}", ""))
}

/// As [`wrap`] has them; of the first one so much is used up.
fn lines(text: &str, width: Option<usize>, before: usize) -> Vec<String> {
    let Some(width) = width else { return vec![text.to_owned()] };
    let mut lines: Vec<String> = Vec::new();
    let mut used = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        match lines.last_mut() {
            Some(line) if used + 1 + length <= width => {
                line.push(' ');
                line.push_str(word);
                used += 1 + length;
            }
            _ => {
                used = if lines.is_empty() { before + length } else { length };
                lines.push(word.to_owned());
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_whole() {
        assert_eq!(wrap("one two three", None), ["one two three"]);
        assert_eq!(wrap("one two three", Some(7)), ["one two", "three"]);
        assert_eq!(wrap("one two  three", Some(13)), ["one two ", "three"]);
        assert_eq!(wrap("a longer-than-that b c", Some(3)), ["a", "longer-than-that", "b c"]);
        assert_eq!(wrap("äöü äöü", Some(7)), ["äöü äöü"]);
        assert_eq!(wrap("", Some(7)), [""]);
    }
}
