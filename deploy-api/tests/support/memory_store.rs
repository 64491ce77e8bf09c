//! An object store in memory, for the tests of this crate, its unit tests and the fuzz targets.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use deploy_api::bundles::{ByteRange, ObjectHead, ObjectPage, ObjectStore, PART, StoreFailure, UploadedPart};
use jiff::Timestamp;

/// An [`ObjectStore`] for tests. It has the rules of R2 for multipart uploads, records each call, and fails on request.
#[derive(Default)]
pub struct MemoryStore {
    objects: RefCell<BTreeMap<String, Object>>,
    uploads: RefCell<BTreeMap<String, BTreeMap<u16, Vec<u8>>>>,
    calls: RefCell<Vec<String>>,
    largest: Cell<usize>,
    now: Cell<Timestamp>,
    /// The number of calls before the failing ones, the number of failing calls, and whether they have their effect.
    fault: Cell<Option<(usize, usize, bool)>>,
    started: Cell<usize>,
}

struct Object {
    bytes: Vec<u8>,
    uploaded: Timestamp,
}

impl MemoryStore {
    /// The bytes of an object.
    #[must_use]
    pub fn object(&self, key: &str) -> Option<Vec<u8>> {
        let objects = self.objects.borrow();
        objects.get(key).map(|object| object.bytes.clone())
    }

    /// The keys of all objects, in order.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.objects.borrow().keys().cloned().collect()
    }

    /// Replaces an object without recording a call.
    pub fn insert(&self, key: &str, bytes: Vec<u8>) {
        let uploaded = self.now.get();
        self.objects
            .borrow_mut()
            .insert(key.to_owned(), Object { bytes, uploaded });
    }

    /// The calls so far: the method and the key. Reads also have their range.
    #[must_use]
    pub fn calls(&self) -> Vec<String> {
        self.calls.borrow().clone()
    }

    /// The maximum number of bytes that one call wrote or read.
    #[must_use]
    pub fn largest(&self) -> usize {
        self.largest.get()
    }

    /// The number of multipart uploads that are neither completed nor aborted.
    #[must_use]
    pub fn open_uploads(&self) -> usize {
        self.uploads.borrow().len()
    }

    /// Sets the time at which later objects are stored.
    pub fn set_time(&self, now: Timestamp) {
        self.now.set(now);
    }

    /// Lets `calls` more calls succeed, the `failures` calls after them fail, and all later calls succeed again.
    pub fn fail_after(&self, calls: usize, failures: usize) {
        self.fault.set(Some((calls, failures, false)));
    }

    /// Lets `calls` more calls succeed. The next call after them has its effect but returns a failure.
    pub fn lose_answer_after(&self, calls: usize) {
        self.fault.set(Some((calls, 1, true)));
    }

    /// Records a call, runs it unless it should fail, and returns its result.
    fn call<T>(
        &self,
        name: String,
        bytes: usize,
        run: impl FnOnce() -> Result<T, StoreFailure>,
    ) -> Result<T, StoreFailure> {
        self.calls.borrow_mut().push(name);
        self.largest.set(self.largest.get().max(bytes));
        let failure = StoreFailure("the memory store was told to fail".to_owned());
        match self.fault.get() {
            None | Some((0, 0, _)) => run(),
            Some((0, failures, has_effect)) => {
                self.fault.set(Some((0, failures - 1, has_effect)));
                if has_effect {
                    run()?;
                }
                Err(failure)
            }
            Some((calls, failures, has_effect)) => {
                self.fault.set(Some((calls - 1, failures, has_effect)));
                run()
            }
        }
    }
}

impl ObjectStore for MemoryStore {
    async fn put(&self, key: &str, bytes: &[u8]) -> Result<(), StoreFailure> {
        self.call(format!("put {key}"), bytes.len(), || {
            self.insert(key, bytes.to_vec());
            Ok(())
        })
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectHead>, StoreFailure> {
        self.call(format!("head {key}"), 0, || {
            let objects = self.objects.borrow();
            Ok(objects.get(key).map(|object| head(key, object)))
        })
    }

    async fn get(&self, key: &str, range: Option<ByteRange>) -> Result<Option<Vec<u8>>, StoreFailure> {
        let name = match range {
            None => format!("get {key}"),
            Some(range) => format!("get {key} {}+{}", range.offset, range.length),
        };
        let found = self.call(name, 0, || {
            let objects = self.objects.borrow();
            let Some(object) = objects.get(key) else {
                return Ok(None);
            };
            let Some(range) = range else {
                return Ok(Some(object.bytes.clone()));
            };
            let length = object.bytes.len();
            let start = usize::try_from(range.offset).unwrap_or(usize::MAX);
            let end = start
                .saturating_add(usize::try_from(range.length).unwrap_or(usize::MAX))
                .min(length);
            // R2 answers 416 to a range that begins after the end, and to an empty one.
            match object.bytes.get(start..end) {
                Some(bytes) if !bytes.is_empty() => Ok(Some(bytes.to_vec())),
                _ => Err(StoreFailure("the range is not satisfiable".to_owned())),
            }
        })?;
        let read = found.as_ref().map_or(0, Vec::len);
        self.largest.set(self.largest.get().max(read));
        Ok(found)
    }

    async fn delete(&self, keys: &[String]) -> Result<(), StoreFailure> {
        self.call(format!("delete {}", keys.join(" ")), 0, || {
            self.objects.borrow_mut().retain(|key, _| !keys.contains(key));
            Ok(())
        })
    }

    async fn list(&self, prefix: &str, cursor: Option<&str>) -> Result<ObjectPage, StoreFailure> {
        self.call(format!("list {prefix}"), 0, || {
            let objects = self.objects.borrow();
            let mut found: Vec<ObjectHead> = objects
                .iter()
                .filter(|(key, _)| key.starts_with(prefix) && cursor.is_none_or(|last| key.as_str() > last))
                .map(|(key, object)| head(key, object))
                .take(1001)
                .collect();
            let has_more = found.len() > 1000;
            found.truncate(1000);
            let cursor = found.last().filter(|_| has_more).map(|object| object.key.clone());
            Ok(ObjectPage {
                objects: found,
                cursor,
            })
        })
    }

    async fn create_multipart(&self, key: &str) -> Result<String, StoreFailure> {
        self.call(format!("create_multipart {key}"), 0, || {
            self.started.set(self.started.get() + 1);
            let id = format!("upload-{}", self.started.get());
            self.uploads.borrow_mut().insert(id.clone(), BTreeMap::new());
            Ok(id)
        })
    }

    async fn upload_part(
        &self,
        key: &str,
        upload: &str,
        number: u16,
        bytes: &[u8],
    ) -> Result<UploadedPart, StoreFailure> {
        self.call(format!("upload_part {key} {number}"), bytes.len(), || {
            let mut uploads = self.uploads.borrow_mut();
            let parts = uploads.get_mut(upload).ok_or_else(no_such_upload)?;
            parts.insert(number, bytes.to_vec());
            Ok(UploadedPart {
                number,
                etag: format!("etag-{number}-{}", bytes.len()),
            })
        })
    }

    async fn complete_multipart(
        &self,
        key: &str,
        upload: &str,
        parts: &[UploadedPart],
    ) -> Result<(), StoreFailure> {
        self.call(format!("complete_multipart {key}"), 0, || {
            let mut uploads = self.uploads.borrow_mut();
            let stored = uploads.get(upload).ok_or_else(no_such_upload)?;
            let mut bytes = Vec::new();
            for (index, part) in parts.iter().enumerate() {
                let content = stored
                    .get(&part.number)
                    .filter(|content| part.etag == format!("etag-{}-{}", part.number, content.len()))
                    .ok_or_else(|| StoreFailure("a part was not uploaded".to_owned()))?;
                if index + 1 < parts.len() && content.len() != PART {
                    return Err(StoreFailure("a part has the wrong size".to_owned()));
                }
                bytes.extend_from_slice(content);
            }
            uploads.remove(upload);
            self.insert(key, bytes);
            Ok(())
        })
    }

    async fn abort_multipart(&self, key: &str, upload: &str) -> Result<(), StoreFailure> {
        self.call(format!("abort_multipart {key}"), 0, || {
            self.uploads.borrow_mut().remove(upload);
            Ok(())
        })
    }
}

fn head(key: &str, object: &Object) -> ObjectHead {
    ObjectHead {
        key: key.to_owned(),
        size: u64::try_from(object.bytes.len()).unwrap_or(u64::MAX),
        uploaded: object.uploaded,
    }
}

fn no_such_upload() -> StoreFailure {
    StoreFailure("there is no such multipart upload".to_owned())
}
