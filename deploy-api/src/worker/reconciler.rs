//! The entrypoint `Reconciler` of the Worker: it talks to the bundle store and to Cloudflare for the ledger.

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use worker::{Env, State};

use super::log::Line;
use super::services::{Services, misconfigured};
use crate::audit::Client;
use crate::deploys;
use crate::problem::Problem;

/// The most rounds of one alarm. What is left is due again.
const ROUNDS: usize = 10;

/// The request id of what the reconciler records.
const REQUEST_ID: &str = "reconciler";

#[wasm_bindgen]
extern "C" {
    /// `ctx` of the Durable Object. `worker` has no `ctx.exports`.
    /// <https://developers.cloudflare.com/workers/runtime-apis/context/#exports>
    type Context;

    #[wasm_bindgen(method, getter)]
    fn exports(this: &Context) -> Exports;

    type Exports;

    /// The class `Reconciler` of `entry.js`, called like a service binding of the Worker to itself.
    #[wasm_bindgen(method, getter, js_name = Reconciler)]
    fn reconciler(this: &Exports) -> Entrypoint;

    type Entrypoint;

    #[wasm_bindgen(method, catch)]
    fn reconcile(this: &Entrypoint) -> Result<Promise, JsValue>;
}

/// Calls the Worker's entrypoint `Reconciler` from its Durable Object.
pub struct ReconcilerStub(Entrypoint);

impl ReconcilerStub {
    /// Takes `ctx` of the Durable Object.
    pub fn of(state: &State) -> Self {
        let context: &Context = state.as_raw().unchecked_ref();
        Self(context.exports().reconciler())
    }

    /// Lets the reconciler do what is due.
    ///
    /// # Errors
    /// When it fails or traps. The work may have been done in part.
    pub async fn reconcile(&self) -> worker::Result<()> {
        JsFuture::from(self.0.reconcile()?).await?;
        Ok(())
    }
}

/// Does what is due. Called by the class `Reconciler` of `entry.js`.
///
/// # Errors
/// If the configuration is invalid, or the ledger or the bundle store fails.
#[wasm_bindgen]
pub async fn reconcile(env: Env) -> Result<(), JsValue> {
    let failed = |problem: Problem| {
        let cause = problem.cause.as_deref().unwrap_or(&problem.detail);
        Line::error("The reconciler failed", cause).write();
        JsValue::from(js_sys::Error::new(&problem.detail))
    };
    let services = Services::of(&env).map_err(|reason| failed(misconfigured(reason)))?;
    let client = Client {
        address: None,
        request_id: REQUEST_ID.to_owned(),
    };
    let gateway = services.gateway(&client);
    for _ in 0..ROUNDS {
        if deploys::reconcile(&gateway, services.settings.checkpoint_key.as_ref())
            .await
            .map_err(failed)?
            == 0
        {
            break;
        }
    }
    Ok(())
}
