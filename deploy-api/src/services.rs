//! What the deploy API needs from outside, as traits: the platform's runtime, and the services that the gateway calls.

use jiff::Timestamp;

use crate::bundles::ObjectStore;
use crate::probe::Dispatcher;
use crate::upstream::Upstream;

/// The clock, the random numbers and the memory of the runtime.
pub trait Runtime {
    /// The time now. It moves on only while a request waits.
    fn now(&self) -> Timestamp;

    /// Random bytes from the runtime's cryptographic generator.
    fn entropy(&self) -> [u8; 16];

    /// Waits so many milliseconds.
    fn pause(&self, milliseconds: u32) -> impl Future<Output = ()>;

    /// The size of the Wasm memory of this instance, in bytes; `None` in native tests.
    fn wasm_memory_bytes(&self) -> Option<u64> {
        None
    }
}

impl<R: Runtime> Runtime for &R {
    fn now(&self) -> Timestamp {
        (**self).now()
    }

    fn entropy(&self) -> [u8; 16] {
        (**self).entropy()
    }

    fn pause(&self, milliseconds: u32) -> impl Future<Output = ()> {
        (**self).pause(milliseconds)
    }

    fn wasm_memory_bytes(&self) -> Option<u64> {
        (**self).wasm_memory_bytes()
    }
}

/// Everything that the gateway and the reconciler call. One value implements all of it.
pub trait Services: Upstream + ObjectStore + Dispatcher + Runtime {}

impl<T: Upstream + ObjectStore + Dispatcher + Runtime> Services for T {}
