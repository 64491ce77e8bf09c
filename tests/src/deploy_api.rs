use std::fs;

use anyhow::{Context, Result, ensure};
use dotdo_names::Environment;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::{Answer, Platform};

/// A client of a platform's deploy API, with a token.
#[derive(Clone, Debug)]
pub struct DeployApi<'a> {
    platform: &'a Platform,
    token: String,
}

impl Platform {
    /// The deploy API with the developer's token, which permits everything.
    #[must_use]
    pub fn deploy_api(&self) -> DeployApi<'_> {
        self.deploy_api_as(self.token())
    }

    /// The deploy API with another token.
    #[must_use]
    pub fn deploy_api_as(&self, token: &str) -> DeployApi<'_> {
        DeployApi {
            platform: self,
            token: token.to_owned(),
        }
    }

    /// A secret of the platform by its name in `secrets.json`.
    ///
    /// # Errors
    /// When it does not exist.
    pub fn secret(&self, name: &str) -> Result<String> {
        let text = fs::read_to_string(self.state().join("secrets.json"))?;
        let secrets: Value = serde_json::from_str(&text)?;
        let secret = secrets.get(name).and_then(Value::as_str);
        Ok(secret
            .with_context(|| format!("secrets.json has no {name}"))?
            .to_owned())
    }
}

/// The path of a Worker in `/v1`.
#[must_use]
pub fn worker_path(environment: Environment, worker: &str) -> String {
    format!("/v1/namespaces/{}/workers/{worker}", environment.namespace())
}

impl DeployApi<'_> {
    /// A call by its path.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.platform.anonymous(method, path).bearer_auth(&self.token)
    }

    /// Makes a call and returns the response, whatever its status.
    ///
    /// # Errors
    /// When there is no complete response.
    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer> {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(body);
        }
        Answer::read(request.send().await?).await
    }

    /// Makes a call that must succeed, and returns the JSON of the response.
    ///
    /// # Errors
    /// When it fails; the error contains the response.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let what = format!("{method} {path}");
        let answer = self.send(method, path, body).await?;
        ensure!(
            answer.status.is_success(),
            "the response to {what} is {}: {}",
            answer.status,
            answer.text()
        );
        Ok(answer.json())
    }

    /// Makes a GET that must succeed.
    ///
    /// # Errors
    /// When the response is not 2xx.
    pub async fn get(&self, path: &str) -> Result<Value> {
        self.call(Method::GET, path, None).await
    }

    /// Makes a POST that must succeed.
    ///
    /// # Errors
    /// When the response is not 2xx.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.call(Method::POST, path, Some(body)).await
    }

    /// Every item of a list, page by page.
    ///
    /// # Errors
    /// When a page is not 2xx.
    pub async fn all(&self, path: &str) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let separator = if path.contains('?') { '&' } else { '?' };
            let page = self.get(&format!("{path}{separator}limit=1000{cursor}")).await?;
            let of_page = page.get("items").and_then(Value::as_array);
            items.extend(of_page.context("the page has no items")?.iter().cloned());
            match page.get("cursor").and_then(Value::as_str) {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(items),
            }
        }
    }

    /// Every deployment of a Worker, newest first.
    ///
    /// # Errors
    /// When a page is not 2xx.
    pub async fn deployments(&self, environment: Environment, worker: &str) -> Result<Vec<Value>> {
        self.all(&format!("{}/deployments", worker_path(environment, worker)))
            .await
    }

    /// The entries of the audit log that meet filters (`worker=a&verb=deploy`), oldest first.
    ///
    /// # Errors
    /// When a page is not 2xx.
    pub async fn audit(&self, filters: &str) -> Result<Vec<Value>> {
        let links = self.all(&format!("/v1/audit?order=oldest&{filters}")).await?;
        links
            .into_iter()
            .map(|mut link| {
                link.get_mut("entry")
                    .map(Value::take)
                    .context("an item of the audit log has no entry")
            })
            .collect()
    }

    /// Adds a rule with a new name to the current policy.
    ///
    /// # Errors
    /// When the policy with the rule is invalid.
    pub async fn allow(&self, rule: Value) -> Result<()> {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());
        let _guard = ONE_AT_A_TIME.lock().await;
        let current = self.get("/v1/policy").await?;
        let mut policy = current
            .get("document")
            .cloned()
            .context("the response has no policy document")?;
        let rules = policy.get_mut("rules").and_then(Value::as_array_mut);
        rules.context("the policy has no rules")?.push(rule);
        self.call(Method::PUT, "/v1/policy", Some(&policy))
            .await
            .map(drop)
    }

    /// Creates an API token for a subject, which expires at a time. Its grants and the policy's rules for the subject
    /// limit what it permits.
    ///
    /// # Errors
    /// When it is rejected.
    pub async fn make_token(&self, subject: &str, grants: &Value, expires: &str) -> Result<String> {
        let request = json!({ "subject": subject, "grants": grants, "expires": expires });
        let created = self.post("/v1/tokens", &request).await?;
        let token = created.get("token").and_then(Value::as_str);
        Ok(token.context("the response has no token")?.to_owned())
    }
}
