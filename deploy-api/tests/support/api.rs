//! The deploy API with an in-memory database and a clock that the test sets.

use std::cell::{Cell, RefCell};
use std::sync::LazyLock;

use deploy_api::access::{Access, authentication_failed};
use deploy_api::attempt::AttemptId;
use deploy_api::audit::{Action, Client, Query};
use deploy_api::cursor::CursorKey;
use deploy_api::identity::oidc::{Issuers, Keyring};
use deploy_api::identity::{BootstrapSecret, ShownCredential, TOKEN_ENTROPY};
use deploy_api::ledger::calls::{Answer, Content, exchange};
use deploy_api::policy::{Caller, Policy};
use deploy_api::problem::Problem;
use deploy_api::sql::Sql;
use deploy_api::store::audit_log;
use deploy_api::store::policies::{self, PolicyCache};
use deploy_api::v1;
use futures_executor::block_on;
use secrecy::{SecretBox, SecretString};
use serde_json::{Value, json};

use super::issuer::Connection;
use super::sqlite::Sqlite;
use super::time::at;

/// The secret of the bootstrap administrator.
pub const BOOTSTRAP: &str = "bootstrap-secret-of-32-characters";

pub struct Api {
    pub sql: Sqlite,
    pub connection: Connection,
    pub keyring: Keyring,
    pub now: Cell<i64>,
    pub client: RefCell<Client>,
    policies: PolicyCache,
    pub bootstrap: BootstrapSecret,
    minted: Cell<u8>,
}

impl Api {
    pub fn new() -> Self {
        Self {
            sql: Sqlite::new(),
            connection: Connection::to_the_issuer(),
            keyring: Keyring::new(Issuers::default()),
            now: Cell::new(1),
            client: RefCell::new(Client {
                address: Some("192.0.2.1".to_owned()),
                request_id: "ray-1".to_owned(),
            }),
            policies: PolicyCache::default(),
            bootstrap: BootstrapSecret::new(&SecretString::from(BOOTSTRAP)).unwrap(),
            minted: Cell::new(0),
        }
    }

    /// Makes an API with a policy of these rules.
    pub fn with_policy(rules: &[Value]) -> Self {
        let api = Self::new();
        let document = json!({ "version": 1, "rules": rules }).to_string();
        Policy::load(&document).unwrap();
        policies::put(&api.sql, &document, "a test", at(0)).unwrap();
        api
    }

    /// Handles one request.
    pub fn request<T>(&self, handle: impl FnOnce(&Access<'_, Sqlite>) -> T) -> T {
        let client = self.client.borrow().clone();
        handle(&Access {
            sql: &self.sql,
            policies: &self.policies,
            cursors: cursor_key(),
            client: &client,
            now: at(self.now.get()),
        })
    }

    pub fn set_address(&self, address: &str) {
        self.client.borrow_mut().address = Some(address.to_owned());
    }

    pub fn entropy(&self) -> [u8; TOKEN_ENTROPY] {
        self.minted.set(self.minted.get() + 1);
        [self.minted.get(); TOKEN_ENTROPY]
    }

    pub fn authenticate(&self, bearer: &str) -> Result<Caller, Problem> {
        self.authenticate_header(Some(&format!("Bearer {bearer}")))
    }

    /// Authenticates an `Authorization` header with the gateway and the ledger.
    pub fn authenticate_header(&self, header: Option<&str>) -> Result<Caller, Problem> {
        let credential = ShownCredential::read(header, Some(&self.bootstrap))
            .map_err(|rejection| authentication_failed().caused_by(&rejection))?;
        let attempt = AttemptId::new(at(self.now.get()), self.entropy()[..16].try_into().unwrap());
        self.request(|access| access.authenticate(&credential, &attempt))
    }

    /// The caller with the bootstrap secret.
    pub fn bootstrap(&self) -> Caller {
        self.authenticate(BOOTSTRAP).unwrap()
    }

    pub fn exchange_body(&self, body: &str) -> Result<Value, Problem> {
        let entropy = self.entropy();
        let now = at(self.now.get());
        let body = body.as_bytes();
        let proven = block_on(v1::exchange::prove(&self.keyring, &self.connection, body, now))?;
        self.request(|access| match proven {
            Ok(proven) => access
                .sql
                .transaction(|| exchange::issue(access, &proven, entropy))?,
            Err(rejection) => {
                let body_digest = &deploy_api::bundles::Digest::of(body).to_string();
                Err(access.reject(rejection.into(), Action::TokenExchange, body_digest)?)
            }
        })
        .map(|answer| json_of(&answer))
    }

    pub fn exchange(&self, token: &str) -> Result<Value, Problem> {
        self.exchange_body(&json!({ "token": token }).to_string())
    }

    /// The entries of the audit log, oldest first.
    pub fn record(&self) -> Vec<Value> {
        let query = Query::parse([("order", "oldest"), ("limit", "1000")], at(0)).unwrap();
        audit_log::find(&self.sql, &query)
            .unwrap()
            .links
            .into_iter()
            .map(|link| serde_json::from_str(link.entry.get()).unwrap())
            .collect()
    }

    /// The last entry of the audit log.
    pub fn last_entry(&self) -> Value {
        self.record().pop().unwrap_or(Value::Null)
    }
}

/// The key of the cursors.
pub fn cursor_key() -> &'static CursorKey {
    static KEY: LazyLock<CursorKey> = LazyLock::new(new_cursor_key);
    &KEY
}

/// The same key once more, for a ledger that owns it.
pub fn new_cursor_key() -> CursorKey {
    CursorKey::new(&SecretBox::new(Box::new([9; 32])))
}

/// The position in a cursor of a list.
pub fn position_of(list: &str, cursor: &Value) -> String {
    cursor_key().open(list, cursor.as_str().unwrap()).unwrap()
}

pub fn json_of(answer: &Answer) -> Value {
    let Content::Json(text) = &answer.content else {
        panic!("not JSON: {answer:?}")
    };
    serde_json::from_str(text).unwrap()
}
