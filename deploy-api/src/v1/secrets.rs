//! `…/workers/{worker}/secrets`: lists, sets and deletes secrets. Their values are never returned.

use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Answer, body, secret_text};
use crate::audit;
use crate::code::Code;
use crate::deployments::ExpectedState;
use crate::deploys::{Gateway, Lease, SmallChange, change, worker_unknown};
use crate::identity::ShownCredential;
use crate::ledger::{Change, LedgerClient};
use crate::policy::{Action, Request};
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;
use crate::upstream::{Method, call, script};

/// The longest name of a secret, in characters.
pub(super) const MAX_NAME: usize = 128;

/// A secret in a list.
#[derive(Debug, Serialize, Deserialize, Clone, JsonSchema)]
pub struct SecretName {
    /// Its name.
    pub name: String,
    /// Its type, as named by Cloudflare.
    #[serde(rename = "type", default)]
    pub kind: String,
}

/// The secrets of a Worker.
#[derive(Serialize, Clone, Debug, Deserialize, JsonSchema)]
#[schemars(rename = "SecretItems")]
pub struct Listed {
    /// The secrets.
    pub items: Vec<SecretName>,
}

/// The value of a secret.
#[derive(Deserialize, Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SecretRequest")]
pub struct PutRequest {
    /// The value of the secret.
    #[serde(serialize_with = "secret_text::serialize")]
    #[schemars(with = "String")]
    pub text: SecretString,
}

/// `GET …/secrets`: the names and types.
///
/// # Errors
/// `PERMISSION_DENIED`, `WORKER_UNKNOWN`, `UPSTREAM_…`, `RECORD_UNAVAILABLE`.
pub async fn list<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
) -> Result<Answer, Problem> {
    let request = Request::worker(Action::Read, target.clone());
    gateway
        .authorize_for(credential, vec![request], audit::Action::Read, target)
        .await?;
    Answer::json(
        200,
        &Listed {
            items: names(gateway.services, target).await?,
        },
    )
}

/// The secrets of a Worker, by name and type only, whatever else the upstream may send.
pub(crate) async fn names(services: &impl Services, target: &Target) -> Result<Vec<SecretName>, Problem> {
    let answer = call(services, script::script(Method::Get, target, &["secrets"])).await;
    match answer.outcome {
        Ok(reply) => serde_json::from_value(reply.result).map_err(|_| {
            Problem::new(
                Code::UpstreamUnavailable,
                "The Cloudflare API's list of secrets cannot be read.",
                "Try again in a moment.",
            )
        }),
        Err(failure) if failure.absent => Err(worker_unknown(target)),
        Err(failure) => Err(failure.problem),
    }
}

/// `PUT …/secrets/{name}`, `{"text": "…"}`: sets one. The value is sent to the upstream and is not stored.
///
/// # Errors
/// `PERMISSION_DENIED`, `BODY_INVALID`, `BODY_TOO_LARGE`, `WORKER_LOCKED`, `WORKER_UNKNOWN`, `DEPLOYMENT_UNSETTLED`,
/// `UPSTREAM_…`, `RECORD_UNAVAILABLE`.
pub async fn put<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
    name: &str,
    body: &[u8],
) -> Result<Answer, Problem> {
    let request: PutRequest = body::read_secret(body, "{\"text\": \"the secret\"}")?;
    set(gateway, credential, target, name, &request.text).await?;
    Answer::json(200, &json!({ "name": name, "type": "secret_text" }))
}

/// Sets a secret, for a call of either API.
pub(crate) async fn set<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
    name: &str,
    text: &SecretString,
) -> Result<(), Problem> {
    check_name(gateway, credential, target, audit::Action::SecretPut, name).await?;
    let put = Change::PutSecret {
        name: name.to_owned(),
    };
    let lease = Lease::begin(gateway, credential, target, put).await?;
    let body = json!({ "name": name, "text": text.expose_secret(), "type": "secret_text" });
    let request = script::script(Method::Put, target, &["secrets"])
        .with_body("application/json", body.to_string().into_bytes());
    let put = SmallChange {
        action: audit::Action::SecretPut,
        request,
        expected: Some(ExpectedState::Secrets {
            set: vec![name.to_owned()],
            removed: Vec::new(),
        }),
        secret: Some(name),
        may_be_absent: false,
    };
    change(&lease, put).await
}

/// `DELETE …/secrets/{name}`: removes one.
///
/// # Errors
/// `PERMISSION_DENIED`, `WORKER_LOCKED`, `WORKER_UNKNOWN`, `SECRET_UNKNOWN`, `DEPLOYMENT_UNSETTLED`, `UPSTREAM_…`,
/// `RECORD_UNAVAILABLE`.
pub async fn delete<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
    name: &str,
) -> Result<Answer, Problem> {
    remove(gateway, credential, target, name).await?;
    Answer::json(200, &Value::Null)
}

/// Removes a secret, for a call of either API.
pub(crate) async fn remove<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
    name: &str,
) -> Result<(), Problem> {
    check_name(gateway, credential, target, audit::Action::SecretDelete, name).await?;
    let delete = Change::DeleteSecret {
        name: name.to_owned(),
    };
    let lease = Lease::begin(gateway, credential, target, delete).await?;
    let request = script::script(Method::Delete, target, &["secrets", name]).parameter("url_encoded", "true");
    let delete = SmallChange {
        action: audit::Action::SecretDelete,
        request,
        expected: Some(ExpectedState::Secrets {
            set: Vec::new(),
            removed: vec![name.to_owned()],
        }),
        secret: Some(name),
        may_be_absent: false,
    };
    change(&lease, delete).await
}

/// The most secrets that one call changes.
const MAX_CHANGES: usize = 100;

/// Sets secrets, and removes those without a text, in one call of the upstream: all changes are made, or none. Secrets that are
/// removed need not exist.
///
/// # Errors
/// `PERMISSION_DENIED`, `BODY_INVALID`, `SECRET_UNKNOWN`, `WORKER_LOCKED`, `WORKER_UNKNOWN`, `DEPLOYMENT_UNSETTLED`, `UPSTREAM_…`,
/// `RECORD_UNAVAILABLE`.
pub(crate) async fn change_all<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
    changes: &[(String, Option<SecretString>)],
) -> Result<(), Problem> {
    let action = audit::Action::SecretsBulk;
    for (name, _) in changes {
        check_name(gateway, credential, target, action, name).await?;
    }
    if changes.is_empty() || changes.len() > MAX_CHANGES {
        return Err(Problem::new(
            Code::BodyInvalid,
            format!(
                "One call changes 1 to {MAX_CHANGES} secrets, and this one has {}.",
                changes.len()
            ),
            "Split the secrets into several files.",
        ));
    }
    let names = |is_set: bool| {
        let chosen = changes.iter().filter(|(_, text)| text.is_some() == is_set);
        chosen.map(|(name, _)| name.clone()).collect()
    };
    let (set, removed): (Vec<String>, Vec<String>) = (names(true), names(false));
    let change_secrets = Change::ChangeSecrets {
        set: set.clone(),
        removed: removed.clone(),
    };
    let lease = Lease::begin(gateway, credential, target, change_secrets).await?;
    let secrets: serde_json::Map<String, Value> = changes
        .iter()
        .map(|(name, text)| {
            let secret = text
                .as_ref()
                .map(|text| json!({ "name": name, "text": text.expose_secret(), "type": "secret_text" }));
            (name.clone(), secret.unwrap_or_default())
        })
        .collect();
    let body = json!({ "secrets": secrets }).to_string();
    let request = script::script(Method::Patch, target, &["secrets-bulk"])
        .with_body("application/merge-patch+json", body.into_bytes());
    let all = SmallChange {
        action,
        request,
        expected: Some(ExpectedState::Secrets { set, removed }),
        secret: None,
        may_be_absent: false,
    };
    change(&lease, all).await
}

/// Rejects an invalid name, and records the rejection.
async fn check_name<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
    action: audit::Action,
    name: &str,
) -> Result<(), Problem> {
    let Err(problem) = check_secret_name(name) else {
        return Ok(());
    };
    let request = Request::worker(Action::Secrets, target.clone());
    let authorized = gateway
        .authorize_for(credential, vec![request], action, target)
        .await?;
    Err(gateway.refuse(&authorized, target, action, problem, None).await)
}

/// A secret's name is a JavaScript identifier in ASCII. So no value that was given as a name by mistake is recorded: most values
/// have other characters.
pub(super) fn check_secret_name(name: &str) -> Result<(), Problem> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    let begins_well = name.chars().next().is_some_and(|first| !first.is_ascii_digit());
    if begins_well && name.len() <= MAX_NAME && name.chars().all(plain) {
        return Ok(());
    }
    Err(Problem::new(
        Code::SecretUnknown,
        "The name of the secret is invalid.",
        "Write 1 to 128 letters, digits and underscores, not beginning with a digit.",
    ))
}
