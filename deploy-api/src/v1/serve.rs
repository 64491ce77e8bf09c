use std::borrow::Cow;

use super::answer::Answer;
use super::calls::Call;
use super::captures::Captures;
use super::read::{body_unread, check_parameters, header};
use super::reply::{self, Reply};
use super::route::{NoRoute, Route, Taken};
use crate::audit::CheckpointKey;
use crate::code::Code;
use crate::engine::{Engine, Outside};
use crate::gateway::{Body, Request, is_method_override};
use crate::identity::oidc::{KeySource, Keyring};
use crate::problem::Problem;
use crate::sql::Sql;

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
