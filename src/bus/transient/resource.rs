//! Values of systemd.resource-control(5), and limits.

use super::Property;
use super::value::{Made, list, microseconds, one, wants};
use crate::unit::value::parse_boolean;

/// A number of bytes or tasks, `infinity`, or a share in per cent.
pub fn bytes(name: &str, text: &str) -> Made {
    if let Some(share) = text.strip_suffix('%') {
        let share = share.parse::<f64>().ok().filter(|share| (0.0..=100.0).contains(share));
        let scale = wants(share, "a share of up to 100%")? / 100.0 * f64::from(u32::MAX);
        return one(format!("{name}Scale"), scale as u32);
    }
    one(name, wants(size(text, 1024), "a number of bytes, such as 64M, or infinity")?)
}

/// `1.5G`.
fn size(text: &str, base: u64) -> Option<u64> {
    if text == "infinity" {
        return Some(u64::MAX);
    }
    let text = text.strip_suffix('B').unwrap_or(text);
    let exponent = text.chars().last().and_then(|last| "KMGTPE".find(last));
    let (number, factor) = match exponent {
        Some(n) => (&text[..text.len() - 1], base.pow(n as u32 + 1)),
        None => (text, 1),
    };
    match number.split_once('.') {
        None => number.parse::<u64>().ok()?.checked_mul(factor),
        Some(_) => {
            let bytes = number.parse::<f64>().ok()? * factor as f64;
            (bytes >= 0.0 && bytes < u64::MAX as f64).then_some(bytes as u64)
        }
    }
}

/// A share against others.
pub fn weight(name: &str, text: &str) -> Made {
    let weight = if text == "idle" { Some(0) } else { text.parse::<u64>().ok().filter(|n| (1..=10_000).contains(n)) };
    one(name, wants(weight, "a weight from 1 to 10000")?)
}

/// Per cent of one processor.
pub fn cpu_quota(_: &str, text: &str) -> Made {
    let quota = text.strip_suffix('%').and_then(|share| share.parse::<f64>().ok()).filter(|share| *share > 0.0);
    one("CPUQuotaPerSecUSec", (wants(quota, "per cent of one processor, such as 20%")? * 10_000.0) as u64)
}

/// Numbers and ranges, as a mask of bits.
pub fn cpu_set(name: &str, text: &str) -> Made {
    const MAX: usize = 8192;
    let mut mask: Vec<u8> = Vec::new();
    for word in text.split([' ', ',', '\t']).filter(|word| !word.is_empty()) {
        let (first, last) = word.split_once('-').unwrap_or((word, word));
        let range = first.parse().ok().zip(last.parse().ok()).filter(|(first, last)| first <= last && *last < MAX);
        let (first, last): (usize, usize) = wants(range, "numbers and ranges, such as 0-3,8")?;
        mask.resize(mask.len().max(last / 8 + 1), 0);
        (first..=last).for_each(|bit| mask[bit / 8] |= 1 << (bit % 8));
    }
    one(name, mask)
}

/// All controllers, none, or these.
pub fn delegate(name: &str, text: &str) -> Made {
    match parse_boolean(text) {
        Some(value) => one(name, value),
        None => one("DelegateControllers", list(text)?),
    }
}

/// `SOFT:HARD`, or one for both.
pub fn limit(name: &str, text: &str) -> Made {
    let (soft, hard) = text.split_once(':').unwrap_or((text, text));
    let number = |text: &str| match (name, text) {
        (_, "infinity") => Some(u64::MAX),
        ("LimitCPU", _) => Some(microseconds(text).ok()?.div_ceil(1_000_000)),
        ("LimitRTTIME", _) => match text.parse() {
            Ok(number) => Some(number),
            Err(_) => microseconds(text).ok(),
        },
        // A niceness with its sign, or the kernel's 20 minus that.
        ("LimitNICE", _) if text.starts_with(['+', '-']) => u64::try_from(20 - text.parse::<i64>().ok()?).ok(),
        _ => size(text, 1024),
    };
    let (soft, hard) = wants(number(soft).zip(number(hard)), "a limit, or SOFT:HARD")?;
    Ok(vec![Property::new(name, hard), Property::new(format!("{name}Soft"), soft)])
}

/// A device node, and what may be done with it.
pub fn device(name: &str, text: &str) -> Made {
    let (path, access) = text.split_once(char::is_whitespace).unwrap_or((text, "rwm"));
    one(name, vec![(path.to_owned(), access.trim().to_owned())])
}

/// A device node and a number.
pub fn device_number(name: &str, text: &str) -> Made {
    let (path, number) = wants(text.split_once(char::is_whitespace), "a device and a number")?;
    one(name, vec![(path.to_owned(), wants(size(number.trim(), 1000), "a device and a number")?)])
}
