//! `GET /v1/dispatcher`: the dispatch Worker, as this API reaches it.

use std::borrow::Cow;

use dotdo_names::{DISPATCH_WORKER, Environment};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Answer;
use crate::deploys::Gateway;
use crate::dispatcher::Wanted;
use crate::identity::ShownCredential;
use crate::ledger::{Ask, LedgerClient};
use crate::problem::Problem;
use crate::schema::NamespaceName;
use crate::services::Services;

/// The path of the dispatch Worker's health document, on a host that no rule serves.
const HEALTH_PATH: &str = "/.well-known/dispatcher";

/// The state of the dispatch Worker.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DispatchWorker")]
pub struct DispatchWorker {
    /// Whether it answered with its health document.
    pub reached: bool,
    /// Its version; null if it did not answer.
    pub version: Option<String>,
    /// Its bindings to the namespaces; empty if it did not answer.
    pub bindings: Vec<NamespaceBinding>,
    /// Why there is no health document; null if there is one.
    pub error: Option<String>,
}

/// A binding of the dispatch Worker to a namespace.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct NamespaceBinding {
    /// `production`, `staging` or `development`.
    pub environment: Cow<'static, str>,
    /// The namespace.
    #[schemars(with = "NamespaceName")]
    pub namespace: Cow<'static, str>,
    /// The name of the binding.
    pub binding: Cow<'static, str>,
    /// Whether the dispatch Worker has it.
    pub present: bool,
}

/// `GET /v1/dispatcher`: whether the dispatch Worker answers, and which of its bindings to the namespaces are present. Every
/// authenticated caller may ask.
///
/// # Errors
/// `AUTHENTICATION_FAILED`, `LOCKED_OUT`, `RECORD_UNAVAILABLE`.
pub async fn get<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
) -> Result<Answer, Problem> {
    gateway.authorize(credential, Ask::Identity).await?;
    let host = format!("{DISPATCH_WORKER}.workers.dev");
    let answer = gateway.services.request(&host, HEALTH_PATH, Wanted::Body).await;
    let document = match answer {
        Ok(answer) => {
            let document = answer
                .content
                .and_then(|text| serde_json::from_str::<Value>(&text).ok());
            document
                .filter(|_| answer.status == 200)
                .ok_or_else(|| format!("it answered with the status {}", answer.status))
        }
        Err(failure) => Err(failure.to_string()),
    };
    let shown = match document {
        Ok(document) => DispatchWorker {
            reached: true,
            version: document.get("version").and_then(Value::as_str).map(str::to_owned),
            bindings: Environment::ALL
                .map(|environment| binding(environment, &document))
                .to_vec(),
            error: None,
        },
        Err(error) => DispatchWorker {
            reached: false,
            version: None,
            bindings: Vec::new(),
            error: Some(error),
        },
    };
    Answer::json(200, &shown)
}

fn binding(environment: Environment, document: &Value) -> NamespaceBinding {
    let present = document
        .pointer(&format!("/environments/{}/present", environment.name()))
        .and_then(Value::as_bool);
    NamespaceBinding {
        environment: Cow::Borrowed(environment.name()),
        namespace: Cow::Borrowed(environment.namespace()),
        binding: Cow::Borrowed(environment.binding()),
        present: present.unwrap_or(false),
    }
}
