//! `dotdo audit export`: the whole log as files, which `dotdo audit verify` reads.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write as _};
use std::path::Path;

use deploy_api::audit::Segment;
use deploy_api::v1::types::AuditSegment;
use serde_json::json;

use crate::client::{Client, with_parameters};
use crate::count::counted;
use crate::failure::{Exit, Failure};
use crate::progress;
use crate::replaced_file::{Access, replace};
use crate::session::Session;

/// The file of the entries that are not archived.
const LOG: &str = "log.ndjson";

/// Stores the archived segments, and then the entries after them. Each file is replaced as a whole.
pub fn export(folder: &Path, session: &Session) -> Result<Exit, Failure> {
    let client = session.client()?;
    fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
    let segments: Vec<AuditSegment> = progress::during("listing the segments", || {
        client.items("/v1/audit/segments", &[], None)
    })?
    .value;
    for segment in &segments {
        let file = folder.join(format!("segment-{}.ndjson", segment.first));
        if is_stored(&file, segment) {
            continue;
        }
        let what = format!("storing the entries {} to {}", segment.first, segment.last);
        progress::during(&what, || store_segment(&client, segment, &file))?;
    }
    let log = folder.join(LOG);
    let entries = progress::during("storing the latest entries", || store_log(&client, &log))?;
    let result = json!({ "folder": folder, "segments": segments.len(), "entries": entries });
    session.output.either(&result, |output| {
        let archived = if segments.is_empty() {
            String::new()
        } else {
            format!(" {}/segment-*.ndjson", folder.display())
        };
        output.line(format!(
            "Stored {} and {} in {}.",
            counted(segments.len(), "segment", "segments"),
            counted(entries, "later entry", "later entries"),
            folder.display()
        ))?;
        output.line(format!(
            "Verify them: dotdo audit verify --log {}{archived}",
            log.display()
        ))
    })?;
    Ok(Exit::Success)
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::usage(
        format!("{} cannot be written: {error}", path.display()),
        "Name another folder.",
    )
}

/// Whether a file has this segment as a whole.
fn is_stored(file: &Path, segment: &AuditSegment) -> bool {
    let Ok(text) = fs::read_to_string(file) else {
        return false;
    };
    Segment::read(&text).is_ok_and(|stored| {
        let last = stored.links.last();
        stored.verify(&segment.key).is_ok() && last.is_some_and(|last| last.hash == segment.hash)
    })
}

fn store_segment(client: &Client, segment: &AuditSegment, file: &Path) -> Result<(), Failure> {
    let mut answer = client.open(&format!("/v1/audit/segments/{}", segment.first))?;
    replace(file, Access::Usual, |target| {
        io::copy(&mut answer, target).map(drop)
    })
    .map_err(|error| unwritable(file, &error))
}

/// Stores the entries that are not archived, and returns their number.
fn store_log(client: &Client, file: &Path) -> Result<usize, Failure> {
    let mut entries = 0;
    let mut failure = None;
    replace(file, Access::Usual, |target| {
        let mut path = with_parameters(
            "/v1/audit",
            &[
                ("format", Some("ndjson".to_owned())),
                ("order", Some("oldest".to_owned())),
                ("limit", Some("1000".to_owned())),
            ],
        );
        loop {
            let (page, next) = match client.lines(&path) {
                Ok(page) => page,
                Err(failed) => {
                    failure = Some(failed);
                    return Err(io::ErrorKind::Other.into());
                }
            };
            entries += page.lines().count();
            target.write_all(page.as_bytes())?;
            match next {
                Some(next) => path = next,
                None => return Ok(()),
            }
        }
    })
    .map_err(|error| failure.take().unwrap_or_else(|| unwritable(file, &error)))?;
    Ok(entries)
}

/// Opens a file to be read line by line.
pub fn open(file: &Path) -> io::Result<impl BufRead + use<>> {
    Ok(BufReader::new(File::open(file)?))
}
