use super::*;

fn overlay(text: &str) -> Option<Overlay> {
    Overlay::parse(text).ok()
}

fn layers(destination: &str, lower: &[&str], upper: Option<(&str, &str)>) -> Option<Overlay> {
    let upper = upper.map(|(upper, work)| (upper.to_owned(), work.to_owned()));
    let lower = lower.iter().map(|&path| path.to_owned()).collect();
    Some(Overlay { destination: destination.to_owned(), lower, upper })
}

#[test]
fn overlays_are_read_in_one_way_only() {
    assert_eq!(overlay("/d:/l:/m"), layers("/d", &["/l", "/m"], None));
    // Four paths are three lower directories, never an upper and a work directory.
    assert_eq!(overlay("/d:/a:/b:/c"), layers("/d", &["/a", "/b", "/c"], None));
    let both = "/d:/a:/b:upperdir=/u:workdir=/w";
    assert_eq!(overlay(both), layers("/d", &["/a", "/b"], Some(("/u", "/w"))));
    assert_eq!(overlay(r"/d\:1:/l\\2:%t/x"), layers("/d:1", &[r"/l\2", "%t/x"], None));
    assert_eq!(overlay("/d:/l"), None, "one alone");
    for wrong in [
        "",
        "/d",
        "/d:",
        "/d:l:/m",
        "d:/l:/m",
        ":/l:/m",
        "/d:/l:/m:",
        "/d:/l:upperdir=/u",
        "/d:/l:workdir=/w:upperdir=/u",
        "/d:upperdir=/u:workdir=/w",
        "/d:/l:upperdir=u:workdir=/w",
        "/d:/l:upperdir=/u:/w",
        "/d:/l:upperdir=/u:workdir=/w:/x",
        "/d:/../l:/m",
        "/d/..:/l:/m",
        "/:/l:/m",
        "//.:/l:/m",
        r"/d:/l\x:/m",
        r"/d:/m:/l\",
    ] {
        assert_eq!(overlay(wrong), None, "{wrong}");
    }
}

#[test]
fn binds_are_read() {
    let bind = |text: &str, read_only| match Mount::parse_bind(text, read_only) {
        Ok(Mount::Bind { source, destination, recursive, flags }) => Some((source, destination, recursive, flags)),
        Ok(other) => panic!("{other:?}"),
        Err(_) => None,
    };
    let (one, other) = ("/a".to_owned(), "/b".to_owned());
    assert_eq!(bind("/a", false), Some((one.clone(), one.clone(), true, Flags::default())));
    let read_only = Flags { read_only: true, ..Flags::default() };
    assert_eq!(bind("/a:/b", true), Some((one.clone(), other.clone(), true, read_only)));
    let harmless = Flags { nosuid: true, nodev: true, noexec: true, read_only: false };
    assert_eq!(bind("/a:/b:norbind,nosuid,nodev,noexec", false), Some((one, other, false, harmless)));
    for wrong in ["", "a", "/a:b", "/a:/", "/a:/b:ro", "/a:/b:rbind:x", "/a:/../b"] {
        assert_eq!(bind(wrong, false), None, "{wrong}");
    }
}

#[test]
fn tmpfs_is_read() {
    let options = |text: &str| match Mount::parse_tmpfs(text) {
        Ok(Mount::Tmpfs { options, flags, .. }) => {
            let text: Vec<String> = options.iter().map(|(key, value)| format!("{key}={value}")).collect();
            Some((text.join(","), flags))
        }
        _ => None,
    };
    let usual = Flags { nosuid: true, nodev: true, ..Flags::default() };
    assert_eq!(options("/t"), Some(("mode=0755".to_owned(), usual)));
    let strict = Flags { read_only: true, noexec: true, ..usual };
    assert_eq!(options("/t:size=10M,mode=1777,noexec,ro"), Some(("size=10M,mode=1777".to_owned(), strict)));
    for wrong in ["", "t", "/", "/t:size", "/t:size=", "/t:huge=always", "/t:a:b"] {
        assert_eq!(options(wrong), None, "{wrong}");
    }
}
