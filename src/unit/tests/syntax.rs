use proptest::prelude::*;

use super::*;

fn file() -> Arc<Path> {
    Path::new("/x.service").into()
}

fn read(text: &str) -> Parsed {
    parse(&file(), text.as_bytes()).unwrap()
}

fn pairs(parsed: &Parsed) -> Vec<(&str, &str, &str)> {
    parsed.assignments.iter().map(|a| (&*a.section, &*a.key, &*a.value)).collect()
}

fn place(at: &Location) -> (u32, u32) {
    (at.line, at.column)
}

fn fails(text: &[u8]) -> (u32, u32, ErrorKind) {
    let error = parse(&file(), text).unwrap_err();
    (error.at.line, error.at.column, error.kind)
}

#[test]
fn an_everyday_unit() {
    let parsed = read(
        "# Stop dance for nginx\n\n[Unit]\nDescription=A high performance web server\n\
         After=network-online.target remote-fs.target\n\n[Service]\nType=forking\n\
         ExecStartPre=/usr/sbin/nginx -t -q -g 'daemon on;'\n\
         ExecReload = /usr/sbin/nginx -s reload  \n\n[Unit]\n  ; again\n\tAfter=\n",
    );
    let expected = [
        ("Unit", "Description", "A high performance web server"),
        ("Unit", "After", "network-online.target remote-fs.target"),
        ("Service", "Type", "forking"),
        ("Service", "ExecStartPre", "/usr/sbin/nginx -t -q -g 'daemon on;'"),
        ("Service", "ExecReload", "/usr/sbin/nginx -s reload"),
        ("Unit", "After", ""),
    ];
    assert_eq!(pairs(&parsed), expected);
    assert!(parsed.warnings.is_empty());
    let reload = &parsed.assignments[4];
    assert_eq!((place(&reload.at), place(&reload.value_at)), ((10, 1), (10, 14)));
    assert_eq!(place(&parsed.assignments[5].at), (14, 2));
    assert_eq!(place(&parsed.assignments[5].value_at), (14, 8));
}

#[test]
fn continuations_with_comments_inside() {
    let parsed = read(
        "[Service]\nExecStart=/bin/a \\\n  # not part of it\n    b ä \\\n; nor this \\\n\n\
         C=1\\\\\nD=2\\\\\\\n 3\nE=4\\",
    );
    let expected = [
        ("Service", "ExecStart", "/bin/a      b ä"),
        ("Service", "C", r"1\\"),
        ("Service", "D", r"2\\  3"),
        ("Service", "E", "4"),
    ];
    assert_eq!(pairs(&parsed), expected);
    let exec = &parsed.assignments[0];
    let at = |needle: &str| place(&exec.locate(exec.value.find(needle).unwrap()));
    assert_eq!(at("/bin"), (2, 11));
    assert_eq!(at("a "), (2, 16));
    assert_eq!(at("b ä"), (4, 5));
    assert_eq!(at("ä"), (4, 7));
    assert_eq!(place(&exec.locate(usize::MAX)), (4, 8));
    let d = &parsed.assignments[2];
    assert_eq!(place(&d.locate(d.value.find('3').unwrap())), (9, 2));
}

#[test]
fn a_key_or_value_may_start_on_the_next_line() {
    let parsed = read("[S]\nKey\\\n = \\\n\\\n  value\\\n\nX=1");
    assert_eq!(pairs(&parsed), [("S", "Key", "value"), ("S", "X", "1")]);
    let a = &parsed.assignments[0];
    assert_eq!((place(&a.at), place(&a.value_at)), ((2, 1), (5, 3)));
    assert_eq!(place(&a.locate(2)), (5, 5));
}

#[test]
fn line_ends_and_byte_order_mark() {
    let parsed = read("\u{feff}[S]\r\nA=1\r\n\r\nB=2\rC=3\n\rD=4\n\n\rE=5");
    let keys: Vec<_> = parsed.assignments.iter().map(|a| (&*a.key, a.at.line)).collect();
    assert_eq!(keys, [("A", 2), ("B", 4), ("C", 5), ("D", 6), ("E", 8)]);
    assert_eq!(read("[S]\nA=a \\\r\n b\r\n").assignments[0].value, "a   b");
}

#[test]
fn ignored_lines() {
    let parsed = read("Early=1\n[S]\nno equals\n=value\n  = x\nA=1\n");
    let kinds: Vec<_> = parsed.warnings.iter().map(|w| (w.at.line, w.kind)).collect();
    let expected = [
        (1, WarningKind::OutsideSection),
        (3, WarningKind::MissingEquals),
        (4, WarningKind::MissingKey),
        (5, WarningKind::MissingKey),
    ];
    assert_eq!(kinds, expected);
    assert_eq!(pairs(&parsed), [("S", "A", "1")]);
}

#[test]
fn section_names_are_taken_literally() {
    let parsed = read("[]\nA=1\n[ X ]\nA=2\n[a]b]\nA=3\n  [T]  \nA=4=5\n");
    assert_eq!(pairs(&parsed), [("", "A", "1"), (" X ", "A", "2"), ("a]b", "A", "3"), ("T", "A", "4=5")]);
    assert!(matches!(fails(b"[S]\n  [X-Unitcell] # c\n"), (2, 3, ErrorKind::UnclosedSection)));
    assert!(matches!(fails(b"["), (1, 1, ErrorKind::UnclosedSection)));
    assert!(matches!(fails(b"[a\"b]"), (1, 1, ErrorKind::BadSectionName)));
    assert!(matches!(fails(b"[a\tb]"), (1, 1, ErrorKind::BadSectionName)));
}

#[test]
fn bytes_that_are_no_text() {
    assert!(matches!(fails(b"[S]\nA=b\0c\n"), (2, 4, ErrorKind::Nul)));
    assert!(matches!(fails(b"# \0"), (1, 3, ErrorKind::Nul)));
    // Comments may be in any encoding.
    let parsed = parse(&file(), b"[S]\n# \xe4\nA=1\n").unwrap();
    assert_eq!(pairs(&parsed), [("S", "A", "1")]);
    assert!(matches!(fails(b"[S]\nA=\xef\xbf\xbe\n"), (2, 1, ErrorKind::InvalidUtf8)));
    assert!(matches!(fails(b"[X-Unitcell]\nA=\xe4\n"), (2, 1, ErrorKind::InvalidUtf8)));
    assert!(matches!(fails(b"[S]\n [X-\xe4]\n"), (2, 2, ErrorKind::InvalidUtf8)));
}

#[test]
fn long_lines() {
    let longest = format!("[S]\nA={}\n", "x".repeat(LINE_MAX - 3));
    assert_eq!(read(&longest).assignments[0].value.len(), LINE_MAX - 3);
    let longer = format!("[S]\nA={}\n", "x".repeat(LINE_MAX - 2));
    assert!(matches!(fails(longer.as_bytes()), (2, 1, ErrorKind::LineTooLong)));
    let comment = format!("[S]\n#{}\n", "x".repeat(LINE_MAX));
    assert!(matches!(fails(comment.as_bytes()), (2, 1, ErrorKind::LineTooLong)));
    let many = format!("[S]\nA={}", "0123456789abcde\\\n".repeat(LINE_MAX / 15));
    assert!(matches!(fails(many.as_bytes()), (65537, 1, ErrorKind::LineTooLong)));
    let backslashes = format!("[S]\nA={}\n", "\\".repeat(LINE_MAX - 4));
    assert_eq!(read(&backslashes).assignments.len(), 1);
}

proptest! {
    #[test]
    fn never_panics(text in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&file(), &text);
    }

    #[test]
    fn locates_every_byte(text in "([ =ab#;\\\\\\[\\]\r\n\u{e4}]|\\\\\n|\n[a]=b){0,80}") {
        let text = format!("[S]\n{text}");
        let Ok(parsed) = parse(&file(), text.as_bytes()) else { return Ok(()) };
        let lines = u32::try_from(text.split(['\n', '\r']).count()).unwrap();
        for a in &parsed.assignments {
            let mut last = place(&a.value_at);
            for (offset, c) in a.value.char_indices() {
                let here = place(&a.locate(offset));
                prop_assert!(here >= last && here.0 <= lines);
                last = here;
                // Where a value's text stands is what the file has there.
                if !text.contains('\r') && c != ' ' {
                    let line = text.split('\n').nth(here.0 as usize - 1).unwrap();
                    let there: Vec<char> = line.chars().collect();
                    prop_assert_eq!(there.get(here.1 as usize - 1), Some(&c));
                }
            }
        }
    }
}
