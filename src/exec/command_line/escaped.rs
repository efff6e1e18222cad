//! A command line that is kept from systemd, see [`crate::unit::hidden`].

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::exec::environment::Environment;
use crate::unit::hidden::{self, Variables};

/// The words that are meant.
pub fn read(words: Vec<OsString>) -> Result<Vec<OsString>, String> {
    let Some(variables) = words.first().and_then(|word| word.as_bytes().strip_prefix(hidden::OPTION.as_bytes())) else {
        return Ok(words);
    };
    let variables = Variables::named(variables).ok_or("--escaped: takes expand or keep")?;
    let mut revealed = Vec::with_capacity(words.len() - 1);
    for word in &words[1..] {
        let word = hidden::reveal(word.as_bytes());
        revealed.push(word.ok_or("--escaped: there is a backslash without xHH after it")?);
    }
    if variables == Variables::Expanded {
        let environment = Environment::inherited();
        let value = |name: &[u8]| environment.get(std::str::from_utf8(name).ok()?);
        revealed = hidden::expand(revealed, value);
    }
    Ok(revealed.into_iter().map(OsString::from_vec).collect())
}
