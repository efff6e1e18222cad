//! The name of the user that systemd makes up for a unit with DynamicUser= and no User=.

use std::hash::Hasher;

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

/// SipHash-2-4, which is what the standard library once hashed by and still has.
#[expect(deprecated, reason = "it is no hash for tables here, but one whose values are to stay")]
fn siphash([k0, k1]: [u64; 2], text: &[u8]) -> u64 {
    let mut hasher = std::hash::SipHasher::new_with_keys(k0, k1);
    hasher.write(text);
    hasher.finish()
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
