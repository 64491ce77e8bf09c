use std::sync::LazyLock;

use dotdo_names::{ACCOUNT_ID, Environment, WorkerName};

use super::{path, refused};
use crate::code::Code;
use crate::lint;
use crate::problem::Problem;
use crate::router::{Captures, Routes};
use crate::target::Target;

/// The supported calls of `/client/v4`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// `GET /user/tokens/verify`: whether the token is valid.
    VerifyToken,
    /// `GET /user`: the caller.
    User,
    /// `GET /accounts`: the one account.
    Accounts,
    /// `GET /memberships`: the one account.
    Memberships,
    /// `GET A/workers/dispatch/namespaces`
    Namespaces,
    /// `GET A/workers/dispatch/namespaces/{namespace}`
    Namespace(Environment),
    /// `GET S`: whether the script exists, and its migration tag.
    Script(Target),
    /// `PUT S`: the deploy.
    Upload(Target),
    /// `POST S/assets-upload-session`
    AssetSession(Target),
    /// `POST A/workers/assets/upload`, whose bearer is the JWT of a session.
    AssetUpload,
    /// `GET A/workers/services/{name}`: whether the account has a Worker of this name. The answer is always no.
    AccountService(WorkerName),
    /// `GET A/workers/scripts/{name}/settings`: the settings of the Worker in a namespace.
    Settings(WorkerName),
    /// `PATCH A/workers/scripts/{name}/script-settings`: the tags that wrangler sets after a deploy.
    ScriptTags(WorkerName),
    /// `GET A/workers/scripts/{name}/secrets`
    Secrets(WorkerName),
    /// `PUT A/workers/scripts/{name}/secrets`
    PutSecret(WorkerName),
    /// `DELETE A/workers/scripts/{name}/secrets/{secret}`
    DeleteSecret(WorkerName, String),
    /// `GET A/workflows/{name}`: whether the workflow exists. The answer is always no.
    Workflow,
    /// `GET A/queues`: the queue that a binding names.
    Queues,
}

impl Route {
    /// The route of a request line. `path` is the URL's path as it was sent, without the query.
    ///
    /// # Errors
    /// Why the call is not served, and what to do instead.
    pub fn parse(method: &str, path: &str) -> Result<Self, Problem> {
        let segments = path::segments(path)?;
        let of_account = match segments.as_slice() {
            ["accounts", account, ..] if *account != ACCOUNT_ID => return Err(another_account()),
            ["accounts", _, rest @ ..] => rest,
            segments => segments,
        };
        match ROUTER.find(method, path.strip_prefix(path::BASE).unwrap_or_default()) {
            // axum routes HEAD as GET. No client of the Cloudflare API sends it.
            Ok(found) if method != "HEAD" => (found.value)(&found.captures),
            _ => Err(refused::refused(method, of_account)),
        }
    }
}

/// Reads the captured segments of a path.
type Read = fn(&Captures) -> Result<Route, Problem>;

/// A path below the account's.
macro_rules! account {
    ($below:literal) => {
        concat!("/accounts/{account}", $below)
    };
}

/// A path below a script's in a namespace.
macro_rules! script {
    ($below:literal) => {
        concat!(
            "/accounts/{account}/workers/dispatch/namespaces/{namespace}/scripts/{script}",
            $below
        )
    };
}

/// The calls, with their paths below [`path::BASE`].
static ROUTER: LazyLock<Routes<Read>> = LazyLock::new(|| {
    Routes::<Read>::new()
        .route("GET", "/user/tokens/verify", |_| Ok(Route::VerifyToken))
        .route("GET", "/user", |_| Ok(Route::User))
        .route("GET", "/accounts", |_| Ok(Route::Accounts))
        .route("GET", "/memberships", |_| Ok(Route::Memberships))
        .route("GET", account!("/workers/dispatch/namespaces"), |_| {
            Ok(Route::Namespaces)
        })
        .route(
            "GET",
            account!("/workers/dispatch/namespaces/{namespace}"),
            |captures| namespace(captures.get("namespace")).map(Route::Namespace),
        )
        .route("GET", script!(""), |captures| target(captures).map(Route::Script))
        .route("PUT", script!(""), |captures| target(captures).map(Route::Upload))
        .route("POST", script!("/assets-upload-session"), |captures| {
            target(captures).map(Route::AssetSession)
        })
        .route("POST", account!("/workers/assets/upload"), |_| {
            Ok(Route::AssetUpload)
        })
        .route("GET", account!("/workers/services/{script}"), |captures| {
            worker(captures).map(Route::AccountService)
        })
        .route(
            "GET",
            account!("/workers/scripts/{script}/settings"),
            |captures| worker(captures).map(Route::Settings),
        )
        .route(
            "PATCH",
            account!("/workers/scripts/{script}/script-settings"),
            |captures| worker(captures).map(Route::ScriptTags),
        )
        .route("GET", account!("/workers/scripts/{script}/secrets"), |captures| {
            worker(captures).map(Route::Secrets)
        })
        .route("PUT", account!("/workers/scripts/{script}/secrets"), |captures| {
            worker(captures).map(Route::PutSecret)
        })
        .route(
            "DELETE",
            account!("/workers/scripts/{script}/secrets/{secret}"),
            |captures| {
                Ok(Route::DeleteSecret(
                    worker(captures)?,
                    captures.get("secret").to_owned(),
                ))
            },
        )
        .route("GET", account!("/workflows/{workflow}"), |_| Ok(Route::Workflow))
        .route("GET", account!("/queues"), |_| Ok(Route::Queues))
});

fn target(captures: &Captures) -> Result<Target, Problem> {
    Ok(Target {
        environment: namespace(captures.get("namespace"))?,
        worker: worker(captures)?,
    })
}

fn worker(captures: &Captures) -> Result<WorkerName, Problem> {
    lint::routable(captures.get("script"))
}

fn namespace(name: &str) -> Result<Environment, Problem> {
    Environment::from_namespace(name).ok_or_else(|| {
        let known = Environment::ALL.map(Environment::namespace).join(", ");
        Problem::new(
            Code::NamespaceUnknown,
            "The dispatch namespace of this call is not a namespace of the platform.",
            format!("Give --dispatch-namespace one of {known}."),
        )
    })
}

fn another_account() -> Problem {
    Problem::new(
        Code::AccountUnknown,
        "The Cloudflare account of this call is not the account of the platform.",
        format!(
            "Set CLOUDFLARE_ACCOUNT_ID={ACCOUNT_ID}, and remove another `account_id` from the wrangler configuration, \
             which beats the variable.",
        ),
    )
}
