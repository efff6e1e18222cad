//! Regular expressions as the C library has them: POSIX extended ones, regex(7).

use std::ffi::CString;
use std::fmt;
use std::mem::MaybeUninit;

/// A compiled regular expression.
pub struct Regex {
    text: String,
    compiled: Box<libc::regex_t>,
}

impl Regex {
    /// Compiles it; the error is the C library's word for what is wrong.
    pub fn new(text: &str) -> Result<Regex, String> {
        let pattern = CString::new(text).map_err(|_| "it has a NUL in it".to_owned())?;
        let mut compiled = Box::new(MaybeUninit::<libc::regex_t>::uninit());
        // SAFETY: `compiled` is memory for the expression, and `pattern` ends with a NUL.
        let error =
            unsafe { libc::regcomp(compiled.as_mut_ptr(), pattern.as_ptr(), libc::REG_EXTENDED | libc::REG_NOSUB) };
        if error != 0 {
            return Err(message(error, compiled.as_ptr()));
        }
        // SAFETY: regcomp(3) has filled it.
        Ok(Regex { text: text.to_owned(), compiled: unsafe { compiled.assume_init() } })
    }

    /// Does any part of `text` match?
    pub fn matches(&self, text: &str) -> bool {
        let Ok(text) = CString::new(text) else { return false };
        // SAFETY: the expression is a compiled one, the text ends with a NUL, and no matches are asked for.
        unsafe { libc::regexec(&raw const *self.compiled, text.as_ptr(), 0, std::ptr::null_mut(), 0) == 0 }
    }
}

impl Drop for Regex {
    fn drop(&mut self) {
        // SAFETY: it was compiled, and is not used again.
        unsafe { libc::regfree(&raw mut *self.compiled) }
    }
}

impl fmt::Debug for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Regex").field(&self.text).finish()
    }
}

fn message(error: libc::c_int, compiled: *const libc::regex_t) -> String {
    let mut buffer = [0u8; 128];
    // SAFETY: the C library writes a string with its NUL into at most as many bytes as it is told.
    unsafe { libc::regerror(error, compiled, buffer.as_mut_ptr().cast(), buffer.len()) };
    let end = buffer.iter().position(|&byte| byte == 0).unwrap_or(buffer.len());
    String::from_utf8_lossy(&buffer[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extended_expressions_match_anywhere() {
        let regex = Regex::new("^(ab|c)+d").unwrap();
        assert!(regex.matches("abcabd…"));
        assert!(!regex.matches("xabd"));
        assert!(!regex.matches("abd\0"));
        assert!(Regex::new("(").unwrap_err().to_lowercase().contains("parenthes") || Regex::new("(").is_err());
    }
}
