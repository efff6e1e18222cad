//! Values in words for people.

use crate::inspect::Offsets;

/// A range of ids; the one that has all of them is called so.
pub fn ids(first: u32, count: u32) -> String {
    match (first, count) {
        (0, u32::MAX) => "all".to_owned(),
        (first, 1) => first.to_string(),
        (first, count) => format!("{first}-{}", u64::from(first) + u64::from(count) - 1),
    }
}

/// Names one after the other.
pub fn list(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// Seconds, for people.
pub fn span(seconds: i64) -> String {
    let sign = if seconds < 0 { "-" } else { "" };
    let seconds = seconds.unsigned_abs();
    let (days, hours, minutes, seconds) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    match (days, hours) {
        (0, 0) => format!("{sign}{minutes}min {seconds}s"),
        (0, _) => format!("{sign}{hours}h {minutes}min"),
        _ => format!("{sign}{days}d {hours}h {minutes}min"),
    }
}

/// What a time namespace adds to the clocks.
pub fn shift(offsets: Offsets) -> String {
    let one = |clock: &str, nanoseconds: i128| (nanoseconds != 0).then(|| format!("{clock} {}", exact(nanoseconds)));
    let shifted = [one("boottime", offsets.boottime), one("monotonic", offsets.monotonic)];
    let shifted: Vec<String> = shifted.into_iter().flatten().collect();
    if shifted.is_empty() { "not".to_owned() } else { shifted.join(", ") }
}

/// Nanoseconds as a time span of systemd.time(7), nothing left out.
fn exact(nanoseconds: i128) -> String {
    const UNITS: [(&str, u128); 7] = [
        ("d", 86_400_000_000_000),
        ("h", 3_600_000_000_000),
        ("min", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
        ("us", 1_000),
        ("ns", 1),
    ];
    let mut rest = nanoseconds.unsigned_abs();
    let mut parts = Vec::new();
    for (unit, size) in UNITS {
        if rest >= size {
            parts.push(format!("{}{unit}", rest / size));
            rest %= size;
        }
    }
    format!("{}{}", if nanoseconds < 0 { '-' } else { '+' }, parts.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_shifts_are_short() {
        assert_eq!(span(42_940_925), "497d 0h 2min");
        assert_eq!(span(3_660), "1h 1min");
        assert_eq!(span(61), "1min 1s");
        assert_eq!(span(-61), "-1min 1s");
        assert_eq!(shift(Offsets::default()), "not");
        let both = Offsets { boottime: 86_400_000_000_000, monotonic: -1_500_000_000 };
        assert_eq!(shift(both), "boottime +1d, monotonic -1s 500ms");
        assert_eq!(shift(Offsets { boottime: 5_000_000, monotonic: 0 }), "boottime +5ms");
    }

    #[test]
    fn ranges_of_ids_are_short() {
        assert_eq!(ids(0, u32::MAX), "all");
        assert_eq!(ids(1000, 1), "1000");
        assert_eq!(ids(100_000, 65_536), "100000-165535");
    }
}
