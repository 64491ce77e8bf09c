use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::Part;
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

/// Checks that the modules are no larger, compressed, than the platform takes. Source maps do not count.
///
/// # Errors
/// `UPLOAD_TOO_LARGE`, with the sizes.
pub fn check_compressed(parts: &[Part]) -> Result<(), Problem> {
    let modules: Vec<&Part> = parts.iter().filter(|part| !part.is_source_map()).collect();
    let plain: usize = modules.iter().map(|part| part.bytes.len()).sum();
    // Compression does not make modules noticeably larger, so modules up to the limit are accepted without compressing them.
    if plain <= MAX_COMPRESSED {
        return Ok(());
    }
    let mut size = CompressedSize::new();
    for module in modules {
        size.add(&module.bytes)?;
    }
    size.check()
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

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn part(content_type: &str, bytes: Vec<u8>) -> Part {
        Part {
            name: "a".to_owned(),
            file_name: None,
            content_type: Some(content_type.to_owned()),
            bytes: Bytes::from(bytes),
        }
    }

    /// Bytes that do not compress.
    fn noise(length: usize) -> Vec<u8> {
        let mut state = 1_u64;
        (0..length)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                state.to_be_bytes()[0]
            })
            .collect()
    }

    #[test]
    fn what_counts_is_the_compressed_size_of_the_modules() {
        let module = "application/javascript+module";
        assert!(check_compressed(&[part(module, vec![b'a'; MAX_COMPRESSED + 1])]).is_ok());
        assert!(check_compressed(&[part("application/source-map", noise(MAX_COMPRESSED + 1000))]).is_ok());
        let problem = check_compressed(&[part(module, noise(MAX_COMPRESSED + 1000))]).unwrap_err();
        assert_eq!(problem.code, Code::UploadTooLarge);
        assert_eq!(problem.code.status(), 413);
    }
}
