//! Times of commands, taken turn by turn: what else the machine does hits all alike.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A command to time, under the name that the table has for it.
pub struct Contender {
    pub name: String,
    command: Command,
}

impl Contender {
    pub fn new(name: &str, words: &[&str]) -> Contender {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").stdin(Stdio::null());
        Contender { name: name.to_owned(), command }
    }

    pub fn variable(mut self, name: &str, value: &str) -> Contender {
        self.command.env(name, value);
        self
    }

    /// From its start to its end; what it prints counts and goes nowhere.
    pub fn time(&mut self) -> Result<Duration, String> {
        let failed = |why: String| format!("{}: {why}", self.name);
        let begun = Instant::now();
        let status = self.command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        let taken = begun.elapsed();
        match status {
            Ok(status) if status.success() => Ok(taken),
            Ok(status) => Err(failed(status.to_string())),
            Err(error) => Err(failed(error.to_string())),
        }
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
