use std::sync::OnceLock;

use crate::{Options, Platform};

/// A platform that several tests of one program use. The first test that uses it starts it.
#[derive(Debug)]
pub struct Shared {
    options: fn() -> Options,
    // A failed start is kept, so that the other tests fail at once.
    platform: OnceLock<Result<Platform, String>>,
}

impl Shared {
    /// A platform that is started with these options.
    #[must_use]
    pub const fn new(options: fn() -> Options) -> Self {
        Self {
            options,
            platform: OnceLock::new(),
        }
    }

    /// The platform.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn get(&self) -> &Platform {
        let start =
            || Platform::try_start((self.options)().temporary()).map_err(|error| format!("{error:#}"));
        self.platform
            .get_or_init(start)
            .as_ref()
            .expect("the platform starts")
    }
}
