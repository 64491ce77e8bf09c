//! The queue for the lease of each Worker: first in, first out.
//!
//! It is in memory. After a restart of the ledger the gateway repeats its message, and the attempt is queued again.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use futures_channel::oneshot;

use crate::target::Target;

/// The waiting attempts of every Worker.
#[derive(Clone, Default)]
pub struct LeaseQueue(Rc<RefCell<Queues>>);

#[derive(Default)]
struct Queues {
    next: u64,
    of_worker: HashMap<Target, VecDeque<Waiting>>,
}

struct Waiting {
    number: u64,
    wake: Option<oneshot::Sender<()>>,
}

/// A place in the queue of one Worker. Dropping it leaves the queue.
pub struct Ticket {
    queue: LeaseQueue,
    target: Target,
    number: u64,
}

impl LeaseQueue {
    /// Joins the queue of a Worker at its end.
    #[must_use]
    pub fn join(&self, target: &Target) -> Ticket {
        let mut queues = self.0.borrow_mut();
        let number = queues.next;
        queues.next += 1;
        let waiting = Waiting { number, wake: None };
        queues
            .of_worker
            .entry(target.clone())
            .or_default()
            .push_back(waiting);
        Ticket {
            queue: self.clone(),
            target: target.clone(),
            number,
        }
    }

    /// Wakes the first attempt in the queue of a Worker: the lease may be free.
    pub fn wake_first(&self, target: &Target) {
        let mut queues = self.0.borrow_mut();
        let first = queues
            .of_worker
            .get_mut(target)
            .and_then(|queue| queue.front_mut());
        if let Some(wake) = first.and_then(|first| first.wake.take()) {
            // The receiver is gone when the attempt gave up at this moment; its drop wakes the next one.
            let _ = wake.send(());
        }
    }
}

impl Ticket {
    /// Whether this place is the first.
    #[must_use]
    pub fn is_first(&self) -> bool {
        let queues = self.queue.0.borrow();
        let first = queues.of_worker.get(&self.target).and_then(|queue| queue.front());
        first.is_some_and(|first| first.number == self.number)
    }

    /// Waits until the place is first and the lease may be free.
    pub async fn woken(&self) {
        let woken = {
            let mut queues = self.queue.0.borrow_mut();
            let (wake, woken) = oneshot::channel();
            let queue = queues.of_worker.entry(self.target.clone()).or_default();
            if let Some(waiting) = queue.iter_mut().find(|waiting| waiting.number == self.number) {
                waiting.wake = Some(wake);
            }
            woken
        };
        // An error means that the sender was replaced or dropped; the caller then checks again.
        let _ = woken.await;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let was_first = self.is_first();
        {
            let mut queues = self.queue.0.borrow_mut();
            if let Some(queue) = queues.of_worker.get_mut(&self.target) {
                queue.retain(|waiting| waiting.number != self.number);
                if queue.is_empty() {
                    queues.of_worker.remove(&self.target);
                }
            }
        }
        if was_first {
            self.queue.wake_first(&self.target);
        }
    }
}

#[cfg(test)]
mod tests {
    use dotdo_names::{Environment, WorkerName};
    use futures_util::FutureExt;

    use super::*;

    fn target(worker: &str) -> Target {
        Target {
            namespace: Environment::Staging.into(),
            worker: WorkerName::parse(worker).unwrap(),
        }
    }

    #[test]
    fn the_first_to_join_is_the_first_to_be_woken() {
        let queue = LeaseQueue::default();
        let first = queue.join(&target("agents"));
        let second = queue.join(&target("agents"));
        assert!(first.is_first() && !second.is_first());
        assert!(queue.join(&target("other")).is_first());
        let mut waits = Box::pin(second.woken());
        assert!((&mut waits).now_or_never().is_none());
        drop(first);
        assert!((&mut waits).now_or_never().is_some());
        assert!(second.is_first());
    }

    #[test]
    fn a_waiting_attempt_that_gives_up_does_not_block_the_others() {
        let queue = LeaseQueue::default();
        let first = queue.join(&target("agents"));
        let second = queue.join(&target("agents"));
        let third = queue.join(&target("agents"));
        drop(second);
        assert!(!third.is_first());
        drop(first);
        assert!(third.is_first());
        drop(third);
        assert!(queue.0.borrow().of_worker.is_empty(), "an empty queue is removed");
    }
}
