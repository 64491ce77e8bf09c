//! The parts of an upload's form: their headers, the checks of a whole upload, and the errors.

use super::Metadata;
use super::part::check_name;
use crate::code::Code;
use crate::problem::Problem;

/// The most parts of an upload.
pub const MAX_PARTS: usize = 1000;

/// The name of the part that contains the metadata.
pub(super) const METADATA: &str = "metadata";

/// The boundary that the content type of a form names.
pub(super) fn boundary(content_type: Option<&str>) -> Result<String, Problem> {
    content_type
        .and_then(|text| multer::parse_boundary(text).ok())
        .ok_or_else(|| malformed("its content type is not multipart/form-data with a boundary"))
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

    /// Checks the names of a module.
    pub(super) fn check_names(&self) -> Result<(), Problem> {
        check_name(&self.name)?;
        self.file_name.as_deref().map_or(Ok(()), check_name)
    }
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

pub(super) fn too_many_parts() -> Problem {
    Problem::new(
        Code::UploadTooManyParts,
        format!("The upload has more than {MAX_PARTS} parts."),
        "Bundle the Worker (leave out --no-bundle), so that it has fewer modules.",
    )
}

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
