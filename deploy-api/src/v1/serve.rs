//! One request to `/v1`: its route, its parameters and body, and the response.

use std::borrow::Cow;

use super::Answer;
use super::calls::{Api, Call};
use super::read::{body_unread, check_parameters};
use super::reply::{self, Reply};
use super::route::{Route, Taken};
use crate::code::Code;
use crate::http::{Request, check_origin, is_method_override, read_body};
use crate::identity::oidc::KeySource;
use crate::ledger::{Ask, LedgerClient};
use crate::problem::Problem;
use crate::router::{Captures, Found, NoRoute};
use crate::services::Services;
use crate::upload::Source;

impl<L: LedgerClient, O: Services, K: KeySource> Api<'_, L, O, K> {
    /// Serves one request to `/v1`. An error becomes a response as well.
    pub async fn serve<B: Source>(&self, request: Request<'_, B>) -> Reply {
        let request_id = &self.gateway.client.request_id;
        let is_head = request.method == "HEAD";
        let query = request.query;
        let path = request.path;
        let found = Route::find(request.method, path);
        let mut reply = match found {
            Ok(Found {
                value: route,
                captures,
            }) => match self.answer(route, &captures, request).await {
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
            reply.log_stream = None;
        }
        reply
    }

    async fn answer<B: Source>(
        &self,
        route: &Route,
        captures: &Captures,
        request: Request<'_, B>,
    ) -> Result<Answer, Problem> {
        check_origin(&request)?;
        if let Some((name, _)) = request.headers.iter().find(|(name, _)| is_method_override(name)) {
            return Err(Problem::new(
                Code::MethodOverrideRefused,
                format!("The header {name} overrides the method of the request."),
                "Send the request with the intended method and without the header.",
            ));
        }
        let authorization = request.header("authorization");
        let needs_none = route.is_open && !(route.may_authenticate && authorization.is_some());
        let credential = if needs_none {
            None
        } else {
            Some(self.gateway.credential(authorization)?)
        };
        let query = request.query;
        let if_match = request.header("if-match");
        let announced = request.content_length();
        let read = self.read(route, query, announced, request.body).await;
        let (parameters, body) = match (read, &credential) {
            (Ok(read), _) => read,
            (Err(problem), None) => return Err(problem),
            (Err(problem), Some(credential)) => {
                // The error in a request is returned only to an authenticated caller.
                self.gateway.authorize(credential, Ask::Identity).await?;
                return Err(problem);
            }
        };
        let parameters: Vec<_> = parameters
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_ref()))
            .collect();
        let call = Call {
            captures,
            parameters: &parameters,
            if_match,
            body: &body,
        };
        match &credential {
            None => self.answer_anyone(route.operation, &call).await,
            Some(credential) => self.answer_caller(route.operation, credential, &call).await,
        }
    }

    /// Reads the parameters and the body.
    async fn read<'q, B: Source>(
        &self,
        route: &Route,
        query: &'q str,
        announced: Option<u64>,
        body: B,
    ) -> Result<(Vec<(Cow<'q, str>, Cow<'q, str>)>, Vec<u8>), Problem> {
        let decoded: Vec<(Cow<'_, str>, Cow<'_, str>)> = form_urlencoded::parse(query.as_bytes()).collect();
        let parameters: Vec<_> = decoded
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_ref()))
            .collect();
        check_parameters(route, &parameters)?;
        let body = match route.takes {
            Some(Taken { longest, .. }) => read_body(body, announced, longest)
                .await
                .map_err(|failure| body_unread(failure, longest))?,
            None => Vec::new(),
        };
        Ok((decoded, body))
    }
}

fn path_unknown() -> Problem {
    Problem::new(
        Code::PathUnknown,
        "The path does not exist.",
        "GET /v1/openapi.json lists every call.",
    )
}

fn method_not_allowed(allowed: &str) -> Problem {
    Problem::new(
        Code::MethodNotAllowed,
        "The path does not support this method.",
        format!("Use one of {allowed}."),
    )
}
