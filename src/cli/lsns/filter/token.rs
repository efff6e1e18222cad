//! The words and signs of an expression.

use std::fmt;

use super::Comparison;

#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    Open,
    Close,
    And,
    Or,
    Not,
    Compare(Comparison),
    Match(bool),
    Number(f64),
    Text(String),
    Name(String),
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Open => f.write_str("("),
            Token::Close => f.write_str(")"),
            Token::And => f.write_str("and"),
            Token::Or => f.write_str("or"),
            Token::Not => f.write_str("not"),
            Token::Compare(_) => f.write_str("a comparison"),
            Token::Match(_) => f.write_str("=~"),
            Token::Number(number) => number.fmt(f),
            Token::Text(text) | Token::Name(text) => write!(f, "{text:?}"),
        }
    }
}

/// Takes an expression apart.
pub fn tokens(text: &str) -> Result<Vec<Token>, String> {
    const SYMBOLS: [(&str, Token); 13] = [
        ("&&", Token::And),
        ("||", Token::Or),
        ("==", Token::Compare(Comparison::Equal)),
        ("!=", Token::Compare(Comparison::NotEqual)),
        ("<=", Token::Compare(Comparison::LessOrEqual)),
        (">=", Token::Compare(Comparison::GreaterOrEqual)),
        ("=~", Token::Match(true)),
        ("!~", Token::Match(false)),
        ("<", Token::Compare(Comparison::Less)),
        (">", Token::Compare(Comparison::Greater)),
        ("!", Token::Not),
        ("(", Token::Open),
        (")", Token::Close),
    ];
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let end_of = |belongs: fn(char) -> bool| rest.find(|char| !belongs(char)).unwrap_or(rest.len());
        let length = if let Some((symbol, token)) = SYMBOLS.iter().find(|(symbol, _)| rest.starts_with(symbol)) {
            found.push(token.clone());
            symbol.len()
        } else if first == '"' || first == '\'' {
            let length = rest[1..].find(first).ok_or("a quote is not closed")?;
            found.push(Token::Text(rest[1..=length].to_owned()));
            length + 2
        } else if first.is_ascii_digit() {
            let length = end_of(|char| char.is_ascii_alphanumeric() || char == '.');
            found.push(Token::Number(number(&rest[..length])?));
            length
        } else if first.is_ascii_alphabetic() {
            let length = end_of(|char| char.is_ascii_alphanumeric() || "_.%:/-".contains(char));
            found.push(word(&rest[..length]));
            length
        } else {
            return Err(format!("{first:?} means nothing there"));
        };
        rest = rest[length..].trim_start();
    }
    Ok(found)
}

/// An operator that has a name, or a column.
fn word(word: &str) -> Token {
    match word.to_ascii_lowercase().as_str() {
        "and" => Token::And,
        "or" => Token::Or,
        "not" => Token::Not,
        "eq" => Token::Compare(Comparison::Equal),
        "ne" => Token::Compare(Comparison::NotEqual),
        "lt" => Token::Compare(Comparison::Less),
        "le" => Token::Compare(Comparison::LessOrEqual),
        "gt" => Token::Compare(Comparison::Greater),
        "ge" => Token::Compare(Comparison::GreaterOrEqual),
        _ => Token::Name(word.to_owned()),
    }
}

/// A number, perhaps with a binary suffix: 4K, 4KiB.
fn number(text: &str) -> Result<f64, String> {
    let digits = text.trim_end_matches(|char: char| char.is_ascii_alphabetic());
    let suffix = text[digits.len()..].trim_end_matches("iB");
    let power = match suffix {
        "" if digits.len() == text.len() => Some(0),
        one if one.len() == 1 => "KMGTPEZY".find(one).map(|place| place + 1),
        _ => None,
    };
    match (digits.parse::<f64>(), power) {
        (Ok(number), Some(power)) => Ok(number * 1024f64.powi(i32::try_from(power).unwrap_or(0))),
        _ => Err(format!("{text:?} is no number")),
    }
}
