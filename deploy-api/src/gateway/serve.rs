//! One call of wrangler: its route, its caller, its handler and the response.

use dotdo_names::Namespace;

use super::response::{Reply, of_problem, of_reply};
use super::{
    Absent, Route, account, account_worker, asset_session, asset_upload, bulk_secrets, resources, script,
    secrets, settings, single_asset_upload, upload,
};
use crate::code::Code;
use crate::deploys::Gateway;
use crate::http::{Request, Response, check_origin, is_method_override};
use crate::ledger::{Ask, LedgerClient};
use crate::problem::Problem;
use crate::services::Services;
use crate::upload::Source;

/// Serves one call of wrangler. An error becomes a response as well.
pub async fn serve<L: LedgerClient, O: Services, B: Source>(
    gateway: &Gateway<'_, L, O>,
    request: Request<'_, B>,
) -> Response {
    match answer(gateway, request).await {
        Ok(reply) => of_reply(&reply),
        Err(problem) => of_problem(problem),
    }
}

async fn answer<L: LedgerClient, O: Services, B: Source>(
    gateway: &Gateway<'_, L, O>,
    request: Request<'_, B>,
) -> Result<Reply, Problem> {
    check_origin(&request)?;
    if request.headers.iter().any(|(name, _)| is_method_override(name)) {
        return Err(Problem::new(
            Code::MethodOverrideRefused,
            "A header of the request overrides the method or the path of the request line.",
            "Remove the header.",
        ));
    }
    if request.header("x-auth-key").is_some() || request.header("x-auth-email").is_some() {
        return Err(Problem::new(
            Code::LegacyKeyRefused,
            "The request has a global API key of Cloudflare, which this API does not accept.",
            "Unset CLOUDFLARE_API_KEY and CLOUDFLARE_EMAIL, and set CLOUDFLARE_API_TOKEN to a token of the deploy API.",
        ));
    }
    let route = Route::parse(request.method, request.path);
    // The bearer of these calls is the token of a session, not of a caller.
    match route {
        Ok(Route::AssetUpload) => return asset_upload::upload(gateway, request).await,
        Ok(Route::SingleAssetUpload(hash)) => {
            return single_asset_upload::upload(gateway, request, hash).await;
        }
        _ => {}
    }
    // The caller is authenticated first, so that an unknown client does not learn which calls are supported.
    let credential = &gateway.credential(request.header("authorization"))?;
    let route = match route {
        Ok(route) => route,
        Err(problem) => {
            gateway.authorize(credential, Ask::Identity).await?;
            return Err(problem);
        }
    };
    match route {
        Route::Namespaces => account::namespaces(gateway, credential).await,
        Route::Namespace(environment) => account::namespace(gateway, credential, environment).await,
        Route::Script(target) => upload::script(gateway, credential, &target).await,
        Route::Upload(target) => upload::put(gateway, credential, &target, request).await,
        Route::AssetSession(target) => asset_session::begin(gateway, credential, &target, request).await,
        Route::ScriptTags(worker) => upload::tags(gateway, credential, &worker, request).await,
        Route::Resource(product, name) => {
            let jurisdiction = request.header("cf-r2-jurisdiction");
            resources::get(gateway, credential, product, &name, jurisdiction).await
        }
        Route::Resources(product) => {
            let jurisdiction = request.header("cf-r2-jurisdiction");
            resources::list(gateway, credential, product, request.query, jurisdiction).await
        }
        Route::Settings(worker) => settings::of_worker(gateway, credential, &worker).await,
        Route::Secrets(worker) => secrets::list(gateway, credential, &worker).await,
        Route::PutSecret(worker) => secrets::put_of_worker(gateway, credential, &worker, request).await,
        Route::DeleteSecret(worker, name) => {
            secrets::delete_of_worker(gateway, credential, &worker, &name).await
        }
        Route::PatchSecrets(worker) => {
            bulk_secrets::patch_of_worker(gateway, credential, &worker, request).await
        }
        Route::PatchSettings(worker) => {
            bulk_secrets::patch_settings(gateway, credential, &worker, request).await
        }
        Route::AccountService(worker) if Namespace::Account.can_have(worker.as_str()) => {
            account_worker::service(gateway, credential, &worker).await
        }
        Route::AccountSubdomain => account_worker::subdomain(gateway, credential).await,
        Route::Account(call, worker) => {
            account_worker::answer(gateway, credential, call, &worker, request).await
        }
        Route::ScriptPart(target, part) => script::read(gateway, credential, &target, part).await,
        Route::DeleteScript(target) => script::delete(gateway, credential, &target, request.query).await,
        Route::PutScriptSecret(target) => secrets::put(gateway, credential, &target, request).await,
        Route::PatchScriptSecrets(target) => bulk_secrets::patch(gateway, credential, &target, request).await,
        Route::DeleteScriptSecret(target, name) => secrets::delete(gateway, credential, &target, &name).await,
        Route::VerifyToken
        | Route::User
        | Route::Accounts
        | Route::Memberships
        | Route::AccountService(_)
        | Route::OtherAccountWorker
        | Route::Workflow
        | Route::AssetUpload
        | Route::SingleAssetUpload(_) => {
            let authorized = gateway.authorize(credential, Ask::Identity).await?;
            match route {
                Route::VerifyToken => Ok(account::verify_token(&authorized)),
                Route::User => Ok(account::user(&authorized.caller)),
                Route::Accounts => Ok(account::accounts()),
                Route::Memberships => Ok(account::memberships(&authorized.caller)),
                Route::Workflow => Ok(Reply::Absent(Absent::Workflow)),
                _ => Ok(Reply::Absent(Absent::AccountScript)),
            }
        }
    }
}
