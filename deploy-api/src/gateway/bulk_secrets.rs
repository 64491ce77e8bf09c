//! `wrangler secret bulk`: sets and removes several secrets in one call. wrangler 4.152 sends a JSON merge patch, and wrangler 4.86
//! sends all bindings of the Worker as a form.

use std::collections::BTreeMap;
use std::convert::Infallible;

use bytes::Bytes;
use dotdo_names::WorkerName;
use futures_util::stream;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::response::Reply;
use super::worker_target::{Alternative, resolve};
use super::{Envelope, settings};
use crate::code::Code;
use crate::deploys::{Gateway, worker_unknown};
use crate::http::{Request, read_body};
use crate::identity::ShownCredential;
use crate::ledger::LedgerClient;
use crate::policy::Action;
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;
use crate::upload::{Source, SourceFailure};
use crate::v1;

/// The longest body, in bytes: 100 secrets of 5 KB, with their names.
const MAX_BODY: usize = 1024 * 1024;

/// The call that sets one secret of a Worker in a namespace.
const ALTERNATIVE: Alternative<'_> = Alternative {
    method: "PUT",
    below: "secrets/NAME",
    body: Some("{\"text\": \"VALUE\"}"),
};

/// The secrets of a merge patch: `null` removes a secret.
#[derive(Deserialize)]
struct Patch {
    secrets: BTreeMap<String, Option<Secret>>,
}

#[derive(Deserialize)]
struct Secret {
    text: SecretString,
    #[serde(rename = "type", default)]
    kind: Option<String>,
}

/// The settings that wrangler 4.86 sends.
#[derive(Deserialize)]
struct Settings {
    bindings: Vec<Binding>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

#[derive(Deserialize)]
struct Binding {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    text: Option<SecretString>,
}

/// Changes the secrets of the Worker of a call that does not name a namespace.
pub(super) async fn patch_of_worker<L: LedgerClient, O: Services, B: Source>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    worker: &WorkerName,
    request: Request<'_, B>,
) -> Result<Reply, Problem> {
    let target = resolve(gateway, credential, worker, Action::Secrets, ALTERNATIVE).await?;
    patch(gateway, credential, &target, request).await
}

/// Changes the secrets of a Worker by a JSON merge patch.
pub(super) async fn patch<L: LedgerClient, O: Services, B: Source>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
    request: Request<'_, B>,
) -> Result<Reply, Problem> {
    let _permit = gateway.admit_whole(request.content_length()).await?;
    let announced = request.content_length();
    let body = read_body(request.body, announced, MAX_BODY)
        .await
        .map_err(SourceFailure::problem)?;
    let Patch { secrets } = serde_json::from_slice(&body).map_err(|_| patch_invalid())?;
    let mut changes = Vec::new();
    for (name, secret) in secrets {
        if let Some(kind) = secret.as_ref().and_then(|secret| secret.kind.as_deref())
            && kind != "secret_text"
        {
            return Err(patch_invalid());
        }
        changes.push((name, secret.map(|secret| secret.text)));
    }
    v1::secrets::change_all(gateway, credential, target, &changes).await?;
    Ok(Reply::Success(Envelope::of(
        json!({ "secrets": names(&changes) }),
    )))
}

/// Changes the secrets of the Worker of a call that does not name a namespace, by the form with all bindings of the Worker. Other
/// bindings cannot be changed, because they are part of a deploy.
pub(super) async fn patch_settings<L: LedgerClient, O: Services, B: Source>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    worker: &WorkerName,
    request: Request<'_, B>,
) -> Result<Reply, Problem> {
    let target = resolve(gateway, credential, worker, Action::Secrets, ALTERNATIVE).await?;
    let _permit = gateway.admit_whole(request.content_length()).await?;
    let announced = request.content_length();
    let content_type = request.header("content-type");
    let body = read_body(request.body, announced, MAX_BODY)
        .await
        .map_err(SourceFailure::problem)?;
    let settings = read_form(content_type, body).await?;
    settings::authorize_secrets(gateway, credential, &target).await?;
    let current = settings::read(gateway, &target)
        .await?
        .ok_or_else(|| worker_unknown(&target))?;
    let changes = changes(settings, current.get("bindings"))?;
    v1::secrets::change_all(gateway, credential, &target, &changes).await?;
    let settings = settings::read(gateway, &target)
        .await?
        .ok_or_else(|| worker_unknown(&target))?;
    Ok(Reply::Success(Envelope::of(Value::Object(settings))))
}

/// The part `settings` of the form.
async fn read_form(content_type: Option<&str>, body: Vec<u8>) -> Result<Settings, Problem> {
    let boundary = content_type
        .and_then(|text| multer::parse_boundary(text).ok())
        .ok_or_else(settings_invalid)?;
    let whole = stream::iter([Ok::<_, Infallible>(Bytes::from(body))]);
    let mut form = multer::Multipart::new(whole, boundary);
    // The library's error may contain bytes of the client.
    while let Some(field) = form.next_field().await.map_err(|_| settings_invalid())? {
        if field.name() != Some("settings") {
            continue;
        }
        let text = field.bytes().await.map_err(|_| settings_invalid())?;
        return serde_json::from_slice(&text).map_err(|_| settings_invalid());
    }
    Err(settings_invalid())
}

/// The secrets that are set. All other bindings must be the current ones: wrangler sends them without their values.
fn changes(
    settings: Settings,
    current: Option<&Value>,
) -> Result<Vec<(String, Option<SecretString>)>, Problem> {
    if !settings.others.is_empty() {
        return Err(only_secrets());
    }
    let mut left: Vec<(&str, &str)> = current
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|binding| Some((binding.get("name")?.as_str()?, binding.get("type")?.as_str()?)))
        .collect();
    let mut changes = Vec::new();
    for Binding { name, kind, text } in settings.bindings {
        let position = left.iter().position(|(current, _)| *current == name);
        let existing = position.map(|position| left.swap_remove(position).1);
        match (kind.as_str(), existing, text) {
            ("secret_text", None | Some("secret_text"), Some(text)) => changes.push((name, Some(text))),
            (kind, Some(existing), None) if kind == existing || kind == "inherit" => {}
            _ => return Err(only_secrets()),
        }
    }
    // A list without a binding removes the binding.
    for (name, kind) in left {
        if kind != "secret_text" {
            return Err(only_secrets());
        }
        changes.push((name.to_owned(), None));
    }
    Ok(changes)
}

fn names(changes: &[(String, Option<SecretString>)]) -> Map<String, Value> {
    changes
        .iter()
        .filter(|(_, text)| text.is_some())
        .map(|(name, _)| (name.clone(), json!({ "name": name, "type": "secret_text" })))
        .collect()
}

fn patch_invalid() -> Problem {
    Problem::new(
        Code::BodyInvalid,
        "The secrets cannot be read.",
        "Send {\"secrets\": {\"NAME\": {\"name\": \"NAME\", \"text\": \"…\", \"type\": \"secret_text\"}}}, as wrangler does; null \
         removes a secret.",
    )
}

fn settings_invalid() -> Problem {
    Problem::new(
        Code::BodyInvalid,
        "The settings cannot be read.",
        "Send a form with the part `settings`, {\"bindings\": [{\"name\", \"type\", …}]}, as wrangler secret bulk does.",
    )
}

fn only_secrets() -> Problem {
    Problem::new(
        Code::BodyInvalid,
        "The call changes settings other than secrets.",
        "Deploy the Worker to change its bindings and settings; this call only sets and removes secrets.",
    )
}

#[cfg(test)]
mod tests {
    use futures_executor::block_on;

    use super::*;

    fn read(settings: &Value) -> Result<Vec<(String, bool)>, Problem> {
        let current = json!([
            { "type": "secret_text", "name": "OLD" },
            { "type": "kv_namespace", "name": "KV", "namespace_id": "k1" }
        ]);
        let settings = serde_json::from_value(settings.clone()).map_err(|_| settings_invalid())?;
        let changes = changes(settings, Some(&current))?;
        Ok(changes
            .into_iter()
            .map(|(name, text)| (name, text.is_some()))
            .collect())
    }

    #[test]
    fn only_secrets_can_be_changed() {
        let kept = json!({ "type": "kv_namespace", "name": "KV" });
        let old = json!({ "type": "secret_text", "name": "OLD" });
        let new = json!({ "type": "secret_text", "name": "NEW", "text": "x" });
        let set = read(&json!({ "bindings": [kept, old, new] })).unwrap();
        assert_eq!(set, [("NEW".to_owned(), true)]);
        let removed = read(&json!({ "bindings": [{ "type": "inherit", "name": "KV" }] })).unwrap();
        assert_eq!(removed, [("OLD".to_owned(), false)]);
        for bindings in [
            json!([old]),
            json!([kept, { "type": "plain_text", "name": "MODE", "text": "x" }]),
            json!([kept, { "type": "secret_text", "name": "MISSING" }]),
            json!([{ "type": "secret_text", "name": "KV", "text": "x" }]),
            json!([{ "type": "d1", "name": "KV" }]),
        ] {
            let refused = read(&json!({ "bindings": bindings }));
            assert_eq!(refused.unwrap_err().code, Code::BodyInvalid, "{bindings}");
        }
        let more = read(&json!({ "bindings": [kept, old], "logpush": true }));
        assert_eq!(more.unwrap_err().code, Code::BodyInvalid);
    }

    #[test]
    fn a_malformed_form_is_refused_without_its_bytes() {
        for body in ["", "--x\r\n", "--x\r\nmarker\r\n\r\n{}\r\n--x--\r\n"] {
            let form = read_form(Some("multipart/form-data; boundary=x"), body.into());
            let problem = block_on(form).err().unwrap();
            assert!(!problem.detail.contains("marker"));
        }
        assert!(block_on(read_form(None, Vec::new())).is_err());
    }
}
