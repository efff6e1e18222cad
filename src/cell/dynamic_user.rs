//! The name of the user that systemd makes up for a unit with DynamicUser= and no User=.

use crate::unit::UnitName;

/// The key under which systemd hashes names of units, 235 to 262; that names do not change from one boot to
/// the next is what the owner of a StateDirectory= rests on.
const KEY: [u64; 2] = [0x964e_5828_e6af_1a58, 0xec07_928c_3bf5_4eb4];

/// The longest name that utmp(5) takes.
const LONGEST: usize = 31;

/// The unit name's prefix, where that is a valid user name, else a hash of it (systemd.exec(5)).
pub fn name_of(unit: &UnitName) -> String {
    let prefix = unit.prefix();
    let valid = prefix.len() <= LONGEST
        && prefix.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if valid { prefix.to_owned() } else { format!("_du{:016x}", siphash(KEY, prefix.as_bytes())) }
}

/// SipHash-2-4 (J.-P. Aumasson, D. J. Bernstein: "SipHash: a fast short-input PRF").
fn siphash([k0, k1]: [u64; 2], text: &[u8]) -> u64 {
    let initial = *b"somepseudorandomlygeneratedbytes";
    let word = |bytes: &[u8]| bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
    let mut state: [u64; 4] = std::array::from_fn(|n| {
        u64::from_be_bytes(std::array::from_fn(|byte| initial[8 * n + byte])) ^ [k0, k1][n % 2]
    });
    let absorb = |state: &mut [u64; 4], block: u64| {
        state[3] ^= block;
        rounds(state, 2);
        state[0] ^= block;
    };
    let mut blocks = text.chunks_exact(8);
    blocks.by_ref().for_each(|block| absorb(&mut state, word(block)));
    absorb(&mut state, (text.len() as u64) << 56 | word(blocks.remainder()));
    state[2] ^= 0xff;
    rounds(&mut state, 4);
    state.iter().fold(0, |hash, part| hash ^ part)
}

fn rounds([v0, v1, v2, v3]: &mut [u64; 4], count: usize) {
    for _ in 0..count {
        *v0 = v0.wrapping_add(*v1);
        *v1 = v1.rotate_left(13) ^ *v0;
        *v0 = v0.rotate_left(32);
        *v2 = v2.wrapping_add(*v3);
        *v3 = v3.rotate_left(16) ^ *v2;
        *v0 = v0.wrapping_add(*v3);
        *v3 = v3.rotate_left(21) ^ *v0;
        *v2 = v2.wrapping_add(*v1);
        *v1 = v1.rotate_left(17) ^ *v2;
        *v2 = v2.rotate_left(32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_the_paper() {
        let bytes: Vec<u8> = (0..15).collect();
        assert_eq!(siphash([0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908], &bytes), 0xa129_ca61_49be_45e5);
    }

    /// As `$USER` had them under systemd 252, 257 and 262.
    #[test]
    fn names_are_those_of_systemd() {
        let name = |unit| name_of(&UnitName::new(unit).unwrap());
        assert_eq!(name("web.service"), "web");
        assert_eq!(name("dash-@x.y.service"), "dash-");
        assert_eq!(name("9abc.service"), "_due2b22207e1771214");
        assert_eq!(name("dy.n1.service"), "_du00c2c74840e0ffed");
        assert_eq!(name("-dyn.service"), "_du4a57c1bba2f26fa3");
        let long = "a-very-long-name-of-a-unit-that-is-longer-than-thirty-one.service";
        assert_eq!(name(long), "_du2dff0d2e9edecfbb");
    }
}
