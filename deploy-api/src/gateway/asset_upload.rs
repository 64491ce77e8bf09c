//! Static assets: the files of a session, which carry the session's token instead of ours.

use data_encoding::BASE64;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::Envelope;
use super::message::{Body, Request, read_body};
use super::query::Parameters;
use super::serve::{Reply, bearer};
use crate::audit::{Outcome, Reason, SubjectRecord, Verb};
use crate::bundles::Digest;
use crate::code::Code;
use crate::deployments::{
    AssetCall, NO_CONTENT_TYPE, bundle_store_unavailable, is_hash, session_unknown, upload_request,
};
use crate::engine::{Engine, Outside};
use crate::problem::Problem;
use crate::sql::Sql;
use crate::store::asset_sessions::{self, AssetSession, StoredAsset};
use crate::upload::{Field, asset_form, fields};

/// The longest upload of assets, in bytes: a file of 25 MiB, the largest there is, in base64.
const MAX_BUCKET: usize = 40 * 1024 * 1024;

/// A file as it came, in base64. Its content is not held as well: what an upload may weigh fits only a few times into
/// the memory of a Worker.
struct File {
    field: Field,
    size: usize,
}

/// Takes some files of a session: keeps them, for when the deployment is shipped again, and passes them on. On record
/// they are one upload, in the name of whoever began the session.
pub(super) async fn upload<S: Sql, O: Outside, B: Body>(
    engine: &Engine<'_, S, O>,
    request: Request<'_, B>,
) -> Result<Reply, Problem> {
    engine.access.refuse_if_locked_out()?;
    let jwt = bearer(request.header("authorization")).ok_or_else(session_unknown)?;
    let now = engine.outside.now();
    let session = asset_sessions::of_token(engine.access.sql, jwt.expose_secret(), now)?;
    let Some(session) = session else {
        return Err(unknown(engine)?);
    };
    let (caller, allowed) = engine.access.began(session.intent)?;
    let assets = AssetCall {
        caller: &caller,
        allowed: &allowed,
        target: &session.target,
        verb: Verb::AssetUpload,
    };
    let files = read(request)
        .await
        .map_err(|problem| assets.refuse(engine, problem))?;
    let keep = async {
        for file in &files {
            keep(engine, &session, file).await?;
        }
        Ok(())
    };
    let (content_type, body) = asset_form(
        files
            .iter()
            .map(|File { field, .. }| (field.name.as_str(), field.content_type.as_deref(), &field.bytes)),
    );
    let request = upload_request(jwt.expose_secret().to_owned(), content_type, body);
    let completion = assets
        .make(
            engine,
            subject(&files, &session),
            keep,
            request,
            |result, _| match result.get("jwt").and_then(Value::as_str) {
                Some(completion) => {
                    asset_sessions::issued(engine.access.sql, completion, &session)?;
                    Ok(Some(completion.to_owned()))
                }
                None => Ok(None),
            },
        )
        .await?;
    let envelope = Envelope::of(json!({ "jwt": completion }));
    Ok(match completion {
        Some(_) => Reply::Created(envelope),
        None => Reply::Success(envelope),
    })
}

/// A session that does not exist is a guess, like a token that does not exist.
fn unknown<S: Sql, O: Outside>(engine: &Engine<'_, S, O>) -> Result<Problem, Problem> {
    engine.access.sql.transaction(|| {
        if engine.access.count_failure(true)?.is_recorded() {
            let reason = Reason::code(Code::AssetSessionUnknown);
            let entry = engine.access.entry(Verb::AssetUpload, Outcome::Denied);
            engine.access.record(&entry.because(reason))?;
        }
        Ok(session_unknown())
    })
}

async fn read<B: Body>(request: Request<'_, B>) -> Result<Vec<File>, Problem> {
    let query = Parameters::parse(request.query)?.only(&["base64"])?;
    if !query
        .iter()
        .any(|(name, value)| *name == "base64" && value == "true")
    {
        return Err(malformed("it is not in base64 (`?base64=true`)"));
    }
    let content_type = request.header("content-type").map(str::to_owned);
    let body = read_body(request.body, MAX_BUCKET).await?;
    let fields = fields(content_type.as_deref(), body).await?;
    fields.into_iter().map(file).collect()
}

fn file(field: Field) -> Result<File, Problem> {
    if !is_hash(&field.name) {
        return Err(malformed("a file's name is no hash"));
    }
    let size = decoded(&field)?.len();
    Ok(File { field, size })
}

fn decoded(field: &Field) -> Result<Vec<u8>, Problem> {
    BASE64
        .decode(&field.bytes)
        .map_err(|_| malformed("a file is not in base64"))
}

async fn keep<S: Sql, O: Outside>(
    engine: &Engine<'_, S, O>,
    session: &AssetSession,
    File { field, .. }: &File,
) -> Result<(), Problem> {
    let content = decoded(field)?;
    let sha256 = Digest::of(&content);
    engine
        .outside
        .put(&sha256, &content)
        .await
        .map_err(|error| bundle_store_unavailable(&error))?;
    let content_type = field
        .content_type
        .clone()
        .filter(|content_type| *content_type != NO_CONTENT_TYPE);
    let asset = StoredAsset { sha256, content_type };
    asset_sessions::keep(engine.access.sql, &session.target, &field.name, &asset).map_err(Problem::from)
}

fn subject(files: &[File], session: &AssetSession) -> SubjectRecord {
    let size = |file: &File| u64::try_from(file.size).unwrap_or(u64::MAX);
    SubjectRecord::Assets {
        files: u64::try_from(files.len()).unwrap_or(u64::MAX),
        bytes: files.iter().map(size).fold(0, u64::saturating_add),
        manifest: session.manifest.to_string(),
    }
}

fn malformed(what: &str) -> Problem {
    Problem::new(
        Code::UploadMalformed,
        format!("The static assets cannot be read: {what}."),
        "Deploy with an unchanged wrangler.",
    )
}
