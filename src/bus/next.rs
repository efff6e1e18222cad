//! The next item of a stream.

use std::pin::Pin;

use futures_core::Stream;

/// Waits for it; none when the stream has ended.
pub async fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    std::future::poll_fn(|context| Pin::new(&mut *stream).poll_next(context)).await
}
