use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, Weak};

use futures_util::lock::{Mutex, OwnedMutexGuard};

use crate::target::Target;

/// Puts the changes of one Worker into an order, one after the other. Changes of different Workers do not wait for
/// each other.
#[derive(Debug, Default)]
pub struct Lines(RefCell<HashMap<Target, Weak<Mutex<()>>>>);

/// A place at the head of a Worker's line, held until it and every clone of it are dropped.
#[derive(Clone, Debug)]
pub struct Line(#[expect(dead_code, reason = "held for its drop")] Rc<OwnedMutexGuard<()>>);

impl Lines {
    /// Waits until every earlier change of the Worker is done.
    pub async fn wait(&self, target: &Target) -> Line {
        let line = {
            let mut lines = self.0.borrow_mut();
            lines.retain(|_, line| line.strong_count() > 0);
            let existing = lines.get(target).and_then(Weak::upgrade);
            existing.unwrap_or_else(|| {
                let line = Arc::new(Mutex::new(()));
                lines.insert(target.clone(), Arc::downgrade(&line));
                line
            })
        };
        Line(Rc::new(line.lock_owned().await))
    }
}

#[cfg(test)]
mod tests {
    use dotdo_names::{Environment, WorkerName};
    use futures_executor::block_on;
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn one_worker_has_one_line_and_another_worker_another() {
        let target = |worker: &str| Target {
            environment: Environment::Staging,
            worker: WorkerName::parse(worker).unwrap(),
        };
        let lines = Lines::default();
        let held = block_on(lines.wait(&target("agents")));
        assert!(lines.wait(&target("agents")).now_or_never().is_none());
        assert!(lines.wait(&target("other")).now_or_never().is_some());
        drop(held);
        assert!(lines.wait(&target("agents")).now_or_never().is_some());
        block_on(lines.wait(&target("agents")));
        assert!(
            lines.0.borrow().len() <= 2,
            "a line that nobody stands in is forgotten"
        );
    }
}
