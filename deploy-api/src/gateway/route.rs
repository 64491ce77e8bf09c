use std::sync::LazyLock;

use dotdo_names::{ACCOUNT_ID, Environment, Namespace, WorkerName};

use super::account_hosts::Triggers;
use super::account_worker::AccountCall;
use super::{Part, Product, path, refused};
use crate::assets::AssetHash;
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
    /// `POST A/workers/assets/upload/{hash}`, whose bearer is the JWT of a session: one file, as it is.
    SingleAssetUpload(AssetHash),
    /// `GET A/workers/services/{name}`: whether the account has a Worker of this name. The answer is no, except for the platform's.
    AccountService(WorkerName),
    /// `GET A/workers/subdomain`: the subdomain of the account.
    AccountSubdomain,
    /// A call about a Worker of the platform in the account, which belongs to its deploy.
    Account(AccountCall, WorkerName),
    /// One of these calls about a Worker of the account that is not one of the platform's. [`parse`](Self::parse) refuses it.
    OtherAccountWorker,
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
    /// `PATCH A/workers/scripts/{name}/secrets-bulk`
    PatchSecrets(WorkerName),
    /// `PATCH A/workers/scripts/{name}/settings`: `wrangler secret bulk` before 4.152.
    PatchSettings(WorkerName),
    /// `GET S/settings`, `S/bindings`, `S/tags` and `S/secrets`
    ScriptPart(Target, Part),
    /// `DELETE S`
    DeleteScript(Target),
    /// `PUT S/secrets`
    PutScriptSecret(Target),
    /// `PATCH S/secrets-bulk`
    PatchScriptSecrets(Target),
    /// `DELETE S/secrets/{secret}`
    DeleteScriptSecret(Target, String),
    /// `GET A/workflows/{name}`: whether the workflow exists. The answer is always no.
    Workflow,
    /// `GET A/{path of the product}/{name or id}`: a resource of the account.
    Resource(Product, String),
    /// `GET A/{path of the product}`: a page of the resources of the account.
    Resources(Product),
}

impl Route {
    /// The supported calls: the method, and the path below [`BASE`](super::BASE).
    pub fn calls() -> impl Iterator<Item = (&'static str, &'static str)> {
        CALLS.iter().map(|(method, path, _)| (*method, *path))
    }

    /// The route of a request line. `path` is the URL's path as it was sent, without the query.
    ///
    /// # Errors
    /// Why the call is not served, and what to do instead.
    pub fn parse(method: &str, path: &str) -> Result<Self, Problem> {
        let segments = path::segments(path)
            .map_err(|malformed| refused::refused_content(method, path).unwrap_or(malformed))?;
        let of_account = match segments.as_slice() {
            ["accounts", account, ..] if *account != ACCOUNT_ID => return Err(another_account()),
            ["accounts", _, rest @ ..] => rest,
            segments => segments,
        };
        match ROUTER.find(method, path.strip_prefix(path::BASE).unwrap_or_default()) {
            // axum routes HEAD as GET. No client of the Cloudflare API sends it.
            Ok(found) if method != "HEAD" => match (found.value)(&found.captures)? {
                Self::OtherAccountWorker => Err(refused::refused(method, of_account)),
                route => Ok(route),
            },
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
const CALLS: &[(&str, &str, Read)] = &[
    ("GET", "/user/tokens/verify", |_| Ok(Route::VerifyToken)),
    ("GET", "/user", |_| Ok(Route::User)),
    ("GET", "/accounts", |_| Ok(Route::Accounts)),
    ("GET", "/memberships", |_| Ok(Route::Memberships)),
    ("GET", account!("/workers/dispatch/namespaces"), |_| {
        Ok(Route::Namespaces)
    }),
    (
        "GET",
        account!("/workers/dispatch/namespaces/{namespace}"),
        |captures| namespace(captures.get("namespace")).map(Route::Namespace),
    ),
    ("GET", script!(""), |captures| target(captures).map(Route::Script)),
    ("PUT", script!(""), |captures| target(captures).map(Route::Upload)),
    ("POST", script!("/assets-upload-session"), |captures| {
        target(captures).map(Route::AssetSession)
    }),
    ("POST", account!("/workers/assets/upload"), |_| {
        Ok(Route::AssetUpload)
    }),
    ("POST", account!("/workers/assets/upload/{hash}"), |captures| {
        asset_hash(captures).map(Route::SingleAssetUpload)
    }),
    ("GET", account!("/workers/services/{script}"), |captures| {
        worker(captures).map(Route::AccountService)
    }),
    ("GET", account!("/workers/workers/{script}"), |captures| {
        Ok(account_worker(captures, AccountCall::Worker))
    }),
    ("GET", account!("/workers/subdomain"), |_| {
        Ok(Route::AccountSubdomain)
    }),
    ("PUT", account!("/workers/scripts/{script}"), |captures| {
        Ok(account_worker(captures, AccountCall::Upload))
    }),
    (
        "GET",
        account!("/workers/scripts/{script}/subdomain"),
        |captures| Ok(account_worker(captures, AccountCall::Address)),
    ),
    (
        "POST",
        account!("/workers/scripts/{script}/subdomain"),
        |captures| Ok(account_worker(captures, AccountCall::SetAddress)),
    ),
    (
        "POST",
        account!("/workers/scripts/{script}/versions"),
        |captures| Ok(account_worker(captures, AccountCall::UploadVersion)),
    ),
    (
        "GET",
        account!("/workers/scripts/{script}/deployments"),
        |captures| Ok(account_worker(captures, AccountCall::Deployments)),
    ),
    (
        "POST",
        account!("/workers/scripts/{script}/deployments"),
        |captures| Ok(account_worker(captures, AccountCall::DeployVersion)),
    ),
    ("PUT", account!("/workers/scripts/{script}/routes"), |captures| {
        Ok(account_worker(captures, AccountCall::Set(Triggers::Routes)))
    }),
    (
        "PUT",
        account!("/workers/scripts/{script}/domains/records"),
        |captures| Ok(account_worker(captures, AccountCall::Set(Triggers::Domains))),
    ),
    (
        "PUT",
        account!("/workers/scripts/{script}/schedules"),
        |captures| Ok(account_worker(captures, AccountCall::Set(Triggers::Crons))),
    ),
    (
        "GET",
        account!("/workers/scripts/{script}/settings"),
        |captures| worker(captures).map(Route::Settings),
    ),
    (
        "PATCH",
        account!("/workers/scripts/{script}/script-settings"),
        |captures| worker(captures).map(Route::ScriptTags),
    ),
    ("GET", account!("/workers/scripts/{script}/secrets"), |captures| {
        worker(captures).map(Route::Secrets)
    }),
    ("PUT", account!("/workers/scripts/{script}/secrets"), |captures| {
        worker(captures).map(Route::PutSecret)
    }),
    (
        "DELETE",
        account!("/workers/scripts/{script}/secrets/{secret}"),
        |captures| {
            Ok(Route::DeleteSecret(
                worker(captures)?,
                captures.get("secret").to_owned(),
            ))
        },
    ),
    (
        "PATCH",
        account!("/workers/scripts/{script}/secrets-bulk"),
        |captures| worker(captures).map(Route::PatchSecrets),
    ),
    (
        "PATCH",
        account!("/workers/scripts/{script}/settings"),
        |captures| worker(captures).map(Route::PatchSettings),
    ),
    ("GET", script!("/settings"), |captures| {
        part(Part::Settings, captures)
    }),
    ("GET", script!("/bindings"), |captures| {
        part(Part::Bindings, captures)
    }),
    ("GET", script!("/tags"), |captures| part(Part::Tags, captures)),
    ("GET", script!("/secrets"), |captures| {
        part(Part::Secrets, captures)
    }),
    ("DELETE", script!(""), |captures| {
        target(captures).map(Route::DeleteScript)
    }),
    ("PUT", script!("/secrets"), |captures| {
        target(captures).map(Route::PutScriptSecret)
    }),
    ("PATCH", script!("/secrets-bulk"), |captures| {
        target(captures).map(Route::PatchScriptSecrets)
    }),
    ("DELETE", script!("/secrets/{secret}"), |captures| {
        Ok(Route::DeleteScriptSecret(
            target(captures)?,
            captures.get("secret").to_owned(),
        ))
    }),
    ("GET", account!("/workflows/{workflow}"), |_| Ok(Route::Workflow)),
    ("GET", account!("/r2/buckets"), |_| {
        Ok(Route::Resources(Product::R2))
    }),
    ("GET", account!("/r2/buckets/{name}"), |captures| {
        Ok(resource(Product::R2, captures))
    }),
    ("GET", account!("/storage/kv/namespaces"), |_| {
        Ok(Route::Resources(Product::Kv))
    }),
    ("GET", account!("/d1/database"), |_| {
        Ok(Route::Resources(Product::D1))
    }),
    ("GET", account!("/d1/database/{name}"), |captures| {
        Ok(resource(Product::D1, captures))
    }),
    ("GET", account!("/queues"), |_| {
        Ok(Route::Resources(Product::Queues))
    }),
    ("GET", account!("/hyperdrive/configs/{name}"), |captures| {
        Ok(resource(Product::Hyperdrive, captures))
    }),
    ("GET", account!("/vectorize/v2/indexes/{name}"), |captures| {
        Ok(resource(Product::Vectorize, captures))
    }),
    ("GET", account!("/flagship/apps"), |_| {
        Ok(Route::Resources(Product::Flagship))
    }),
    ("GET", account!("/ai-search/namespaces/{name}"), |captures| {
        Ok(resource(Product::AiSearch, captures))
    }),
    ("GET", account!("/agent-memory/namespaces/{name}"), |captures| {
        Ok(resource(Product::AgentMemory, captures))
    }),
];

/// Finds the route of a path below [`path::BASE`].
static ROUTER: LazyLock<Routes<Read>> = LazyLock::new(|| {
    CALLS
        .iter()
        .fold(Routes::<Read>::new(), |routes, (method, path, read)| {
            routes.route(method, path, *read)
        })
});

fn part(part: Part, captures: &Captures) -> Result<Route, Problem> {
    Ok(Route::ScriptPart(target(captures)?, part))
}

fn resource(product: Product, captures: &Captures) -> Route {
    Route::Resource(product, captures.get("name").to_owned())
}

fn asset_hash(captures: &Captures) -> Result<AssetHash, Problem> {
    AssetHash::parse(captures.get("hash")).map_err(|_| {
        Problem::new(
            Code::UploadMalformed,
            "The last segment of the path is not the hash of a static asset, which is 32 hexadecimal digits.",
            "Deploy with an unchanged wrangler.",
        )
    })
}

fn target(captures: &Captures) -> Result<Target, Problem> {
    Ok(Target::new(
        namespace(captures.get("namespace"))?,
        worker(captures)?,
    ))
}

/// A call about a Worker of the platform in the account.
fn account_worker(captures: &Captures, call: AccountCall) -> Route {
    match WorkerName::parse(captures.get("script")) {
        Ok(worker) if Namespace::Account.can_have(worker.as_str()) => Route::Account(call, worker),
        _ => Route::OtherAccountWorker,
    }
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
