use proptest::prelude::*;

use super::*;
use crate::cell::arbitrary::{cell_lines, managers, service_lines, unit_with};
use crate::cell::identity::Identity;
use crate::cell::plan::{Plan, plan};
use crate::cell::steps::Circumstances;
use crate::exec::request::Request;
use crate::unit::{Assignment, Location, Scope, UnitName};

fn words(text: &[&str]) -> Vec<OsString> {
    text.iter().map(OsString::from).collect()
}

fn run(text: &[&str]) -> Request {
    match parse(words(text)) {
        Ok(Action::Run(request)) => *request,
        other => panic!("{text:?}: {other:?}"),
    }
}

fn error(text: &[&str]) -> String {
    let findings = parse(words(text)).expect_err("an error");
    findings.iter().map(|finding| finding.message.as_str()).collect::<Vec<_>>().join(" | ")
}

#[test]
fn escaped_words_are_revealed_and_their_variables_expanded() {
    let command =
        |mode: &str| run(&[mode, "--hostname=web", "--", "/bin/sh", "-c", "a\\x3b \\x24\\x7bHOME\\x7d"]).command;
    let home = std::env::var("HOME").unwrap_or_default();
    assert_eq!(command("--escaped=expand"), words(&["/bin/sh", "-c", &format!("a; {home}")]));
    assert_eq!(command("--escaped=keep"), words(&["/bin/sh", "-c", "a; ${HOME}"]));
    assert!(error(&["--escaped=keep", "--", "a\\b"]).contains("without xHH"));
    assert!(error(&["--escaped=else", "--", "a"]).contains("takes expand or keep"));
    assert!(error(&["--private-pids", "--escaped=keep", "--", "a"]).contains("stands before all others"));
}

#[test]
fn nothing_is_no_value_for_a_directive() {
    for option in ["--hostname=", "--network-namespace=", "--private-network="] {
        assert!(error(&[option, "--", "true"]).contains("needs a value"), "{option}");
    }
    assert!(error(&["--hostname", "", "--", "true"]).contains("needs a value"));
}

/// The words that the wrapper gets from an `ExecStart=` line, by the rules of systemd.service(5).
/// `$A` is not set.
fn as_systemd_would(line: &str) -> Vec<OsString> {
    let at = Location::start(&std::sync::Arc::from(std::path::Path::new("/x")));
    let assignment = Assignment::new("Service", "ExecStart", line, at.clone(), at);
    let commands = crate::unit::exec::parse(&assignment).expect("a command line");
    let [command] = &commands[..] else { panic!("{line}") };
    assert_eq!(command.path.as_str(), Some("/usr/bin/unitcell-exec"));
    let expand = |text: &str| text.replace("%%", "%").replace("$$", "$");
    let args = command.args.iter().map(|word| word.as_str().expect("UTF-8")).filter(|word| *word != "$A");
    args.map(|word| expand(word).into()).collect()
}

proptest! {
    /// What the plan says, the wrapper does: the same steps come out of the options.
    #[test]
    fn options_of_a_plan_read_back(service in service_lines(), lines in cell_lines(), manager in managers()) {
        let unit = unit_with(&service, &lines);
        let plan = plan(&unit, &manager);
        if plan.is_refused() || plan.is_empty() {
            return Ok(());
        }
        let (_, line) = plan.service_lines.iter().rev().find(|(key, _)| *key == "ExecStart").unwrap();
        let Ok(Action::Run(request)) = parse(as_systemd_would(line)) else { panic!("{line}") };

        // Whether it is privileged, the wrapper finds out where it runs.
        let circumstances = Circumstances { privileged: manager.scope == Scope::System, ..request.circumstances() };
        prop_assert_eq!(crate::cell::steps::steps(&request.cell, &request.identity, &circumstances), plan.steps);
        let by_wrapper = |decision: &crate::cell::Decision| decision.maker == Some(crate::cell::Maker::Wrapper);
        if plan.decisions.iter().any(by_wrapper) || !request.cell.mounts.is_empty() {
            prop_assert_eq!(&request.identity, &Identity::of_unit(&unit, &manager).0);
        } else {
            prop_assert_eq!(&request.identity, &Identity::default());
        }
        prop_assert_eq!(&request.sources, &["/etc/systemd/system/web.service"]);
        prop_assert_eq!(&request.command, &words(&["/usr/bin/payload", "--one", "two words", "$"]));
    }

    /// A refusal reaches the reader as it was said.
    #[test]
    fn reasons_read_back(reason in "[ -~é]{0,40}") {
        let finding = Finding::error(None, reason.clone(), "");
        let name = UnitName::new("web.service").unwrap();
        let lines = Plan::refusing(&name, "/usr/bin/unitcell-exec", vec![finding]).service_lines;
        let (_, line) = lines.last().unwrap();
        let line = line.strip_prefix(":+").unwrap();
        let words = crate::unit::words::Words::new(line);
        let second = { let mut words = words; words.next_word().unwrap(); words.next_word().unwrap().unwrap() };
        // With `:`, `$$` stays what it is.
        let word = second.as_str().unwrap().replace("%%", "%");
        let Ok(Action::Refuse(read)) = parse([OsString::from(word)]) else { panic!("{line}") };
        prop_assert_eq!(read, reason);
    }

    #[test]
    fn no_option_makes_it_panic(words in prop::collection::vec("(--)?[a-z-]{0,12}=?[ -~]{0,8}", 0..6)) {
        let _ = parse(words.into_iter().map(OsString::from));
    }
}

#[test]
fn every_directive_is_an_option() {
    for row in DIRECTIVES {
        assert!(Known::find(row.flag).is_some(), "--{}", row.flag);
        let line = format!("--{}", row.flag);
        assert!(help().contains(&line), "{line}");
    }
}

#[test]
fn no_two_options_have_the_same_name() {
    let directives = DIRECTIVES.iter().map(|row| row.flag);
    let settings = SETTINGS.iter().map(|row| row.flag);
    let flags: Vec<&str> = directives.chain(settings).chain(CONTROLS.iter().map(|row| row.flag)).collect();
    let unique: std::collections::HashSet<&&str> = flags.iter().collect();
    assert_eq!(unique.len(), flags.len());
}

#[test]
fn values_stand_behind_an_equals_sign_or_alone() {
    for text in [&["--hostname=web", "--", "x"][..], &["--hostname", "web", "--", "x"], &["--hostname", "web", "x"]] {
        let request = run(text);
        assert_eq!(request.cell.hostname.as_deref(), Some("web"));
        assert_eq!(request.command, ["x"]);
    }
}

#[test]
fn switches_take_a_value_only_behind_an_equals_sign() {
    let request = run(&["--private-pids", "x"]);
    assert!(request.cell.private_pids);
    assert_eq!(request.command, ["x"]);
    assert!(!run(&["--private-pids=no", "x"]).cell.private_pids);
}

#[test]
fn what_follows_the_command_is_its_own() {
    assert_eq!(run(&["x", "--hostname=web", "--"]).command, ["x", "--hostname=web", "--"]);
    assert_eq!(run(&["--", "--hostname=web"]).command, ["--hostname=web"]);
    assert_eq!(run(&["--", "-"]).command, ["-"]);
}

#[test]
fn arguments_need_not_be_text() {
    let bytes = OsString::from_vec(b"\xff".to_vec());
    let Ok(Action::Run(request)) = parse([OsString::from("x"), bytes.clone()]) else { panic!() };
    assert_eq!(request.command[1], bytes);
}

#[test]
fn errors_name_the_option() {
    assert_eq!(error(&[]), "no command to execute");
    assert_eq!(error(&["--hostname=web"]), "no command to execute");
    assert_eq!(error(&["--no-such"]), "--no-such is no option");
    assert_eq!(error(&["-x", "y"]), "-x is no option");
    assert_eq!(error(&["--hostname"]), "--hostname needs a value");
    assert!(error(&["--hostname=-", "x"]).starts_with("--hostname: "));
    assert!(error(&["--verify=net", "x"]).starts_with("--verify: takes TYPE:INODE"));
    assert!(error(&["--verify=nets:1", "x"]).starts_with("--verify: takes TYPE:INODE"));
    assert!(error(&["--uid-map=0:1:1", "x"]).contains("GIDMap="));
}

#[test]
fn what_is_asked_for_information_needs_no_command() {
    assert!(matches!(parse(words(&["--help"])), Ok(Action::Help)));
    assert!(matches!(parse(words(&["--version"])), Ok(Action::Version)));
    assert!(matches!(parse(words(&["--refuse=why"])), Ok(Action::Refuse(reason)) if reason == "why"));
}
