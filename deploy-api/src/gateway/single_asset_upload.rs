//! Static assets: one file of a session, as it is. The request has the session's token, which is verified without a look-up.

use super::asset_upload::{forward, open_session};
use super::query::Parameters;
use super::response::Reply;
use crate::assets::{AssetHash, BucketFailure, SEARCHED_PART, find_file, read_single_file};
use crate::bundles::Retrying;
use crate::deploys::{Gateway, single_file_request};
use crate::http::Request;
use crate::ledger::LedgerClient;
use crate::problem::Problem;
use crate::services::Services;
use crate::upload::{Renewing, Source};

/// Streams one file of a session into the bundle store, for later redeploys, and from there to the upstream. A file that the
/// session's manifest does not have is refused before its content is read.
pub(super) async fn upload<L: LedgerClient, O: Services, B: Source>(
    gateway: &Gateway<'_, L, O>,
    request: Request<'_, B>,
    hash: AssetHash,
) -> Result<Reply, Problem> {
    let session = open_session(gateway, request.header("authorization"))?;
    Parameters::parse(request.query)?.only(&[])?;
    let store = Retrying::new(gateway.services, gateway.services);
    let searching = gateway.admit(Some(SEARCHED_PART)).await?;
    let file = find_file(&store, &session.manifest, &hash)
        .await
        .map_err(BucketFailure::from)?
        .ok_or(BucketFailure::UnknownFile { hash })?;
    drop(searching);
    // wrangler does not announce the length. The file has the size in the manifest, or it is refused.
    let permit = gateway.admit(Some(file.size)).await?;
    let content_type = request.header("content-type");
    let id = gateway.services.entropy();
    let body = Renewing::new(request.body, &permit, gateway.services);
    let file = read_single_file(&store, &session.session, id, file, content_type, body).await?;
    let request = single_file_request(session.upstream.clone(), file);
    forward(gateway, session, request).await
}
