//! The parts of an upload's form: their headers, and the checks of a whole upload.

use super::Metadata;
use super::fields::is_metadata_field;
use super::form_error::malformed;
use super::metadata::METADATA;
use super::part::check_name;
use crate::code::Code;
use crate::problem::Problem;

/// The boundary that the content type of a form names.
pub(super) fn boundary(content_type: Option<&str>) -> Result<String, Problem> {
    content_type
        .and_then(|text| multer::parse_boundary(text).ok())
        .ok_or_else(|| malformed("its content type is not multipart/form-data with a boundary"))
}

/// Whether the content type may label a form without its boundary: Cloudflare's TypeScript SDK sends forms as
/// `application/javascript`.
pub(super) fn may_be_form(content_type: Option<&str>) -> bool {
    content_type.is_some_and(|text| text.eq_ignore_ascii_case("application/javascript"))
}

/// The longest boundary of a form, in bytes (RFC 2046, section 5.1.1), with the characters around it.
pub(super) const MAX_FIRST_LINE: usize = 74;

/// The boundary of a form that begins with these bytes, at its first line.
pub(super) fn boundary_of_body(start: &[u8]) -> Result<String, Problem> {
    let line = start.split(|byte| *byte == b'\r').next().unwrap_or_default();
    line.strip_prefix(b"--")
        .filter(|boundary| {
            let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=?".contains(byte);
            (1..=70).contains(&boundary.len()) && boundary.iter().all(is_plain)
        })
        .and_then(|boundary| String::from_utf8(boundary.to_vec()).ok())
        .ok_or_else(|| malformed("it is not a form, and its content type is not multipart/form-data"))
}

/// The headers of a part, without its bytes.
pub(super) struct FieldHead {
    pub(super) name: String,
    pub(super) file_name: Option<String>,
    pub(super) content_type: Option<String>,
}

impl FieldHead {
    pub(super) fn of(field: &multer::Field<'_>) -> Result<Self, Problem> {
        let content_type = match field.headers().get("content-type") {
            None => None,
            Some(value) => Some(
                value
                    .to_str()
                    .ok()
                    .filter(|text| text.len() <= 200)
                    .ok_or_else(|| malformed("a part's content type is too long or is not plain text"))?
                    .to_owned(),
            ),
        };
        Ok(Self {
            name: field
                .name()
                .ok_or_else(|| malformed("a part has no name"))?
                .to_owned(),
            file_name: field.file_name().map(str::to_owned),
            content_type,
        })
    }

    /// The head with the name of the module. The part of a module is named `files` or `files[]` in forms of SDKs, which have the
    /// name of the module as the name of the file, or `files[NAME]`.
    pub(super) fn with_name_of_module(mut self) -> Self {
        let name = match (self.name.as_str(), file_key(&self.name), &self.file_name) {
            ("files", ..) | (_, Some(""), _) => self.file_name.clone(),
            (_, Some(key), Some(_)) => Some(key.to_owned()),
            _ => None,
        };
        if let Some(name) = name {
            self.file_name = Some(name.clone());
            self.name = name;
        }
        self
    }

    /// Checks the names of a module.
    pub(super) fn check_names(&self) -> Result<(), Problem> {
        let is_reserved =
            self.name == METADATA || is_metadata_field(&self.name) || file_key(&self.name).is_some();
        if is_reserved {
            return Err(Problem::new(
                Code::ModuleNameInvalid,
                "A module has a name that the form of an upload uses: metadata, metadata[…] or files[…].",
                "Rename the module.",
            ));
        }
        check_name(&self.name)?;
        self.file_name.as_deref().map_or(Ok(()), check_name)
    }
}

/// The key of a part that is named `files[KEY]`.
fn file_key(name: &str) -> Option<&str> {
    name.strip_prefix("files[")?.strip_suffix(']')
}

/// Checks what can be checked only when all parts were read, and returns the metadata.
pub(super) fn check_whole<'a>(
    metadata: Option<Metadata>,
    names: impl Iterator<Item = &'a str>,
) -> Result<Metadata, Problem> {
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    if let Some([name, _]) = names.windows(2).find(|pair| pair.first() == pair.last()) {
        return Err(Problem::new(
            Code::ModuleNameInvalid,
            format!("Two modules have the name \"{name}\"."),
            "Give each module a different name.",
        ));
    }
    let metadata = metadata.ok_or_else(|| malformed("it has no part named metadata"))?;
    if let Some(entry) = metadata.entry_point()
        && names.binary_search(&entry).is_err()
    {
        return Err(malformed(
            "its metadata names a main module that is not among the parts",
        ));
    }
    Ok(metadata)
}

pub(super) fn two_metadata_parts() -> Problem {
    malformed("it has two parts named metadata")
}
