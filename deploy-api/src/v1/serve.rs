use std::borrow::Cow;

use super::answer::{Answer, Content};
use super::operation::Operation;
use super::page::parameter_invalid;
use super::reply::{self, Reply};
use super::route::{Captures, NoRoute, Route, Taken};
use super::{
    audit, deployments, exchange, explain, locks, namespace, namespaces, policy, probe, promote, rollback,
    secrets, tags, target, tokens, verify, workers,
};
use crate::audit::CheckpointKey;
use crate::code::Code;
use crate::engine::{Engine, Outside, Runtime};
use crate::gateway::{Body, BodyFailure, Request, is_method_override};
use crate::identity::oidc::{KeySource, Keyring};
use crate::identity::{Caller, TOKEN_ENTROPY};
use crate::problem::Problem;
use crate::sql::Sql;
use crate::store::audit_log;

/// The OpenAPI document, which `GET /v1/openapi.json` publishes.
pub const OPENAPI: &str = include_str!("../../openapi/openapi.json");

/// What the calls of `/v1` need.
pub struct Api<'a, S: Sql, O: Outside, K: KeySource> {
    /// Who may do what, and what is done with Workers.
    pub engine: &'a Engine<'a, S, O>,
    /// The keys of OIDC issuers. One of these lives as long as the process.
    pub keyring: &'a Keyring,
    /// How those keys are read.
    pub key_source: &'a K,
    /// What signs checkpoints of the audit log, if a key is configured.
    pub checkpoint_key: Option<&'a CheckpointKey>,
}

/// One call, as far as it has been read.
struct Call<'a> {
    captures: &'a Captures<'a>,
    parameters: &'a [(&'a str, &'a str)],
    if_match: Option<&'a str>,
    body: &'a [u8],
}

impl<S: Sql, O: Outside, K: KeySource> Api<'_, S, O, K> {
    /// Serves one request to `/v1`, from its request line to its answer. Never fails: a problem is an answer too.
    pub async fn serve<B: Body>(&self, request: Request<'_, B>) -> Reply {
        let request_id = &self.engine.access.client.request_id;
        let is_head = request.method == "HEAD";
        let query = request.query;
        let path = request.path;
        let found = Route::find(request.method, path);
        let mut reply = match found {
            Ok((route, captures)) => match self.answer(route, &captures, request).await {
                Ok(answer) => reply::of_answer(answer, path, query),
                Err(problem) => reply::of_problem(problem, request_id),
            },
            Err(NoRoute::Path) => reply::of_problem(path_unknown(), request_id),
            Err(NoRoute::Method { allowed }) => {
                let allowed = allowed.join(", ");
                reply::of_problem(method_not_allowed(&allowed), request_id).with("allow", allowed)
            }
        };
        if is_head {
            reply.body.clear();
        }
        reply
    }

    async fn answer<B: Body>(
        &self,
        route: &Route,
        captures: &Captures<'_>,
        request: Request<'_, B>,
    ) -> Result<Answer, Problem> {
        if let Some((name, _)) = request.headers.iter().find(|(name, _)| is_method_override(name)) {
            return Err(Problem::new(
                Code::MethodOverrideRefused,
                format!("The header {name} asks for another method than the request has."),
                "Send the request with the method that is meant.",
            ));
        }
        let access = &self.engine.access;
        let caller = if route.is_open {
            None
        } else {
            Some(access.authenticate(header(request.headers, "authorization"))?)
        };
        let decoded: Vec<(Cow<'_, str>, Cow<'_, str>)> =
            form_urlencoded::parse(request.query.as_bytes()).collect();
        let parameters: Vec<_> = decoded
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_ref()))
            .collect();
        check_parameters(route, &parameters)?;
        let if_match = header(request.headers, "if-match");
        let body = match route.takes {
            Some(Taken { longest, .. }) => request
                .body
                .read(longest)
                .await
                .map_err(|failure| body_unread(failure, longest))?,
            None => Vec::new(),
        };
        let call = Call {
            captures,
            parameters: &parameters,
            if_match,
            body: &body,
        };
        match caller {
            None => self.answer_anyone(route.operation, &call).await,
            Some(caller) => match self.answer_about_access(route.operation, &caller, &call) {
                Some(answer) => answer,
                None => self.answer_about_workers(route.operation, &caller, &call).await,
            },
        }
    }

    async fn answer_anyone(&self, operation: Operation, call: &Call<'_>) -> Result<Answer, Problem> {
        match operation {
            Operation::Health => self.health(),
            Operation::OpenApi => Ok(Answer::document(OPENAPI, "application/json")),
            Operation::PolicySchema => Ok(Answer::document(policy::SCHEMA, "application/schema+json")),
            Operation::TokenExchange => {
                exchange::exchange(
                    &self.engine.access,
                    self.keyring,
                    self.key_source,
                    call.body,
                    token_entropy(self.engine.outside),
                )
                .await
            }
            _ => Err(not_served()),
        }
    }

    /// The calls that need nothing but the database.
    fn answer_about_access(
        &self,
        operation: Operation,
        caller: &Caller,
        call: &Call<'_>,
    ) -> Option<Result<Answer, Problem>> {
        let access = &self.engine.access;
        Some(match operation {
            Operation::TokenCreate => {
                tokens::create(access, caller, call.body, token_entropy(self.engine.outside))
            }
            Operation::TokenList => tokens::list(access, caller, call.parameters),
            Operation::TokenRevokeSelf => tokens::revoke_self(access, caller),
            Operation::TokenRevoke => tokens::revoke(access, caller, call.captures.get("token")),
            Operation::PolicyGet => policy::get(access, caller, call.parameters),
            Operation::PolicyPut => read_text(call.body).and_then(|document| {
                let version = call.if_match.map(read_version).transpose()?;
                policy::put(access, caller, document, call.parameters, version)
            }),
            Operation::PolicyVersions => policy::versions(access, caller, call.parameters),
            Operation::PolicyExplain => explain::explain(access, caller, call.body),
            Operation::AuditList => audit::list(access, caller, call.parameters),
            Operation::AuditVerify => audit::verify(access, caller),
            Operation::AuditCheckpoint => audit::checkpoint(access, caller, self.checkpoint_key),
            Operation::AuditBreakGlass => audit::break_glass(access, caller, call.body),
            _ => return None,
        })
    }

    async fn answer_about_workers(
        &self,
        operation: Operation,
        caller: &Caller,
        call: &Call<'_>,
    ) -> Result<Answer, Problem> {
        let engine = self.engine;
        let captures = call.captures;
        if operation == Operation::NamespaceList {
            return namespaces::list(engine, caller).await;
        }
        let environment = namespace(captures.get("namespace"))?;
        match operation {
            Operation::NamespaceGet => return namespaces::get(engine, caller, environment).await,
            Operation::NamespaceLockGet => return locks::get_namespace(engine, caller, environment),
            Operation::NamespaceLock => {
                return locks::lock_namespace(engine, caller, environment, call.body);
            }
            Operation::NamespaceUnlock => return locks::unlock_namespace(engine, caller, environment),
            Operation::WorkerList => {
                return workers::list(engine, caller, environment, call.parameters).await;
            }
            _ => {}
        }
        let target = target(captures.get("namespace"), captures.get("worker"))?;
        match operation {
            Operation::WorkerGet => workers::get(engine, caller, &target).await,
            Operation::WorkerDelete => workers::delete(engine, caller, &target).await,
            Operation::SecretList => secrets::list(engine, caller, &target).await,
            Operation::SecretPut => {
                secrets::put(engine, caller, &target, captures.get("secret"), call.body).await
            }
            Operation::SecretDelete => secrets::delete(engine, caller, &target, captures.get("secret")).await,
            Operation::TagList => tags::list(engine, caller, &target).await,
            Operation::TagPut => tags::put(engine, caller, &target, call.body).await,
            Operation::DeploymentList => deployments::list(engine, caller, &target, call.parameters),
            Operation::DeploymentGet => deployments::get(engine, caller, &target, captures.get("deployment")),
            Operation::Rollback => rollback::rollback(engine, caller, &target, call.body).await,
            Operation::Promote => promote::promote(engine, caller, &target, call.body).await,
            Operation::Verify => verify::verify(engine, caller, &target, call.parameters).await,
            Operation::LockGet => locks::get_worker(engine, caller, &target),
            Operation::Lock => locks::lock_worker(engine, caller, &target, call.body),
            Operation::Unlock => locks::unlock_worker(engine, caller, &target),
            Operation::ProbeGet => probe::get(engine, caller, &target),
            Operation::ProbePut => probe::put(engine, caller, &target, call.body).await,
            Operation::ProbeDelete => probe::delete(engine, caller, &target).await,
            _ => Err(not_served()),
        }
    }

    /// Well is an API whose database answers; whether the upstream does is not asked, so that anyone may call this
    /// often.
    fn health(&self) -> Result<Answer, Problem> {
        audit_log::head(self.engine.access.sql)?;
        Answer::json(
            200,
            &serde_json::json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }),
        )
    }
}

/// A header's value, whatever the case of its name.
fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

fn check_parameters(route: &Route, parameters: &[(&str, &str)]) -> Result<(), Problem> {
    let Some((name, _)) = parameters
        .iter()
        .find(|(name, _)| !route.parameters.contains(name))
    else {
        return Ok(());
    };
    let shown: String = name.chars().take(100).collect();
    let fix = match route.parameters {
        [] => "This call has no parameters.".to_owned(),
        known => format!("The parameters are {}.", known.join(", ")),
    };
    Err(parameter_invalid(
        format!("There is no parameter {shown:?}."),
        fix,
    ))
}

fn body_unread(failure: BodyFailure, limit: usize) -> Problem {
    match failure {
        BodyFailure::TooLarge => Problem::new(
            Code::BodyTooLarge,
            format!("The body has more than {limit} bytes, which is all that this call reads."),
            "",
        ),
        BodyFailure::Interrupted => Problem::new(
            Code::BodyInvalid,
            "The body ended before its end.",
            "Send the request again.",
        ),
    }
}

fn read_text(body: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(body).map_err(|error| {
        Problem::new(
            Code::BodyInvalid,
            format!("The body is not UTF-8 from byte {} on.", error.valid_up_to()),
            "Send the policy as JSON in UTF-8.",
        )
    })
}

/// The version in `If-Match: "3"`.
fn read_version(header: &str) -> Result<u64, Problem> {
    header
        .trim()
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .and_then(|version| version.parse().ok())
        .ok_or_else(|| {
            parameter_invalid(
                "The header If-Match is not the ETag of a version of the policy.",
                "Send what GET /v1/policy answered in ETag, quotes included, such as \"3\"; \"0\" for the first policy.",
            )
        })
}

fn token_entropy(runtime: &impl Runtime) -> [u8; TOKEN_ENTROPY] {
    let mut bytes = [0; TOKEN_ENTROPY];
    let fresh = runtime.entropy().into_iter().chain(runtime.entropy());
    for (byte, random) in bytes.iter_mut().zip(fresh) {
        *byte = random;
    }
    bytes
}

fn path_unknown() -> Problem {
    Problem::new(
        Code::PathUnknown,
        "There is nothing at this path.",
        "GET /v1/openapi.json lists every call.",
    )
}

fn method_not_allowed(allowed: &str) -> Problem {
    Problem::new(
        Code::MethodNotAllowed,
        "This path is not served with this method.",
        format!("Use one of {allowed}."),
    )
}

/// A route that no arm serves, which a test looks for.
fn not_served() -> Problem {
    Problem::new(Code::Internal, "This call is on the list and is not served.", "")
}

/// The content of an answer, and its media type.
pub(super) fn content(content: Content) -> (String, &'static str, Option<String>) {
    match content {
        Content::Json(text) => (text, "application/json", None),
        Content::JsonLines { text, cursor } => (text, "application/x-ndjson", cursor),
        Content::Document { text, media_type } => (text.to_owned(), media_type, None),
    }
}
