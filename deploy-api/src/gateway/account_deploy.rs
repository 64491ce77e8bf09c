//! What the calls of a deploy of a Worker of the platform share: its target, its authorization, its bodies and a refusal.

use dotdo_names::{Namespace, WorkerName};
use serde::de::DeserializeOwned;

use crate::audit;
use crate::code::Code;
use crate::deploys::Gateway;
use crate::http::{Request, read_body};
use crate::identity::ShownCredential;
use crate::ledger::{Authorized, LedgerClient};
use crate::policy::{self, Action};
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;
use crate::upload::{Source, SourceFailure};

/// The longest body of these calls, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// A Worker of the account.
pub(super) fn target(worker: &WorkerName) -> Target {
    Target::new(Namespace::Account, worker.clone())
}

/// A call that would change the routes, custom domains or triggers of a Worker of the platform.
pub(super) fn host_change(worker: &WorkerName, what: &str) -> Problem {
    Problem::new(
        Code::AccountWorkerRefused,
        format!(
            "The code of {worker} is deployed, but {what}. A deploy through this API changes no host and no trigger, because these need \
             the approval of an operator of the account."
        ),
        "An operator makes the change with their own Cloudflare login, after `unset CLOUDFLARE_API_BASE_URL CLOUDFLARE_API_TOKEN`: \
         `npx wrangler triggers deploy` in the folder of the Worker's configuration. Then deploy again.",
    )
}

/// Allows a call that belongs to a deploy.
pub(super) async fn authorize_deploy<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
) -> Result<Authorized, Problem> {
    let deploy = policy::Request::worker(Action::Deploy, target.clone());
    gateway
        .authorize_for(credential, vec![deploy], audit::Action::Deploy, target)
        .await
}

/// Reads the JSON of a request. `shape` is an example.
pub(super) async fn read<T: DeserializeOwned, B: Source>(
    request: Request<'_, B>,
    shape: &str,
) -> Result<T, Problem> {
    let announced = request.content_length();
    let body = read_body(request.body, announced, MAX_BODY)
        .await
        .map_err(SourceFailure::problem)?;
    serde_json::from_slice(&body).map_err(|_| {
        Problem::new(
            Code::BodyInvalid,
            "The body of the call cannot be read.",
            format!("Send {shape}, as wrangler does."),
        )
    })
}
