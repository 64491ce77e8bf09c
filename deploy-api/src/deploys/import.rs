//! Imports: the modules and settings of an account Worker, deployed as an upload of a client is.

use super::deploy::{Origin, deploy};
use super::imported_metadata::{Import, check_kind, imported_metadata};
use super::{Gateway, remote_settings};
use crate::account::{self, AccountWorkerName};
use crate::audit;
use crate::bundles::{ObjectStore, Retrying, StagedWriter, staging_key};
use crate::code::Code;
use crate::deployments::{Deployment, ImportedFrom};
use crate::download::{self, Download};
use crate::identity::ShownCredential;
use crate::ledger::{Ask, Authorized, LedgerClient};
use crate::policy::{Action, Request};
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;
use crate::upload::{Permit, Renewing, StreamedUpload, read_account_script};
use crate::upstream::{Method, script};

/// Deploys an account Worker to a namespace, and makes the health check.
///
/// # Errors
/// Why it was not deployed; recorded.
pub(crate) async fn import<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
    import: &Import,
) -> Result<Deployment, Problem> {
    let authorized = authorize(gateway, credential, target, import).await?;
    let permit = gateway.admit(None).await?;
    let store = Retrying::new(gateway.services, gateway.services);
    let (upload, from) = match read(gateway, &store, &permit, target, import).await {
        Ok(read) => read,
        Err(problem) => {
            return Err(gateway
                .refuse(&authorized, target, audit::Action::Import, problem, None)
                .await);
        }
    };
    let (upload, _permit) = gateway.admit_upload(permit, upload).await?;
    let origin = Origin::Account {
        from,
        with_secrets: !import.secrets.is_empty(),
        moved: import.services.values().cloned().collect(),
    };
    let query = vec![("excludeScript", "true".to_owned())];
    let deploying = deploy(gateway, credential, &authorized, target, upload, query, &origin);
    Ok(Box::pin(deploying).await?.deployment)
}

/// Checks the authority before anything of the account is read. The ledger checks it again when the deploy begins.
async fn authorize<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    target: &Target,
    import: &Import,
) -> Result<Authorized, Problem> {
    let mut requests = vec![Request::platform(Action::Admin)];
    if !import.secrets.is_empty() {
        requests.push(Request::worker(Action::Secrets, target.clone()));
    }
    for request in requests {
        let ask = Ask::OneOf {
            requests: vec![request],
            action: audit::Action::Import,
        };
        gateway.authorize(credential, ask).await?;
    }
    let deploy = vec![Request::worker(Action::Deploy, target.clone())];
    gateway
        .authorize_for(credential, deploy, audit::Action::Import, target)
        .await
}

/// Reads the account Worker. The bytes of large modules go to the bundle store while they arrive.
async fn read<'s, L: LedgerClient, O: Services, S: ObjectStore>(
    gateway: &Gateway<'_, L, O>,
    store: &'s S,
    permit: &Permit,
    target: &Target,
    import: &Import,
) -> Result<(StreamedUpload<'s, S>, ImportedFrom), Problem> {
    let services = gateway.services;
    let name = &import.from;
    let all = account::scripts(services).await?;
    let listed = all.into_iter().find(|listed| listed.name == name.as_str());
    let listed = listed.ok_or_else(|| account_worker_unknown(name))?;
    let settings = account::settings(services, name).await?;
    check_kind(&listed, &settings)?;
    let current = remote_settings(services, target)
        .await
        .map_err(|failure| failure.problem)?
        .unwrap_or_default();
    let path = ["workers", "scripts", name.as_str(), "content", "v2"];
    let Download {
        content_type,
        entrypoint,
        body,
        ..
    } = download::open(services, script::account(Method::Get, &path))
        .await
        .map_err(|failure| failure.problem)?;
    let metadata = imported_metadata(&settings, &current, import, target)?;
    let writer = StagedWriter::new(store, staging_key(gateway.attempt.as_str()));
    let body = Renewing::new(body, permit, services);
    let upload = read_account_script(
        metadata,
        content_type.as_deref(),
        entrypoint.as_deref(),
        body,
        writer,
        services.entropy(),
    )
    .await
    .map_err(|problem| unreadable(name, problem))?;
    let from = ImportedFrom {
        worker: listed.name,
        etag: listed.etag,
    };
    Ok((upload, from))
}

fn account_worker_unknown(name: &AccountWorkerName) -> Problem {
    Problem::new(
        Code::AccountWorkerUnknown,
        format!("The account has no Worker {name} outside of the namespaces."),
        "GET /v1/account/workers lists them.",
    )
}

/// The problem of an upload is about the client's form, and this form came from the Cloudflare API.
fn unreadable(name: &AccountWorkerName, problem: Problem) -> Problem {
    if problem.code != Code::UploadMalformed {
        return problem;
    }
    Problem::new(
        Code::ImportImpossible,
        format!("The modules that the Cloudflare API returned for the account Worker {name} cannot be read."),
        "Try again. If the error stays, deploy the Worker from its repository with wrangler.",
    )
    .note(problem.detail)
}
