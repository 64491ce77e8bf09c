//! The compressed size of a Worker's modules, which the platform limits.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::code::Code;
use crate::problem::Problem;

/// The most bytes of a Worker's modules after compression.
/// <https://developers.cloudflare.com/workers/platform/limits/#worker-size>
pub const MAX_COMPRESSED: usize = 10 * 1024 * 1024;

/// Counts bytes and discards them.
struct Counter(usize);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Counts the bytes of a Worker's modules, as they are and compressed, while they are read. Source maps are not added.
pub(super) struct CompressedSize {
    plain: usize,
    encoder: GzEncoder<Counter>,
}

impl CompressedSize {
    pub(super) fn new() -> Self {
        Self {
            plain: 0,
            encoder: GzEncoder::new(Counter(0), Compression::default()),
        }
    }

    /// Counts bytes of a module.
    pub(super) fn add(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.plain += bytes.len();
        self.encoder.write_all(bytes).map_err(uncounted)
    }

    /// Checks the sizes when all modules were added.
    ///
    /// # Errors
    /// `UPLOAD_TOO_LARGE`, with the sizes.
    pub(super) fn check(self) -> Result<(), Problem> {
        let Self { plain, encoder } = self;
        if plain <= MAX_COMPRESSED {
            return Ok(());
        }
        let Counter(compressed) = encoder.finish().map_err(uncounted)?;
        if compressed <= MAX_COMPRESSED {
            return Ok(());
        }
        Err(too_large(
            &format!(
                "The Worker's modules have {plain} bytes, {compressed} compressed; the limit is {MAX_COMPRESSED} \
                 compressed."
            ),
            "Leave out what the Worker does not need, or split it into several Workers.",
        ))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is passed to map_err")]
fn uncounted(error: io::Error) -> Problem {
    Problem::new(Code::Internal, "The upload's size could not be determined.", "").caused_by(&error)
}

pub(crate) fn too_large(detail: &str, fix: &str) -> Problem {
    Problem::new(Code::UploadTooLarge, detail, fix)
}
