use js_sys::Uint8Array;
use worker::{Env, ObjectNamespace};

use super::fetch::{Channel, Content, Outgoing, send};
use super::settings::Misconfigured;

/// The name of the one ledger.
const LEDGER: &str = "ledger";

/// The only message that waits: for the lease on a Worker, at most 60 s.
const BEGIN: &str = "begin";

/// How long `begin` may take, in milliseconds.
const BEGIN_TIMEOUT: u32 = 70_000;

/// How long any other message may take, in milliseconds.
const TIMEOUT: u32 = 10_000;

/// Sends messages to the ledger, each as `POST https://ledger/{name}`.
pub struct LedgerStub {
    namespace: ObjectNamespace,
}

impl LedgerStub {
    /// Takes the binding `LEDGER`.
    ///
    /// # Errors
    /// When it is missing.
    pub fn new(env: &Env) -> Result<Self, Misconfigured> {
        let namespace = env
            .durable_object("LEDGER")
            .map_err(|error| Misconfigured::Ledger(error.to_string()))?;
        Ok(Self { namespace })
    }

    /// The Durable Object. A stub belongs to the request that creates it, and cannot be used after a failure.
    ///
    /// # Errors
    /// When the runtime refuses.
    pub fn object(&self) -> worker::Result<worker::Stub> {
        self.namespace.get_by_name(LEDGER)
    }

    /// Sends a message, and returns the reply.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn exchange(&self, name: &str, message: &str) -> Result<String, String> {
        let object = self.object().map_err(|error| error.to_string())?;
        let outgoing = Outgoing {
            method: "POST",
            url: &format!("https://ledger/{name}"),
            headers: &[("content-type", "application/json")],
            body: Content::Bytes(Uint8Array::from(message.as_bytes())),
            timeout: if name == BEGIN { BEGIN_TIMEOUT } else { TIMEOUT },
        };
        let answer = send(Channel::Object(&object), outgoing)
            .await
            .map_err(|unanswered| unanswered.to_string())?;
        let status = answer.status();
        if status != 200 {
            answer.discard();
            return Err(format!("the ledger answered with status {status}"));
        }
        answer.text().await.map_err(|failure| failure.to_string())
    }
}
