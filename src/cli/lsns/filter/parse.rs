//! What an expression is made of, by what binds it together.

use super::token::{Token, tokens};
use super::{Column, Filter, Regex};

/// Reads an expression; the error tells what is wrong with it.
pub fn parse(text: &str) -> Result<Filter, String> {
    let mut parser = Parser { tokens: tokens(text)?, next: 0 };
    let filter = parser.junction()?;
    match parser.take() {
        None => Ok(filter),
        Some(token) => Err(format!("{token} is not expected there")),
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
                    let Ok(Filter::Text(pattern)) = self.operand() else {
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
            Some(token) => Err(format!("{token} is not expected there")),
            None => Err("it ends too early".to_owned()),
        }
    }
}
