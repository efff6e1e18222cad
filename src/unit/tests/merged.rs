use std::fs;

use super::*;

fn unit(texts: &[&str]) -> Unit {
    let dir = tempfile::tempdir().unwrap();
    let paths: Vec<_> = (0..texts.len()).map(|i| dir.path().join(i.to_string())).collect();
    for (path, text) in paths.iter().zip(texts) {
        fs::write(path, text).unwrap();
    }
    let paths: Vec<&Path> = paths.iter().map(|p| &**p).collect();
    Unit::from_files(UnitName::new("x.service").unwrap(), Some(paths[0]), &paths[1..]).unwrap()
}

fn values(list: Vec<&Assignment>) -> Vec<&str> {
    list.into_iter().map(|a| &*a.value).collect()
}

#[test]
fn resets() {
    let u = unit(&[
        "[Service]\nExecStart=/bin/a\nExecStart=/bin/b\nUser=a\nGroup=a\n[X]\nExecStart=/bin/no\n",
        "[Service]\nExecStart=\nExecStart=/bin/c\nUser=\n",
        "[Service]\nExecStart=/bin/d\nGroup=b\n",
    ]);
    assert_eq!(values(u.list("Service", "ExecStart")), ["/bin/c", "/bin/d"]);
    assert_eq!(u.last("Service", "User"), None);
    assert_eq!(u.last("Service", "Group").unwrap().value, "b");
    assert_eq!(u.last("Service", "Nothing"), None);
    assert!(u.list("Unit", "After").is_empty());
    assert_eq!(u.section("X").count(), 1);
    assert_eq!(u.dropins.len(), 2);
}

#[test]
fn a_file_with_its_own_dropins() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x.service");
    fs::create_dir(dir.path().join("x.service.d")).unwrap();
    fs::write(&file, "[Service]\nUser=a\n").unwrap();
    for (name, text) in [("b.conf", "[Service]\nUser=b\n"), ("a.conf", "[Service]\nUser=c\n"), ("z", "?")] {
        fs::write(dir.path().join("x.service.d").join(name), text).unwrap();
    }
    let u = Unit::from_file(&file).unwrap();
    assert_eq!((u.name.as_str(), u.dropins.len()), ("x.service", 2));
    assert_eq!(u.last("Service", "User").unwrap().value, "b");

    let dropin = dir.path().join("x.service.d/a.conf");
    let u = Unit::from_file(&dropin).unwrap();
    assert_eq!((u.name.as_str(), u.fragment, u.dropins.len()), ("x.service", None, 1));

    let error = Unit::from_file(&dir.path().join("x.txt")).unwrap_err();
    assert!(matches!(error.kind, ErrorKind::NotAUnit(_)));
    let error = Unit::from_file(&dir.path().join("y.service")).unwrap_err();
    assert!(error.to_string().starts_with("the file cannot be read"), "{error}");
}

#[test]
fn an_empty_file_masks() {
    assert!(unit(&[""]).masked);
    assert!(!unit(&["\n"]).masked);
}
