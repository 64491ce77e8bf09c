use std::{fs, time::Duration};

use anyhow::{Context, Result, bail};
use dotdo_names::{ACCOUNT_ID, Environment};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Api, Secrets, State};

/// The values of the three variables that stock wrangler needs to deploy to a platform.
#[derive(Clone, Debug, Serialize)]
pub struct Credentials {
    /// `CLOUDFLARE_API_BASE_URL`
    pub base_url: String,
    /// `CLOUDFLARE_API_TOKEN`
    pub token: String,
    /// `CLOUDFLARE_ACCOUNT_ID`
    pub account: &'static str,
}

/// The deploy API's token for the developer on this machine.
#[derive(Deserialize, Serialize)]
struct DeveloperToken {
    token: String,
    expires: Timestamp,
}

const FILE: &str = "developer-token.json";
/// The subject of the token.
const SUBJECT: &str = "developer";
const LIFETIME: SignedDuration = SignedDuration::from_hours(24 * 365);
/// A token that expires sooner is replaced, so that it does not expire during a day's work.
const RENEWAL: SignedDuration = SignedDuration::from_hours(24);
/// How long a call of the deploy API may take.
const TIMEOUT: Duration = Duration::from_secs(30);

impl Credentials {
    /// The text of a `.env` file for the folder of a Worker. wrangler reads the credentials from it. The last line keeps
    /// `wrangler dev` from passing them to the Worker as members of `env`.
    pub fn to_env_file(&self) -> String {
        let Self {
            base_url,
            token,
            account,
        } = self;
        format!(
            "CLOUDFLARE_API_BASE_URL={base_url}\nCLOUDFLARE_API_TOKEN={token}\nCLOUDFLARE_ACCOUNT_ID={account}\n\
             CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV=false\n"
        )
    }
}

/// Returns the credentials for a running platform. With the deploy API, this does what an operator does once: it stores
/// a first policy with the bootstrap token, and creates an API token for a person that the policy names.
pub fn obtain(state: &State, port: u16, api: Api, secrets: &Secrets) -> Result<Credentials> {
    let origin = format!("http://localhost:{port}");
    let token = match api {
        Api::Rest => secrets.rest_api_token.clone(),
        Api::Deploy => developer_token(state, port, &secrets.bootstrap_token)?,
    };
    Ok(Credentials {
        base_url: format!("{origin}/client/v4"),
        token,
        account: ACCOUNT_ID,
    })
}

/// Returns the credentials for the REST API of the local platform itself, which creates and fills the resources of the account: KV
/// namespaces, R2 buckets and D1 databases. They allow everything that a token of a Cloudflare account allows.
pub fn of_account(port: u16, secrets: &Secrets) -> Credentials {
    Credentials {
        base_url: format!("http://localhost:{port}/account/client/v4"),
        token: secrets.rest_api_token.clone(),
        account: ACCOUNT_ID,
    }
}

fn developer_token(state: &State, port: u16, bootstrap: &str) -> Result<String> {
    let now = Timestamp::now();
    if let Ok(text) = fs::read_to_string(state.path(FILE))
        && let Ok(known) = serde_json::from_str::<DeveloperToken>(&text)
        && known.expires.duration_since(now) > RENEWAL
    {
        return Ok(known.token);
    }
    let administrator = Administrator { port, bootstrap };
    let grant = json!({
        "namespaces": Environment::ALL.map(Environment::namespace),
        "workers": ["*"],
        "actions": ["read", "logs", "deploy", "delete", "secrets", "rollback", "promote", "lock", "admin"],
    });
    if administrator.has_no_policy()? {
        let mut rule = grant.clone();
        if let Value::Object(rule) = &mut rule {
            rule.insert("name".to_owned(), json!("developer-of-this-machine"));
            rule.insert("who".to_owned(), json!({ "token": SUBJECT }));
        }
        administrator.send("PUT", "/v1/policy", &json!({ "version": 1, "rules": [rule] }))?;
    }
    let expires = now.checked_add(LIFETIME).context("the clock is out of range")?;
    let request = json!({ "subject": SUBJECT, "grants": [grant], "expires": expires });
    let answer = administrator.send("POST", "/v1/tokens", &request)?;
    let token = answer
        .get("token")
        .and_then(Value::as_str)
        .context("the deploy API returned no token")?
        .to_owned();
    let created = DeveloperToken { token, expires };
    state.write_private(FILE, &serde_json::to_string(&created)?)?;
    Ok(created.token)
}

/// The bootstrap administrator of a platform's deploy API.
struct Administrator<'a> {
    port: u16,
    bootstrap: &'a str,
}

impl Administrator<'_> {
    fn has_no_policy(&self) -> Result<bool> {
        let mut answer = ureq::get(self.url("/v1/policy"))
            .header("Authorization", format!("Bearer {}", self.bootstrap))
            .config()
            .http_status_as_error(false)
            .timeout_global(Some(TIMEOUT))
            .build()
            .call()?;
        match answer.status().as_u16() {
            200 => Ok(false),
            404 => Ok(true),
            other => {
                let text = answer.body_mut().read_to_string()?;
                bail!(
                    "the deploy API responds {other} to GET /v1/policy: {}",
                    reason(&text)
                )
            }
        }
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let request = match method {
            "PUT" => ureq::put(self.url(path)),
            _ => ureq::post(self.url(path)),
        };
        let mut answer = request
            .header("Authorization", format!("Bearer {}", self.bootstrap))
            .header("Content-Type", "application/json")
            .config()
            .http_status_as_error(false)
            .timeout_global(Some(TIMEOUT))
            .build()
            .send(body.to_string())?;
        let status = answer.status();
        let text = answer.body_mut().read_to_string()?;
        if !status.is_success() {
            bail!(
                "the deploy API responds {status} to {method} {path}: {}",
                reason(&text)
            );
        }
        Ok(serde_json::from_str(&text)?)
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

/// What a problem document says about its cause and what to do, or the text if it is not one.
fn reason(text: &str) -> String {
    let problem: Value = serde_json::from_str(text).unwrap_or_default();
    let parts: Vec<_> = ["title", "detail", "fix"]
        .into_iter()
        .filter_map(|name| problem.get(name)?.as_str())
        .collect();
    if parts.is_empty() {
        text.to_owned()
    } else {
        parts.join(". ").replace("..", ".")
    }
}
