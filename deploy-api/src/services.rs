//! The services that the gateway and the reconciler call.

use crate::bundles::ObjectStore;
use crate::dispatcher::Dispatcher;
use crate::download::Downloads;
use crate::logs::Logs;
use crate::runtime::Runtime;
use crate::upstream::Upstream;

/// The Cloudflare API, the bundle store, the dispatch Worker, the logs Worker and the runtime. One value implements all of them.
pub trait Services: Upstream + Downloads + ObjectStore + Dispatcher + Logs + Runtime {}

impl<T: Upstream + Downloads + ObjectStore + Dispatcher + Logs + Runtime> Services for T {}
