//! Limits the memory that the bodies of concurrent requests use in one instance of the gateway.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};

use crate::code::Code;
use crate::problem::Problem;
use crate::runtime::Runtime;

/// The memory for bodies in one instance, in bytes. It leaves room for the code and the runtime below 96 MiB.
pub const BUDGET: u64 = 48 * 1024 * 1024;

/// How often a waiting request checks whether it is admitted, in milliseconds.
const CHECK: u32 = 50;

/// A waiting request that did not check for so long is not continued any more.
const WAITING_EXPIRES: SignedDuration = SignedDuration::from_secs(2);

/// A permit that was not renewed for so long belongs to a request that is not continued any more.
const PERMIT_EXPIRES: SignedDuration = SignedDuration::from_mins(5);

/// After how many seconds a rejected client may try again.
const RETRY_AFTER: u32 = 5;

/// The memory budget of one instance. Clones share it.
///
/// Requests are admitted in the order in which they ask, so a large one is not overtaken forever by small ones. A waiting
/// request is not woken by the one that releases memory: it checks with its own timer. The runtime ties each promise to the
/// request that created it, and a request that is continued by another one fails or hangs.
///
/// The runtime may also stop to continue a request, for example when its client disconnects, without dropping its future. The
/// place in the queue and the permit of such a request expire.
#[derive(Clone)]
pub struct Admission {
    budget: u64,
    state: Rc<RefCell<State>>,
}

#[derive(Default)]
struct State {
    next_ticket: u64,
    waiting: VecDeque<Entry>,
    admitted: Vec<Entry>,
}

/// A request in the queue, or one that has memory.
struct Entry {
    ticket: u64,
    bytes: u64,
    /// When it checked or was renewed last.
    seen: Timestamp,
}

/// The right to use memory. Dropping it releases the memory. It expires five minutes after the last renewal.
#[must_use = "dropping the permit releases the memory"]
pub struct Permit(Ticket);

/// Removes the request from the state when it is dropped.
struct Ticket {
    state: Rc<RefCell<State>>,
    number: u64,
}

impl Default for Admission {
    fn default() -> Self {
        Self::new(BUDGET)
    }
}

impl Admission {
    /// A budget of so many bytes.
    #[must_use]
    pub fn new(budget: u64) -> Self {
        Self {
            budget,
            state: Rc::default(),
        }
    }

    /// The bytes that are in use, including permits that have expired but were not removed yet.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.state.borrow().used()
    }

    /// The number of waiting requests.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.state.borrow().waiting.len()
    }

    /// Waits until so many bytes are free and reserves them. More than the whole budget is treated as the whole budget. A
    /// dropped future leaves the queue.
    ///
    /// # Errors
    /// `GATEWAY_BUSY`, with `Retry-After`, if the bytes are not free within `seconds`.
    pub async fn acquire<R: Runtime>(
        &self,
        runtime: &R,
        bytes: u64,
        seconds: u32,
    ) -> Result<Permit, Problem> {
        let ticket = Ticket::new(&self.state);
        let mut remaining = seconds.saturating_mul(1000);
        loop {
            let entry = Entry {
                ticket: ticket.number,
                bytes: bytes.min(self.budget),
                seen: runtime.now(),
            };
            if self.state.borrow_mut().admit(entry, self.budget) {
                return Ok(Permit(ticket));
            }
            if remaining == 0 {
                return Err(busy());
            }
            let pause = remaining.min(CHECK);
            runtime.pause(pause).await;
            remaining -= pause;
        }
    }
}

impl State {
    fn used(&self) -> u64 {
        self.admitted
            .iter()
            .map(|entry| entry.bytes)
            .fold(0, u64::saturating_add)
    }

    /// Reserves the memory of a request if it is the first in the queue and fits. Otherwise it is in the queue afterwards.
    fn admit(&mut self, entry: Entry, budget: u64) -> bool {
        let (ticket, now) = (entry.ticket, entry.seen);
        match self.waiting.iter_mut().find(|waiting| waiting.ticket == ticket) {
            Some(waiting) => waiting.seen = now,
            None => self.waiting.push_back(entry),
        }
        let is_alive = |entry: &Entry, period| now.duration_since(entry.seen) <= period;
        self.waiting.retain(|entry| is_alive(entry, WAITING_EXPIRES));
        self.admitted.retain(|entry| is_alive(entry, PERMIT_EXPIRES));
        let free = budget.saturating_sub(self.used());
        let Some(first) = self.waiting.pop_front() else {
            return false;
        };
        if first.ticket == ticket && first.bytes <= free {
            self.admitted.push(first);
            return true;
        }
        self.waiting.push_front(first);
        false
    }
}

impl Permit {
    /// Extends the permit. The holder calls this for each chunk that it receives and before each long call.
    pub fn renew(&self, now: Timestamp) {
        let mut state = self.0.state.borrow_mut();
        let own = state
            .admitted
            .iter_mut()
            .filter(|entry| entry.ticket == self.0.number);
        own.for_each(|entry| entry.seen = now);
    }
}

impl Ticket {
    fn new(state: &Rc<RefCell<State>>) -> Self {
        let mut entries = state.borrow_mut();
        let number = entries.next_ticket;
        entries.next_ticket = number.wrapping_add(1);
        Self {
            state: Rc::clone(state),
            number,
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.state.borrow_mut();
        state.waiting.retain(|entry| entry.ticket != self.number);
        state.admitted.retain(|entry| entry.ticket != self.number);
    }
}

fn busy() -> Problem {
    Problem::new(
        Code::GatewayBusy,
        "Other uploads use the memory for request bodies, and not enough of it became free in time.",
        "Try again in a few seconds.",
    )
    .retry_after(RETRY_AFTER)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::poll_fn;
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, Waker};

    use super::*;
    use futures_executor::block_on;

    /// A runtime whose pauses take one poll. Only the test advances the clock, in seconds.
    #[derive(Default)]
    struct Ticks(Cell<i64>);

    impl Runtime for Ticks {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH + SignedDuration::from_secs(self.0.get())
        }

        fn entropy(&self) -> [u8; 16] {
            [0; 16]
        }

        async fn pause(&self, _: u32) {
            let mut is_over = false;
            poll_fn(|context| {
                if std::mem::replace(&mut is_over, true) {
                    return Poll::Ready(());
                }
                context.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
        }
    }

    fn poll<T>(future: Pin<&mut impl Future<Output = T>>) -> Option<T> {
        match future.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        }
    }

    fn permit(admission: &Admission, bytes: u64) -> Permit {
        block_on(admission.acquire(&Ticks::default(), bytes, 1)).unwrap()
    }

    #[test]
    fn what_fits_is_admitted_at_once_and_released_when_dropped() {
        let admission = Admission::new(10);
        let first = permit(&admission, 6);
        let second = permit(&admission, 4);
        assert_eq!((admission.used(), admission.waiting()), (10, 0));
        drop(first);
        assert_eq!(admission.used(), 4);
        drop(second);
        assert_eq!(admission.used(), 0);
    }

    #[test]
    fn requests_are_admitted_in_order() {
        let (admission, clock) = (Admission::new(10), Ticks::default());
        let held = permit(&admission, 6);
        let mut large = pin!(admission.acquire(&clock, 8, 60));
        let mut small = pin!(admission.acquire(&clock, 1, 60));
        assert!(poll(large.as_mut()).is_none());
        for _ in 0..3 {
            assert!(
                poll(small.as_mut()).is_none(),
                "the small request waits behind the large one"
            );
        }
        drop(held);
        let large = poll(large.as_mut()).unwrap().unwrap();
        assert_eq!(admission.used(), 8);
        assert!(poll(small.as_mut()).unwrap().is_ok());
        drop(large);
    }

    #[test]
    fn a_dropped_request_leaves_the_queue() {
        let (admission, clock) = (Admission::new(10), Ticks::default());
        let held = permit(&admission, 6);
        let mut small = pin!(admission.acquire(&clock, 1, 60));
        {
            let mut large = pin!(admission.acquire(&clock, 8, 60));
            assert!(poll(large.as_mut()).is_none());
            assert!(poll(small.as_mut()).is_none());
            assert_eq!(admission.waiting(), 2);
        }
        assert_eq!(admission.waiting(), 1);
        assert!(poll(small.as_mut()).unwrap().is_ok());
        drop(held);
        assert_eq!((admission.used(), admission.waiting()), (0, 0));
    }

    #[test]
    fn a_request_that_waits_too_long_is_rejected() {
        let admission = Admission::new(10);
        let held = permit(&admission, 6);
        let problem = block_on(admission.acquire(&Ticks::default(), 5, 2))
            .err()
            .unwrap();
        assert_eq!((problem.code, problem.retry_after), (Code::GatewayBusy, Some(5)));
        assert_eq!(problem.code.status(), 503);
        assert_eq!((admission.used(), admission.waiting()), (6, 0));
        drop(held);
    }

    #[test]
    fn a_request_larger_than_the_budget_has_it_alone() {
        let admission = Admission::new(10);
        let all = permit(&admission, 1000);
        assert_eq!(admission.used(), 10);
        let problem = block_on(admission.acquire(&Ticks::default(), 1, 0))
            .err()
            .unwrap();
        assert_eq!(problem.code, Code::GatewayBusy);
        drop(all);
        assert!(block_on(admission.acquire(&Ticks::default(), 1, 0)).is_ok());
    }
    #[test]
    fn requests_that_are_not_continued_expire() {
        let (admission, clock) = (Admission::new(10), Ticks::default());
        let held = block_on(admission.acquire(&clock, 6, 1)).unwrap();
        let mut dead = pin!(admission.acquire(&clock, 8, 60));
        assert!(poll(dead.as_mut()).is_none());
        clock.0.set(3);
        assert!(
            block_on(admission.acquire(&clock, 2, 0)).is_ok(),
            "the queue is not blocked"
        );
        assert!(block_on(admission.acquire(&clock, 2, 0)).is_ok());
        assert_eq!((admission.used(), admission.waiting()), (6, 0));
        clock.0.set(200);
        held.renew(clock.now());
        clock.0.set(490);
        assert!(
            block_on(admission.acquire(&clock, 10, 0)).is_err(),
            "the permit was renewed"
        );
        clock.0.set(501);
        let all = block_on(admission.acquire(&clock, 10, 0)).unwrap();
        drop(held);
        assert_eq!(admission.used(), 10, "an expired permit releases nothing again");
        drop(all);
    }
}
