//! Time limits and retries for calls to the store.

use std::pin::pin;

use futures_util::future::{Either, select};

use super::{ByteRange, ObjectHead, ObjectPage, ObjectStore, StoreFailure, UploadedPart};
use crate::runtime::Runtime;

/// The time limit of one try that does not write contents, in milliseconds.
const LIMIT: u32 = 15_000;

/// The time limit of one try that writes contents, in milliseconds.
const WRITE_LIMIT: u32 = 60_000;

/// The pauses before the second and the third try, in milliseconds.
const BACKOFF: [u32; 2] = [200, 1_000];

/// The most time that all tries and pauses of one call take, in milliseconds.
const TOTAL_LIMIT: u32 = 120_000;

/// An object store whose calls end: each try has a time limit (15 s; 60 s for `put` and `upload_part`), and a failed call is
/// tried up to three times within two minutes.
///
/// Every failure is retried, because the store's failures have no reliable class: R2 reports status 429, for concurrent writes
/// of one key, only in the text. All calls can be repeated. A repeated `create_multipart` may leave an incomplete upload. A
/// repeated `complete_multipart` fails if the lost answer was a success; [`StagedWriter`](super::StagedWriter) then looks for
/// the object.
pub struct Retrying<'a, S: ObjectStore, R: Runtime> {
    store: &'a S,
    runtime: &'a R,
}

impl<'a, S: ObjectStore, R: Runtime> Retrying<'a, S, R> {
    /// Adds time limits and retries to a store.
    #[must_use]
    pub const fn new(store: &'a S, runtime: &'a R) -> Self {
        Self { store, runtime }
    }

    async fn call<T, F>(&self, name: &str, limit: u32, call: impl Fn() -> F) -> Result<T, StoreFailure>
    where
        F: Future<Output = Result<T, StoreFailure>>,
    {
        let started = self.runtime.now();
        let mut backoff = BACKOFF.into_iter();
        loop {
            let limit = limit.min(self.remaining(started));
            let failure = match select(pin!(call()), pin!(self.runtime.pause(limit))).await {
                Either::Left((Ok(value), _)) => return Ok(value),
                Either::Left((Err(failure), _)) => failure,
                Either::Right(_) => StoreFailure(format!("{name} did not finish within {limit} ms")),
            };
            let Some(pause) = backoff.next() else {
                return Err(failure);
            };
            if self.remaining(started) <= pause {
                return Err(failure);
            }
            self.runtime.pause(pause).await;
            if self.remaining(started) == 0 {
                return Err(failure);
            }
        }
    }

    /// The milliseconds that are left of [`TOTAL_LIMIT`].
    fn remaining(&self, started: jiff::Timestamp) -> u32 {
        let elapsed = self.runtime.now().duration_since(started).as_millis().max(0);
        TOTAL_LIMIT.saturating_sub(u32::try_from(elapsed).unwrap_or(u32::MAX))
    }
}

impl<S: ObjectStore, R: Runtime> ObjectStore for Retrying<'_, S, R> {
    async fn put(&self, key: &str, bytes: &[u8]) -> Result<(), StoreFailure> {
        self.call("put", WRITE_LIMIT, || self.store.put(key, bytes)).await
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectHead>, StoreFailure> {
        self.call("head", LIMIT, || self.store.head(key)).await
    }

    async fn get(&self, key: &str, range: Option<ByteRange>) -> Result<Option<Vec<u8>>, StoreFailure> {
        self.call("get", LIMIT, || self.store.get(key, range)).await
    }

    async fn delete(&self, keys: &[String]) -> Result<(), StoreFailure> {
        self.call("delete", LIMIT, || self.store.delete(keys)).await
    }

    async fn list(&self, prefix: &str, cursor: Option<&str>) -> Result<ObjectPage, StoreFailure> {
        self.call("list", LIMIT, || self.store.list(prefix, cursor)).await
    }

    async fn create_multipart(&self, key: &str) -> Result<String, StoreFailure> {
        self.call("create_multipart", LIMIT, || self.store.create_multipart(key))
            .await
    }

    async fn upload_part(
        &self,
        key: &str,
        upload: &str,
        number: u16,
        bytes: &[u8],
    ) -> Result<UploadedPart, StoreFailure> {
        self.call("upload_part", WRITE_LIMIT, || {
            self.store.upload_part(key, upload, number, bytes)
        })
        .await
    }

    async fn complete_multipart(
        &self,
        key: &str,
        upload: &str,
        parts: &[UploadedPart],
    ) -> Result<(), StoreFailure> {
        self.call("complete_multipart", LIMIT, || {
            self.store.complete_multipart(key, upload, parts)
        })
        .await
    }

    async fn abort_multipart(&self, key: &str, upload: &str) -> Result<(), StoreFailure> {
        self.call("abort_multipart", LIMIT, || {
            self.store.abort_multipart(key, upload)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::future::poll_fn;
    use std::task::Poll;

    use futures_executor::block_on;
    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::bundles::{MemoryStore, PART, Staged, StagedWriter};

    /// A clock that only pauses advance. A pause takes a few polls, so that other futures can finish first.
    #[derive(Default)]
    struct Clock {
        milliseconds: Cell<u32>,
        pauses: RefCell<Vec<u32>>,
    }

    impl Runtime for Clock {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH + SignedDuration::from_millis(self.milliseconds.get().into())
        }

        fn entropy(&self) -> [u8; 16] {
            [0; 16]
        }

        async fn pause(&self, milliseconds: u32) {
            let mut polls = 3;
            poll_fn(|context| {
                polls -= 1;
                if polls == 0 {
                    return Poll::Ready(());
                }
                context.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
            self.milliseconds.set(self.milliseconds.get() + milliseconds);
            self.pauses.borrow_mut().push(milliseconds);
        }
    }

    /// Calls `get` and `put` of a store that never answers.
    struct Hanging;

    impl ObjectStore for Hanging {
        async fn put(&self, _: &str, _: &[u8]) -> Result<(), StoreFailure> {
            std::future::pending().await
        }
        async fn head(&self, _: &str) -> Result<Option<ObjectHead>, StoreFailure> {
            std::future::pending().await
        }
        async fn get(&self, _: &str, _: Option<ByteRange>) -> Result<Option<Vec<u8>>, StoreFailure> {
            std::future::pending().await
        }
        async fn delete(&self, _: &[String]) -> Result<(), StoreFailure> {
            std::future::pending().await
        }
        async fn list(&self, _: &str, _: Option<&str>) -> Result<ObjectPage, StoreFailure> {
            std::future::pending().await
        }
        async fn create_multipart(&self, _: &str) -> Result<String, StoreFailure> {
            std::future::pending().await
        }
        async fn upload_part(
            &self,
            _: &str,
            _: &str,
            _: u16,
            _: &[u8],
        ) -> Result<UploadedPart, StoreFailure> {
            std::future::pending().await
        }
        async fn complete_multipart(&self, _: &str, _: &str, _: &[UploadedPart]) -> Result<(), StoreFailure> {
            std::future::pending().await
        }
        async fn abort_multipart(&self, _: &str, _: &str) -> Result<(), StoreFailure> {
            std::future::pending().await
        }
    }

    #[test]
    fn two_failures_are_retried_with_growing_pauses() {
        let (store, clock) = (MemoryStore::default(), Clock::default());
        store.insert("k", vec![7]);
        store.fail_after(0, 2);
        let read = block_on(Retrying::new(&store, &clock).get("k", None));
        assert_eq!(read, Ok(Some(vec![7])));
        assert_eq!(store.calls().len(), 3);
        assert_eq!(*clock.pauses.borrow(), [200, 1_000]);
    }

    #[test]
    fn the_third_failure_is_returned() {
        let (store, clock) = (MemoryStore::default(), Clock::default());
        store.fail_after(0, usize::MAX);
        let stored = block_on(Retrying::new(&store, &clock).put("k", b"x"));
        assert_eq!(
            stored,
            Err(StoreFailure("the memory store was told to fail".to_owned()))
        );
        assert_eq!(store.calls().len(), 3);
    }

    #[test]
    fn a_missing_object_is_an_answer() {
        let (store, clock) = (MemoryStore::default(), Clock::default());
        assert_eq!(block_on(Retrying::new(&store, &clock).get("k", None)), Ok(None));
        assert_eq!(store.calls().len(), 1);
    }

    #[test]
    fn a_hanging_call_ends_after_three_time_limits() {
        let clock = Clock::default();
        let failure = block_on(Retrying::new(&Hanging, &clock).head("k")).unwrap_err();
        assert_eq!(*clock.pauses.borrow(), [15_000, 200, 15_000, 1_000, 15_000]);
        assert!(failure.0.contains("15000 ms"), "{failure}");
    }

    #[test]
    fn a_hanging_write_never_takes_more_than_two_minutes() {
        let clock = Clock::default();
        block_on(Retrying::new(&Hanging, &clock).put("k", b"x")).unwrap_err();
        assert_eq!(*clock.pauses.borrow(), [60_000, 200, 59_800]);
        let clock = Clock::default();
        block_on(Retrying::new(&Hanging, &clock).upload_part("k", "u", 1, b"x")).unwrap_err();
        assert_eq!(clock.milliseconds.get(), 120_000);
    }

    #[test]
    fn a_completion_whose_answer_was_lost_succeeds() {
        let (store, clock) = (MemoryStore::default(), Clock::default());
        let retrying = Retrying::new(&store, &clock);
        let staged = block_on(async {
            let mut writer = StagedWriter::new(&retrying, "k".to_owned());
            writer.write(&vec![1; PART + 1]).await?;
            store.lose_answer_after(1);
            writer.finish().await
        });
        assert!(matches!(staged, Ok(Staged::Object { .. })), "{staged:?}");
    }
}
