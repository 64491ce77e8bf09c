//! The state of the test double for the Cloudflare API: scripts with their tags, secrets and static assets.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use deploy_api::upload::Metadata;
use deploy_api::upstream::{Bearer, UpstreamRequest};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::cloud::envelope;
use super::support::time::at;
use super::support::upstream_form::{form_parts, in_memory};

#[derive(Clone, Debug, Default)]
pub struct Script {
    pub metadata: Value,
    pub modules: BTreeMap<String, Vec<u8>>,
    pub tags: Vec<String>,
    pub secrets: BTreeMap<String, String>,
    /// The bindings other than secrets.
    pub bindings: Vec<Value>,
    pub migration_tag: Option<String>,
    /// All applied migration steps.
    pub steps: Vec<Value>,
    /// The content of each path.
    pub assets: BTreeMap<String, Vec<u8>>,
    pub etag: String,
    /// The number of the change that changed it last.
    pub modified: u32,
}

impl Script {
    /// The script as lists and the call about it return it.
    fn described(&self, name: &str) -> Value {
        json!({
            "id": name, "etag": self.etag, "tags": self.tags, "migration_tag": self.migration_tag,
            "modified_on": at(self.modified.into()).to_string(),
        })
    }
}

/// A Worker of the account that can be imported.
#[derive(Clone, Debug, Default)]
pub struct AccountScript {
    /// Its item in the list, except for the name.
    pub listed: Value,
    pub settings: Value,
    pub content: AccountContent,
    /// The results of other calls about it, by the path below the script's.
    pub parts: BTreeMap<String, Value>,
}

/// The answer of `content/v2`.
#[derive(Clone, Debug, Default)]
pub struct AccountContent {
    pub content_type: String,
    pub entrypoint: Option<String>,
    pub chunks: Vec<Vec<u8>>,
}

#[derive(Default)]
pub struct Scripts {
    /// The scripts by key, `namespace/name`.
    pub by_key: BTreeMap<String, Script>,
    /// The number of executed uploads.
    pub uploads: usize,
    /// The number of executed changes.
    changes: u32,
    /// The status and the result of each look-up of a resource, by the path below the account's.
    pub resources: BTreeMap<String, (u16, Value)>,
    /// Workers of the account, by name.
    pub account: Vec<String>,
    /// Workers of the account with their code, by name.
    pub account_workers: BTreeMap<String, AccountScript>,
    /// The paths below the account's, or below `/client/v4`, that the token may not read.
    pub forbidden: Vec<String>,
    /// Whether the settings of scripts cannot be read.
    pub hides_settings: bool,
    /// Contents of static assets, by namespace, Worker and hash.
    files: BTreeMap<(String, String), Vec<u8>>,
    sessions: BTreeMap<String, (String, Value)>,
}

fn failure(status: u16, code: u32, message: &str) -> (u16, String) {
    let envelope = json!({
        "success": false, "result": null, "errors": [{ "code": code, "message": message }], "messages": []
    });
    (status, envelope.to_string())
}

fn success(result: &Value) -> (u16, String) {
    (200, envelope(result))
}

impl Scripts {
    pub fn get(&self, key: &str) -> Option<&Script> {
        self.by_key.get(key)
    }

    pub fn answer(&mut self, request: &UpstreamRequest) -> (u16, String) {
        let whole = request.path_and_query();
        let path = whole.split('?').next().unwrap();
        let below: Vec<&str> = path.split('/').skip(3).collect();
        let whole_below = path.trim_start_matches('/');
        if self
            .forbidden
            .iter()
            .any(|forbidden| whole_below.ends_with(forbidden.as_str()))
        {
            return failure(403, 10000, "Authentication error");
        }
        if let Some(answer) = self.deployed_in_account(request, &below) {
            return answer;
        }
        match (request.method.as_str(), below.as_slice()) {
            ("GET", ["workers", "scripts", rest @ ..]) => self.account_script(rest),
            ("GET", ["workers", "subdomain" | "domains" | "durable_objects", ..]) => {
                self.found(&below.join("/"))
            }
            ("GET", _) if path.starts_with("/zones") => self.found(whole_below),
            ("GET", ["workers", "services", name]) => {
                if self.account.iter().any(|worker| worker == name) {
                    success(&json!({ "id": name }))
                } else {
                    failure(404, 10090, "no such service")
                }
            }
            (
                "GET",
                [
                    "queues" | "r2" | "storage" | "d1" | "hyperdrive" | "vectorize" | "ai-search"
                    | "agent-memory" | "flagship",
                    ..,
                ],
            ) => {
                let found = self.resources.get(&below.join("/"));
                found.map_or_else(
                    || failure(404, 1, "not found"),
                    |(status, result)| match *status {
                        200 => success(result),
                        status => failure(status, 10000, "Authentication error"),
                    },
                )
            }
            ("POST", ["workers", "assets", "upload"]) => self.files(request),
            ("POST", ["workers", "assets", "upload", hash]) => self.file(request, hash),
            ("GET", ["workers", "dispatch", "namespaces"]) => {
                let names = [
                    "dotdo-production",
                    "dotdo-staging",
                    "dotdo-development",
                    "another",
                ];
                let list =
                    names.map(|name| json!({ "namespace_name": name, "script_count": self.count(name) }));
                success(&json!(list))
            }
            ("GET", ["workers", "dispatch", "namespaces", name]) => {
                success(&json!({ "namespace_name": name, "script_count": self.count(name) }))
            }
            ("GET", ["workers", "dispatch", "namespaces", namespace, "scripts"]) => {
                let list: Vec<Value> = self
                    .by_key
                    .iter()
                    .filter_map(|(key, script)| {
                        let (of, name) = key.split_once('/')?;
                        (of == *namespace).then(|| script.described(name))
                    })
                    .collect();
                success(&json!(list))
            }
            (
                method,
                [
                    "workers",
                    "dispatch",
                    "namespaces",
                    namespace,
                    "scripts",
                    name,
                    rest @ ..,
                ],
            ) => {
                let key = format!("{namespace}/{name}");
                self.script(method, &key, rest, request)
            }
            _ => panic!("a call that no test expects: {whole}"),
        }
    }

    /// A call about a Worker of the account that was deployed: its key is `account/name`.
    fn deployed_in_account(&mut self, request: &UpstreamRequest, below: &[&str]) -> Option<(u16, String)> {
        let ["workers", kind, name, rest @ ..] = below else {
            return None;
        };
        let key = format!("account/{name}");
        match (request.method.as_str(), *kind, rest) {
            ("PUT", "scripts", []) => Some(self.upload(&key, request)),
            ("GET", "workers", []) => Some(success(&json!({
                "id": "1", "name": name, "subdomain": { "enabled": true, "previews_enabled": false },
            }))),
            ("GET", "scripts", rest) if self.by_key.contains_key(&key) => {
                Some(self.script("GET", &key, rest, request))
            }
            ("GET", "services", []) => {
                let mut script = self.by_key.get(&key)?.described(name);
                script["last_deployed_from"] = json!("api");
                Some(success(
                    &json!({ "id": name, "default_environment": { "script": script } }),
                ))
            }
            _ => None,
        }
    }

    /// A look-up whose result is an empty list if there is none.
    fn found(&self, path: &str) -> (u16, String) {
        let found = self.resources.get(path);
        success(found.map_or(&json!([]), |(_, result)| result))
    }

    /// A call about the Workers of the account, or one of them.
    fn account_script(&self, rest: &[&str]) -> (u16, String) {
        let [name, part @ ..] = rest else {
            let list = self.account_workers.iter().map(|(name, worker)| {
                let mut listed = worker.listed.clone();
                listed["id"] = json!(name);
                listed
            });
            return success(&list.collect());
        };
        let Some(worker) = self.account_workers.get(*name) else {
            return failure(404, 10007, "no such script");
        };
        match part {
            ["settings"] => success(&worker.settings),
            ["content", "v2"] => success(&Value::Null),
            part => success(worker.parts.get(&part.join("/")).unwrap_or(&json!({}))),
        }
    }

    fn count(&self, namespace: &str) -> usize {
        self.by_key
            .keys()
            .filter(|key| key.split('/').next() == Some(namespace))
            .count()
    }

    fn script(&mut self, method: &str, key: &str, rest: &[&str], request: &UpstreamRequest) -> (u16, String) {
        match (method, rest) {
            ("PUT", []) => return self.upload(key, request),
            ("POST", ["assets-upload-session"]) => {
                return self.session(key, &in_memory(&request.body));
            }
            _ => {}
        }
        let Some(script) = self.by_key.get_mut(key) else {
            return failure(404, 10092, "dispatch script not found");
        };
        if let ("DELETE", ["secrets", name]) = (method, rest)
            && !script.secrets.contains_key(*name)
        {
            return failure(404, 10056, "no such secret");
        }
        if method != "GET" {
            self.changes += 1;
            script.modified = self.changes;
        }
        match (method, rest) {
            ("GET", []) => success(&json!({ "script": script.described(key.split('/').nth(1).unwrap()) })),
            ("DELETE", []) => {
                self.by_key.remove(key);
                success(&Value::Null)
            }
            ("GET", ["tags"]) => success(&json!(script.tags)),
            ("GET", ["script-settings"]) => success(&json!({ "tags": script.tags })),
            ("GET", ["schedules"]) => success(&json!({ "schedules": [] })),
            ("PUT", ["tags"]) => {
                script.tags = serde_json::from_slice(&in_memory(&request.body)).unwrap();
                success(&json!(script.tags))
            }
            ("GET", ["settings"]) => {
                if self.hides_settings {
                    return failure(500, 10000, "the settings are not available");
                }
                let mut bindings = script.bindings.clone();
                let secrets = script.secrets.keys();
                bindings.extend(secrets.map(|name| json!({ "name": name, "type": "secret_text" })));
                success(&json!({
                    "bindings": bindings, "tags": script.tags, "compatibility_date": script.metadata["compatibility_date"],
                    "usage_model": "standard", "unknown_member": "not shown"
                }))
            }
            ("GET", ["secrets"]) => {
                let list: Vec<Value> = script
                    .secrets
                    .keys()
                    .map(|name| json!({ "name": name, "type": "secret_text" }))
                    .collect();
                success(&json!(list))
            }
            ("PUT", ["secrets"]) => {
                let secret: Value = serde_json::from_slice(&in_memory(&request.body)).unwrap();
                let text = |name: &str| secret[name].as_str().unwrap().to_owned();
                script.secrets.insert(text("name"), text("text"));
                success(&json!({ "name": secret["name"], "type": "secret_text" }))
            }
            ("PATCH", ["secrets-bulk"]) => {
                let body: Value = serde_json::from_slice(&in_memory(&request.body)).unwrap();
                for (name, secret) in body["secrets"].as_object().unwrap() {
                    match secret["text"].as_str() {
                        Some(text) => drop(script.secrets.insert(name.clone(), text.to_owned())),
                        None => drop(script.secrets.remove(name)),
                    }
                }
                success(&json!({ "secrets": {} }))
            }
            ("DELETE", ["secrets", name]) => {
                script.secrets.remove(*name);
                success(&Value::Null)
            }
            _ => panic!("a call that no test expects: {method} {key} {rest:?}"),
        }
    }

    fn upload(&mut self, key: &str, request: &UpstreamRequest) -> (u16, String) {
        let mut parts = form_parts(request.content_type.as_deref(), in_memory(&request.body));
        let first = parts.remove(0);
        assert_eq!(first.name, "metadata");
        let metadata: Value = serde_json::from_slice(&first.bytes).unwrap();
        let before = self.by_key.get(key).cloned().unwrap_or_default();
        let mut script = Script {
            modules: parts.into_iter().map(|part| (part.name, part.bytes)).collect(),
            tags: serde_json::from_value(metadata["tags"].clone()).unwrap_or_default(),
            migration_tag: before.migration_tag,
            steps: before.steps,
            ..Script::default()
        };
        if let Some(migrations) = Metadata::parse(&first.bytes).unwrap().migrations() {
            if migrations.old_tag != script.migration_tag {
                return failure(400, 10079, "migration tag precondition failed");
            }
            script.migration_tag = Some(migrations.new_tag);
            script.steps.extend(migrations.steps);
        }
        for binding in metadata["bindings"].as_array().into_iter().flatten() {
            let name = binding["name"].as_str().unwrap();
            if binding["type"] == "inherit" {
                let old = before.bindings.iter().find(|old| old["name"] == name);
                match (old, before.secrets.get(name)) {
                    (Some(old), _) => script.bindings.push(old.clone()),
                    (None, Some(text)) => {
                        script.secrets.insert(name.to_owned(), text.clone());
                    }
                    (None, None) => {
                        return failure(400, 10057, &format!("inherit binding '{name}' is invalid"));
                    }
                }
            } else if binding["type"] != "secret_text" {
                script.bindings.push(binding.clone());
            }
        }
        let keeps = |kind: &str| {
            metadata["keep_bindings"]
                .as_array()
                .is_some_and(|kept| kept.iter().any(|k| k == kind))
        };
        let is_uploaded = |old: &Value| {
            let bindings = metadata["bindings"].as_array().into_iter().flatten();
            bindings.into_iter().any(|new| new["name"] == old["name"])
        };
        let kept = before
            .bindings
            .iter()
            .filter(|old| keeps(old["type"].as_str().unwrap()));
        script
            .bindings
            .extend(kept.filter(|old| !is_uploaded(old)).cloned());
        if keeps("secret_text") {
            script.secrets.extend(before.secrets);
        }
        for binding in metadata["bindings"].as_array().into_iter().flatten() {
            if binding["type"] == "secret_text" {
                let text = |name: &str| binding[name].as_str().unwrap().to_owned();
                script.secrets.insert(text("name"), text("text"));
            }
        }
        if let Some(jwt) = metadata["assets"]["jwt"].as_str() {
            let Some((of, manifest)) = self.sessions.get(jwt) else {
                return failure(400, 10000, "no such assets");
            };
            assert_eq!(of, key);
            for (path, file) in manifest.as_object().unwrap() {
                let hash = file["hash"].as_str().unwrap().to_owned();
                let content = self.files.get(&(key.to_owned(), hash)).unwrap();
                script.assets.insert(path.clone(), content.clone());
            }
        } else if metadata["keep_assets"] == true {
            script.assets = before.assets;
        }
        self.uploads += 1;
        self.changes += 1;
        script.etag = format!("etag-{}", self.uploads);
        script.modified = self.changes;
        let name = key.split('/').nth(1);
        let exports = |handler: &str| {
            let mut modules = script.modules.values();
            modules.any(|code| String::from_utf8_lossy(code).contains(handler))
        };
        let idle = ["scheduled"].into_iter().filter(|handler| exports(handler));
        let handlers: Vec<&str> = std::iter::once("fetch").chain(idle).collect();
        let mut result = json!({
            "id": name, "etag": script.etag, "startup_time_ms": 4, "deployment_id": "theirs",
            "handlers": handlers
        });
        if let Some(exports) = metadata["exports"].as_object() {
            let created: Vec<&String> = exports.keys().collect();
            result["exports_reconciliation"] = json!({ "created": created, "warnings": [] });
        }
        script.metadata = metadata;
        self.by_key.insert(key.to_owned(), script);
        success(&result)
    }

    fn session(&mut self, key: &str, body: &[u8]) -> (u16, String) {
        let body: Value = serde_json::from_slice(body).unwrap();
        let manifest = body["manifest"].clone();
        let missing: Vec<&str> = manifest
            .as_object()
            .unwrap()
            .values()
            .map(|file| file["hash"].as_str().unwrap())
            .filter(|hash| !self.files.contains_key(&(key.to_owned(), (*hash).to_owned())))
            .collect();
        let jwt = format!("jwt-{}", self.sessions.len());
        self.sessions
            .insert(jwt.clone(), (key.to_owned(), manifest.clone()));
        let buckets: Vec<_> = if missing.is_empty() { vec![] } else { vec![missing] };
        success(&json!({ "jwt": jwt, "buckets": buckets }))
    }

    fn files(&mut self, request: &UpstreamRequest) -> (u16, String) {
        let Bearer::AssetSession(jwt) = &request.bearer else {
            return failure(401, 10000, "no session");
        };
        let Some((key, manifest)) = self.sessions.get(jwt.expose_secret()).cloned() else {
            return failure(401, 10000, "no session");
        };
        for part in form_parts(request.content_type.as_deref(), in_memory(&request.body)) {
            let content = BASE64.decode(&part.bytes).unwrap();
            self.files.insert((key.clone(), part.name), content);
        }
        self.completed(key, manifest)
    }

    /// One file as it is.
    fn file(&mut self, request: &UpstreamRequest, hash: &str) -> (u16, String) {
        let Bearer::AssetSession(jwt) = &request.bearer else {
            return failure(401, 10000, "no session");
        };
        let Some((key, manifest)) = self.sessions.get(jwt.expose_secret()).cloned() else {
            return failure(401, 10000, "no session");
        };
        let file = (key.clone(), hash.to_owned());
        self.files.insert(file, in_memory(&request.body));
        let files = manifest.as_object().unwrap().values();
        let is_complete = files
            .map(|file| (key.clone(), file["hash"].as_str().unwrap().to_owned()))
            .all(|file| self.files.contains_key(&file));
        if is_complete {
            self.completed(key, manifest)
        } else {
            (202, envelope(&json!({})))
        }
    }

    fn completed(&mut self, key: String, manifest: Value) -> (u16, String) {
        let done = format!("done-{}", self.sessions.len());
        self.sessions.insert(done.clone(), (key, manifest));
        (201, envelope(&json!({ "jwt": done })))
    }

    /// Uploads other code, as stock wrangler does past the deploy API: the tags stay.
    pub fn upload_outside(&mut self, key: &str, code: &str) {
        self.changes += 1;
        let script = self.by_key.entry(key.to_owned()).or_default();
        script
            .modules
            .insert("index.js".to_owned(), code.as_bytes().to_vec());
        script.etag = format!("outside-{}", self.changes);
        script.modified = self.changes;
    }

    /// Sets a secret past the deploy API.
    pub fn set_secret_outside(&mut self, key: &str, name: &str) {
        self.changes += 1;
        let script = self.by_key.get_mut(key).unwrap();
        script.secrets.insert(name.to_owned(), "outside".to_owned());
        script.modified = self.changes;
    }

    /// Deletes the contents of static assets, as the upstream may do with files that were not used for a long time.
    pub fn forget_files(&mut self) {
        self.files.clear();
    }
}
