use proptest::prelude::*;

use super::*;

fn ns(text: &str) -> Result<Option<u128>, TimespanError> {
    parse_timespan(text)
}

#[test]
fn spans_of_the_manual() {
    assert_eq!(ns("2 h"), Ok(Some(2 * HOUR)));
    assert_eq!(ns("2hours"), Ok(Some(2 * HOUR)));
    assert_eq!(ns("48hr"), Ok(Some(48 * HOUR)));
    assert_eq!(ns("1y 12month"), Ok(Some((31_557_600 + 12 * 2_629_800) * SECOND)));
    assert_eq!(ns("55s500ms"), Ok(Some(55 * SECOND + 500_000_000)));
    assert_eq!(ns("300ms20s 5day"), Ok(Some(5 * DAY + 20 * SECOND + 300_000_000)));
    assert_eq!(ns("497d"), Ok(Some(497 * DAY)));
    assert_eq!(ns("infinity"), Ok(None));
    assert_eq!(ns(" infinity \t"), Ok(None));
}

#[test]
fn every_unit() {
    for (name, length) in UNITS {
        assert_eq!(ns(&format!("3{name}")), Ok(Some(3 * length)), "{name}");
        assert_eq!(ns(&format!("3 {name} 1")), Ok(Some(3 * length + SECOND)), "{name}");
    }
    assert_eq!(ns("1M1m"), Ok(Some(2_629_800 * SECOND + MINUTE)));
    assert_eq!(ns("1min1ms1msec"), Ok(Some(MINUTE + 2_000_000)));
}

#[test]
fn numbers() {
    assert_eq!(ns("30"), Ok(Some(30 * SECOND)));
    assert_eq!(ns("1 2"), Ok(Some(3 * SECOND)));
    assert_eq!(ns("+5s"), Ok(Some(5 * SECOND)));
    assert_eq!(ns("1.5h"), Ok(Some(HOUR + HOUR / 2)));
    assert_eq!(ns(".22 s"), Ok(Some(220_000_000)));
    assert_eq!(ns(".7 .9"), Ok(Some(1_600_000_000)));
    assert_eq!(ns("1.0000000019s"), Ok(Some(SECOND + 1)));
}

#[test]
fn refused() {
    for text in ["x", "5x", "s", "3.", "3.s", "1.2.3", "3 1x", "infinity s", "1e3", ".", "3,5", "٣"] {
        assert_eq!(ns(text), Err(TimespanError::Malformed), "{text}");
    }
    assert_eq!(ns(""), Err(TimespanError::Empty));
    assert_eq!(ns(" \t"), Err(TimespanError::Empty));
    assert_eq!(ns("-1s"), Err(TimespanError::Negative));
    assert_eq!(ns("1s -1s"), Err(TimespanError::Negative));
    assert_eq!(ns("9223372036854775808"), Err(TimespanError::OutOfRange));
    assert_eq!(ns("600000y"), Err(TimespanError::OutOfRange));
    assert!(ns("500000y").is_ok());
}

#[test]
fn signs() {
    let signed = parse_signed_timespan;
    assert_eq!(signed("-1h 30s"), Ok(-3_630_000_000_000));
    assert_eq!(signed(" 1h"), Ok(3_600_000_000_000));
    assert_eq!(signed("-0"), Ok(0));
    assert_eq!(signed("--1"), Err(TimespanError::Negative));
    assert_eq!(signed("1h -30s"), Err(TimespanError::Negative));
    assert_eq!(signed("-infinity"), Err(TimespanError::Infinite));
    assert_eq!(signed("300y"), Err(TimespanError::OutOfRange));
    assert_eq!(signed("-"), Err(TimespanError::Empty));
}

proptest! {
    #[test]
    fn never_panics(text in "\\PC{0,40}|[0-9. a-zM+-]{0,40}") {
        let _ = parse_signed_timespan(&text);
    }
}
