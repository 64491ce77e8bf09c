//! The documents of issuers, with the runtime's cache in front of them: isolates of the gateway are many and short-lived.
//! <https://developers.cloudflare.com/workers/runtime-apis/cache/>

use jiff::SignedDuration;
use worker::{Cache, Headers, Response, ResponseBody};

use super::chunks::Chunks;
use super::fetch::{Channel, Content, Outgoing, send};
use super::log::Line;
use super::runtime::now;
use super::services::Services;
use crate::identity::oidc::{DOCUMENTS_FRESH, DocumentSeal, FetchFailed, Fetched, KeySource};

/// How long an issuer may take to answer, in milliseconds.
const TIMEOUT: u32 = 10_000;

/// The longest document, in bytes. The keyring accepts 64 KiB.
const LONGEST: usize = 64 * 1024;

/// How many bytes a sealed document may have more than the document.
const SEAL: usize = 1024;

impl KeySource for Services {
    async fn get(&self, address: &str, max_age: SignedDuration) -> Result<Fetched, FetchFailed> {
        let cache = Cached {
            seal: DocumentSeal::new(self.settings.upload_key.issuer_document_key()),
            key: cache_key(address),
            address,
        };
        // Without the cache, the issuer is asked each time.
        if let Some(fetched) = cache.get(max_age).await {
            return Ok(fetched);
        }
        let document = fetch(address).await?;
        if let Err(error) = cache.put(&document).await {
            Line::error("An issuer's document could not be cached", &error.to_string()).write();
        }
        Ok(Fetched {
            document,
            age: SignedDuration::ZERO,
        })
    }
}

async fn fetch(address: &str) -> Result<Vec<u8>, FetchFailed> {
    let outgoing = Outgoing {
        method: "GET",
        url: address,
        headers: &[("accept", "application/json"), ("user-agent", "dotdo-deploy-api")],
        body: Content::Empty,
        timeout: TIMEOUT,
    };
    let answer = send(Channel::Internet, outgoing).await.map_err(|_| FetchFailed)?;
    if answer.status() != 200 {
        answer.discard();
        return Err(FetchFailed);
    }
    answer.read(LONGEST).await.map_err(|_| FetchFailed)
}

/// The key of a document in the cache. It is not the document's address, because `fetch` shares the cache.
fn cache_key(address: &str) -> String {
    let mut key = "https://deploy-api.invalid/issuer-documents?address=".to_owned();
    key.extend(form_urlencoded::byte_serialize(address.as_bytes()));
    key
}

/// One document in the cache.
struct Cached<'a> {
    /// Other Workers of the zone can write to the cache, too.
    seal: DocumentSeal,
    key: String,
    address: &'a str,
}

impl Cached<'_> {
    async fn get(&self, max_age: SignedDuration) -> Option<Fetched> {
        let response = Cache::default().get(&self.key, false).await.ok()??;
        let ResponseBody::Stream(stream) = response.body() else {
            return None;
        };
        let sealed = Chunks::of(stream).read_all(LONGEST + SEAL).await.ok()?;
        self.seal.open(self.address, &sealed, now(), max_age)
    }

    async fn put(&self, document: &[u8]) -> worker::Result<()> {
        let sealed = self.seal.seal(self.address, document, now());
        let headers = Headers::new();
        headers.set("cache-control", &format!("max-age={}", DOCUMENTS_FRESH.as_secs()))?;
        let response = Response::from_bytes(sealed)?.with_headers(headers);
        Cache::default().put(&self.key, response).await
    }
}
