use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::unit::Location;

fn assignment(value: &str) -> Assignment {
    let file: Arc<Path> = Path::new("/x.service").into();
    let at = Location::new(&file, 3, 1);
    Assignment::new("Service", "ExecStart", value, at, Location::new(&file, 3, 11))
}

fn commands(value: &str) -> Vec<ExecCommand> {
    parse(&assignment(value)).unwrap()
}

fn one(value: &str) -> ExecCommand {
    let mut all = commands(value);
    assert_eq!(all.len(), 1, "{value}");
    all.remove(0)
}

fn text(word: &Word) -> &str {
    word.as_str().unwrap()
}

fn args(command: &ExecCommand) -> Vec<&str> {
    command.args.iter().map(text).collect()
}

fn error(value: &str) -> (u32, ErrorKind) {
    let error = parse(&assignment(value)).unwrap_err();
    (error.at.column, error.kind)
}

#[test]
fn nginx() {
    let c = one(r"/usr/sbin/nginx -t -q -g 'daemon on; master_process on;'");
    assert_eq!(text(&c.path), "/usr/sbin/nginx");
    assert_eq!(args(&c), ["-t", "-q", "-g", "daemon on; master_process on;"]);
    assert_eq!(c.prefixes, Prefixes::default());
    let c = one("-/sbin/start-stop-daemon --quiet --stop --retry QUIT/5 --pidfile /run/nginx.pid");
    assert!(c.prefixes.ignore_failure);
    assert_eq!(c.args.len(), 6);
}

#[test]
fn prefixes() {
    let marks = |value: &str| one(value).prefixes.to_string();
    assert_eq!(marks("+/bin/x"), "+");
    assert_eq!(marks("!/bin/x"), "!");
    assert_eq!(marks("!!/bin/x"), "!!");
    assert_eq!(marks("!-!/bin/x"), "-!!");
    assert_eq!(marks(":-+/bin/x"), "-:+");
    assert_eq!(marks("'-/bin/x'"), "-");
    let c = one("-@/bin/sh -sh -c 'a b'");
    assert_eq!((text(&c.path), c.argv0.as_ref().map(text)), ("/bin/sh", Some("-sh")));
    assert_eq!(args(&c), ["-c", "a b"]);
    let c = one("|echo $HOME | cat");
    assert_eq!((c.prefixes.shell, text(&c.path)), (true, "echo"));
    assert_eq!(args(&c), ["$HOME", "|", "cat"]);
    assert!(one("@|sh").argv0.is_none());
    assert_eq!((text(&one("|").path), text(&one("||a").path)), ("", "|a"));
}

#[test]
fn semicolons() {
    let all = commands(r"/bin/a 1 ; -/bin/b \; x;y ';' ; ; /bin/c ;");
    let paths: Vec<_> = all.iter().map(|c| text(&c.path)).collect();
    assert_eq!(paths, ["/bin/a", "/bin/b", "/bin/c"]);
    assert_eq!(args(&all[1]), [";", "x;y", ";"]);
    assert!(all[1].prefixes.ignore_failure && !all[2].prefixes.ignore_failure);
    assert_eq!(commands("/bin/a ;/bin/b")[0].args.len(), 1);
    assert!(commands("").is_empty());
}

#[test]
fn specifiers_and_variables_stay() {
    let c = one(r"%h/bin/x %i %% $A $$ ${B} \x25n");
    assert_eq!(args(&c), ["%i", "%%", "$A", "$$", "${B}", "%n"]);
    assert_eq!(text(&one("true").path), "true");
}

#[test]
fn refused() {
    assert!(matches!(error("-"), (11, ErrorKind::EmptyCommand)));
    assert!(matches!(error("''"), (11, ErrorKind::EmptyCommand)));
    assert!(matches!(error("a/b"), (11, ErrorKind::BadExecutable(_))));
    assert!(matches!(error("/bin/"), (11, ErrorKind::BadExecutable(_))));
    assert!(matches!(error("--/bin/x"), (11, ErrorKind::BadExecutable(_))));
    assert!(matches!(error("+!/bin/x"), (11, ErrorKind::BadExecutable(_))));
    assert!(matches!(error(r"/a\x01"), (11, ErrorKind::BadExecutable(_))));
    assert!(matches!(error("@/bin/x"), (11, ErrorKind::MissingArgv0)));
    assert!(matches!(error("/bin/x 'open"), (18, ErrorKind::UnbalancedQuotes)));
    assert!(matches!(error("/bin/x ; b/c"), (20, ErrorKind::BadExecutable(_))));
}

#[test]
fn offsets_lead_back_to_the_file() {
    let c = one(r#"/bin/x  "a b" \; c"#);
    let offsets: Vec<_> = c.args.iter().map(|w| w.offset).collect();
    assert_eq!(offsets, [8, 14, 17]);
}

proptest! {
    #[test]
    fn written_commands_read_the_same(
        words in prop::collection::vec("[^\0]{0,12}|[;\\\\\"' %$@!+|:-]{0,4}", 0..6),
        ignore_failure: bool, argv0: bool, no_env: bool,
        privilege in 0..4u8,
    ) {
        let word = |w: &String| Word { bytes: w.clone().into_bytes(), offset: 0 };
        let mut rest: Vec<Word> = words.iter().map(word).collect();
        let argv0_word = (argv0 && !rest.is_empty()).then(|| rest.remove(0));
        let prefixes = Prefixes {
            ignore_failure,
            argv0: argv0_word.is_some(),
            no_env,
            full: privilege == 1,
            no_setuid: privilege == 2,
            ambient: privilege == 3,
            shell: false,
        };
        let path = word(&"/opt/a b".to_owned());
        let command = ExecCommand { prefixes, path, argv0: argv0_word, args: rest };
        let mut read = commands(&command.to_string());
        prop_assert_eq!(read.len(), 1);
        let read = read.remove(0);
        prop_assert_eq!(read.prefixes, command.prefixes);
        prop_assert_eq!(read.path.bytes, command.path.bytes);
        let bytes = |c: &[Word]| c.iter().map(|w| w.bytes.clone()).collect::<Vec<_>>();
        prop_assert_eq!(read.argv0.map(|w| w.bytes), command.argv0.map(|w| w.bytes));
        prop_assert_eq!(bytes(&read.args), bytes(&command.args));
    }

    #[test]
    fn never_panics(value in "\\PC{0,60}|[/a@!:|;\\\\\"' -]{0,20}") {
        let _ = parse(&assignment(&value));
    }
}
