//! What a failed case says: the assertion with its place, and what systemd knows of its units.

use std::backtrace::Backtrace;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};

use crate::case::Case;

thread_local! {
    static LAST: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps panic messages for [`catch`], which prints each once, under its case's name.
pub fn panics_into_reports() {
    panic::set_hook(Box::new(|info| {
        let mut text = info.to_string();
        if std::env::var_os("RUST_BACKTRACE").is_some_and(|v| v == "full") {
            text += &format!("\n{}", Backtrace::force_capture());
        }
        LAST.with_borrow_mut(|last| *last = text);
    }));
}

pub fn catch(case: &Case, run: impl FnOnce()) -> Result<(), String> {
    panic::catch_unwind(AssertUnwindSafe(run)).map_err(|_| {
        let message = LAST.with_borrow_mut(std::mem::take);
        // Looking must not hide the finding, should the machine be what is broken.
        let units = panic::catch_unwind(AssertUnwindSafe(|| case.describe_units())).unwrap_or_default();
        format!("{message}\n{units}")
    })
}
