//! Times of commands, taken turn by turn: what else the machine does hits all alike.

use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Commands to time, under the name that the table has for them.
pub struct Contender {
    pub name: String,
    steps: Vec<Step>,
}

enum Step {
    Run(Command),
    /// A setting of the kernel's, as a shell would write it by itself.
    Write(&'static str, &'static str),
    /// It does not count.
    Rest(Duration),
}

impl Contender {
    pub fn new(name: &str, words: &[&str]) -> Contender {
        Contender { name: name.to_owned(), steps: Vec::new() }.then(words)
    }

    /// One that waits before it begins, for instance until the kernel has done with what was before.
    pub fn rested(name: &str, rest: Duration) -> Contender {
        Contender { name: name.to_owned(), steps: vec![Step::Rest(rest)] }
    }

    /// What it does next.
    pub fn then(mut self, words: &[&str]) -> Contender {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").stdin(Stdio::null());
        self.steps.push(Step::Run(command));
        self
    }

    pub fn then_write(mut self, path: &'static str, text: &'static str) -> Contender {
        self.steps.push(Step::Write(path, text));
        self
    }

    pub fn then_rest(mut self, rest: Duration) -> Contender {
        self.steps.push(Step::Rest(rest));
        self
    }

    pub fn variable(mut self, name: &str, value: &str) -> Contender {
        for step in &mut self.steps {
            if let Step::Run(command) = step {
                command.env(name, value);
            }
        }
        self
    }

    /// From its start to its end; what it prints counts and goes nowhere.
    pub fn time(&mut self) -> Result<Duration, String> {
        let mut taken = Duration::ZERO;
        for step in &mut self.steps {
            let begun = Instant::now();
            let failed = match step {
                Step::Run(command) => match command.stdout(Stdio::null()).stderr(Stdio::null()).status() {
                    Ok(status) if status.success() => None,
                    Ok(status) => Some(status.to_string()),
                    Err(error) => Some(error.to_string()),
                },
                Step::Write(path, text) => fs::write(*path, *text).err().map(|error| format!("{path}: {error}")),
                Step::Rest(rest) => {
                    sleep(*rest);
                    continue;
                }
            };
            taken += begun.elapsed();
            if let Some(why) = failed {
                return Err(format!("{}: {why}", self.name));
            }
        }
        Ok(taken)
    }
}

/// The median of each, over so many rounds in which each has its turn.
pub fn medians(contenders: &mut [Contender], rounds: usize) -> Result<Vec<Duration>, String> {
    let mut times = vec![Vec::with_capacity(rounds); contenders.len()];
    // The first round warms the caches.
    for round in 0..=rounds {
        for (contender, times) in contenders.iter_mut().zip(&mut times) {
            let taken = contender.time()?;
            if round > 0 {
                times.push(taken);
            }
        }
    }
    Ok(times.into_iter().map(median).collect())
}

/// The one in the middle.
pub fn median<T: Ord + Copy>(mut values: Vec<T>) -> T {
    values.sort_unstable();
    values[values.len() / 2]
}
