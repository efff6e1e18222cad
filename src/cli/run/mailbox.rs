//! Messages from a thread to what is awaited on another.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// A box that any thread may put messages in.
#[derive(Debug)]
pub struct Mailbox<T>(Arc<Mutex<Inner<T>>>);

#[derive(Debug)]
struct Inner<T> {
    messages: VecDeque<T>,
    waiting: Option<Waker>,
}

impl<T> Clone for Mailbox<T> {
    fn clone(&self) -> Self {
        Mailbox(Arc::clone(&self.0))
    }
}

impl<T> Mailbox<T> {
    /// An empty one.
    pub fn new() -> Mailbox<T> {
        Mailbox(Arc::new(Mutex::new(Inner { messages: VecDeque::new(), waiting: None })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a message in.
    pub fn put(&self, message: T) {
        let mut inner = self.inner();
        inner.messages.push_back(message);
        if let Some(waker) = inner.waiting.take() {
            waker.wake();
        }
    }

    /// Waits for the next one.
    pub async fn next(&self) -> T {
        std::future::poll_fn(|context| {
            let mut inner = self.inner();
            match inner.messages.pop_front() {
                Some(message) => Poll::Ready(message),
                None => {
                    inner.waiting = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_is_woken_by_another_thread() {
        let mailbox = Mailbox::new();
        let sender = mailbox.clone();
        let thread = std::thread::spawn(move || (0..100).for_each(|n| sender.put(n)));
        let got = crate::bus::block_on(async {
            let mut got = Vec::new();
            for _ in 0..100 {
                got.push(mailbox.next().await);
            }
            got
        });
        thread.join().unwrap();
        assert_eq!(got, (0..100).collect::<Vec<_>>());
    }
}
