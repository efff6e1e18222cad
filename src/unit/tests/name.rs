use proptest::prelude::*;

use super::*;

fn name(text: &str) -> UnitName {
    UnitName::new(text).unwrap()
}

#[test]
fn parts() {
    let n = name("foo-bar@in.st@x.service");
    assert_eq!((n.prefix(), n.instance()), ("foo-bar", Some("in.st@x")));
    assert_eq!(n.template(), Some(name("foo-bar@.service")));
    assert_eq!((n.type_(), n.kind()), (UnitType::Service, NameKind::Instance));
    let t = n.template().unwrap();
    assert_eq!((t.prefix(), t.instance(), t.template()), ("foo-bar", None, None));
    assert_eq!(t.kind(), NameKind::Template);
    assert_eq!(t.with_instance("x"), Ok(name("foo-bar@x.service")));
    assert_eq!(name("a.b.socket").prefix(), "a.b");
    assert_eq!(name("a.b.socket").kind(), NameKind::Plain);
    assert_eq!(name(r"dev-sda\x2d1.device").type_(), UnitType::Device);
}

#[test]
fn refused() {
    assert_eq!(UnitName::new("foo"), Err(NameError::NoType));
    assert_eq!(UnitName::new("foo.conf"), Err(NameError::NoType));
    assert_eq!(UnitName::new("foo.service."), Err(NameError::NoType));
    assert_eq!(UnitName::new(".service"), Err(NameError::NoPrefix));
    assert_eq!(UnitName::new("@x.service"), Err(NameError::NoPrefix));
    assert_eq!(UnitName::new("a/b.service"), Err(NameError::BadCharacter));
    assert_eq!(UnitName::new("a b.service"), Err(NameError::BadCharacter));
    assert_eq!(UnitName::new("ä.service"), Err(NameError::BadCharacter));
    let long = "a".repeat(NAME_MAX - ".service".len());
    assert!(UnitName::new(&format!("{long}.service")).is_ok());
    assert_eq!(UnitName::new(&format!("{long}a.service")), Err(NameError::TooLong));
}

#[test]
fn dropin_stems_in_order() {
    let stems = |text: &str| name(text).dropin_stems();
    assert_eq!(stems("foo.service"), ["foo.service", "service"]);
    assert_eq!(
        stems("foo-bar-waldo.service"),
        ["foo-bar-waldo.service", "foo-bar-.service", "foo-.service", "service"]
    );
    assert_eq!(
        stems("foo-bar@inst.service"),
        ["foo-bar@inst.service", "foo-bar@.service", "foo-.service", "foo-@inst.service", "foo-@.service", "service"]
    );
    assert_eq!(stems("foo-bar@.service"), ["foo-bar@.service", "foo-.service", "service"]);
    assert_eq!(stems("foo--bar-.service"), ["foo--bar-.service", "foo--.service", "foo-.service", "service"]);
    assert_eq!(stems("-.mount"), ["-.mount", "mount"]);
    assert_eq!(stems("-a.mount"), ["-a.mount", "mount"]);
}

proptest! {
    #[test]
    fn never_panics(text in "\\PC{0,60}|[a-z@.-]{0,20}\\.service") {
        if let Ok(name) = UnitName::new(&text) {
            prop_assert_eq!(name.as_str(), &text);
            prop_assert!(name.dropin_stems().len() >= 2);
            let _ = (name.kind(), name.with_instance("i"));
        }
    }
}
