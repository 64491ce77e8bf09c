use std::cell::OnceCell;

use worker::{Bucket, Env, Fetcher};

use super::fetch::Channel;
use super::ledger_client::LedgerStub;
use super::settings::{Misconfigured, Settings};
use crate::assets::SessionKey;
use crate::attempt::AttemptId;
use crate::audit::Client;
use crate::code::Code;
use crate::cursor::CursorKey;
use crate::deploys::{CallBudget, Gateway};
use crate::identity::oidc::Keyring;
use crate::ledger::{LedgerClient, LedgerFailure};
use crate::problem::Problem;
use crate::runtime::Runtime;
use crate::upload::{Admission, FingerprintKey};

/// The settings and the bindings of the Worker. Implements the traits of the services: `Upstream`, `ObjectStore`,
/// `Dispatcher`, `Logs`, `KeySource`, `Runtime` and `LedgerClient`.
pub struct Services {
    /// The variables and secrets.
    pub settings: Settings,
    /// The service binding `UPSTREAM`, which only the local platform has. Without it, the upstream is called over the
    /// internet.
    upstream: Option<Fetcher>,
    /// The dispatch Worker: the service binding `DISPATCHER`.
    pub dispatcher: Option<Fetcher>,
    /// The logs Worker: the service binding `LOGS`.
    pub logs: Option<Fetcher>,
    /// The bundle store: the R2 binding `BUNDLES`.
    pub bundles: Option<Bucket>,
    /// The Durable Object.
    pub ledger: LedgerStub,
    /// The keys of OIDC issuers that this instance has fetched.
    pub keyring: Keyring,
    fingerprint_key: FingerprintKey,
    session_key: SessionKey,
    cursor_key: CursorKey,
    admission: Admission,
    /// The calls to the upstream that this instance has reserved.
    pub call_budget: CallBudget,
}

thread_local! {
    static SERVICES: OnceCell<&'static Result<Services, Misconfigured>> = const { OnceCell::new() };
}

impl Services {
    /// The services of this Wasm instance, loaded from the Worker's `env` at the first call. Bindings do not change during
    /// the life of an isolate: a deploy starts new isolates.
    ///
    /// # Errors
    /// The first variable or secret that is invalid or missing.
    pub fn of(env: &Env) -> Result<&'static Self, &'static Misconfigured> {
        SERVICES
            .with(|services| *services.get_or_init(|| Box::leak(Box::new(Self::load(env)))))
            .as_ref()
    }

    fn load(env: &Env) -> Result<Self, Misconfigured> {
        let settings = Settings::load(env)?;
        Ok(Self {
            keyring: Keyring::new(settings.issuers.clone()),
            fingerprint_key: settings.upload_key.fingerprint_key(),
            session_key: SessionKey::new(settings.upload_key.asset_session_key()),
            cursor_key: CursorKey::new(&settings.upload_key.cursor_key()),
            admission: Admission::default(),
            call_budget: CallBudget::default(),
            settings,
            upstream: env.service("UPSTREAM").ok(),
            dispatcher: env.service("DISPATCHER").ok(),
            logs: env.service("LOGS").ok(),
            bundles: env.bucket("BUNDLES").ok(),
            ledger: LedgerStub::new(env)?,
        })
    }

    /// The gateway for one request.
    pub fn gateway<'a>(&'a self, client: &'a Client) -> Gateway<'a, Self, Self> {
        Gateway {
            ledger: self,
            services: self,
            client,
            attempt: AttemptId::new(self.now(), self.entropy()),
            bootstrap: self.settings.bootstrap.as_ref(),
            fingerprint_key: &self.fingerprint_key,
            session_key: &self.session_key,
            cursor_key: &self.cursor_key,
            admission: &self.admission,
            worker_urls: &self.settings.worker_urls,
            stores_logs: self.settings.stores_logs,
            own_deployment: self.settings.own_deployment.as_ref(),
        }
    }

    /// How the upstream is reached.
    pub fn upstream(&self) -> Channel<'_> {
        self.upstream.as_ref().map_or(Channel::Internet, Channel::Service)
    }
}

impl LedgerClient for Services {
    async fn exchange(&self, name: &'static str, message: String) -> Result<String, LedgerFailure> {
        self.ledger
            .exchange(name, &message)
            .await
            .map_err(|cause| LedgerFailure { cause })
    }
}

/// The error for clients if the configuration of the Worker is invalid.
pub fn misconfigured(reason: &Misconfigured) -> Problem {
    Problem::new(
        Code::Misconfigured,
        "The configuration of the deploy API is invalid.",
        "The reason is in its log, which an operator can read.",
    )
    .caused_by(reason)
}
