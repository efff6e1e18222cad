//! Services of a user manager.

use super::cases;
use crate::case::Case;
use crate::machine::{USER, USER_ID};

cases![user_manager_runs_plain_service];

fn user_manager_runs_plain_service(case: &Case) {
    case.user_sh(USER, "test $(id -u) = 1000 && systemctl --user is-system-running").ok();
    let dump = case.user_service("plain", "", "").dump();
    assert_eq!(dump.get("uid")[0], USER_ID);
    assert_eq!(dump.ns("net"), case.manager_ns("net"));
}
