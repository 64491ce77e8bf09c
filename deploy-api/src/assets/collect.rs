//! Finds the stored files of a session when the Worker is deployed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::bucket_index::{IndexFailure, read_index};
use super::manifest::SharedTexts;
use super::{AssetHash, Location, Manifest, SessionId};
use crate::bundles::{ObjectHead, ObjectStore};

/// The number of indexes that are read at once: as many as a Worker has connections.
const CONCURRENCY: usize = 6;

/// The locations of the files that were uploaded in a session. If a file was uploaded more than once, its location is in the
/// newest object.
///
/// # Errors
/// If the store fails, or an object of the session is not a bucket.
pub async fn of_session<S: ObjectStore>(
    store: &S,
    session: &SessionId,
) -> Result<BTreeMap<AssetHash, Location>, IndexFailure> {
    let mut objects = list(store, &session.prefix()).await?;
    objects.sort_by(|a, b| (a.uploaded, &a.key).cmp(&(b.uploaded, &b.key)));
    let mut content_types = SharedTexts::default();
    let mut locations = BTreeMap::new();
    let mut indexes = stream::iter(&objects)
        .map(|object| async move { Ok::<_, IndexFailure>((object, read_index(store, object).await?)) })
        .buffered(CONCURRENCY);
    while let Some((object, index)) = indexes.try_next().await? {
        let key: Arc<str> = Arc::from(object.key.as_str());
        for entry in index.into_iter().flatten() {
            let location = Location::Bucket {
                key: Arc::clone(&key),
                offset: entry.offset,
                length: entry.size,
                sha256: entry.sha256,
                content_type: entry
                    .content_type
                    .as_deref()
                    .map(|text| content_types.share(text)),
            };
            locations.insert(entry.hash, location);
        }
    }
    Ok(locations)
}

async fn list<S: ObjectStore>(store: &S, prefix: &str) -> Result<Vec<ObjectHead>, IndexFailure> {
    let mut objects = Vec::new();
    let mut cursor = None;
    loop {
        let page = store.list(prefix, cursor.as_deref()).await?;
        objects.extend(page.objects);
        cursor = page.cursor;
        if cursor.is_none() {
            return Ok(objects);
        }
    }
}

/// The manifest of a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeployedManifest {
    /// The manifest, to be stored before the deployment goes live.
    pub manifest: Manifest,
    /// The keys of the objects that it refers to, which must not be deleted.
    pub object_keys: BTreeSet<Arc<str>>,
}

/// The manifest of a deployment: the files of its session, with their locations in this session, in the deployments before it
/// (`previous` is the manifest of the one that serves now), or in objects of an earlier version of the deploy API (`legacy`).
/// `legacy` is called only for files that are not found elsewhere.
#[must_use]
pub fn deployed_manifest(
    session: Manifest,
    mut locations: BTreeMap<AssetHash, Location>,
    previous: Option<&Manifest>,
    legacy: impl Fn(&AssetHash) -> Option<Location>,
) -> DeployedManifest {
    let mut manifest = session;
    let hashes = manifest.hashes();
    // The upstream accepts only files of the manifest, so every other file is of no use.
    locations.retain(|hash, _| hashes.contains(hash));
    manifest.stored = locations;
    for hash in hashes {
        if manifest.stored.contains_key(&hash) {
            continue;
        }
        let known = previous.and_then(|previous| previous.location(&hash)).cloned();
        if let Some(location) = known.or_else(|| legacy(&hash)) {
            manifest.stored.insert(hash, location);
        }
    }
    if let Some(previous) = previous {
        manifest.carry_over(previous);
    }
    let object_keys = manifest.object_keys();
    DeployedManifest {
        manifest,
        object_keys,
    }
}
