//! Writes bytes to the store while they arrive, with at most one part in memory.

use bytes::Bytes;

use super::{ObjectStore, StoreFailure, UploadedPart};

/// The most bytes that are only buffered and returned as [`Staged::Memory`].
pub const MAX_BUFFERED: usize = 1024 * 1024;

/// The size of a part of a multipart upload, in bytes. R2 requires equal parts of at least 5 MiB; only the last part may be
/// smaller.
pub const PART: usize = 5 * 1024 * 1024;

/// Where the written bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Staged {
    /// They are only in memory; nothing was stored.
    Memory(Bytes),
    /// They are a durable object of the store.
    Object {
        /// The object's key.
        key: String,
        /// The number of bytes.
        length: u64,
    },
}

impl Staged {
    /// The number of bytes.
    #[must_use]
    pub fn length(&self) -> u64 {
        match self {
            Self::Memory(bytes) => u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            Self::Object { length, .. } => *length,
        }
    }
}

/// Writes one object of unknown length.
///
/// Up to [`PART`] bytes are buffered. More bytes start a multipart upload. When the writer is dropped without
/// [`finish`](Self::finish) or [`abort`](Self::abort), for example because the request was cancelled, the upload stays
/// incomplete: it is never visible as an object, and the bucket's lifecycle rule discards it.
pub struct StagedWriter<'a, S: ObjectStore> {
    store: &'a S,
    key: String,
    is_always_stored: bool,
    buffer: Vec<u8>,
    written: u64,
    upload: Option<MultipartUpload>,
    is_failed: bool,
}

struct MultipartUpload {
    id: String,
    parts: Vec<UploadedPart>,
}

impl<'a, S: ObjectStore> StagedWriter<'a, S> {
    /// A writer that stores an object only if there are more than [`MAX_BUFFERED`] bytes. Nothing else may write the key.
    #[must_use]
    pub const fn new(store: &'a S, key: String) -> Self {
        Self {
            store,
            key,
            is_always_stored: false,
            buffer: Vec::new(),
            written: 0,
            upload: None,
            is_failed: false,
        }
    }

    /// A writer that always stores an object, even an empty one.
    #[must_use]
    pub const fn stored(store: &'a S, key: String) -> Self {
        let mut writer = Self::new(store, key);
        writer.is_always_stored = true;
        writer
    }

    /// The number of bytes that were written.
    #[must_use]
    pub const fn written(&self) -> u64 {
        self.written
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// If the store fails. The multipart upload was then aborted, and later calls fail, too.
    pub async fn write(&mut self, mut bytes: &[u8]) -> Result<(), StoreFailure> {
        if self.is_failed {
            return Err(StoreFailure("an earlier write failed".to_owned()));
        }
        while !bytes.is_empty() {
            // A full part is uploaded only if more bytes follow, so that the last part is never empty and an object of
            // exactly one part needs no multipart upload.
            if self.buffer.len() == PART
                && let Err(failure) = self.upload_part().await
            {
                self.discard().await;
                return Err(failure);
            }
            let (now, later) = bytes
                .split_at_checked(PART - self.buffer.len())
                .unwrap_or((bytes, &[]));
            self.append(now);
            bytes = later;
        }
        Ok(())
    }

    /// Makes all bytes durable, except that at most [`MAX_BUFFERED`] bytes stay in memory (see [`new`](Self::new)).
    ///
    /// # Errors
    /// If the store fails. The multipart upload was then aborted.
    pub async fn finish(mut self) -> Result<Staged, StoreFailure> {
        if self.is_failed {
            return Err(StoreFailure("an earlier write failed".to_owned()));
        }
        if self.upload.is_some() {
            if let Err(failure) = self.complete().await {
                self.discard().await;
                return Err(failure);
            }
        } else if self.is_always_stored || self.buffer.len() > MAX_BUFFERED {
            self.store.put(&self.key, &self.buffer).await?;
        } else {
            return Ok(Staged::Memory(Bytes::from(self.buffer)));
        }
        Ok(Staged::Object {
            key: self.key,
            length: self.written,
        })
    }

    /// Discards what was written. Failures are ignored: an incomplete upload is not visible.
    pub async fn abort(mut self) {
        self.discard().await;
    }

    fn append(&mut self, bytes: &[u8]) {
        let length = self.buffer.len() + bytes.len();
        if length > MAX_BUFFERED && self.buffer.capacity() < PART {
            // One allocation of the final size: doubling would need up to 8 MiB, and the old buffer beside it.
            self.buffer.reserve_exact(PART - self.buffer.len());
        }
        self.buffer.extend_from_slice(bytes);
        self.written = self
            .written
            .saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    }

    async fn upload_part(&mut self) -> Result<(), StoreFailure> {
        let upload = match &mut self.upload {
            Some(upload) => upload,
            None => self.upload.insert(MultipartUpload {
                id: self.store.create_multipart(&self.key).await?,
                parts: Vec::new(),
            }),
        };
        let number = u16::try_from(upload.parts.len() + 1)
            .map_err(|_| StoreFailure("the object has too many parts".to_owned()))?;
        let part = self
            .store
            .upload_part(&self.key, &upload.id, number, &self.buffer)
            .await?;
        upload.parts.push(part);
        self.buffer.clear();
        Ok(())
    }

    async fn complete(&mut self) -> Result<(), StoreFailure> {
        self.upload_part().await?;
        self.buffer = Vec::new();
        let Some(upload) = &self.upload else {
            return Ok(());
        };
        let completed = self
            .store
            .complete_multipart(&self.key, &upload.id, &upload.parts)
            .await;
        if let Err(failure) = completed {
            // The answer may have been lost: a completed upload cannot be completed again, but its object exists.
            let head = self.store.head(&self.key).await.ok().flatten();
            if head.is_none_or(|head| head.size != self.written) {
                return Err(failure);
            }
        }
        Ok(())
    }

    async fn discard(&mut self) {
        self.is_failed = true;
        self.buffer = Vec::new();
        if let Some(upload) = self.upload.take() {
            // Best effort: the caller reports the first failure.
            let _ = self.store.abort_multipart(&self.key, &upload.id).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_executor::block_on;

    use super::*;
    use crate::bundles::MemoryStore;

    fn noise(length: usize) -> Vec<u8> {
        (0..=250).cycle().take(length).collect()
    }

    fn write(mut writer: StagedWriter<'_, MemoryStore>, bytes: &[u8], chunk: usize) -> Staged {
        block_on(async {
            for chunk in bytes.chunks(chunk) {
                writer.write(chunk).await.unwrap();
            }
            assert_eq!(writer.written(), bytes.len() as u64);
            writer.finish().await.unwrap()
        })
    }

    fn object(length: usize) -> Staged {
        Staged::Object {
            key: "k".to_owned(),
            length: length as u64,
        }
    }

    #[test]
    fn up_to_1_mib_stays_in_memory() {
        for length in [0, 1, MAX_BUFFERED] {
            let store = MemoryStore::default();
            let staged = write(StagedWriter::new(&store, "k".to_owned()), &noise(length), 70_000);
            assert_eq!(staged, Staged::Memory(noise(length).into()));
            assert_eq!(staged.length(), length as u64);
            assert_eq!(store.calls(), Vec::<String>::new());
        }
    }

    #[test]
    fn larger_objects_are_uploaded_in_equal_parts() {
        for length in [MAX_BUFFERED + 1, PART, PART + 1, 2 * PART, 3 * PART + 17] {
            let store = MemoryStore::default();
            let bytes = noise(length);
            let staged = write(StagedWriter::new(&store, "k".to_owned()), &bytes, 700_001);
            assert_eq!(staged, object(length));
            assert!(store.object("k").unwrap() == bytes, "{length}");
            assert!(store.largest() <= PART);
            assert_eq!(
                store.calls().contains(&"create_multipart k".to_owned()),
                length > PART
            );
        }
    }

    #[test]
    fn a_forced_object_is_stored_whatever_its_size() {
        for length in [0, 5, PART] {
            let store = MemoryStore::default();
            let staged = write(StagedWriter::stored(&store, "k".to_owned()), &noise(length), PART);
            assert_eq!(staged, object(length));
            assert_eq!(store.calls(), ["put k"]);
        }
    }

    #[test]
    fn a_failure_aborts_the_upload() {
        // The calls are create, 3 parts, complete and the head after a failed complete. Each of them fails once.
        for failing in 0..5 {
            let store = MemoryStore::default();
            store.fail_after(failing, if failing == 4 { 2 } else { 1 });
            let bytes = noise(2 * PART + 1);
            let result = block_on(async {
                let mut writer = StagedWriter::new(&store, "k".to_owned());
                writer.write(&bytes).await?;
                writer.finish().await
            });
            assert!(result.is_err(), "{failing}");
            assert_eq!(store.open_uploads(), 0, "{failing}");
            assert_eq!(store.object("k"), None);
        }
    }

    #[test]
    fn writing_after_a_failure_fails() {
        let store = MemoryStore::default();
        store.fail_after(0, 1);
        block_on(async {
            let mut writer = StagedWriter::new(&store, "k".to_owned());
            writer.write(&noise(PART + 1)).await.unwrap_err();
            writer.write(b"x").await.unwrap_err();
            writer.finish().await.unwrap_err();
        });
    }

    #[test]
    fn a_lost_answer_to_the_completion_is_not_a_failure() {
        let store = MemoryStore::default();
        let bytes = noise(PART + 1);
        block_on(async {
            let mut writer = StagedWriter::new(&store, "k".to_owned());
            writer.write(&bytes).await.unwrap();
            store.lose_answer_after(1);
            assert_eq!(writer.finish().await, Ok(object(PART + 1)));
        });
    }

    #[test]
    fn an_aborted_writer_leaves_nothing() {
        let store = MemoryStore::default();
        block_on(async {
            let mut writer = StagedWriter::new(&store, "k".to_owned());
            writer.write(&noise(PART + 1)).await.unwrap();
            assert_eq!(store.open_uploads(), 1);
            writer.abort().await;
        });
        assert_eq!(store.open_uploads(), 0);
        assert_eq!(store.object("k"), None);
    }
}
