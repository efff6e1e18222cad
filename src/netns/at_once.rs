//! The same for many, at the same time.

/// Most of what the kernel does for a network namespace is to wait, so there may be more of them than
/// there are processors.
const THREADS: usize = 16;

/// Does the work with each, on threads where there is more than one.
pub fn at_once<T: Send>(all: &mut [T], work: impl Fn(&mut T) + Sync) {
    if let [only] = all {
        return work(only);
    }
    let part = all.len().div_ceil(THREADS).max(1);
    std::thread::scope(|scope| {
        for some in all.chunks_mut(part) {
            scope.spawn(|| some.iter_mut().for_each(&work));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_turn_once() {
        for count in [0, 1, 2, 16, 17, 1000] {
            let mut all: Vec<usize> = (0..count).collect();
            at_once(&mut all, |number| *number += 1);
            assert_eq!(all, (1..=count).collect::<Vec<_>>());
        }
    }
}
