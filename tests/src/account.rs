//! Workers, zones, queues and tokens of the account that the local platform stands in for.

use std::fs;

use anyhow::{Context, Result, ensure};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::{Answer, Platform, Script};

/// The account of a platform, with the token that may change it.
#[derive(Debug)]
pub struct Account<'a> {
    platform: &'a Platform,
    token: String,
}

impl<'a> Account<'a> {
    /// The account, with the token of `account.env`.
    ///
    /// # Errors
    /// When the platform has not written it.
    pub fn of(platform: &'a Platform) -> Result<Self> {
        let variables = fs::read_to_string(platform.state().join("account.env"))?;
        let token = variables
            .lines()
            .find_map(|line| line.strip_prefix("CLOUDFLARE_API_TOKEN="));
        let token = token
            .context("account.env has no token")?
            .trim_matches('"')
            .to_owned();
        Ok(Self { platform, token })
    }

    /// `CLOUDFLARE_API_BASE_URL` of the account.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.platform.account_base_url()
    }

    /// The token that may change everything.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let path = path.replace("ACCOUNT", &format!("/accounts/{}", self.platform.account()));
        self.platform
            .anonymous(method, &format!("/account/client/v4{path}"))
            .bearer_auth(&self.token)
    }

    /// The result of a call that must succeed. `ACCOUNT` in the path is that of the account; a null body is none.
    ///
    /// # Errors
    /// When it fails; the error contains the response.
    pub async fn call(&self, method: Method, path: &str, body: &Value) -> Result<Value> {
        let request = self.request(method.clone(), path);
        let request = if body.is_null() {
            request
        } else {
            request.json(body)
        };
        result(request, &format!("{method} {path}")).await
    }

    /// The result of a GET that must succeed.
    ///
    /// # Errors
    /// The errors of [`call`](Self::call).
    pub async fn get(&self, path: &str) -> Result<Value> {
        self.call(Method::GET, path, &Value::Null).await
    }

    /// Uploads a Worker and gives it an address at workers.dev.
    ///
    /// # Errors
    /// When it is rejected, with the response.
    pub async fn upload(&self, name: &str, script: &Script) -> Result<()> {
        let path = format!("ACCOUNT/workers/scripts/{name}");
        let upload = self.request(Method::PUT, &path).multipart(script.to_form());
        result(upload, name).await?;
        self.call(
            Method::POST,
            &format!("{path}/subdomain"),
            &json!({ "enabled": true }),
        )
        .await
        .map(drop)
    }

    /// The completion token of static assets for a Worker: one file.
    ///
    /// # Errors
    /// When the upload is rejected, with the response.
    pub async fn assets(&self, name: &str) -> Result<String> {
        let hash = "0123456789abcdef0123456789abcdef";
        let manifest = json!({ "manifest": { "/index.html": { "hash": hash, "size": 4 } } });
        let path = format!("ACCOUNT/workers/scripts/{name}/assets-upload-session");
        let session = self.call(Method::POST, &path, &manifest).await?;
        let jwt = session.get("jwt").and_then(Value::as_str).context("a session")?;
        let path = format!("ACCOUNT/workers/assets/upload/{hash}");
        let upload = self
            .request(Method::POST, &path)
            .header("content-type", "text/html")
            .body("file");
        // The token of the session takes the place of the account's.
        let mut upload = upload.build()?;
        upload
            .headers_mut()
            .insert("authorization", format!("Bearer {jwt}").parse()?);
        let answer = Answer::read(self.platform.execute(upload).await?).await?;
        let body = answer.json();
        Ok(body
            .pointer("/result/jwt")
            .and_then(Value::as_str)
            .with_context(|| format!("{body}"))?
            .to_owned())
    }

    /// The Worker of each route of a zone, by pattern.
    ///
    /// # Errors
    /// The errors of [`call`](Self::call).
    pub async fn routes(&self, zone: &str) -> Result<Vec<(String, String)>> {
        let routes = self.get(&format!("/zones/{zone}/workers/routes")).await?;
        let routes = routes.as_array().context("routes")?.iter().map(|route| {
            let text = |name: &str| {
                route
                    .get(name)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            (text("pattern"), text("script"))
        });
        Ok(routes.collect())
    }
}

async fn result(request: RequestBuilder, what: &str) -> Result<Value> {
    let answer = Answer::read(request.send().await?).await?;
    let mut body = answer.json();
    ensure!(
        body.get("success") == Some(&Value::Bool(true)),
        "{what}: {} {body}",
        answer.status
    );
    Ok(body.get_mut("result").map(Value::take).unwrap_or_default())
}
