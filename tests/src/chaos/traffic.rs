use std::collections::HashMap;

use data_encoding::HEXLOWER;
use dotdo_names::Environment;
use rand::rngs::StdRng;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::{sync::watch, task::JoinSet};

use super::below;
use crate::{Platform, Script, worker_path};

/// The environment of all deployments.
pub(super) const ENVIRONMENT: Environment = Environment::Staging;

/// A part of every script's path.
pub(super) const PATH: &str = "/scripts/shaken-";

/// A change that was acknowledged to its client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Acknowledged {
    pub worker: String,
    pub deployment: String,
}

/// Clients that change Workers at the same time.
pub(super) struct Traffic {
    start: watch::Sender<bool>,
    clients: JoinSet<Option<Acknowledged>>,
}

impl Traffic {
    /// Creates a client for each Worker, which waits for [`Self::go`].
    pub fn begin(
        platform: &Platform,
        workers: impl Iterator<Item = String>,
        round: u32,
        random: &mut StdRng,
        answers: &mut HashMap<String, String>,
    ) -> Self {
        let (start, started) = watch::channel(false);
        let mut clients = JoinSet::new();
        for worker in workers {
            // The first version has no earlier one.
            let is_rollback = round > 2 && below(random, 4) == 0;
            let request = if is_rollback {
                let path = format!("{}/rollback", worker_path(ENVIRONMENT, &worker));
                platform.api(Method::POST, &path).json(&json!({}))
            } else {
                deploy(platform, &worker, round, answers)
            };
            let mut started = started.clone();
            clients.spawn(async move {
                started.wait_for(|started| *started).await.ok()?;
                acknowledgement(request, worker).await
            });
        }
        Self { start, clients }
    }

    /// Starts the clients.
    pub fn go(&self) {
        self.start.send_replace(true);
    }

    /// Waits for the clients, and returns the acknowledged changes.
    pub async fn end(self) -> Vec<Acknowledged> {
        self.clients.join_all().await.into_iter().flatten().collect()
    }
}

fn deploy(
    platform: &Platform,
    worker: &str,
    round: u32,
    answers: &mut HashMap<String, String>,
) -> RequestBuilder {
    let answer = format!("{worker} {round}");
    let script = Script::answering(&answer);
    let digest = Sha256::digest(script.source());
    answers.insert(HEXLOWER.encode(&digest), answer);
    platform
        .api(Method::PUT, &platform.script_path(ENVIRONMENT, worker))
        .multipart(script.to_form())
}

/// Sends a request. Failures are expected: the runtime is killed meanwhile.
async fn acknowledgement(request: RequestBuilder, worker: String) -> Option<Acknowledged> {
    let answer = request.send().await.ok()?;
    if !answer.status().is_success() {
        return None;
    }
    let body: Value = answer.json().await.ok()?;
    let of_upload = body.pointer("/result/deployment_id");
    let deployment = of_upload.or_else(|| body.get("id"))?.as_str()?.to_owned();
    Some(Acknowledged { worker, deployment })
}
