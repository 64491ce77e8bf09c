use bytes::Bytes;

use crate::bundles::Digest;
use crate::code::Code;
use crate::problem::Problem;

/// The longest name of a module, in bytes.
const MAX_NAME: usize = 512;

/// The content type of a source map, which is no part of the running Worker.
const SOURCE_MAP: &str = "application/source-map";

/// A module or a source map of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The part's name, which is what other modules import.
    pub name: String,
    /// The part's file name; the same as its name where wrangler sends it.
    pub file_name: Option<String>,
    /// The part's content type, which tells what kind of module it is.
    pub content_type: Option<String>,
    /// The content.
    pub bytes: Bytes,
}

impl Part {
    /// Whether the part is a source map.
    #[must_use]
    pub fn is_source_map(&self) -> bool {
        is_source_map(self.content_type.as_deref())
    }

    /// The SHA-256 of the content.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }
}

/// Whether a part of this content type is a source map.
pub(super) fn is_source_map(content_type: Option<&str>) -> bool {
    content_type == Some(SOURCE_MAP)
}

/// Checks a module's name, or its file name: a path of plain characters that stays in its folder.
///
/// # Errors
/// `MODULE_NAME_INVALID`.
pub fn check_name(name: &str) -> Result<(), Problem> {
    let reason = if name.is_empty() {
        "it is empty"
    } else if name.len() > MAX_NAME {
        "it has more than 512 bytes"
    } else if name
        .chars()
        .any(|c| c.is_control() || matches!(c, '"' | '\\' | '\u{fffd}'))
    {
        "it has a quote, a backslash or a control character"
    } else if name.contains(';') || name.to_ascii_lowercase().contains("name=") {
        // Readers of headers differ in what they make of it, and the upstream's is another one.
        "it reads like a part of a header"
    } else if name.starts_with('/')
        || name
            .split('/')
            .any(|segment| segment == ".." || segment.is_empty())
    {
        "it leaves its folder"
    } else {
        return Ok(());
    };
    let shown: String = name
        .chars()
        .filter(|c| c.is_ascii_graphic() && *c != '"')
        .take(80)
        .collect();
    Err(Problem::new(
        Code::ModuleNameInvalid,
        format!("The module name \"{shown}\" cannot be used: {reason}."),
        "Name modules by their path below the main module, with single slashes.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_their_folder() {
        for good in ["index.js", "lib/a b.wasm", "./x.txt", "a..b", "ü.js", "[id].js"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        let long = "a".repeat(MAX_NAME + 1);
        for bad in [
            "",
            "../x",
            "a/../b",
            "/etc/passwd",
            "a//b",
            "a\\b",
            "a\"b",
            "a\nb",
            "a\0",
            "..",
            "a/",
            "a;b",
            "in filename=",
            &long,
        ] {
            let problem = check_name(bad).unwrap_err();
            assert_eq!(problem.code, Code::ModuleNameInvalid, "{bad:?}");
            assert!(!problem.detail.contains('\n'));
        }
    }
}
