//! The deploy API around one database, as its callers see it.

use std::cell::RefCell;

use deploy_api::access::Access;
use deploy_api::audit::{Client, Query};
use deploy_api::deployments::{Lines, Swept, sweep};
use deploy_api::engine::{Engine, SETTLE_AFTER};
use deploy_api::gateway::{self, Body, BodyFailure, Request};
use deploy_api::identity::{Caller, Identity, TOKEN_ENTROPY, Token, TokenKind};
use deploy_api::policy::{Grant, Policy};
use deploy_api::problem::Problem;
use deploy_api::store::audit_log;
use deploy_api::store::policies::{self, PolicyCache};
use deploy_api::store::tokens::{self, NewToken};
use deploy_api::v1::Answer;
use futures_executor::block_on;
use serde_json::{Value, json};

use super::cloud::Cloud;
use super::support::api::json_of;
use super::support::callers::{grant, person, run};
use super::support::sqlite::Sqlite;
use super::support::time::at;
use super::wrangler_upload::Upload;

const EVERY: [&str; 3] = ["dotdo-production", "dotdo-staging", "dotdo-development"];

pub struct Platform {
    pub sql: Sqlite,
    pub cloud: Cloud,
    lines: Lines,
    policies: PolicyCache,
    minted: RefCell<u8>,
}

/// An answer of the gateway.
#[derive(Clone, Debug)]
pub struct Answered {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Value,
}

impl Answered {
    /// The codes of the errors.
    pub fn codes(&self) -> Vec<u64> {
        let errors = self.body["errors"].as_array().unwrap();
        errors
            .iter()
            .map(|error| error["code"].as_u64().unwrap())
            .collect()
    }

    pub fn text(&self) -> String {
        self.body.to_string()
    }
}

/// A body whose bytes are there.
pub struct Whole(pub Vec<u8>);

impl Body for Whole {
    async fn read(self, limit: usize) -> Result<Vec<u8>, BodyFailure> {
        if self.0.len() > limit {
            Err(BodyFailure::TooLarge)
        } else {
            Ok(self.0)
        }
    }
}

impl Platform {
    /// A platform on which alice may do everything but administer, and bob may do what a test's rules say.
    pub fn new() -> Self {
        Self::with_rules(&[])
    }

    pub fn with_rules(rules: &[Value]) -> Self {
        let alice = json!({
            "name": "alice", "who": { "token": "alice" }, "namespaces": EVERY, "workers": ["*"],
            "actions": ["read", "deploy", "delete", "secrets", "rollback", "promote", "lock"]
        });
        let rules: Vec<_> = std::iter::once(alice).chain(rules.iter().cloned()).collect();
        let document = json!({ "version": 1, "rules": rules }).to_string();
        Policy::load(&document).unwrap();
        let sql = Sqlite::new();
        policies::put(&sql, &document, "a test", at(0)).unwrap();
        Self {
            sql,
            cloud: Cloud::new(),
            lines: Lines::default(),
            policies: PolicyCache::default(),
            minted: RefCell::new(0),
        }
    }

    /// A token, bound to grants, for a subject.
    pub fn token(&self, subject: &str, grants: &[Grant]) -> String {
        self.token_of(&person(subject).identity, grants)
    }

    /// A token of alice's that is bound to one namespace.
    pub fn alice(&self, namespace: &str) -> String {
        let actions = [
            "read", "deploy", "delete", "secrets", "rollback", "promote", "lock",
        ];
        self.token("alice", &[grant(&[namespace], &["*"], &actions)])
    }

    /// A deploy token of a run.
    pub fn run_token(&self, grants: &[Grant]) -> String {
        self.token_of(&Identity::GithubRun(Box::new(run())), grants)
    }

    fn token_of(&self, identity: &Identity, grants: &[Grant]) -> String {
        *self.minted.borrow_mut() += 1;
        let token = Token::mint(TokenKind::Api, [*self.minted.borrow(); TOKEN_ENTROPY]);
        let new = NewToken {
            token: &token,
            identity,
            grants,
            created: at(0),
            expires: at(1_000_000),
            max_uses: None,
        };
        tokens::insert(&self.sql, &new).unwrap();
        token.reveal().to_owned()
    }

    /// Does something with the engine of one request.
    pub async fn engine<T>(&self, act: impl AsyncFnOnce(&Engine<'_, Sqlite, Cloud>) -> T) -> T {
        let client = Client {
            address: Some("192.0.2.1".to_owned()),
            request_id: "ray-1".to_owned(),
        };
        let engine = Engine {
            access: Access {
                sql: &self.sql,
                policies: &self.policies,
                bootstrap: None,
                client: &client,
                now: self.cloud.now.get(),
            },
            outside: &self.cloud,
            lines: &self.lines,
            settle_after: SETTLE_AFTER,
        };
        act(&engine).await
    }

    /// A call of `/v1` by alice.
    pub fn v1(
        &self,
        act: impl AsyncFnOnce(&Engine<'_, Sqlite, Cloud>, &Caller) -> Result<Answer, Problem>,
    ) -> Result<Value, Problem> {
        self.v1_by(&person("alice"), act)
    }

    pub fn v1_by(
        &self,
        caller: &Caller,
        act: impl AsyncFnOnce(&Engine<'_, Sqlite, Cloud>, &Caller) -> Result<Answer, Problem>,
    ) -> Result<Value, Problem> {
        block_on(self.engine(async |engine| act(engine, caller).await)).map(|answer| json_of(&answer))
    }

    /// A call of `/client/v4`. In `call`, `A` is the account and `S` the script agents of staging.
    pub async fn ask(&self, token: &str, call: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answered {
        let (method, path) = call.split_once(' ').unwrap();
        let account = "/accounts/b6641681fe423910342b9ffa1364c76d";
        let path = if let Some(rest) = path.strip_prefix('S') {
            format!("/client/v4{account}/workers/dispatch/namespaces/dotdo-staging/scripts/agents{rest}")
        } else if let Some(rest) = path.strip_prefix('A') {
            format!("/client/v4{account}{rest}")
        } else {
            format!("/client/v4{path}")
        };
        let (path, query) = path.split_once('?').unwrap_or((&path, ""));
        let mut all = vec![("Authorization".to_owned(), format!("Bearer {token}"))];
        all.extend(
            headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        let response = self
            .engine(async |engine| {
                let request = Request {
                    method,
                    path,
                    query,
                    headers: &all,
                    body: Whole(body),
                };
                gateway::serve(engine, request).await
            })
            .await;
        Answered {
            status: response.status,
            headers: response.headers,
            body: serde_json::from_str(&response.body).unwrap(),
        }
    }

    /// The same, waited for.
    pub fn call(&self, token: &str, call: &str, body: &str) -> Answered {
        block_on(self.ask(
            token,
            call,
            &[("content-type", "application/json")],
            body.as_bytes().to_vec(),
        ))
    }

    /// Deploys to agents of staging.
    pub fn deploy(&self, token: &str, upload: &Upload) -> Answered {
        self.deploy_to(token, "dotdo-staging", upload)
    }

    pub fn deploy_to(&self, token: &str, namespace: &str, upload: &Upload) -> Answered {
        block_on(self.deploying(token, namespace, upload))
    }

    pub async fn deploying(&self, token: &str, namespace: &str, upload: &Upload) -> Answered {
        let (content_type, body) = upload.form();
        let call = format!(
            "PUT A/workers/dispatch/namespaces/{namespace}/scripts/agents?excludeScript=true&bindings_inherit=strict"
        );
        self.ask(token, &call, &[("Content-Type", &content_type)], body)
            .await
    }

    pub fn sweep(&self) -> Swept {
        block_on(self.engine(async |engine| sweep(engine).await)).unwrap()
    }

    /// The entries on record, the oldest first.
    pub fn record(&self) -> Vec<Value> {
        let query = Query::parse([("order", "oldest"), ("limit", "1000")]).unwrap();
        let links = audit_log::find(&self.sql, &query).unwrap().links;
        links.into_iter().map(|link| link.entry).collect()
    }

    /// Verb and outcome of each entry.
    pub fn story(&self) -> Vec<String> {
        let text = |entry: &Value, name: &str| entry[name].as_str().unwrap().to_owned();
        self.record()
            .iter()
            .map(|entry| format!("{} {}", text(entry, "verb"), text(entry, "outcome")))
            .collect()
    }

    /// Checks that the chain is whole and nothing is open.
    pub fn is_settled(&self) {
        assert!(audit_log::verify(&self.sql).unwrap().is_ok());
        assert_eq!(audit_log::open_intents(&self.sql).unwrap(), []);
    }

    /// The deployments of agents, the newest first.
    pub fn deployments(&self, namespace: &str) -> Vec<Value> {
        let target = deploy_api::v1::target(namespace, "agents").unwrap();
        let page = self
            .v1(async |engine, caller| deploy_api::v1::deployments::list(engine, caller, &target, &[]))
            .unwrap();
        page["items"].as_array().unwrap().clone()
    }

    /// What the upstream serves as agents.
    pub fn serves(&self, namespace: &str) -> Option<String> {
        let scripts = self.cloud.scripts.borrow();
        let script = scripts.get(&format!("{namespace}/agents"))?;
        Some(String::from_utf8(script.modules["index.js"].clone()).unwrap())
    }
}
