//! The services that the gateway and the reconciler call.

use crate::bundles::ObjectStore;
use crate::dispatcher::Dispatcher;
use crate::runtime::Runtime;
use crate::upstream::Upstream;

/// The Cloudflare API, the bundle store, the dispatch Worker and the runtime. One value implements all of them.
pub trait Services: Upstream + ObjectStore + Dispatcher + Runtime {}

impl<T: Upstream + ObjectStore + Dispatcher + Runtime> Services for T {}
