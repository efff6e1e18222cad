//! What the wrapper mounts for a service, beside what systemd does.

use super::cases;
use crate::case::{Case, Scope};

cases![overlays_beside_systemds_own_mounts, user_units_have_no_root_overlay];

/// Everything that is protected is protected still, everything that is mounted is there still, and
/// what is written to the root is thrown away.
fn overlays_beside_systemds_own_mounts(case: &Case) {
    let dir = format!("/var/lib/{}", case.unique("layers"));
    case.sh(&format!(
        "mkdir -p {dir}/dest {dir}/lower {dir}/a:b {dir}/upper {dir}/work && echo x >{dir}/lower/from-lower"
    ))
    .ok();
    case.sh(&format!("echo y >{dir}/a:b/from-upper; chown nobody {dir}/upper")).ok();
    let script = "id -un; pwd; ls -x; echo changed >kept; \
                  echo thrown-away >/thrown-away && cat /thrown-away; \
                  touch /usr/x 2>/dev/null || echo /usr is protected; \
                  touch /var/secret/x 2>/dev/null || echo /var/secret is protected; \
                  ls /proc/self/exe /dev/null /sys/kernel /run/systemd >/dev/null && echo mounts are there; \
                  cat ${CREDENTIALS_DIRECTORY}/word; stat -f -c %%T /; ls -d /.. -i | cut -d' ' -f1 | wc -l";
    let out = format!("/run/unitcell-tests/{}", case.unique("out"));
    case.sh("mkdir -p -m 700 /var/secret; chmod 1777 /").ok();
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
         mounts are there\nabcoverlayfs\n1\n"
    );
    assert_eq!(case.read(&out), expected);
    assert!(!case.sh("ls /thrown-away").success(), "it was written to the host");
    assert_eq!(case.read(&format!("{dir}/upper/kept")), "changed\n");
    case.sh(&format!("chmod 755 /; rm -rf {dir} {out} /var/secret")).ok();

    // What is wrong with a layer is told, and nothing runs.
    let broken = case.prepare(Scope::System, "broken", "", "Overlay=/srv:/not/there");
    assert!(!broken.start().success());
    broken.assert_failed_with(226);
    assert!(broken.journal().contains("/not/there: No such file or directory"), "{}", broken.journal());
}

/// The kernel lets nobody uncover by an overlay what lies below the mounts of a more privileged user.
fn user_units_have_no_root_overlay(case: &Case) {
    let unit = case.prepare(Scope::User, "web", "", "RootOverlay=yes\nPrivateUsers=self");
    assert!(!unit.start().success());
    unit.assert_failed_with(226);
    assert!(
        unit.journal().contains("no directory can be a layer that has mounts of the host below it"),
        "{}",
        unit.journal()
    );
}
