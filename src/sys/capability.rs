//! Capabilities, securebits and no_new_privs of the process.

use std::io;

use rustix::io::Errno;
use rustix::thread::{self, CapabilitiesSecureBits, CapabilitySet, CapabilitySets};

/// Becoming any member of any group, capabilities(7).
pub const CAP_SETGID: u32 = 6;
/// Becoming any user.
pub const CAP_SETUID: u32 = 7;

/// The effective capability that this bit of a set stands for.
pub fn has_effective(number: u32) -> io::Result<bool> {
    Ok(thread::capabilities(None)?.effective.bits() & (1 << number) != 0)
}

/// Drops all capabilities but those in `keep` from the bounding set, and from the inheritable
/// set, so that no exec brings them back.
pub fn limit_bounding_set(keep: u64) -> io::Result<()> {
    for number in 0..63 {
        let one = CapabilitySet::from_bits_retain(1 << number);
        if keep & one.bits() != 0 {
            continue;
        }
        match thread::capability_is_in_bounding_set(one) {
            Ok(true) => thread::remove_capability_from_bounding_set(one)?,
            Ok(false) => {}
            // Beyond the last capability that this kernel has, prctl(2).
            Err(Errno::INVAL) => break,
            Err(error) => return Err(error.into()),
        }
    }
    let mut sets = thread::capabilities(None)?;
    sets.inheritable &= CapabilitySet::from_bits_retain(keep);
    Ok(thread::set_capabilities(None, sets)?)
}

/// Keeps the permitted capabilities through the next change of user (PR_SET_KEEPCAPS); exec
/// clears this again.
pub fn keep_through_setuid() -> io::Result<()> {
    Ok(thread::set_keep_capabilities(true)?)
}

/// Makes all permitted capabilities effective again, which a change of user has ended.
pub fn regain_effective() -> io::Result<()> {
    let mut sets = thread::capabilities(None)?;
    sets.effective = sets.permitted;
    Ok(thread::set_capabilities(None, sets)?)
}

/// Makes one of the permitted capabilities effective.
pub fn make_effective(number: u32) -> io::Result<()> {
    let mut sets = thread::capabilities(None)?;
    sets.effective |= CapabilitySet::from_bits_retain(1 << number) & sets.permitted;
    Ok(thread::set_capabilities(None, sets)?)
}

/// Gives up all capabilities but the ambient ones, as the exec of a user who is not root would.
pub fn keep_ambient_alone() -> io::Result<()> {
    let mut sets = thread::capabilities(None)?;
    let ambient = |one: &CapabilitySet| thread::capability_is_in_ambient_set(*one).unwrap_or(false);
    let kept = sets.permitted.iter().filter(ambient).fold(CapabilitySet::empty(), |all, one| all | one);
    (sets.permitted, sets.effective) = (kept, kept);
    Ok(thread::set_capabilities(None, sets)?)
}

/// Drops all ambient and inheritable capabilities, so that exec takes along what it gives itself.
pub fn drop_ambient() -> io::Result<()> {
    thread::clear_ambient_capability_set()?;
    let mut sets = thread::capabilities(None)?;
    sets.inheritable = CapabilitySet::empty();
    Ok(thread::set_capabilities(None, sets)?)
}

/// Raises these ambient capabilities; they must be permitted.
pub fn raise_ambient(ambient: u64) -> io::Result<()> {
    let mut sets = thread::capabilities(None)?;
    sets.inheritable |= CapabilitySet::from_bits_retain(ambient);
    thread::set_capabilities(None, sets)?;
    for number in (0..63).filter(|number| ambient & (1 << number) != 0) {
        thread::configure_capability_in_ambient_set(CapabilitySet::from_bits_retain(1 << number), true)?;
    }
    Ok(())
}

/// Drops every capability of the process; where it is root, another exec brings them back.
pub fn drop_all() -> io::Result<()> {
    let none = CapabilitySet::empty();
    Ok(thread::set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?)
}

/// Raises all permitted capabilities as ambient ones.
pub fn raise_all_ambient() -> io::Result<()> {
    raise_ambient(thread::capabilities(None)?.permitted.bits())
}

/// Sets the securebits.
pub fn set_secure_bits(bits: u32) -> io::Result<()> {
    Ok(thread::set_capabilities_secure_bits(CapabilitiesSecureBits::from_bits_retain(bits))?)
}

/// Is no_new_privs set?
pub fn has_no_new_privileges() -> io::Result<bool> {
    Ok(thread::no_new_privs()?)
}

/// Sets no_new_privs.
pub fn no_new_privileges() -> io::Result<()> {
    Ok(thread::set_no_new_privs(true)?)
}
