use js_sys::{Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::bindings::{Bucket, StoredObject, message_of};
use super::surroundings::Surroundings;
use crate::bundles::{BundleStore, Digest, StoreFailure};

impl BundleStore for Surroundings {
    async fn put(&self, digest: &Digest, bytes: &[u8]) -> Result<(), StoreFailure> {
        let options = Object::new();
        // R2 refuses bytes that have another digest than the one they are stored under.
        Reflect::set(
            &options,
            &JsValue::from_str("sha256"),
            &JsValue::from_str(digest.as_str()),
        )
        .map_err(|thrown| failed(&thrown))?;
        settled(
            self.bucket()?
                .put(&key(digest), &Uint8Array::from(bytes), &options),
        )
        .await?;
        Ok(())
    }

    async fn get(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreFailure> {
        let found = settled(self.bucket()?.get(&key(digest))).await?;
        if found.is_null() {
            return Ok(None);
        }
        let object: StoredObject = found.unchecked_into();
        let buffer = settled(object.array_buffer()).await?;
        Ok(Some(Uint8Array::new(&buffer).to_vec()))
    }
}

impl Surroundings {
    fn bucket(&self) -> Result<&Bucket, StoreFailure> {
        self.bundles
            .as_ref()
            .ok_or_else(|| StoreFailure("the binding BUNDLES is missing".to_owned()))
    }
}

fn key(digest: &Digest) -> String {
    format!("sha256/{digest}")
}

async fn settled(promise: Result<Promise, JsValue>) -> Result<JsValue, StoreFailure> {
    let promise = promise.map_err(|thrown| failed(&thrown))?;
    JsFuture::from(promise).await.map_err(|thrown| failed(&thrown))
}

fn failed(thrown: &JsValue) -> StoreFailure {
    StoreFailure(message_of(thrown))
}
