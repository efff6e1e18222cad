//! A seccomp filter that makes some system calls fail with EPERM, seccomp(2).

use std::io;

/// The architectures whose calls a process on this one can make, each with the numbers of
/// sethostname and setdomainname in it (linux/audit.h, asm/unistd.h).
#[cfg(target_arch = "x86_64")]
const NAME_CALLS: &[(u32, &[u32])] = &[
    // The second pair has the bit of the x32 ABI.
    (0xc000_003e, &[170, 171, 0x4000_0000 | 170, 0x4000_0000 | 171]),
    (0x4000_0003, &[74, 121]),
];
#[cfg(target_arch = "aarch64")]
const NAME_CALLS: &[(u32, &[u32])] = &[(0xc000_00b7, &[161, 162]), (0x4000_0028, &[74, 121])];
#[cfg(target_arch = "riscv64")]
const NAME_CALLS: &[(u32, &[u32])] = &[(0xc000_00f3, &[161, 162])];

const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const JUMP_IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// Where seccomp_data has the call's number and its architecture.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;

/// Takes sethostname(2) and setdomainname(2) away from the process and all its children.
pub fn deny_hostname_changes() -> io::Result<()> {
    let program = program(NAME_CALLS);
    let header = libc::sock_fprog {
        len: program.len() as libc::c_ushort,
        // The kernel only reads through the pointer.
        filter: program.as_ptr().cast_mut(),
    };
    // SAFETY: `header` describes `program`, and both live through the call.
    let result = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const header) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn program(calls: &[(u32, &[u32])]) -> Vec<libc::sock_filter> {
    let instruction = |code, k, jt, jf| libc::sock_filter { code, jt, jf, k };
    let mut program = vec![instruction(LOAD, ARCHITECTURE, 0, 0)];
    for (architecture, numbers) in calls {
        // Over the load, the comparisons and the two returns to the next architecture.
        let over = numbers.len() as u8 + 3;
        program.push(instruction(JUMP_IF_EQUAL, *architecture, 0, over));
        program.push(instruction(LOAD, NUMBER, 0, 0));
        for (n, number) in numbers.iter().enumerate() {
            let to_denied = (numbers.len() - n) as u8;
            program.push(instruction(JUMP_IF_EQUAL, *number, to_denied, 0));
        }
        program.push(instruction(RETURN, libc::SECCOMP_RET_ALLOW, 0, 0));
        program.push(instruction(RETURN, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32, 0, 0));
    }
    program.push(instruction(RETURN, libc::SECCOMP_RET_ALLOW, 0, 0));
    program
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The filter's answer, as the kernel's interpreter would find it.
    fn run(program: &[libc::sock_filter], architecture: u32, number: u32) -> u32 {
        let (mut at, mut accumulator) = (0, 0);
        loop {
            let instruction = program[at];
            at += 1;
            match instruction.code {
                LOAD => accumulator = if instruction.k == NUMBER { number } else { architecture },
                JUMP_IF_EQUAL if accumulator == instruction.k => at += usize::from(instruction.jt),
                JUMP_IF_EQUAL => at += usize::from(instruction.jf),
                _ => return instruction.k,
            }
        }
    }

    #[test]
    fn denies_the_named_calls_of_each_architecture_and_nothing_else() {
        let program = program(NAME_CALLS);
        let denied = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
        for (architecture, numbers) in NAME_CALLS {
            for number in 0..500 {
                let expected = if numbers.contains(&number) { denied } else { libc::SECCOMP_RET_ALLOW };
                assert_eq!(run(&program, *architecture, number), expected, "call {number} of {architecture:#x}");
            }
            for &number in *numbers {
                assert_eq!(run(&program, *architecture, number), denied);
            }
        }
        assert_eq!(run(&program, 0x1234, 170), libc::SECCOMP_RET_ALLOW);
    }
}
