//! Calls about a Worker in a namespace that Cloudflare's SDKs make: settings, bindings, tags, secrets, and the deletion.

use serde_json::{Value, json};

use super::query::Parameters;
use super::response::Reply;
use super::{Absent, Envelope, settings};
use crate::audit;
use crate::code::Code;
use crate::deploys::Gateway;
use crate::identity::ShownCredential;
use crate::ledger::LedgerClient;
use crate::policy::{self, Action};
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;
use crate::v1;

/// A part of a Worker that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All settings.
    Settings,
    /// The bindings, without the values of secrets.
    Bindings,
    /// The tags, without the one that names the deployment.
    Tags,
    /// The names of the secrets.
    Secrets,
}

/// Returns a part of a Worker. Needs the action `read` or `deploy`.
///
/// # Errors
/// `PERMISSION_DENIED`, `UPSTREAM_…`.
pub(super) async fn read<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
    part: Part,
) -> Result<Reply, Problem> {
    settings::authorize(gateway, credential, target).await?;
    if part == Part::Secrets {
        return match v1::secrets::names(gateway.services, target).await {
            Ok(names) => Ok(Reply::Success(Envelope::of(json!(names)))),
            Err(problem) if problem.code == Code::WorkerUnknown => Ok(Reply::Absent(Absent::NamespaceScript)),
            Err(problem) => Err(problem),
        };
    }
    let Some(mut settings) = settings::read(gateway, target).await? else {
        return Ok(Reply::Absent(Absent::NamespaceScript));
    };
    let result = match part {
        Part::Bindings => settings.remove("bindings").unwrap_or_else(|| json!([])),
        Part::Tags => settings.remove("tags").unwrap_or_else(|| json!([])),
        Part::Settings | Part::Secrets => Value::Object(settings),
    };
    Ok(Reply::Success(Envelope::of(result)))
}

/// Deletes a Worker from its namespace. Needs the action `delete`. The parameter `force` is passed on: without it, the upstream does not
/// delete a script that has Durable Objects or to which other scripts bind.
///
/// # Errors
/// The errors of [`v1::deletion::delete`], and `PARAMETER_INVALID`.
pub(super) async fn delete<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
    query: &str,
) -> Result<Reply, Problem> {
    let delete = policy::Request::worker(Action::Delete, target.clone());
    gateway
        .authorize_for(credential, vec![delete], audit::Action::Delete, target)
        .await?;
    let parameters = Parameters::parse(query)?.only(&["force"])?;
    let is_forced = match parameters.as_slice() {
        [] => false,
        [(_, value)] if value == "false" => false,
        [(_, value)] if value == "true" => true,
        _ => {
            return Err(Problem::new(
                Code::ParameterInvalid,
                "The parameter \"force\" is invalid.",
                "Write \"true\" or \"false\".",
            ));
        }
    };
    match v1::deletion::remove(gateway, credential, target, is_forced).await {
        Ok(()) => Ok(Reply::Success(Envelope::of(Value::Null))),
        Err(problem) if problem.code == Code::WorkerUnknown => Ok(Reply::Absent(Absent::NamespaceScript)),
        Err(problem) => Err(problem),
    }
}
