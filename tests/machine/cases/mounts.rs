//! What the wrapper mounts for a service, beside what systemd does.

use std::path::Path;

use super::cases;
use crate::case::{Case, Scope};
use crate::dump::Dump;

cases![
    mounts_overlays_beside_systemds_own,
    mounts_no_root_overlay_for_users,
    mounts_sys_of_the_network_namespace,
    mounts_subordinate_ids,
    mounts_in_another_root,
];

/// Everything that is protected is protected still, everything that is mounted is there still, and
/// what is written to the root is thrown away.
fn mounts_overlays_beside_systemds_own(case: &Case) {
    let dir = format!("/var/lib/{}", case.unique("layers"));
    case.sh(&format!(
        "mkdir -p {dir}/dest {dir}/lower {dir}/a:b {dir}/upper {dir}/work && echo x >{dir}/lower/from-lower"
    ))
    .ok();
    case.sh(&format!("mkdir -m 1777 {dir}/root; echo y >{dir}/a:b/from-upper; chown nobody {dir}/upper")).ok();
    let script = "id -un; pwd; ls -x; echo changed >kept; \
                  echo thrown-away >../root/file && cat ../root/file; \
                  touch /usr/x 2>/dev/null || echo /usr is protected; \
                  touch /var/secret/x 2>/dev/null || echo /var/secret is protected; \
                  ls /proc/self/exe /dev/null /sys/kernel /run/systemd >/dev/null && echo mounts are there; \
                  cat ${CREDENTIALS_DIRECTORY}/word; stat -f -c %%T /";
    let out = format!("/run/unitcell-tests/{}", case.unique("out"));
    case.sh("mkdir -p -m 700 /var/secret").ok();
    let unit = case.service(
        "web",
        &format!(
            "Type=oneshot\nUser=nobody\nWorkingDirectory={dir}/dest\nProtectSystem=full\nInaccessiblePaths=/var/secret\n\
             PrivateTmp=yes\nSetCredential=word:abc\nStandardOutput=file:{out}\nExecStart=/bin/sh -c '{script}'"
        ),
        &format!("RootOverlay=yes\nOverlay={dir}/dest:{dir}/a\\:b:{dir}/lower:upperdir={dir}/upper:workdir={dir}/work"),
    );
    assert_eq!(unit.result(), "success", "{}", unit.journal());
    let expected = format!(
        "nobody\n{dir}/dest\nfrom-lower  from-upper\nthrown-away\n/usr is protected\n/var/secret is protected\n\
         mounts are there\nabcoverlayfs\n"
    );
    assert_eq!(case.read(&out), expected);
    assert!(!case.sh(&format!("ls {dir}/root/file")).success(), "it was written to the host");
    assert_eq!(case.read(&format!("{dir}/upper/kept")), "changed\n");
    case.sh(&format!("rm -rf {dir} {out} /var/secret")).ok();

    // What is wrong with a layer is told, and nothing runs.
    let broken = case.prepare(Scope::System, "broken", "", "Overlay=/srv:/not/there:/usr");
    assert!(!broken.start().success());
    broken.assert_failed_with(226);
    assert!(broken.journal().contains("/not/there: No such file or directory"), "{}", broken.journal());
}

/// The kernel lets nobody uncover by an overlay what lies below the mounts of a more privileged user.
fn mounts_no_root_overlay_for_users(case: &Case) {
    let unit = case.prepare(Scope::User, "web", "", "RootOverlay=yes\nPrivateUsers=self");
    assert!(!unit.start().success());
    unit.assert_failed_with(226);
    assert!(
        unit.journal().contains("no directory can be a layer that has mounts of the host below it"),
        "{}",
        unit.journal()
    );
}

/// On 252, too, where systemd mounts none; and what is mounted in it is there still, protected as it was.
fn mounts_sys_of_the_network_namespace(case: &Case) {
    case.sh("ip link add sys0 type veth peer name sys1").ok();
    let native = case.service("native", "User=nobody\nProtectKernelTunables=yes\nPrivateNetwork=yes", "").dump();
    let unit = case.service("web", "User=nobody\nProtectKernelTunables=yes", "PrivateNetwork=yes");
    let dump = unit.dump();
    case.sh("ip link delete sys0").ok();
    // In a container systemd carries over the container manager's mounts of the container's own /sys.
    if case.version() < 254 {
        assert_eq!(dump.list("sys_class_net"), ["lo"]);
    }
    assert_eq!(dump.interfaces(), ["lo"]);
    // In a container the /sys before was none, and had places that the kernel's has not.
    let is_there = |path: &String| path.starts_with("/sys/") && Path::new(path).exists();
    let below = |dump: &Dump| {
        let mut mounts: Vec<_> = dump.mounts().into_iter().map(|(path, _)| path).filter(is_there).collect();
        mounts.sort();
        mounts.dedup();
        mounts
    };
    assert_eq!(below(&dump), below(&native));
    let line = super::cell::mounts_at(&dump, "/sys/kernel").pop().expect("a mount");
    assert!(line.split(' ').nth(5).is_some_and(|flags| flags.starts_with("ro")), "{line}");
    assert_eq!(dump.status("CapEff"), native.status("CapEff"));
}

/// What a cell looks up outside and what it mounts inside, for a service that has another root.
fn mounts_in_another_root(case: &Case) {
    let root = format!("/srv/{}", case.unique("root"));
    case.sh(&format!(
        "mkdir -p {root} && cd {root} && mkdir usr etc dev proc run sys tmp var low low2 dest && echo inside >low/file && \
         for name in bin sbin lib lib64; do ln -s usr/$name $name; done"
    ))
    .ok();
    let other = case.service("other", "ExecStart=sleep 1000", "Hostname=other\nDomainname=nis\nPrivateNetwork=yes");
    let in_root = |name: &str, script: &str, cell: &str| {
        let out = format!("/run/unitcell-tests/{}", case.unique(name));
        let unit = case.service(
            name,
            &format!(
                "RootDirectory={root}\nBindReadOnlyPaths=/usr\nType=oneshot\nStandardOutput=file:{out}\n\
                 ExecStart=/bin/sh -c '{script}; grep -c unitcell-exec /proc/self/mountinfo; ls /proc/self/fd | wc -l'"
            ),
            cell,
        );
        assert_eq!(unit.result(), "success", "{}", unit.journal());
        case.read(&out)
    };
    let plain = in_root("plain", "true", "");
    let script = "cat /dest/file; echo thrown-away >/written && cat /written; stat -f -c %%T /; touch /usr/x 2>&1";
    assert_eq!(
        in_root("overlay", script, "RootOverlay=yes\nOverlay=/dest:/low:/low2"),
        format!("inside\nthrown-away\noverlayfs\ntouch: cannot touch '\\''/usr/x'\\'': Read-only file system\n{plain}")
            .replace("'\\''", "'")
    );
    assert!(!case.sh(&format!("ls {root}/written")).success(), "it was written to the host");
    assert_eq!(
        in_root(
            "subuid",
            "read -r inside outside count </proc/self/uid_map; echo $$outside",
            "PrivateUsers=subuid:tester"
        ),
        format!("100000\n{plain}")
    );
    assert_eq!(
        in_root(
            "of-unit",
            "uname -n; cat /proc/sys/kernel/domainname",
            &format!("NamespacesOf={} uts net", other.name)
        ),
        format!("other\nnis\n{plain}")
    );
    let pin = format!("/run/{}", case.unique("uts"));
    case.sh(&format!("touch {pin} && unshare --uts={pin} hostname pinned")).ok();
    assert_eq!(in_root("pin", "uname -n", &format!("UTSNamespacePath={pin}")), format!("pinned\n{plain}"));
    case.sh(&format!("umount {pin} && rm {pin}")).ok();
    let service = format!("RootDirectory={root}\nBindReadOnlyPaths=/usr\nType=oneshot\nExecStart=/bin/true");
    let gone = case.prepare(Scope::System, "gone", &service, &format!("UTSNamespacePath={pin}"));
    assert!(!gone.start().success());
    gone.assert_failed_with(226);
    case.sh(&format!("rm -rf --one-file-system {root}")).ok();
}

/// By the wrapper itself where it has the privilege, by newuidmap where it has not.
fn mounts_subordinate_ids(case: &Case) {
    let map = vec![(0, 100_000, 65536)];
    let root = case.service("root", "", "PrivateUsers=subuid:tester\nHostname=web").dump();
    assert_eq!((root.id_map("uid_map"), root.id_map("gid_map")), (map.clone(), map.clone()));
    assert_eq!((root.number("pid") > 0, root.hostname()), (true, "web"));
    let unit = case.user_service("user", "", "PrivateUsers=subuid:1000\nPrivateNetwork=yes\nTimeOffsetBoottime=1d");
    let user = unit.dump();
    assert_eq!((user.id_map("uid_map"), user.id_map("gid_map")), (map.clone(), map));
    assert_eq!(user.get("uid"), &serde_json::json!([0, 0, 0]));

    let missing = case.prepare(Scope::System, "missing", "", "PrivateUsers=subuid:nobody");
    assert!(!missing.start().success());
    missing.assert_failed_with(217);
    assert!(
        missing.journal().contains("/etc/subuid has no entry for nobody; add the line nobody:"),
        "{}",
        missing.journal()
    );
}
