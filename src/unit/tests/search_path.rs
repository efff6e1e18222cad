use super::*;

fn dirs(scope: Scope, env: &Env) -> Vec<String> {
    let path = SearchPath::new(scope, Path::new("/"), env);
    path.dirs().iter().map(|d| d.display().to_string()).collect()
}

fn env(vars: &[(&str, &str)]) -> Env {
    Env::from_vars(vars.iter().map(|(k, v)| (k.into(), v.into())))
}

#[test]
fn system() {
    let all = dirs(Scope::System, &Env::default());
    assert_eq!(all[0], "/etc/systemd/system.control");
    assert_eq!(all[3], "/etc/systemd/system");
    assert_eq!(all.last().unwrap(), "/usr/lib/systemd/system");
    let path = SearchPath::new(Scope::System, Path::new("/"), &Env::default());
    let wins = |dir: &str, g| path.wins_over(Path::new(dir), g);
    assert_eq!(wins("/run/systemd/transient", GeneratorDir::Early), Some(true));
    assert_eq!(wins("/etc/systemd/system", GeneratorDir::Early), Some(false));
    assert_eq!(wins("/run/systemd/system", GeneratorDir::Normal), Some(true));
    assert_eq!(wins("/usr/local/lib/systemd/system", GeneratorDir::Normal), Some(false));
    assert_eq!(wins("/usr/lib/systemd/system", GeneratorDir::Late), Some(true));
    assert_eq!(wins("/nowhere", GeneratorDir::Late), None);
}

#[test]
fn user() {
    let vars = [
        ("XDG_CONFIG_HOME", "/c"),
        ("XDG_CONFIG_DIRS", "/a:/b"),
        ("XDG_DATA_HOME", "/d"),
        ("XDG_DATA_DIRS", "/e:/f"),
        ("XDG_RUNTIME_DIR", "/r"),
        ("HOME", "/h"),
    ];
    let expected = [
        "/c/systemd/user.control",
        "/r/systemd/user.control",
        "/r/systemd/transient",
        "/c/systemd/user",
        "/c/systemd/user.attached",
        "/a/systemd/user",
        "/b/systemd/user",
        "/etc/systemd/user",
        "/r/systemd/user",
        "/r/systemd/user.attached",
        "/run/systemd/user",
        "/d/systemd/user",
        "/e/systemd/user",
        "/f/systemd/user",
        "/usr/local/lib/systemd/user",
        "/usr/local/share/systemd/user",
        "/usr/lib/systemd/user",
        "/usr/share/systemd/user",
    ];
    assert_eq!(dirs(Scope::User, &env(&vars)), expected);

    let plain = dirs(Scope::User, &env(&[("HOME", "/h"), ("XDG_CONFIG_HOME", "relative")]));
    let expected = [
        "/h/.config/systemd/user.control",
        "/h/.config/systemd/user",
        "/h/.config/systemd/user.attached",
        "/etc/xdg/systemd/user",
        "/etc/systemd/user",
        "/run/systemd/user",
        "/h/.local/share/systemd/user",
        "/usr/local/share/systemd/user",
        "/usr/share/systemd/user",
        "/usr/local/lib/systemd/user",
        "/usr/lib/systemd/user",
    ];
    assert_eq!(plain, expected);
}

#[test]
fn unit_path_variable() {
    let only = env(&[("SYSTEMD_UNIT_PATH", "/q:/z//y/")]);
    assert_eq!(dirs(Scope::System, &only), ["/q", "/z/y"]);
    let path = SearchPath::new(Scope::System, Path::new("/"), &only);
    assert_eq!(path.wins_over(Path::new("/q"), GeneratorDir::Late), None);
    let more = env(&[("SYSTEMD_UNIT_PATH", "/q:")]);
    assert_eq!(dirs(Scope::System, &more)[..2], ["/q", "/etc/systemd/system.control"]);
    assert!(dirs(Scope::System, &env(&[("SYSTEMD_UNIT_PATH", "")])).is_empty());
}

#[test]
fn a_users_other_files_follow_those_of_units() {
    let vars = [("XDG_CONFIG_DIRS", "/a:/b"), ("XDG_RUNTIME_DIR", "/r"), ("XDG_DATA_DIRS", "/e"), ("HOME", "/h")];
    let units: Vec<String> = dirs(Scope::User, &env(&vars));
    let found: Vec<String> =
        user_directories(&env(&vars), "x").into_iter().map(|directory| directory.display().to_string()).collect();
    assert_eq!(
        found,
        [
            "/h/.config/x",
            "/a/x",
            "/b/x",
            "/etc/x/user",
            "/r/x",
            "/run/x/user",
            "/h/.local/share/x",
            "/e/x",
            "/usr/local/lib/x/user",
            "/usr/lib/x/user"
        ]
    );
    let of_unit = |directory: &str| match directory.strip_suffix("/user") {
        Some(base) => format!("{}/systemd/user", base.strip_suffix("/x").unwrap()),
        None => format!("{}/systemd/user", directory.strip_suffix("/x").unwrap()),
    };
    let places: Vec<usize> =
        found.iter().map(|directory| units.iter().position(|unit| *unit == of_unit(directory)).unwrap()).collect();
    assert!(places.is_sorted(), "{places:?}");
    assert_eq!(user_directories(&Env::default(), "x")[0], Path::new("/etc/xdg/x"));
}
