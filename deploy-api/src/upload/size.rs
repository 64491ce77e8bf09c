//! The sizes of a Worker's modules and source maps, which the platform limits.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::form_error::malformed;
use crate::code::Code;
use crate::problem::Problem;

/// The most bytes of a Worker's modules after compression.
/// <https://developers.cloudflare.com/workers/platform/limits/#worker-size>
pub const MAX_COMPRESSED: usize = 10 * 1024 * 1024;

/// The most bytes of a Worker's modules before compression.
/// <https://developers.cloudflare.com/workers/platform/limits/#worker-size>
pub const MAX_SCRIPT: usize = 64 * 1024 * 1024;

/// The most bytes of a Worker's source maps after compression.
/// <https://developers.cloudflare.com/workers/observability/source-maps/#limits>
pub const MAX_COMPRESSED_MAPS: usize = 15 * 1024 * 1024;

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

/// The sizes of an upload's modules and source maps, counted while they are read.
pub(super) struct UploadSize {
    modules: Size,
    maps: Size,
}

impl UploadSize {
    /// No bytes. They are compressed only if the body may have more bytes than a limit.
    pub(super) fn new(content_length: Option<u64>) -> Self {
        Self {
            modules: Size::new(content_length, MAX_COMPRESSED),
            maps: Size::new(content_length, MAX_COMPRESSED_MAPS),
        }
    }

    /// Counts bytes of a module.
    pub(super) fn add_to_module(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.modules.add(bytes)?;
        if self.modules.plain > MAX_SCRIPT {
            return Err(too_large(
                &format!("The Worker's modules have more than {MAX_SCRIPT} bytes."),
                "Leave out what the Worker does not need, or split it into several Workers.",
            ));
        }
        Ok(())
    }

    /// Counts bytes of a source map.
    pub(super) fn add_to_map(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.maps.add(bytes)
    }

    /// Checks the compressed sizes when all parts were added.
    ///
    /// # Errors
    /// `UPLOAD_TOO_LARGE`, with the sizes.
    pub(super) fn check(self) -> Result<(), Problem> {
        let Self { modules, maps } = self;
        let fix = "Leave out what the Worker does not need, or split it into several Workers.";
        modules.check("modules", fix)?;
        maps.check(
            "source maps",
            "Deploy without source maps: set `upload_source_maps` to false.",
        )
    }
}

/// The size of parts of one kind.
struct Size {
    plain: usize,
    limit: usize,
    encoder: Option<GzEncoder<Counter>>,
}

impl Size {
    fn new(content_length: Option<u64>, limit: usize) -> Self {
        let may_exceed =
            content_length.is_none_or(|length| length > u64::try_from(limit).unwrap_or(u64::MAX));
        Self {
            plain: 0,
            limit,
            encoder: may_exceed.then(|| GzEncoder::new(Counter(0), Compression::default())),
        }
    }

    fn add(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.plain += bytes.len();
        match &mut self.encoder {
            Some(encoder) => encoder.write_all(bytes).map_err(uncounted),
            None if self.plain > self.limit => Err(malformed(
                "its body is longer than its header Content-Length says",
            )),
            None => Ok(()),
        }
    }

    fn check(self, what: &str, fix: &str) -> Result<(), Problem> {
        let Self {
            plain,
            limit,
            encoder,
        } = self;
        let Some(encoder) = encoder.filter(|_| plain > limit) else {
            return Ok(());
        };
        let Counter(compressed) = encoder.finish().map_err(uncounted)?;
        if compressed <= limit {
            return Ok(());
        }
        Err(too_large(
            &format!(
                "The Worker's {what} have {plain} bytes, {compressed} compressed; the limit is {limit} compressed."
            ),
            fix,
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
