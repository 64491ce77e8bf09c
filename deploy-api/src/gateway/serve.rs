use secrecy::SecretString;

use super::message::{Body, Request, Response};
use super::route::is_method_override;
use super::{Absent, Envelope, Route, account, asset_session, asset_upload, secrets, upload};
use crate::code::Code;
use crate::engine::{Engine, Outside};
use crate::problem::Problem;
use crate::sql::Sql;

/// What a route answers, before it is written down.
pub(super) enum Reply {
    /// 200 with an envelope.
    Success(Envelope),
    /// 201 with an envelope.
    Created(Envelope),
    /// 404 with the code by which wrangler tells "there is none" from a failure.
    Absent(Absent),
    /// The same, with an explanation for whoever looks.
    Unclear(Problem),
}

/// Serves one call of wrangler, from its credential to its answer. Never fails: a problem is an answer too.
pub async fn serve<S: Sql, O: Outside, B: Body>(
    engine: &Engine<'_, S, O>,
    request: Request<'_, B>,
) -> Response {
    match answer(engine, request).await {
        Ok(Reply::Success(envelope)) => Response::of(200, &envelope),
        Ok(Reply::Created(envelope)) => Response::of(201, &envelope),
        Ok(Reply::Absent(what)) => Response::of(404, &Envelope::absent(what)),
        Ok(Reply::Unclear(problem)) => Response::of(404, &Envelope::unclear(&problem)),
        Err(problem) => Response::failure(problem),
    }
}

async fn answer<S: Sql, O: Outside, B: Body>(
    engine: &Engine<'_, S, O>,
    request: Request<'_, B>,
) -> Result<Reply, Problem> {
    if request.headers.iter().any(|(name, _)| is_method_override(name)) {
        return Err(Problem::new(
            Code::MethodOverrideRefused,
            "A header of the request asks for another method or path than the request line has.",
            "Leave the header out.",
        ));
    }
    if request.header("x-auth-key").is_some() || request.header("x-auth-email").is_some() {
        return Err(Problem::new(
            Code::LegacyKeyRefused,
            "The request shows a global API key of Cloudflare, which this API never takes.",
            "Unset CLOUDFLARE_API_KEY and CLOUDFLARE_EMAIL, and set CLOUDFLARE_API_TOKEN to a token of the deploy API.",
        ));
    }
    let route = Route::parse(request.method, request.path);
    if route == Ok(Route::AssetUpload) {
        // Whose bearer is a session's, and is looked up there.
        return asset_upload::upload(engine, request).await;
    }
    // Who asks comes first, so that a stranger learns nothing from which calls are served.
    let caller = engine.access.authenticate(request.header("authorization"))?;
    match route? {
        Route::VerifyToken => Ok(account::verify_token(engine, &caller)?),
        Route::User => Ok(account::user(&caller)),
        Route::Accounts => Ok(account::accounts()),
        Route::Memberships => Ok(account::memberships(&caller)),
        Route::Namespaces => account::namespaces(engine, &caller).await,
        Route::Namespace(environment) => account::namespace(engine, &caller, environment).await,
        Route::Script(target) => upload::script(engine, &caller, &target).await,
        Route::Upload(target) => upload::put(engine, &caller, &target, request).await,
        Route::AssetSession(target) => asset_session::begin(engine, &caller, &target, request).await,
        Route::AccountService(_) | Route::AccountSettings(_) => Ok(Reply::Absent(Absent::AccountScript)),
        Route::ScriptTags(worker) => upload::tags(engine, &caller, &worker, request).await,
        Route::Secrets(worker) => secrets::list(engine, &caller, &worker).await,
        Route::PutSecret(worker) => secrets::put(engine, &caller, &worker, request).await,
        Route::DeleteSecret(worker, name) => secrets::delete(engine, &caller, &worker, &name).await,
        Route::Workflow => Ok(Reply::Absent(Absent::Workflow)),
        Route::Queues => account::queues(engine, request.query).await,
        // Answered above, before anyone was authenticated.
        Route::AssetUpload => Err(crate::deployments::session_unknown()),
    }
}

/// The bearer of a request.
pub(super) fn bearer(authorization: Option<&str>) -> Option<SecretString> {
    let (scheme, bearer) = authorization?.trim().split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| SecretString::from(bearer.trim()))
}
