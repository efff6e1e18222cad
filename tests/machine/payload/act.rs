//! What the payload does once it has told all: it ends, sleeps or serves.

use std::ffi::c_int;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::atomic::{AtomicBool, Ordering};
use std::{mem, ptr};

pub fn act(words: &[String]) -> c_int {
    let number = || words.get(1).and_then(|n| n.parse().ok()).unwrap_or(0);
    match words.first().map(String::as_str) {
        None => 0,
        Some("exit") => number(),
        Some("signal") => {
            unsafe { libc::kill(libc::getpid(), number()) };
            loop_forever()
        }
        Some("sleep") => loop_forever(),
        Some("sleep-handled") => serve(false),
        Some("notify") => serve(true),
        Some("notify-reload") => serve(true),
        Some(other) => {
            eprintln!("payload: {other}: what is that?");
            98
        }
    }
}

fn loop_forever() -> ! {
    loop {
        unsafe { libc::pause() };
    }
}

static STOP: AtomicBool = AtomicBool::new(false);
static RELOAD: AtomicBool = AtomicBool::new(false);

extern "C" fn on_signal(signal: c_int) {
    if signal == libc::SIGHUP { &RELOAD } else { &STOP }.store(true, Ordering::SeqCst);
}

/// Until SIGTERM, with a handler: PID 1 of a namespace gets no signal that it does not handle.
fn serve(notifies: bool) -> c_int {
    unsafe {
        let mut inside: libc::sigset_t = mem::zeroed();
        let mut outside: libc::sigset_t = mem::zeroed();
        let mut action: libc::sigaction = mem::zeroed();
        action.sa_sigaction = on_signal as *const () as usize;
        libc::sigemptyset(&mut inside);
        for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
            libc::sigaddset(&mut inside, signal);
            libc::sigaction(signal, &action, ptr::null_mut());
        }
        // Blocked except while waiting, so that none slips in between the look and the wait.
        libc::sigprocmask(libc::SIG_BLOCK, &inside, &mut outside);
        for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
            libc::sigdelset(&mut outside, signal);
        }
        if notifies {
            notify("READY=1");
        }
        while !STOP.load(Ordering::SeqCst) {
            libc::sigsuspend(&outside);
            if notifies && RELOAD.swap(false, Ordering::SeqCst) {
                let mut now: libc::timespec = mem::zeroed();
                libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now);
                let usec = now.tv_sec * 1_000_000 + now.tv_nsec / 1_000;
                notify(&format!("RELOADING=1\nMONOTONIC_USEC={usec}"));
                notify("READY=1");
            }
        }
    }
    if notifies {
        notify("STOPPING=1");
    }
    0
}

fn notify(state: &str) {
    let Ok(path) = std::env::var("NOTIFY_SOCKET") else {
        eprintln!("payload: no NOTIFY_SOCKET");
        return;
    };
    let address = match path.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(&path),
    };
    let sent = UnixDatagram::unbound().and_then(|socket| socket.send_to_addr(state.as_bytes(), &address?));
    if let Err(error) = sent {
        eprintln!("payload: {path}: {error}");
    }
}
