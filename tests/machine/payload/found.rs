//! What the kernel answers, one question at a time.

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_long};
use std::fs;
use std::io::Error;
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

/// An answer, or why there is none.
pub type Found = Result<Value, String>;

pub fn checked(result: c_long) -> Found {
    if result < 0 { Err(Error::last_os_error().to_string()) } else { Ok(result.into()) }
}

pub fn open_fds() -> Found {
    unsafe {
        let dir = libc::opendir(c"/proc/self/fd".as_ptr());
        if dir.is_null() {
            return Err(Error::last_os_error().to_string());
        }
        let own = libc::dirfd(dir);
        let mut found = Vec::new();
        while let Some(entry) = libc::readdir(dir).as_ref() {
            let name = CStr::from_ptr(entry.d_name.as_ptr()).to_string_lossy();
            let Ok(fd) = name.parse::<c_int>() else {
                continue;
            };
            if fd != own {
                found.push(json!({
                    "fd": fd,
                    "target": link(&format!("/proc/self/fd/{fd}")).unwrap_or_default(),
                    "flags": libc::fcntl(fd, libc::F_GETFL),
                    "cloexec": libc::fcntl(fd, libc::F_GETFD) & libc::FD_CLOEXEC != 0,
                }));
            }
        }
        libc::closedir(dir);
        Ok(found.into())
    }
}

pub fn status() -> Found {
    let text = fs::read_to_string("/proc/self/status").map_err(|e| e.to_string())?;
    let map: BTreeMap<_, _> = text.lines().filter_map(|l| l.split_once(':')).map(|(k, v)| (k, v.trim())).collect();
    Ok(json!(map))
}

pub fn text(path: &str) -> Found {
    fs::read(path).map(|t| String::from_utf8_lossy(&t).into()).map_err(|e| e.to_string())
}

pub fn line(path: &str) -> Found {
    text(path).map(|t| t.as_str().unwrap_or_default().trim_end_matches(['\n', '\0']).into())
}

pub fn lines(text: Value) -> Value {
    text.as_str().unwrap_or_default().lines().collect()
}

pub fn link(path: &str) -> Found {
    fs::read_link(path).map(|p| p.to_string_lossy().into()).map_err(|e| e.to_string())
}

pub fn names(dir: &str) -> Result<Vec<String>, String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .map_err(|e| e.to_string())?
        .filter_map(|e| Some(e.ok()?.file_name().to_string_lossy().into_owned()))
        .collect();
    names.sort();
    Ok(names)
}

pub fn numbers(names: Vec<String>) -> Value {
    let mut numbers: Vec<i32> = names.iter().filter_map(|n| n.parse().ok()).collect();
    numbers.sort_unstable();
    json!(numbers)
}

pub fn chars(text: &[c_char]) -> Value {
    unsafe { CStr::from_ptr(text.as_ptr()) }.to_string_lossy().into()
}

/// An interface that is down has no route to its own address, so only a connection tells.
pub fn loopback() -> Result<bool, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| e.to_string())?;
    let address = listener.local_addr().map_err(|e| e.to_string())?;
    Ok(TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok())
}

pub fn keyring(special: c_long) -> Found {
    const KEYCTL_DESCRIBE: c_long = 6;
    let mut buffer = [0u8; 256];
    let n = unsafe { libc::syscall(libc::SYS_keyctl, KEYCTL_DESCRIBE, special, buffer.as_mut_ptr(), buffer.len()) };
    checked(n)?;
    let end = buffer.iter().position(|&b| b == 0).unwrap_or(buffer.len());
    Ok(String::from_utf8_lossy(&buffer[..end]).into())
}
