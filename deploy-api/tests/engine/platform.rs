//! A deploy API with one database, called through its public interface.

use secrecy::SecretBox;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use deploy_api::access::Access;
use deploy_api::assets::SessionKey;
use deploy_api::attempt::AttemptId;
use deploy_api::audit::{CheckpointKey, Client, Query};
use deploy_api::deployments::{DeploymentId, WorkerUrls};
use deploy_api::deploys::{Gateway, reconcile};
use deploy_api::gateway;
use deploy_api::http::{Request, WholeBody};
use deploy_api::identity::oidc::{Issuers, Keyring};
use deploy_api::identity::{Identity, ShownCredential, TOKEN_ENTROPY, Token, TokenKind};
use deploy_api::ledger::{Ledger, LedgerClient, LedgerFailure, Settings};
use deploy_api::policy::{Caller, Grant, Policy};
use deploy_api::problem::Problem;
use deploy_api::runtime::Runtime;
use deploy_api::store::audit_archive::ArchiveRules;
use deploy_api::store::policies::{self, PolicyCache};
use deploy_api::store::tokens::{self, NewToken};
use deploy_api::store::{audit_log, leases};
use deploy_api::target::Target;
use deploy_api::upload::{Admission, FingerprintKey, Source};
use deploy_api::v1::{self, Answer};
use futures_executor::block_on;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::cloud::{Cloud, yield_once};
use super::support::api::{cursor_key, json_of, new_cursor_key};
use super::support::audit::verify;
use super::support::callers::{grant, person, run};
use super::support::issuer::Connection;
use super::support::openapi::assert_described;
use super::support::sqlite::Sqlite;
use super::support::time::at;
use super::wrangler_upload::Upload;

const EVERY: [&str; 3] = ["dotdo-production", "dotdo-staging", "dotdo-development"];

pub struct Platform {
    pub sql: &'static Sqlite,
    pub cloud: &'static Cloud,
    ledger: RefCell<&'static Ledger<&'static Sqlite, &'static Cloud>>,
    /// The faults of the next messages to the ledger.
    pub messages: RefCell<VecDeque<MessageFault>>,
    /// The names of the messages to the ledger.
    pub sent: RefCell<Vec<&'static str>>,
    policies: PolicyCache,
    fingerprint_key: FingerprintKey,
    session_key: SessionKey,
    admission: Admission,
    archive: ArchiveRules,
    minted: Cell<u8>,
    /// The deployment that the deploy API is.
    pub own_deployment: RefCell<Option<DeploymentId>>,
}

/// The fault of a message to the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageFault {
    /// No fault.
    None,
    /// The message is not delivered.
    Lost,
    /// The message is handled, but its answer is lost.
    AnswerLost,
}

impl LedgerClient for Platform {
    async fn exchange(&self, name: &'static str, message: String) -> Result<String, LedgerFailure> {
        yield_once().await;
        self.sent.borrow_mut().push(name);
        let lost = || LedgerFailure {
            cause: "a test".to_owned(),
        };
        let fault = self.messages.borrow_mut().pop_front();
        if fault == Some(MessageFault::Lost) {
            return Err(lost());
        }
        let ledger = *self.ledger.borrow();
        let answer = ledger.answer(name, &message).await;
        yield_once().await;
        if fault == Some(MessageFault::AnswerLost) {
            return Err(lost());
        }
        Ok(answer)
    }
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

impl Platform {
    /// A platform on which alice may do everything except `admin`, and bob has no permission without rules.
    pub fn new() -> Self {
        Self::with_rules(&[])
    }

    pub fn with_rules(rules: &[Value]) -> Self {
        Self::with(rules, ArchiveRules::DEFAULT)
    }

    /// A platform that archives its audit log according to these rules.
    pub fn archiving(archive: ArchiveRules) -> Self {
        Self::with(&[], archive)
    }

    fn with(rules: &[Value], archive: ArchiveRules) -> Self {
        let alice = json!({
            "name": "alice", "who": { "token": "alice" }, "namespaces": EVERY, "workers": ["*"],
            "actions": ["read", "deploy", "delete", "secrets", "rollback", "promote", "lock"]
        });
        let rules: Vec<_> = std::iter::once(alice).chain(rules.iter().cloned()).collect();
        let document = json!({ "version": 1, "rules": rules }).to_string();
        Policy::load(&document).unwrap();
        let sql: &'static Sqlite = Box::leak(Box::new(Sqlite::new()));
        policies::put(sql, &document, "a test", at(0)).unwrap();
        let cloud: &'static Cloud = Box::leak(Box::new(Cloud::new()));
        Self {
            sql,
            cloud,
            ledger: RefCell::new(start(sql, cloud, archive)),
            messages: RefCell::default(),
            sent: RefCell::default(),
            policies: PolicyCache::default(),
            fingerprint_key: FingerprintKey([7; 32]),
            session_key: SessionKey::new(SecretBox::new(Box::new([8; 32]))),
            admission: Admission::default(),
            archive,
            minted: Cell::new(0),
            own_deployment: RefCell::default(),
        }
    }

    /// Restarts the ledger. Its in-memory state is lost.
    pub fn restart_ledger(&self) {
        *self.ledger.borrow_mut() = start(self.sql, self.cloud, self.archive);
    }

    /// A token of a subject, limited to these grants.
    pub fn token(&self, subject: &str, grants: &[Grant]) -> String {
        self.token_of(&person(subject).identity, grants)
    }

    /// A token of alice that is limited to one namespace.
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
        self.minted.set(self.minted.get() + 1);
        let token = Token::mint(TokenKind::Api, [self.minted.get(); TOKEN_ENTROPY]);
        let new = NewToken {
            token: &token,
            identity,
            grants,
            created: at(0),
            expires: at(1_000_000_000),
            max_uses: None,
        };
        tokens::insert(self.sql, &new).unwrap();
        token.reveal().to_owned()
    }

    /// Runs `act` with the gateway of one request.
    pub async fn gateway<T>(&self, act: impl AsyncFnOnce(&Gateway<'_, Self, Cloud>) -> T) -> T {
        self.gateway_for(Some("192.0.2.1"), "ray-1", act).await
    }

    async fn gateway_for<T>(
        &self,
        address: Option<&str>,
        request_id: &str,
        act: impl AsyncFnOnce(&Gateway<'_, Self, Cloud>) -> T,
    ) -> T {
        let client = Client {
            address: address.map(str::to_owned),
            request_id: request_id.to_owned(),
        };
        let own_deployment = self.own_deployment.borrow().clone();
        let gateway = Gateway {
            own_deployment: own_deployment.as_ref(),
            ledger: self,
            services: self.cloud,
            client: &client,
            attempt: AttemptId::new(self.cloud.now(), self.cloud.entropy()),
            bootstrap: None,
            fingerprint_key: &self.fingerprint_key,
            session_key: &self.session_key,
            cursor_key: cursor_key(),
            admission: &self.admission,
            worker_urls: &WorkerUrls::default(),
            stores_logs: true,
        };
        act(&gateway).await
    }

    /// A call of `/v1` by alice.
    pub fn v1(
        &self,
        act: impl AsyncFnOnce(&Gateway<'_, Self, Cloud>, &ShownCredential) -> Result<Answer, Problem>,
    ) -> Result<Value, Problem> {
        self.v1_by(&person("alice"), act)
    }

    pub fn v1_by(
        &self,
        caller: &Caller,
        act: impl AsyncFnOnce(&Gateway<'_, Self, Cloud>, &ShownCredential) -> Result<Answer, Problem>,
    ) -> Result<Value, Problem> {
        let credential = self.credential_of(caller);
        block_on(self.gateway(async |gateway| act(gateway, &credential).await)).map(|answer| json_of(&answer))
    }

    /// A token of a caller that is limited only by the policy.
    pub fn credential_of(&self, caller: &Caller) -> ShownCredential {
        let actions = [
            "read", "deploy", "delete", "secrets", "rollback", "promote", "lock",
        ];
        let token = self.token_of(&caller.identity, &[grant(&EVERY, &["*"], &actions)]);
        ShownCredential::Token(Token::parse(&token).unwrap().hash())
    }

    /// A call of `/v1` by alice that only the ledger handles.
    pub fn access(
        &self,
        act: impl FnOnce(&Access<'_, Sqlite>, &Caller) -> Result<Answer, Problem>,
    ) -> Result<Value, Problem> {
        let client = Client {
            address: Some("192.0.2.1".to_owned()),
            request_id: "ray-1".to_owned(),
        };
        let access = Access {
            sql: self.sql,
            policies: &self.policies,
            cursors: cursor_key(),
            client: &client,
            now: self.cloud.now.get(),
        };
        act(&access, &person("alice")).map(|answer| json_of(&answer))
    }

    /// A call of `/client/v4`. In `call`, `A` is the account and `S` the script agents of staging.
    pub async fn ask(&self, token: &str, call: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answered {
        self.send(token, call, headers, WholeBody::new(body)).await
    }

    /// A call of `/client/v4`, or of `/v1` if the path starts with `/v1/`, with a body of any source.
    pub async fn send(
        &self,
        token: &str,
        call: &str,
        headers: &[(&str, &str)],
        body: impl Source,
    ) -> Answered {
        let (method, path) = call.split_once(' ').unwrap();
        let account = "/accounts/b6641681fe423910342b9ffa1364c76d";
        let path = if let Some(rest) = path.strip_prefix('S') {
            format!("/client/v4{account}/workers/dispatch/namespaces/dotdo-staging/scripts/agents{rest}")
        } else if let Some(rest) = path.strip_prefix('A') {
            format!("/client/v4{account}{rest}")
        } else if path.starts_with("/v1/") {
            path.to_owned()
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
            .gateway(async |gateway| {
                let request = Request {
                    method,
                    path,
                    query,
                    headers: &all,
                    body,
                };
                if !path.starts_with("/v1/") {
                    return gateway::serve(gateway, request).await;
                }
                let api = v1::Api {
                    gateway,
                    keyring: &Keyring::new(Issuers::default()),
                    key_source: &Connection::to_the_issuer(),
                };
                api.serve(request).await
            })
            .await;
        if path.starts_with("/v1/") {
            let content_type = response.headers.iter().find(|(name, _)| *name == "content-type");
            let media_type = content_type.map_or("", |(_, value)| value);
            assert_described(method, path, response.status, media_type, &response.body);
        }
        Answered {
            status: response.status,
            headers: response.headers,
            body: serde_json::from_str(&response.body).unwrap(),
        }
    }

    /// Sends a call with a JSON body, and blocks until the response.
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
        let target = deploy_api::v1::target(namespace, "agents").unwrap();
        self.deploying_as(token, &target, upload).await
    }

    /// Deploys a Worker of a namespace.
    pub async fn deploying_as(&self, token: &str, target: &Target, upload: &Upload) -> Answered {
        let (content_type, body) = upload.form();
        let (namespace, worker) = (target.namespace(), &target.worker);
        let call = format!(
            "PUT A/workers/dispatch/namespaces/{namespace}/scripts/{worker}?excludeScript=true&bindings_inherit=strict"
        );
        self.ask(token, &call, &[("Content-Type", &content_type)], body)
            .await
    }

    /// Runs the reconciler, and returns the number of changes and health checks that are still open.
    pub fn reconcile(&self) -> usize {
        // An item that is blocked by another one is due a few seconds later.
        for _ in 0..3 {
            block_on(self.reconciling());
            self.cloud.pass(16);
        }
        self.open()
    }

    pub async fn reconciling(&self) {
        self.reconciling_with(None).await.unwrap();
    }

    /// Runs the reconciler with the key that signs archived segments of the audit log.
    pub async fn reconciling_with(&self, checkpoint_key: Option<&CheckpointKey>) -> Result<(), Problem> {
        self.gateway_for(None, "reconciler", async |gateway| {
            while reconcile(gateway, checkpoint_key).await? > 0 {}
            Ok(())
        })
        .await
    }

    /// The number of open changes and health checks.
    pub fn open(&self) -> usize {
        let count = |table| usize::try_from(self.sql.count(table)).unwrap();
        count("leases") + count("health_checks")
    }

    /// The audit entries, the oldest first.
    pub fn record(&self) -> Vec<Value> {
        let query = Query::parse([("order", "oldest"), ("limit", "1000")], at(0)).unwrap();
        let links = audit_log::find(self.sql, &query).unwrap().links;
        links
            .into_iter()
            .map(|link| serde_json::from_str(link.entry.get()).unwrap())
            .collect()
    }

    /// Action and outcome of each entry.
    pub fn history(&self) -> Vec<String> {
        let text = |entry: &Value, name: &str| entry[name].as_str().unwrap().to_owned();
        self.record()
            .iter()
            .map(|entry| format!("{} {}", text(entry, "verb"), text(entry, "outcome")))
            .collect()
    }

    /// Asserts that the chain is valid, and that no change or health check is open.
    pub fn assert_reconciled(&self) {
        assert!(verify(self.sql).is_ok());
        assert_eq!(self.sql.count("open_intents"), 0);
        assert_eq!(self.open(), 0);
        assert_eq!(leases::next_due(self.sql).unwrap(), None);
    }

    /// The deployments of agents, the newest first.
    pub fn deployments(&self, namespace: &str) -> Vec<Value> {
        self.deployments_of(&deploy_api::v1::target(namespace, "agents").unwrap())
    }

    /// The deployments of a Worker, the newest first.
    pub fn deployments_of(&self, target: &Target) -> Vec<Value> {
        let page = self
            .access(|access, caller| {
                deploy_api::ledger::calls::deployments::list(
                    access,
                    caller,
                    target,
                    &[],
                    &WorkerUrls::default(),
                )
            })
            .unwrap();
        page["items"].as_array().unwrap().clone()
    }

    /// The main module of agents at the upstream; `None` if agents is not deployed.
    pub fn serves(&self, namespace: &str) -> Option<String> {
        let scripts = self.cloud.scripts.borrow();
        let script = scripts.get(&format!("{namespace}/agents"))?;
        Some(String::from_utf8(script.modules["index.js"].clone()).unwrap())
    }
}

fn start(
    sql: &'static Sqlite,
    cloud: &'static Cloud,
    archive: ArchiveRules,
) -> &'static Ledger<&'static Sqlite, &'static Cloud> {
    let settings = Settings {
        upstream_timeout: SignedDuration::from_secs(60),
        upstream_calls: 1200,
        preview_lifetime: SignedDuration::from_hours(14 * 24),
        worker_urls: WorkerUrls::default(),
        checkpoint_key: None,
        cursor_key: new_cursor_key(),
        archive,
    };
    Box::leak(Box::new(Ledger::new(sql, cloud, settings)))
}
