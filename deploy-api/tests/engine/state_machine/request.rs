//! The requests of the changes.

use std::cell::RefCell;
use std::collections::BTreeMap;

use deploy_api::target::Target;
use serde_json::{Value, json};

use super::place::Place;
use super::step::Change;
use crate::platform::{Answered, Platform};
use crate::wrangler_upload::Upload;

/// The request of a change.
pub enum Sent {
    /// wrangler uploads a script of a namespace.
    Upload(Target, u8),
    /// wrangler uploads a version of a Worker of the account, and deploys it.
    Version(Target, u8),
    /// A call with a JSON body.
    Call(String, String),
}

/// The last uploads to each place.
#[derive(Default)]
pub struct Uploads {
    /// The versions.
    last: BTreeMap<Place, u8>,
    /// The id that an upload to the account got, with its version.
    ids: RefCell<BTreeMap<Target, (u8, Value)>>,
}

impl Uploads {
    pub fn last(&self, place: Place) -> u8 {
        self.last.get(&place).copied().unwrap_or(1)
    }

    /// The request of a change. `recorded` are the deployments of the Worker, and `previewed` is the deployment that a preview is made
    /// of.
    pub fn request(
        &mut self,
        (place, target): (Place, &Target),
        change: &Change,
        recorded: &[Value],
        previewed: Option<&str>,
        text: &str,
    ) -> Sent {
        let worker = |below: &str| {
            let (namespace, worker) = (target.namespace.name(), &target.worker);
            format!("/v1/namespaces/{namespace}/workers/{worker}{below}")
        };
        let (call, body) = match change {
            Change::Deploy(_) | Change::Retry => {
                if let Change::Deploy(version) = change {
                    self.last.insert(place, *version);
                    self.ids.borrow_mut().remove(target);
                }
                let version = self.last(place);
                return if place.is_in_account() {
                    Sent::Version(target.clone(), version)
                } else {
                    Sent::Upload(target.clone(), version)
                };
            }
            Change::Rollback(index) => {
                let id = chosen(*index, recorded).map(|deployment| &deployment["id"]);
                let body = id.map_or_else(String::new, |id| json!({ "deployment": id }).to_string());
                (format!("POST {}", worker("/rollback")), body)
            }
            Change::Promote => {
                let from = place.promoted_from().unwrap_or(Place::Staging).namespace();
                let body = json!({ "to": place.namespace() }).to_string();
                let worker = &target.worker;
                (
                    format!("POST /v1/namespaces/{from}/workers/{worker}/promote"),
                    body,
                )
            }
            Change::Preview(_) => {
                let from = Place::Staging.namespace();
                let body = json!({ "deployment": previewed }).to_string();
                (format!("POST /v1/namespaces/{from}/workers/agents/preview"), body)
            }
            Change::Delete => (format!("DELETE {}", worker("")), String::new()),
            Change::Adopt => (
                format!("POST {}", worker("/drift")),
                r#"{"resolve": "adopt"}"#.to_owned(),
            ),
            Change::Overwrite => (
                format!("POST {}", worker("/drift")),
                r#"{"resolve": "overwrite"}"#.to_owned(),
            ),
            Change::PutSecret(name) => (
                format!("PUT {}", worker(&format!("/secrets/{name}"))),
                json!({ "text": text }).to_string(),
            ),
            Change::DeleteSecret(name) => (
                format!("DELETE {}", worker(&format!("/secrets/{name}"))),
                String::new(),
            ),
        };
        Sent::Call(call, body)
    }

    /// Sends a request. For a version, the answer is the first one that is not a success.
    pub async fn send(&self, platform: &Platform, token: &str, sent: Sent) -> Answered {
        let json = [("content-type", "application/json")];
        match sent {
            Sent::Upload(target, version) => platform.deploying_as(token, &target, &code(version)).await,
            Sent::Version(target, version) => {
                let worker = &target.worker;
                let known = self.ids.borrow().get(&target).cloned();
                let id = match known {
                    Some((of, id)) if of == version => id,
                    _ => {
                        let (content_type, body) = code(version).form();
                        let call =
                            format!("POST A/workers/scripts/{worker}/versions?bindings_inherit=strict");
                        let headers = [("content-type", content_type.as_str())];
                        let uploaded = platform.ask(token, &call, &headers, body).await;
                        if uploaded.status != 200 {
                            return uploaded;
                        }
                        let id = uploaded.body["result"]["id"].clone();
                        self.ids
                            .borrow_mut()
                            .insert(target.clone(), (version, id.clone()));
                        id
                    }
                };
                let body = json!({ "strategy": "percentage", "versions": [{ "version_id": id, "percentage": 100 }] });
                let call = format!("POST A/workers/scripts/{worker}/deployments");
                platform
                    .ask(token, &call, &json, body.to_string().into_bytes())
                    .await
            }
            Sent::Call(call, body) => platform.ask(token, &call, &json, body.into_bytes()).await,
        }
    }
}

fn code(version: u8) -> Upload {
    Upload::of(&"x".repeat(version.into()))
}

/// The deployment of a list that a number selects; `None` without a number or with an empty list.
pub fn chosen(number: Option<usize>, recorded: &[Value]) -> Option<&Value> {
    recorded.get(number?.checked_rem(recorded.len())?)
}
