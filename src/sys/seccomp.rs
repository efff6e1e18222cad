//! Filters that make system calls fail, seccomp(2).

use std::io;

use super::system_call::{ARCHITECTURES, Call};

/// What becomes of a call that is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It fails with this error number.
    Errno(u16),
    /// The process is killed, by SIGSYS.
    Kill,
}

/// A call to deny.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The call.
    pub call: &'static Call,
    /// Only where an argument says so.
    pub only_if: Option<Argument>,
    /// What becomes of it.
    pub action: Action,
}

/// What an argument must be: these bits of its lower half must have this value.
#[derive(Debug, Clone, Copy)]
pub struct Argument {
    /// Which one, from 0 on.
    pub index: u32,
    /// The bits that matter.
    pub mask: u32,
    /// Their value.
    pub value: u32,
}

impl Rule {
    /// Denies every call of it; none if this is no call that we know.
    pub fn deny(name: &str, action: Action) -> Option<Rule> {
        Some(Rule { call: Call::find(name)?, only_if: None, action })
    }

    /// Denies it where the argument says so.
    pub fn deny_if(name: &str, argument: Argument, action: Action) -> Option<Rule> {
        Some(Rule { only_if: Some(argument), ..Rule::deny(name, action)? })
    }
}

/// Takes sethostname(2) and setdomainname(2) away from the process and all its children.
pub fn deny_hostname_changes() -> io::Result<()> {
    let denied = |name| Rule::deny(name, Action::Errno(libc::EPERM as u16));
    install(&["sethostname", "setdomainname"].into_iter().filter_map(denied).collect::<Vec<_>>())
}

/// Does a filter say which calls the process may make? One that does not let us ask is one.
pub fn is_filtered() -> bool {
    // SAFETY: it takes no pointer.
    unsafe { libc::prctl(libc::PR_GET_SECCOMP) != 0 }
}

/// Denies these calls to the process and all its children; of rules for the same call the first
/// one that fits counts.
pub fn install(rules: &[Rule]) -> io::Result<()> {
    let program = program(rules);
    let header = libc::sock_fprog {
        len: program.len() as libc::c_ushort,
        // The kernel only reads through the pointer.
        filter: program.as_ptr().cast_mut(),
    };
    // Not seccomp(2): a filter of the unit's may deny it, and prctl(2) is needed all the same.
    // SAFETY: `header` describes `program`, and both live through the call.
    let result =
        unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER as libc::c_ulong, &raw const header) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const AND: u16 = (libc::BPF_ALU | libc::BPF_AND | libc::BPF_K) as u16;
const JUMP: u16 = (libc::BPF_JMP | libc::BPF_JA) as u16;
const JUMP_IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// Where seccomp_data has the call's number, its architecture, and the lower half of its first
/// argument, with eight bytes from one to the next.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENT: u32 = 16;

const fn instruction(code: u16, k: u32, jt: u8, jf: u8) -> libc::sock_filter {
    libc::sock_filter { code, jt, jf, k }
}

fn program(rules: &[Rule]) -> Vec<libc::sock_filter> {
    let mut program = vec![instruction(LOAD, ARCHITECTURE, 0, 0)];
    for &architecture in ARCHITECTURES {
        let section = section(rules, architecture);
        program.push(instruction(JUMP_IF_EQUAL, architecture, 1, 0));
        program.push(instruction(JUMP, section.len() as u32, 0, 0));
        program.extend(section);
    }
    program.push(instruction(RETURN, libc::SECCOMP_RET_ALLOW, 0, 0));
    program
}

/// What the calls of one architecture go through.
fn section(rules: &[Rule], architecture: u32) -> Vec<libc::sock_filter> {
    let mut section = vec![instruction(LOAD, NUMBER, 0, 0)];
    for rule in rules {
        let answer = match rule.action {
            Action::Errno(errno) => libc::SECCOMP_RET_ERRNO | u32::from(errno),
            Action::Kill => libc::SECCOMP_RET_KILL_PROCESS,
        };
        for number in rule.call.numbers().into_iter().filter(|number| number.architecture == architecture) {
            let first = number.first.map(|value| Argument { index: 0, mask: u32::MAX, value });
            // One number for many calls has the arguments of the call it stands for elsewhere.
            match first.or(rule.only_if) {
                None => section.push(instruction(JUMP_IF_EQUAL, number.number, 0, 1)),
                Some(argument) => section.extend([
                    instruction(JUMP_IF_EQUAL, number.number, 0, 5),
                    instruction(LOAD, ARGUMENT + 8 * argument.index, 0, 0),
                    instruction(AND, argument.mask, 0, 0),
                    instruction(JUMP_IF_EQUAL, argument.value, 0, 1),
                ]),
            }
            section.push(instruction(RETURN, answer, 0, 0));
            if first.or(rule.only_if).is_some() {
                section.push(instruction(LOAD, NUMBER, 0, 0));
            }
        }
    }
    section.push(instruction(RETURN, libc::SECCOMP_RET_ALLOW, 0, 0));
    section
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPERM: Action = Action::Errno(libc::EPERM as u16);

    /// The filter's answer, as the kernel's interpreter would find it.
    fn run(program: &[libc::sock_filter], architecture: u32, number: u32, arguments: [u32; 2]) -> u32 {
        let (mut at, mut accumulator) = (0, 0);
        loop {
            let instruction = program[at];
            at += 1;
            match instruction.code {
                LOAD => {
                    accumulator = match instruction.k {
                        NUMBER => number,
                        ARCHITECTURE => architecture,
                        k => arguments[((k - ARGUMENT) / 8) as usize],
                    }
                }
                AND => accumulator &= instruction.k,
                JUMP => at += instruction.k as usize,
                JUMP_IF_EQUAL if accumulator == instruction.k => at += usize::from(instruction.jt),
                JUMP_IF_EQUAL => at += usize::from(instruction.jf),
                RETURN => return instruction.k,
                code => panic!("instruction {code}"),
            }
        }
    }

    #[test]
    fn denies_the_named_calls_of_each_architecture_and_nothing_else() {
        let rules: Vec<Rule> =
            ["sethostname", "setdomainname", "ioctl"].into_iter().filter_map(|name| Rule::deny(name, EPERM)).collect();
        let program = program(&rules);
        let denied = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
        for &architecture in ARCHITECTURES {
            let numbers: Vec<u32> = rules
                .iter()
                .flat_map(|rule| rule.call.numbers())
                .filter(|number| number.architecture == architecture)
                .map(|number| number.number)
                .collect();
            for number in (0..600).chain(0x4000_0000..0x4000_0000 + 600) {
                let expected = if numbers.contains(&number) { denied } else { libc::SECCOMP_RET_ALLOW };
                assert_eq!(run(&program, architecture, number, [0, 0]), expected, "call {number} of {architecture:#x}");
            }
        }
        assert_eq!(run(&program, 0x1234, 170, [0, 0]), libc::SECCOMP_RET_ALLOW);
    }

    #[test]
    fn looks_at_arguments_where_told_to() {
        let flag = |bit| Argument { index: 0, mask: bit, value: bit };
        let rules = [
            Rule::deny_if("unshare", flag(0x10), EPERM).unwrap(),
            Rule::deny_if("unshare", flag(0x20), Action::Kill).unwrap(),
            Rule::deny_if("setns", Argument { index: 1, mask: u32::MAX, value: 0 }, EPERM).unwrap(),
            Rule::deny("mount", Action::Kill).unwrap(),
        ];
        let program = program(&rules);
        let denied = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
        let answer = |name: &str, arguments| {
            let number = Call::find(name).unwrap().numbers()[0];
            run(&program, number.architecture, number.number, arguments)
        };
        assert_eq!(answer("unshare", [0x10, 0]), denied);
        assert_eq!(answer("unshare", [0x33, 0]), denied);
        assert_eq!(answer("unshare", [0x20, 0]), libc::SECCOMP_RET_KILL_PROCESS);
        assert_eq!(answer("unshare", [0x40, 0]), libc::SECCOMP_RET_ALLOW);
        assert_eq!(answer("setns", [3, 0]), denied);
        assert_eq!(answer("setns", [3, 1]), libc::SECCOMP_RET_ALLOW);
        assert_eq!(answer("mount", [0, 0]), libc::SECCOMP_RET_KILL_PROCESS);
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn sockets_of_i386_have_two_doors() {
        let program = program(&[Rule::deny("socket", EPERM).unwrap()]);
        let denied = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
        assert_eq!(run(&program, 0x4000_0003, 102, [1, 0]), denied);
        assert_eq!(run(&program, 0x4000_0003, 102, [2, 0]), libc::SECCOMP_RET_ALLOW);
        assert_eq!(run(&program, 0x4000_0003, 359, [0, 0]), denied);
    }
}
