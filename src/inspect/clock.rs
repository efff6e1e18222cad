//! The clocks of a time namespace, time_namespaces(7).

use std::time::Duration;

use serde::Serialize;

/// How far the clocks are shifted against those of the whole machine, in nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Offsets {
    /// CLOCK_MONOTONIC.
    pub monotonic: i128,
    /// CLOCK_BOOTTIME.
    pub boottime: i128,
}

impl Offsets {
    /// Reads the text of timens_offsets: lines of a clock, seconds, and nanoseconds, which are
    /// positive also when the seconds are not.
    pub fn parse(text: &str) -> Option<Offsets> {
        let mut offsets = Offsets::default();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let clock = words.next()?;
            let (seconds, nanoseconds): (i128, i128) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
            let offset = seconds * 1_000_000_000 + nanoseconds;
            // Kernels before 5.12 write the clocks' numbers.
            match clock {
                "monotonic" | "1" => offsets.monotonic = offset,
                "boottime" | "7" => offsets.boottime = offset,
                _ => {}
            }
        }
        Some(offsets)
    }
}

/// The first number of /proc/uptime.
pub fn parse_uptime(text: &str) -> Option<Duration> {
    let seconds: f64 = text.split(' ').next()?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_keep_their_sign() {
        let text = "monotonic           0         0\nboottime     42940800         0\n";
        assert_eq!(Offsets::parse(text), Some(Offsets { monotonic: 0, boottime: 42_940_800_000_000_000 }));
        let text = "monotonic          -2 500000000\nboottime            0         0\n";
        assert_eq!(Offsets::parse(text).unwrap().monotonic, -1_500_000_000);
        assert_eq!(Offsets::parse("monotonic x\n"), None);
    }

    #[test]
    fn the_uptime_is_the_first_number() {
        assert_eq!(parse_uptime("98.25 190.10\n"), Some(Duration::from_millis(98_250)));
        assert_eq!(parse_uptime(""), None);
    }
}
