//! The expressions of `--filter`: scols-filter(5).

mod parse;
mod token;

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

impl Filter {
    /// Reads an expression; the error tells what is wrong with it.
    pub fn parse(text: &str) -> Result<Filter, String> {
        parse::parse(text)
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

    /// Of text only what says so is true.
    fn truth(&self) -> bool {
        match self {
            Operand::Nothing => false,
            Operand::Number(number) => *number > 0.0,
            Operand::Text(text) => text == "1" || text.eq_ignore_ascii_case("true") || text.starts_with(['y', 'Y']),
            Operand::Truth(truth) => *truth,
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

/// A truth on either side makes it a comparison of truths, and else a number one of numbers. What is empty
/// compares with nothing.
fn compare(comparison: Comparison, one: &Operand, other: &Operand) -> bool {
    use std::cmp::Ordering;
    let order = match (one, other) {
        (Operand::Nothing, _) | (_, Operand::Nothing) => None,
        (Operand::Text(one), Operand::Text(other)) => Some(one.cmp(other)),
        (Operand::Truth(_), _) | (_, Operand::Truth(_)) => Some(one.truth().cmp(&other.truth())),
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
