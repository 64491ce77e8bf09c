//! Custom hostnames: the KV look-up and its cache. The value of an entry is parsed by
//! [`CustomHostname`](crate::routing::CustomHostname).

mod cache;
#[cfg(target_arch = "wasm32")]
mod lookup;

pub use cache::{CacheEntry, HostnameCache};
#[cfg(target_arch = "wasm32")]
pub use lookup::look_up;

/// How long KV itself caches an entry in a data centre, in seconds: the minimum that KV accepts
/// (<https://developers.cloudflare.com/kv/api/read-key-value-pairs/#cachettl-parameter>).
pub const KV_CACHE_SECONDS: u64 = 30;
