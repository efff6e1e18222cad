//! The processes of the unit, as a /proc tells of them that was opened before the cell had its own.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{CWD, Dir, Mode, OFlags, openat};

/// A /proc, and what of it is of this process's unit.
#[derive(Debug)]
pub struct Processes {
    proc: OwnedFd,
    control_group: String,
}

impl Processes {
    /// Opens the /proc that is mounted now.
    pub fn open() -> io::Result<Processes> {
        let proc = openat(CWD, "/proc", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let control_group = read(&proc, "self/cgroup")?;
        Ok(Processes { proc, control_group: control_group.trim_end().trim_end_matches('/').to_owned() })
    }

    /// By how much this process's CLOCK_MONOTONIC is shifted, in nanoseconds, time_namespaces(7).
    pub fn monotonic_offset(&self) -> io::Result<i64> {
        match read(&self.proc, "self/timens_offsets") {
            Ok(text) => offset_in(&text).ok_or_else(|| io::ErrorKind::InvalidData.into()),
            // A kernel without time namespaces.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// Is it in the unit's control group, or in one below?
    pub fn is_of_this_unit(&self, process: i32) -> bool {
        read(&self.proc, &format!("{process}/cgroup")).is_ok_and(|group| {
            let rest = group.trim_end().strip_prefix(&self.control_group);
            // Seen from a cgroup namespace, what is outside of it is above.
            rest.is_some_and(|rest| rest.is_empty() || (rest.starts_with('/') && !rest.starts_with("/..")))
        })
    }

    /// The number that a process of the unit has here, by the one that it has in the cell.
    pub fn number_here(&self, inside: i32) -> Option<i32> {
        let entries = Dir::read_from(&self.proc).ok()?;
        let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str().ok()?.parse::<i32>().ok());
        pids.filter(|&pid| self.is_of_this_unit(pid)).find(|&pid| {
            let status = read(&self.proc, &format!("{pid}/status")).unwrap_or_default();
            number_inside(&status) == Some(inside)
        })
    }
}

impl AsFd for Processes {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.proc.as_fd()
    }
}

/// The number in the PID namespace below the one that /proc is of; in that one itself for a process
/// that is in no other, proc_pid_status(5).
fn number_inside(status: &str) -> Option<i32> {
    let mut numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"))?.split_ascii_whitespace();
    let here = numbers.next()?;
    numbers.next().unwrap_or(here).parse().ok()
}

/// Seconds and nanoseconds follow the name of the clock.
fn offset_in(timens_offsets: &str) -> Option<i64> {
    let mut numbers = timens_offsets.lines().find_map(|line| line.strip_prefix("monotonic"))?.split_ascii_whitespace();
    let mut number = || numbers.next()?.parse::<i64>().ok();
    number()?.checked_mul(1_000_000_000)?.checked_add(number()?)
}

fn read(proc: &OwnedFd, path: &str) -> io::Result<String> {
    let file = openat(proc, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let mut text = String::new();
    std::fs::File::from(file).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_below_is_meant() {
        assert_eq!(number_inside("Pid:\t813\nNSpid:\t813\t2\n"), Some(2));
        assert_eq!(number_inside("NSpid:\t813\t2\t1\n"), Some(2));
        assert_eq!(number_inside("NSpid:\t813\n"), Some(813));
        assert_eq!(number_inside("Name:\tx\n"), None);
    }

    #[test]
    fn the_offset_is_that_of_the_clock() {
        let text = "monotonic         -11  999999999\nboottime       172800         0\n";
        assert_eq!(offset_in(text), Some(-10_000_000_001));
        assert_eq!(offset_in("boottime 1 0\n"), None);
    }

    #[test]
    fn this_process_is_found() {
        let processes = Processes::open().unwrap();
        let own = std::process::id().cast_signed();
        assert!(processes.is_of_this_unit(own));
    }
}
