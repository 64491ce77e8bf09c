//! Calls about a Worker in a namespace that Cloudflare's SDKs make: settings, bindings, tags, secrets, and the deletion.

use serde_json::{Value, json};

use super::query::Parameters;
use super::serve::Reply;
use super::{Absent, Envelope, settings};
use crate::code::Code;
use crate::deploys::Gateway;
use crate::identity::ShownCredential;
use crate::ledger::LedgerClient;
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

/// Deletes a Worker from its namespace. Needs the action `delete`.
///
/// # Errors
/// The errors of [`v1::workers::delete`], and `PARAMETER_INVALID`.
pub(super) async fn delete<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
    query: &str,
) -> Result<Reply, Problem> {
    // The Worker is deleted even if it has Durable Objects, as by the call of `/v1`.
    Parameters::parse(query)?.only(&["force"])?;
    match v1::workers::delete(gateway, credential, target).await {
        Ok(_) => Ok(Reply::Success(Envelope::of(Value::Null))),
        Err(problem) if problem.code == Code::WorkerUnknown => Ok(Reply::Absent(Absent::NamespaceScript)),
        Err(problem) => Err(problem),
    }
}
