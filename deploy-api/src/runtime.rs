//! The runtime as a trait, so that tests can set the time and the random numbers.

use jiff::Timestamp;

/// The clock, the random numbers and the memory of the runtime.
pub trait Runtime {
    /// The current time. The runtime advances it only while a request waits for I/O.
    fn now(&self) -> Timestamp;

    /// Random bytes from the runtime's cryptographic generator.
    fn entropy(&self) -> [u8; 16];

    /// Waits this number of milliseconds.
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
