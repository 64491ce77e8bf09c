//! The checks of one part of an upload: the names of modules, and source maps.

use crate::code::Code;
use crate::problem::Problem;

/// The longest name of a module, in bytes.
const MAX_NAME: usize = 512;

/// The content type of a source map, which the running Worker does not contain.
const SOURCE_MAP: &str = "application/source-map";

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
        // Parsers of headers read such names differently, and Cloudflare uses another parser.
        "it looks like a part of a header"
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
