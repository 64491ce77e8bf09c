//! What the deploy API has recorded of the Workers of a plan.

use deploy_api::v1::types::{Deployment, Page};
use dotdo_names::{Environment, WorkerName};

use super::plan_file::PlannedWorker;
use crate::client::{Client, worker_path};
use crate::failure::Failure;

/// The number of the newest deployments of which one serves.
const NEWEST: usize = 20;

/// The state of a Worker of a plan in its namespace.
#[derive(Debug)]
pub enum Placed {
    /// Nothing serves.
    Absent,
    /// The account Worker was imported as it is now.
    Imported(Box<Deployment<'static>>),
    /// An earlier state of the account Worker was imported.
    Outdated,
    /// Something else serves, such as a deploy from its repository.
    Other(Box<Deployment<'static>>),
}

/// The deployment that serves.
///
/// # Errors
/// If the deploy API does not return it.
pub fn serving(
    client: &Client,
    environment: Environment,
    worker: &WorkerName,
) -> Result<Option<Deployment<'static>>, Failure> {
    let path = format!("{}/deployments?limit={NEWEST}", worker_path(environment, worker));
    let page: Page<Deployment<'static>> = client.get(&path)?.value;
    Ok(page
        .items
        .into_iter()
        .find(|deployment| deployment.serving == Some(true)))
}

/// The state of a Worker of a plan. `etag` is Cloudflare's digest of the account Worker now.
///
/// # Errors
/// If the deploy API does not return it.
pub fn placed(client: &Client, planned: &PlannedWorker, etag: Option<&str>) -> Result<Placed, Failure> {
    let (environment, name) = planned.checked_target()?;
    let Some(deployment) = serving(client, environment, &name)? else {
        return Ok(Placed::Absent);
    };
    let Some(imported) = deployment
        .imported
        .as_ref()
        .filter(|imported| imported.worker == planned.from)
    else {
        return Ok(Placed::Other(Box::new(deployment)));
    };
    Ok(if imported.etag.is_some() && imported.etag.as_deref() == etag {
        Placed::Imported(Box::new(deployment))
    } else {
        Placed::Outdated
    })
}
