//! Somebody at a terminal.

use crate::case::Case;

/// Runs a command line at a terminal, types and looks as the acts say, and tells what was seen, the status,
/// and whether the terminal is as it was.
const SCRIPT: &str = r#"
import fcntl, os, pty, select, struct, sys, termios, time, signal
command, *acts = sys.argv[1:]
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 99, 0, 0))
    # As a shell would: a child in the foreground, and its terminal's mode compared afterwards.
    os.execvp("sh", ["sh", "-c", 'before=$(stty -g); ' + command + '; code=$?; test "$(stty -g)" = "$before" && echo same mode; echo end=$code'])
seen = b""
def look(until, seconds=30):
    global seen
    end = time.time() + seconds
    while until not in seen and time.time() < end:
        if select.select([fd], [], [], 0.1)[0]:
            try: data = os.read(fd, 4096)
            except OSError: return
            if not data: return
            seen += data
for act in acts:
    kind, _, rest = act.partition(":")
    rest = rest.encode().decode("unicode_escape").encode()
    if kind == "see": look(rest)
    if kind == "type": os.write(fd, rest)
    if kind == "size": fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", int(rest), 50, 0, 0))
    if kind == "term": os.system("kill -TERM $(pgrep -x unitcell -s %d)" % pid)
look(b"end=", 60); look(b"\n", 1)
os.close(fd)
sys.stdout.write(seen.decode(errors="replace"))
"#;

/// What is seen, at the end of it `end=` and the status, of a command line at a terminal of 33 lines of 99
/// columns. The acts: `see:WORDS` waits for these, `type:KEYS`, `size:LINES` (of 50 columns), and `term:`
/// sends our tool SIGTERM. The terminal must have its mode back afterwards.
#[track_caller]
pub fn run(case: &Case, command: &str, acts: &[&str]) -> String {
    let script = format!("/run/{}.py", case.unique("at-terminal"));
    case.file(&script, SCRIPT);
    let seen = case.exec(&[&["python3", &script, command], acts].concat());
    assert!(seen.stdout.contains("same mode"), "{command}: {seen:?}");
    seen.stdout
}
