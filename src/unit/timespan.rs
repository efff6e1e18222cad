//! Time spans: `systemd.time(7)`, PARSING TIME SPANS.

use super::syntax::WHITESPACE;

const SECOND: u128 = 1_000_000_000;
const MINUTE: u128 = 60 * SECOND;
const HOUR: u128 = 60 * MINUTE;
const DAY: u128 = 24 * HOUR;

/// A unit is taken as soon as its name matches, so a name comes before its own beginnings.
const UNITS: [(&str, u128); 32] = [
    ("seconds", SECOND),
    ("second", SECOND),
    ("sec", SECOND),
    ("s", SECOND),
    ("minutes", MINUTE),
    ("minute", MINUTE),
    ("min", MINUTE),
    ("months", 2_629_800 * SECOND),
    ("month", 2_629_800 * SECOND),
    ("M", 2_629_800 * SECOND),
    ("msec", 1_000_000),
    ("ms", 1_000_000),
    ("m", MINUTE),
    ("hours", HOUR),
    ("hour", HOUR),
    ("hr", HOUR),
    ("h", HOUR),
    ("days", DAY),
    ("day", DAY),
    ("d", DAY),
    ("weeks", 7 * DAY),
    ("week", 7 * DAY),
    ("w", 7 * DAY),
    ("years", 31_557_600 * SECOND),
    ("year", 31_557_600 * SECOND),
    ("y", 31_557_600 * SECOND),
    ("usec", 1_000),
    ("us", 1_000),
    ("\u{3bc}s", 1_000),
    ("\u{b5}s", 1_000),
    ("nsec", 1),
    ("ns", 1),
];

/// systemd counts microseconds in 64 bits, the last value standing for infinity.
const LIMIT: u128 = u64::MAX as u128 * 1_000;

/// Why a text is not a time span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimespanError {
    /// Nothing there.
    #[error("a time span is needed, such as \"1h 30s\"")]
    Empty,
    /// No number where one should be, or no known unit after it.
    #[error("a time span has numbers with units such as s, min, h, d and nothing else")]
    Malformed,
    /// `-` where only plain spans are meant.
    #[error("a time span has no sign here")]
    Negative,
    /// Beyond what systemd can count.
    #[error("the time span is too long")]
    OutOfRange,
    /// `infinity` where the span must end.
    #[error("the time span must not be infinite")]
    Infinite,
}

/// Nanoseconds of a time span without a sign; `None` for `infinity`.
pub fn parse_timespan(text: &str) -> Result<Option<u128>, TimespanError> {
    let mut rest = skip_whitespace(text);
    if let Some(tail) = rest.strip_prefix("infinity") {
        return match skip_whitespace(tail) {
            "" => Ok(None),
            _ => Err(TimespanError::Malformed),
        };
    }
    if rest.is_empty() {
        return Err(TimespanError::Empty);
    }
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let (span, tail) = one_span(rest)?;
        total = total.checked_add(span).ok_or(TimespanError::OutOfRange)?;
        if total >= LIMIT {
            return Err(TimespanError::OutOfRange);
        }
        rest = skip_whitespace(tail);
    }
    Ok(Some(total))
}

/// Nanoseconds of a finite time span, where one sign before it holds for all of it:
/// `-1h 30s` is minus (one hour and thirty seconds).
pub fn parse_signed_timespan(text: &str) -> Result<i64, TimespanError> {
    let text = skip_whitespace(text);
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let span = parse_timespan(text)?.ok_or(TimespanError::Infinite)?;
    i64::try_from(span).map(|span| sign * span).map_err(|_| TimespanError::OutOfRange)
}

/// A number and its unit, and what comes after them.
fn one_span(text: &str) -> Result<(u128, &str), TimespanError> {
    if text.starts_with('-') {
        return Err(TimespanError::Negative);
    }
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    let (whole, mut rest) = digits(unsigned);
    if whole.is_empty() && (unsigned.len() < text.len() || !rest.starts_with('.')) {
        return Err(TimespanError::Malformed);
    }
    let mut fraction = "";
    if let Some(tail) = rest.strip_prefix('.') {
        (fraction, rest) = digits(tail);
        if fraction.is_empty() {
            return Err(TimespanError::Malformed);
        }
    }
    let spaced = skip_whitespace(rest);
    let unit = UNITS.iter().find_map(|(name, ns)| Some((*ns, spaced.strip_prefix(name)?)));
    let (unit, tail) = match unit {
        Some(found) => found,
        // A bare number counts seconds, if something sets it apart from what follows.
        None if spaced.len() < rest.len() || rest.is_empty() => (SECOND, spaced),
        None => return Err(TimespanError::Malformed),
    };

    let number = match whole {
        "" => 0,
        _ => whole.parse::<i64>().map_err(|_| TimespanError::OutOfRange)?.unsigned_abs(),
    };
    let mut span = u128::from(number) * unit;
    let mut digit_value = unit / 10;
    for digit in fraction.bytes() {
        span += u128::from(digit - b'0') * digit_value;
        digit_value /= 10;
    }
    Ok((span, tail))
}

fn digits(text: &str) -> (&str, &str) {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at(end)
}

fn skip_whitespace(text: &str) -> &str {
    text.trim_start_matches(|c: char| u8::try_from(c).is_ok_and(|b| WHITESPACE.contains(&b)))
}

#[cfg(test)]
#[path = "tests/timespan.rs"]
mod tests;
