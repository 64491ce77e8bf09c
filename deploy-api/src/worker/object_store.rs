//! The bundle store over R2. <https://developers.cloudflare.com/r2/api/workers/workers-api-reference/>

use jiff::Timestamp;
use worker::{Bucket, MultipartUpload, Object, Range};

use super::services::Services;
use crate::bundles::{ByteRange, ObjectHead, ObjectPage, ObjectStore, StoreFailure, UploadedPart};

impl ObjectStore for Services {
    async fn put(&self, key: &str, bytes: &[u8]) -> Result<(), StoreFailure> {
        // The copy exists until R2 has its own, which is before the call waits.
        let put = self.bucket()?.put(key, bytes.to_vec());
        put.execute().await.map(drop).map_err(failed)
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectHead>, StoreFailure> {
        let object = self.bucket()?.head(key).await.map_err(failed)?;
        Ok(object.as_ref().map(head))
    }

    async fn get(&self, key: &str, range: Option<ByteRange>) -> Result<Option<Vec<u8>>, StoreFailure> {
        read(self.bucket()?, key, range).await
    }

    async fn delete(&self, keys: &[String]) -> Result<(), StoreFailure> {
        if keys.is_empty() {
            return Ok(());
        }
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        self.bucket()?.delete_multiple(keys).await.map_err(failed)
    }

    async fn list(&self, prefix: &str, cursor: Option<&str>) -> Result<ObjectPage, StoreFailure> {
        let mut list = self.bucket()?.list().prefix(prefix);
        if let Some(cursor) = cursor {
            list = list.cursor(cursor);
        }
        let page = list.execute().await.map_err(failed)?;
        Ok(ObjectPage {
            objects: page.objects().iter().map(head).collect(),
            cursor: page.cursor().filter(|_| page.truncated()),
        })
    }

    async fn create_multipart(&self, key: &str) -> Result<String, StoreFailure> {
        let upload = self.bucket()?.create_multipart_upload(key).execute().await;
        Ok(upload.map_err(failed)?.upload_id().await)
    }

    async fn upload_part(
        &self,
        key: &str,
        upload: &str,
        number: u16,
        bytes: &[u8],
    ) -> Result<UploadedPart, StoreFailure> {
        let part = self
            .multipart(key, upload)?
            .upload_part(number, bytes.to_vec())
            .await
            .map_err(failed)?;
        Ok(UploadedPart {
            number: part.part_number(),
            etag: part.etag(),
        })
    }

    async fn complete_multipart(
        &self,
        key: &str,
        upload: &str,
        parts: &[UploadedPart],
    ) -> Result<(), StoreFailure> {
        let parts = parts
            .iter()
            .map(|part| worker::UploadedPart::new(part.number, part.etag.clone()));
        self.multipart(key, upload)?
            .complete(parts)
            .await
            .map(drop)
            .map_err(failed)
    }

    async fn abort_multipart(&self, key: &str, upload: &str) -> Result<(), StoreFailure> {
        self.multipart(key, upload)?.abort().await.map_err(failed)
    }
}

impl Services {
    fn bucket(&self) -> Result<&Bucket, StoreFailure> {
        self.bundles
            .as_ref()
            .ok_or_else(|| StoreFailure("the binding BUNDLES is missing".to_owned()))
    }

    fn multipart(&self, key: &str, upload: &str) -> Result<MultipartUpload, StoreFailure> {
        self.bucket()?
            .resume_multipart_upload(key, upload)
            .map_err(failed)
    }
}

/// The bytes of an object or of a range of it, as [`ObjectStore::get`] returns them.
pub async fn read(
    bucket: &Bucket,
    key: &str,
    range: Option<ByteRange>,
) -> Result<Option<Vec<u8>>, StoreFailure> {
    if range.is_some_and(|range| range.length == 0) {
        let object = bucket.head(key).await.map_err(failed)?;
        return Ok(object.map(|_| Vec::new()));
    }
    let object = match (with_range(bucket, key, range).await, range) {
        (Ok(object), _) => object,
        (Err(failure), None) => return Err(failure),
        // R2 rejects a range that begins at or after the end of the object.
        (Err(failure), Some(range)) => {
            let object = bucket.head(key).await.map_err(failed)?;
            return match object {
                Some(object) if object.size() <= range.offset => Ok(Some(Vec::new())),
                _ => Err(failure),
            };
        }
    };
    match object.as_ref().and_then(Object::body) {
        None => Ok(None),
        Some(body) => body.bytes().await.map(Some).map_err(failed),
    }
}

/// An object whose body has the bytes of the range, or `None` if there is no such object.
pub async fn with_range(
    bucket: &Bucket,
    key: &str,
    range: Option<ByteRange>,
) -> Result<Option<Object>, StoreFailure> {
    let mut get = bucket.get(key);
    if let Some(ByteRange { offset, length }) = range {
        // `worker` panics on a number that JavaScript would round.
        if offset.max(length) >= 1 << 53 {
            return Err(StoreFailure("the range is too large".to_owned()));
        }
        get = get.range(Range::OffsetWithLength { offset, length });
    }
    get.execute().await.map_err(failed)
}

fn head(object: &Object) -> ObjectHead {
    let uploaded = i64::try_from(object.uploaded().as_millis()).unwrap_or_default();
    ObjectHead {
        key: object.key(),
        size: object.size(),
        uploaded: Timestamp::from_millisecond(uploaded).unwrap_or(Timestamp::UNIX_EPOCH),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn failed(error: worker::Error) -> StoreFailure {
    StoreFailure(error.to_string())
}
