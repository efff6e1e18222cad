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

    /// Does a row pass? `value` tells what stands in its columns. The error tells what can't be compared.
    pub fn passes(&self, value: &dyn Fn(Column) -> Value) -> Result<bool, String> {
        Ok(match self {
            Filter::Not(inner) => !inner.passes(value)?,
            Filter::And(one, other) => one.passes(value)? && other.passes(value)?,
            Filter::Or(one, other) => one.passes(value)? || other.passes(value)?,
            Filter::Compare(comparison, one, other) => {
                let type_ = one.type_().or(other.type_());
                compare(*comparison, type_, &one.operand(value)?, &other.operand(value)?)?
            }
            Filter::Matches(one, regex, wanted) => {
                regex.matches(one.operand(value)?.text().as_deref().unwrap_or_default()) == *wanted
            }
            single => match single.operand(value)? {
                Operand::Nothing => false,
                Operand::Number(number) => number != 0.0,
                Operand::Text(text) => !text.is_empty(),
                Operand::Truth(truth) => truth,
            },
        })
    }

    /// Does it look at a column?
    pub fn looks_at(&self, column: Column) -> bool {
        match self {
            Filter::Column(own) => *own == column,
            Filter::Number(_) | Filter::Text(_) | Filter::Truth(_) => false,
            Filter::Not(inner) | Filter::Matches(inner, ..) => inner.looks_at(column),
            Filter::And(one, other) | Filter::Or(one, other) | Filter::Compare(_, one, other) => {
                one.looks_at(column) || other.looks_at(column)
            }
        }
    }

    fn operand(&self, value: &dyn Fn(Column) -> Value) -> Result<Operand, String> {
        Ok(match self {
            Filter::Column(column) => match value(*column) {
                Value::None => Operand::Nothing,
                Value::Number(number) => Operand::Number(number as f64),
                Value::Text(text) => Operand::Text(text),
                Value::Lines(lines) => Operand::Text(lines.join("\n")),
            },
            Filter::Number(number) => Operand::Number(*number),
            Filter::Text(text) => Operand::Text(text.clone()),
            Filter::Truth(truth) => Operand::Truth(*truth),
            other => Operand::Truth(other.passes(value)?),
        })
    }

    /// What it makes a comparison one of; a column leaves that to the other side.
    fn type_(&self) -> Option<Type> {
        match self {
            Filter::Column(_) => None,
            Filter::Number(_) => Some(Type::Number),
            Filter::Text(_) => Some(Type::Text),
            _ => Some(Type::Truth),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Number,
    Text,
    Truth,
}

#[derive(Debug, PartialEq)]
enum Operand {
    Nothing,
    Number(f64),
    Text(String),
    Truth(bool),
}

impl Operand {
    fn text(&self) -> Option<String> {
        match self {
            Operand::Nothing => None,
            Operand::Number(number) => Some(number.to_string()),
            Operand::Text(text) => Some(text.clone()),
            Operand::Truth(truth) => Some(truth.to_string()),
        }
    }

    /// Of text only what says so is true.
    fn truth(&self) -> Option<bool> {
        match self {
            Operand::Nothing => None,
            Operand::Number(number) => Some(*number > 0.0),
            Operand::Text(text) => {
                Some(text == "1" || text.eq_ignore_ascii_case("true") || text.starts_with(['y', 'Y']))
            }
            Operand::Truth(truth) => Some(*truth),
        }
    }

    fn number(&self) -> Result<Option<f64>, String> {
        match self {
            Operand::Number(number) => Ok(Some(*number)),
            Operand::Truth(truth) => Ok(Some(f64::from(u8::from(*truth)))),
            Operand::Text(text) => match text.trim().parse() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(format!("{text:?} is compared with a number, and is none")),
            },
            Operand::Nothing => Ok(None),
        }
    }
}

/// As text, what is empty comes before all else; as anything else it compares with nothing.
fn compare(comparison: Comparison, type_: Option<Type>, one: &Operand, other: &Operand) -> Result<bool, String> {
    let numbers = matches!((one, other), (Operand::Number(_), Operand::Number(_)));
    let order = match type_ {
        Some(Type::Truth) => one.truth().zip(other.truth()).map(|(one, other)| one.cmp(&other)),
        Some(Type::Number) => one.number()?.zip(other.number()?).and_then(|(one, other)| one.partial_cmp(&other)),
        None if numbers => one.number()?.partial_cmp(&other.number()?),
        _ => Some(one.text().cmp(&other.text())),
    };
    Ok(order.is_some_and(|order| match comparison {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(text: &str) -> bool {
        judge(text).unwrap()
    }

    fn judge(text: &str) -> Result<bool, String> {
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
            "NPROCS > '10'",
            "'10' < 9",
            "PID < ''",
            "PID == PPID",
            "TYPE =~ ('uts')",
        ] {
            assert!(passes(text), "{text}");
        }
        for text in [
            "NPROCS>2",
            "PID",
            "PID==0",
            "PID!=0",
            "PID==''",
            "PID==false",
            "'TRUE'==true",
            "TYPE=='UTS'",
            "false",
            "!TYPE",
            "NPROCS==1 or TYPE=='net'",
        ] {
            assert!(!passes(text), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_told() {
        for text in ["TYPE < 5", "5 > TYPE", "PID or TYPE == 1"] {
            assert!(judge(text).unwrap_err().contains("\"uts\" is compared with a number"), "{text}");
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
