//! The expressions of `--filter`: scols-filter(5).

use super::column::Column;
use super::row::Value;
use crate::sys::regex::Regex;

/// An expression over the columns of a row.
#[derive(Debug)]
pub enum Filter {
    Column(Column),
    Number(f64),
    Text(String),
    Truth(bool),
    Not(Box<Filter>),
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    Compare(Comparison, Box<Filter>, Box<Filter>),
    /// Does the text match, or does it not?
    Matches(Box<Filter>, Regex, bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
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

impl Filter {
    /// Reads an expression; the error tells what is wrong with it.
    pub fn parse(text: &str) -> Result<Filter, String> {
        let mut parser = Parser { tokens: tokens(text)?, next: 0 };
        let filter = parser.junction()?;
        match parser.take() {
            None => Ok(filter),
            Some(token) => Err(format!("{} is not expected there", describe(&token))),
        }
    }

    /// Does a row pass? `value` tells what stands in its columns.
    pub fn passes(&self, value: &dyn Fn(Column) -> Value) -> bool {
        match self {
            Filter::Not(inner) => !inner.passes(value),
            Filter::And(one, other) => one.passes(value) && other.passes(value),
            Filter::Or(one, other) => one.passes(value) || other.passes(value),
            Filter::Compare(comparison, one, other) => compare(*comparison, &one.operand(value), &other.operand(value)),
            Filter::Matches(one, regex, wanted) => regex.matches(&one.operand(value).text()) == *wanted,
            single => match single.operand(value) {
                Operand::Nothing => false,
                Operand::Number(number) => number != 0.0,
                Operand::Text(text) => !text.is_empty(),
                Operand::Truth(truth) => truth,
            },
        }
    }

    fn operand(&self, value: &dyn Fn(Column) -> Value) -> Operand {
        match self {
            Filter::Column(column) => match value(*column) {
                Value::None => Operand::Nothing,
                Value::Number(number) => Operand::Number(number as f64),
                Value::Text(text) => Operand::Text(text),
                Value::Lines(lines) => Operand::Text(lines.join("\n")),
            },
            Filter::Number(number) => Operand::Number(*number),
            Filter::Text(text) => Operand::Text(text.clone()),
            Filter::Truth(truth) => Operand::Truth(*truth),
            other => Operand::Truth(other.passes(value)),
        }
    }
}

#[derive(Debug, PartialEq)]
enum Operand {
    Nothing,
    Number(f64),
    Text(String),
    Truth(bool),
}

impl Operand {
    fn text(&self) -> String {
        match self {
            Operand::Nothing => String::new(),
            Operand::Number(number) => number.to_string(),
            Operand::Text(text) => text.clone(),
            Operand::Truth(truth) => truth.to_string(),
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Operand::Number(number) => Some(*number),
            Operand::Truth(truth) => Some(f64::from(u8::from(*truth))),
            Operand::Text(text) => text.trim().parse().ok(),
            Operand::Nothing => None,
        }
    }
}

/// A number on either side makes it a comparison of numbers. What is empty compares with nothing.
fn compare(comparison: Comparison, one: &Operand, other: &Operand) -> bool {
    use std::cmp::Ordering;
    let order = match (one, other) {
        (Operand::Nothing, _) | (_, Operand::Nothing) => None,
        (Operand::Text(one), Operand::Text(other)) => Some(one.cmp(other)),
        _ => match (one.number(), other.number()) {
            (Some(one), Some(other)) => one.partial_cmp(&other),
            _ => None,
        },
    };
    match (comparison, order) {
        (Comparison::NotEqual, order) => order != Some(Ordering::Equal),
        (_, None) => false,
        (Comparison::Equal, Some(order)) => order.is_eq(),
        (Comparison::Less, Some(order)) => order.is_lt(),
        (Comparison::LessOrEqual, Some(order)) => order.is_le(),
        (Comparison::Greater, Some(order)) => order.is_gt(),
        (Comparison::GreaterOrEqual, Some(order)) => order.is_ge(),
    }
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
}

impl Parser {
    fn take(&mut self) -> Option<Token> {
        self.next += 1;
        self.tokens.get(self.next - 1).cloned()
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    /// `and` and `or` bind alike, from the left.
    fn junction(&mut self) -> Result<Filter, String> {
        let mut left = self.comparison()?;
        while let Some(token @ (Token::And | Token::Or)) = self.peek().cloned() {
            self.next += 1;
            let right = self.comparison()?;
            left = match token {
                Token::And => Filter::And(left.into(), right.into()),
                _ => Filter::Or(left.into(), right.into()),
            };
        }
        Ok(left)
    }

    /// So do comparisons and `not`.
    fn comparison(&mut self) -> Result<Filter, String> {
        let mut left = self.operand()?;
        loop {
            match self.peek().cloned() {
                Some(Token::Compare(comparison)) => {
                    self.next += 1;
                    left = Filter::Compare(comparison, left.into(), self.operand()?.into());
                }
                Some(Token::Match(wanted)) => {
                    self.next += 1;
                    let Some(Token::Text(pattern)) = self.take() else {
                        return Err("after =~ and !~ comes a regular expression in quotes".to_owned());
                    };
                    let regex =
                        Regex::new(&pattern).map_err(|error| format!("regular expression {pattern:?}: {error}"))?;
                    left = Filter::Matches(left.into(), regex, wanted);
                }
                _ => return Ok(left),
            }
        }
    }

    fn operand(&mut self) -> Result<Filter, String> {
        match self.take() {
            Some(Token::Open) => {
                let inner = self.junction()?;
                match self.take() {
                    Some(Token::Close) => Ok(inner),
                    _ => Err("a ) is missing".to_owned()),
                }
            }
            Some(Token::Not) => Ok(Filter::Not(self.operand()?.into())),
            Some(Token::Number(number)) => Ok(Filter::Number(number)),
            Some(Token::Text(text)) => Ok(Filter::Text(text)),
            Some(Token::Name(name)) => match name.as_str() {
                "true" | "TRUE" => Ok(Filter::Truth(true)),
                "false" | "FALSE" => Ok(Filter::Truth(false)),
                name => Column::by_name(name).map(Filter::Column),
            },
            Some(token) => Err(format!("{} is not expected there", describe(&token))),
            None => Err("it ends too early".to_owned()),
        }
    }
}

fn describe(token: &Token) -> String {
    match token {
        Token::Open => "(".to_owned(),
        Token::Close => ")".to_owned(),
        Token::And => "and".to_owned(),
        Token::Or => "or".to_owned(),
        Token::Not => "not".to_owned(),
        Token::Compare(_) => "a comparison".to_owned(),
        Token::Match(_) => "=~".to_owned(),
        Token::Number(number) => number.to_string(),
        Token::Text(text) | Token::Name(text) => format!("{text:?}"),
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(text: &str) -> bool {
        let value = |column| match column {
            Column::Nprocs => Value::Number(2),
            Column::Type => Value::Text("uts".to_owned()),
            Column::Nsfs => Value::Lines(vec!["/run/a".to_owned(), "/run/b".to_owned()]),
            _ => Value::None,
        };
        Filter::parse(text).unwrap().passes(&value)
    }

    #[test]
    fn columns_are_compared_and_matched() {
        for text in [
            "NPROCS==2",
            "nprocs < 3 && TYPE =~ '^u.*'",
            "NPROCS ge 2 and not (type eq \"net\")",
            "TYPE != 'net'",
            "NSFS =~ \"run/b$\"",
            "! PID",
            "PID || NPROCS",
            "NPROCS < 1K",
            "true",
            "TYPE !~ 'net'",
            "NPROCS == '2'",
        ] {
            assert!(passes(text), "{text}");
        }
        for text in ["NPROCS>2", "PID", "PID==0", "TYPE=='UTS'", "false", "!TYPE", "NPROCS==1 or TYPE=='net'"] {
            assert!(!passes(text), "{text}");
        }
    }

    #[test]
    fn and_binds_no_tighter_than_or() {
        assert!(!passes("true or true and false"));
        assert!(passes("true or (true and false)"));
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (text, error) in [
            ("PID==", "ends too early"),
            ("FOO==1", "no column \"FOO\""),
            ("(PID", ") is missing"),
            ("PID 1", "not expected"),
            ("PID=1", "means nothing"),
            ("TYPE=~net", "in quotes"),
            ("'x", "not closed"),
            ("PID==1X", "no number"),
            ("TYPE=~'('", "regular expression"),
        ] {
            let told = Filter::parse(text).unwrap_err();
            assert!(told.contains(error), "{text}: {told}");
        }
    }
}
