//! Runs futures for a limited time, as if their process were killed, and two of them at once.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use futures_executor::block_on;
use futures_util::future::join;

/// Runs a future, at most for a number of polls.
pub fn poll<T>(future: impl Future<Output = T>, polls: Option<usize>) -> Option<T> {
    let Some(polls) = polls else {
        return Some(block_on(future));
    };
    let mut future = pin!(future);
    (0..polls).find_map(|_| polled(future.as_mut()))
}

fn polled<T>(future: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// Runs two futures at once. The second one begins after a number of polls of the first one.
pub async fn at_once<A, B>(
    one: impl Future<Output = A>,
    other: impl Future<Output = B>,
    polls: usize,
) -> (A, B) {
    let mut one = pin!(one);
    for _ in 0..polls {
        if let Some(first) = polled(one.as_mut()) {
            return (first, other.await);
        }
    }
    join(one, other).await
}
