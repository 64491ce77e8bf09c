//! The errors of a form that cannot be read, and the limits of its parts.

use crate::code::Code;
use crate::problem::Problem;

/// The most parts of an upload.
pub const MAX_PARTS: usize = 3000;

/// The most bytes of all names of an upload's parts. The names and digests are recorded, and a row has at most 2 MB.
pub const MAX_NAMES: usize = 256 * 1024;

/// An upload has more than [`MAX_PARTS`] parts, or longer names.
pub(super) fn too_many_parts() -> Problem {
    Problem::new(
        Code::UploadTooManyParts,
        format!("The upload has more than {MAX_PARTS} parts, or names of more than {MAX_NAMES} bytes."),
        "Bundle the Worker (leave out --no-bundle), so that it has fewer modules.",
    )
}

/// An upload that cannot be read: `what` follows a colon.
pub(super) fn malformed(what: &str) -> Problem {
    Problem::new(
        Code::UploadMalformed,
        format!("The upload cannot be read: {what}."),
        "Deploy with an unmodified wrangler. Another client must send the same form as wrangler.",
    )
}

/// Why a form cannot be read. The library's text is not shown, because it may contain bytes of the client.
pub(super) fn unreadable(error: &multer::Error) -> Problem {
    let what = match error {
        multer::Error::IncompleteFieldData { .. } => "a part does not end",
        multer::Error::IncompleteHeaders | multer::Error::IncompleteStream => {
            "it ends before the end of the form"
        }
        multer::Error::ReadHeaderFailed(_) | multer::Error::DecodeHeaderName { .. } => {
            "a part's header is malformed"
        }
        _ => "it is not a form",
    };
    malformed(what)
}
