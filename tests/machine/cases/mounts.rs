//! What the wrapper mounts for a service, beside what systemd does.

use super::cases;
use crate::case::{Case, Scope};

cases![mounts_no_root_overlay_for_users,];

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
