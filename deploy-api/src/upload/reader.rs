use bytes::Bytes;
use futures_util::stream;
use multer::Multipart;

use super::part::check_name;
use super::{Metadata, Part, Upload};
use crate::code::Code;
use crate::problem::Problem;

/// The most parts of an upload.
pub const MAX_PARTS: usize = 1000;

/// The name of the part that says what the upload is.
pub(super) const METADATA: &str = "metadata";

/// One part of a form, whatever it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its file name.
    pub file_name: Option<String>,
    /// Its content type: printable ASCII.
    pub content_type: Option<String>,
    /// Its content.
    pub bytes: Bytes,
}

/// Reads the parts of a form (`multipart/form-data`), of which the whole body is there.
///
/// # Errors
/// `UPLOAD_MALFORMED` for what is no whole form, `UPLOAD_TOO_MANY_PARTS` over [`MAX_PARTS`].
pub async fn fields(content_type: Option<&str>, body: Vec<u8>) -> Result<Vec<Field>, Problem> {
    let boundary = boundary(content_type)?;
    let whole = stream::iter([Ok::<_, std::convert::Infallible>(Bytes::from(body))]);
    let mut form = Multipart::new(whole, boundary);
    let mut fields = Vec::new();
    while let Some(field) = form.next_field().await.map_err(|error| unreadable(&error))? {
        if fields.len() == MAX_PARTS {
            return Err(too_many_parts());
        }
        fields.push(read_field(field).await?);
    }
    Ok(fields)
}

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

async fn read_field(mut field: multer::Field<'_>) -> Result<Field, Problem> {
    let FieldHead {
        name,
        file_name,
        content_type,
    } = FieldHead::of(&field)?;
    // The body is one piece, so a part mostly is too, and is taken without a copy.
    let mut pieces = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(|error| unreadable(&error))? {
        pieces.push(piece);
    }
    let bytes = match <[Bytes; 1]>::try_from(pieces) {
        Ok([whole]) => whole,
        Err(pieces) => Bytes::from(pieces.concat()),
    };
    Ok(Field {
        name,
        file_name,
        content_type,
        bytes,
    })
}

/// Reads an upload: one part named `metadata`, and modules with unique names.
///
/// # Errors
/// Those of [`fields`]; `UPLOAD_MALFORMED` also when there is not exactly one metadata part or it is not what it should
/// be, `MODULE_NAME_INVALID` for a module's name that is used twice or leaves its folder.
pub async fn read(content_type: Option<&str>, body: Vec<u8>) -> Result<Upload, Problem> {
    let mut metadata = None;
    let mut parts: Vec<Part> = Vec::new();
    for field in fields(content_type, body).await? {
        if field.name == METADATA {
            if metadata.is_some() {
                return Err(two_metadata_parts());
            }
            metadata = Some(Metadata::parse(&field.bytes)?);
            continue;
        }
        check_name(&field.name)?;
        if let Some(file_name) = &field.file_name {
            check_name(file_name)?;
        }
        parts.push(Part {
            name: field.name,
            file_name: field.file_name,
            content_type: field.content_type,
            bytes: field.bytes,
        });
    }
    let metadata = check_whole(metadata, parts.iter().map(|part| part.name.as_str()))?;
    Ok(Upload { metadata, parts })
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
