use proptest::prelude::*;

use super::*;

fn words(value: &str) -> Vec<Vec<u8>> {
    let mut words = Words::new(value);
    std::iter::from_fn(|| words.next_word().unwrap()).map(|w| w.bytes).collect()
}

fn one(value: &str) -> Vec<u8> {
    let mut all = words(value);
    assert_eq!(all.len(), 1, "{value}");
    all.remove(0)
}

#[test]
fn quotes_open_and_close_anywhere_in_a_word() {
    assert_eq!(one(r#"a"b c"d'e f'"#), b"ab cde f");
    assert_eq!(one(r#""it's""#), b"it's");
    assert_eq!(one(r#"'say "x"'"#), b"say \"x\"");
    assert_eq!(words(r#"'' "" x"#), [&b""[..], b"", b"x"]);
}

#[test]
fn escapes() {
    assert_eq!(one(r"\a\b\f\n\r\t\v\\\s"), b"\x07\x08\x0c\n\r\t\x0b\\ ");
    assert_eq!(one(r#"\"\'"#), b"\"'");
    assert_eq!(one(r"\x41\101\u00e4\U0001F600"), "AAä😀".as_bytes());
    assert_eq!(one(r"\xff\377"), b"\xff\xff");
    assert_eq!(one(r"'in \x27 quotes'"), b"in ' quotes");
    assert_eq!(one(r"\uffff"), "\u{ffff}".as_bytes());
}

#[test]
fn unknown_escapes_stay_in_the_whole_word() {
    assert_eq!(one(r"\d+\.\d"), br"\d+\.\d");
    assert_eq!(one(r"\n\d"), b"\n\\d");
    for text in [
        r"\x0",
        r"\x00",
        r"\xg1",
        r"\400",
        r"\000",
        r"\08",
        r"\u0000",
        r"\U0011ffff",
        r"\UFFFE",
        r"\U0000fffe",
        r"\ud800",
    ] {
        assert_eq!(one(text), text.as_bytes());
    }
    // White space or a quote after such a backslash belongs to the word.
    assert_eq!(words(r"a\ b c"), [&br"a\ b"[..], b"c"]);
    assert_eq!(one(r"a\"), br"a\");
}

#[test]
fn open_quotes_are_errors() {
    for (text, offset) in [("'a", 0), (r#"ab"c\""#, 2), (r"'a\", 0)] {
        let mut words = Words::new(text);
        assert_eq!(words.next_word(), Err(UnbalancedQuotes { offset }), "{text}");
    }
}

#[test]
fn quoting_is_plain_where_it_can_be() {
    assert_eq!(quote("/usr/bin/x"), "/usr/bin/x");
    assert_eq!(quote("--a=%i,$HOME"), "--a=%i,$HOME");
    assert_eq!(quote(""), "\"\"");
    assert_eq!(quote(";"), "\";\"");
    assert_eq!(quote("a b"), "\"a b\"");
    assert_eq!(quote("it's \"x\" \\"), r#""it's \"x\" \\""#);
    assert_eq!(quote("ä\u{1}\n"), "\"ä\\x01\\n\"");
    assert_eq!(quote(b"\xff"), "\"\\xff\"");
    // systemd would skip a line with a noncharacter in it.
    assert_eq!(quote("\u{fffe}"), "\"\\xef\\xbf\\xbe\"");
    assert_eq!(escape_specifiers("100%"), "100%%");
    assert_eq!(escape_dollar("$a"), "$$a");
}

fn check_round_trip(word: &[u8]) -> Result<(), TestCaseError> {
    let line = format!("x {} y", quote(word));
    prop_assert!(!line.contains(['\n', '\r']));
    let read = words(&line);
    prop_assert_eq!(read, [b"x", word, b"y"]);
    Ok(())
}

proptest! {
    #[test]
    fn bytes_come_back(word in prop::collection::vec(1..=255u8, 0..40)) {
        check_round_trip(&word)?;
    }

    #[test]
    fn text_comes_back(word in "[^\0]{0,40}|[\\\\\"'; xn0-7%$]{0,20}") {
        check_round_trip(word.as_bytes())?;
    }

    #[test]
    fn never_panics(value in "\\PC{0,60}|[\\\\\"' xuU0-9a-f;]{0,30}") {
        let mut words = Words::new(&value);
        while let Ok(Some(word)) = words.next_word() {
            prop_assert!(word.offset < value.len());
        }
    }
}
