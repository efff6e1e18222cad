//! The wrapper by hand, without a systemd.
//!
//! Cases that make namespaces need root, or a kernel that gives user namespaces to everybody.
//! Where neither is to be had they fail and say so; `UNITCELL_ALLOW_SKIP=1` passes them over.

#[path = "wrapper/cell.rs"]
mod cell;
#[path = "wrapper/combinations.rs"]
mod combinations;
#[path = "wrapper/dry_run.rs"]
mod dry_run;
#[path = "wrapper/failure.rs"]
mod failure;
#[path = "wrapper/handles.rs"]
mod handles;
#[path = "faults/manager.rs"]
mod manager;
#[path = "wrapper/mounts.rs"]
mod mounts;
#[path = "wrapper/options.rs"]
mod options;
#[path = "wrapper/renewed.rs"]
mod renewed;
#[path = "wrapper/rootless.rs"]
mod rootless;
#[path = "wrapper/run.rs"]
mod run;
#[path = "wrapper/untouched.rs"]
mod untouched;
