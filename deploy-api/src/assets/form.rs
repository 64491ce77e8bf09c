//! The form (`multipart/form-data`) in which static assets are stored and sent to the Cloudflare API.
//!
//! All forms have the same boundary. It cannot occur in a content, because a content is base64, which has no `-`. So parts
//! of several stored forms can be joined to a new form without being read.

use super::AssetHash;

/// The header `Content-Type` of an upload of static assets to the Cloudflare API.
pub const ASSET_FORM_TYPE: &str = "multipart/form-data; boundary=dotdo-static-assets";

/// What is written after each content.
pub(super) const AFTER: &str = "\r\n";

/// What is written after the last part.
pub(super) const CLOSING: &str = "--dotdo-static-assets--\r\n";

/// What is written before a content. `content_type` is printable ASCII; without one, the header is left out.
pub(super) fn part_head(hash: &AssetHash, content_type: Option<&str>) -> String {
    let mut head = format!(
        "--dotdo-static-assets\r\nContent-Disposition: form-data; name=\"{hash}\"; filename=\"{hash}\""
    );
    if let Some(content_type) = content_type {
        head.push_str("\r\nContent-Type: ");
        head.push_str(content_type);
    }
    head.push_str("\r\n\r\n");
    head
}

/// A number of bytes in memory.
pub(super) fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
