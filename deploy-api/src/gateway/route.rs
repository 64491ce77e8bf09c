use dotdo_names::{ACCOUNT_ID, Environment, WorkerName};

use super::{path, refused};
use crate::{code::Code, lint, problem::Problem, target::Target};

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
    /// `GET A/workers/scripts/{name}/settings`: the same question.
    AccountSettings(WorkerName),
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
        match (method, segments.as_slice()) {
            ("GET", ["user", "tokens", "verify"]) => Ok(Self::VerifyToken),
            ("GET", ["user"]) => Ok(Self::User),
            ("GET", ["accounts"]) => Ok(Self::Accounts),
            ("GET", ["memberships"]) => Ok(Self::Memberships),
            (_, ["accounts", account, rest @ ..]) => {
                if *account != ACCOUNT_ID {
                    return Err(another_account());
                }
                Self::of_account(method, rest)
            }
            _ => Err(refused::refused(method, &segments)),
        }
    }

    fn of_account(method: &str, segments: &[&str]) -> Result<Self, Problem> {
        match (method, segments) {
            ("GET", ["workers", "dispatch", "namespaces"]) => Ok(Self::Namespaces),
            ("GET", ["workers", "dispatch", "namespaces", name]) => namespace(name).map(Self::Namespace),
            (
                _,
                [
                    "workers",
                    "dispatch",
                    "namespaces",
                    name,
                    "scripts",
                    script,
                    rest @ ..,
                ],
            ) => {
                let target = Target {
                    environment: namespace(name)?,
                    worker: lint::routable(script)?,
                };
                match (method, rest) {
                    ("GET", []) => Ok(Self::Script(target)),
                    ("PUT", []) => Ok(Self::Upload(target)),
                    ("POST", ["assets-upload-session"]) => Ok(Self::AssetSession(target)),
                    _ => Err(refused::refused(method, segments)),
                }
            }
            ("POST", ["workers", "assets", "upload"]) => Ok(Self::AssetUpload),
            ("GET", ["workers", "services", name]) => lint::routable(name).map(Self::AccountService),
            ("GET", ["workers", "scripts", name, "settings"]) => {
                lint::routable(name).map(Self::AccountSettings)
            }
            ("PATCH", ["workers", "scripts", name, "script-settings"]) => {
                lint::routable(name).map(Self::ScriptTags)
            }
            ("GET", ["workers", "scripts", name, "secrets"]) => lint::routable(name).map(Self::Secrets),
            ("PUT", ["workers", "scripts", name, "secrets"]) => lint::routable(name).map(Self::PutSecret),
            ("DELETE", ["workers", "scripts", name, "secrets", secret]) => {
                lint::routable(name).map(|worker| Self::DeleteSecret(worker, (*secret).to_owned()))
            }
            ("GET", ["workflows", _]) => Ok(Self::Workflow),
            ("GET", ["queues"]) => Ok(Self::Queues),
            _ => Err(refused::refused(method, segments)),
        }
    }
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
