//! The logs Worker: the service binding `LOGS`.

use web_sys::{Request, Response};

use super::fetch::{Channel, Content, Outgoing, send};
use super::services::Services;
use crate::logs::{LogPage, LogQuery, Logs, LogsFailure};

/// The address of requests to the logs Worker. A service binding does not read the host.
const ORIGIN: &str = "https://logs";

/// How long the logs Worker may take for a page, in milliseconds.
const TIMEOUT: u32 = 10_000;

/// The longest page: 1,000 events of about 20 kB.
const MAX_PAGE: usize = 24_000_000;

impl Logs for Services {
    async fn log_page(&self, query: &LogQuery) -> Result<LogPage, LogsFailure> {
        let logs = self.logs.as_ref().ok_or_else(missing)?;
        let outgoing = Outgoing {
            method: "GET",
            url: &format!("{ORIGIN}{}", query.to_path(false)),
            headers: &[],
            body: Content::Empty,
            timeout: TIMEOUT,
        };
        let answer = send(Channel::Service(logs), outgoing)
            .await
            .map_err(|unanswered| LogsFailure::NoResponse(unanswered.to_string()))?;
        if answer.status() != 200 {
            return Err(LogsFailure::Status(answer.status()));
        }
        let bytes = answer
            .read(MAX_PAGE)
            .await
            .map_err(|failure| LogsFailure::NoResponse(failure.to_string()))?;
        serde_json::from_slice(&bytes).map_err(|error| LogsFailure::Unreadable(error.to_string()))
    }
}

impl Services {
    /// A stream of the log of a Worker: a response with server-sent events that does not pass through the Wasm. It has no time limit,
    /// because the logs Worker ends it.
    ///
    /// # Errors
    /// If the logs Worker does not return one.
    pub async fn log_stream(&self, query: &LogQuery) -> Result<Response, LogsFailure> {
        let logs = self.logs.as_ref().ok_or_else(missing)?;
        let no_response = |error: worker::Error| LogsFailure::NoResponse(error.to_string());
        let url = format!("{ORIGIN}{}", query.to_path(true));
        let request = Request::new_with_str(&url).map_err(|thrown| no_response(thrown.into()))?;
        let response: Response = logs.fetch_request(request).await.map_err(no_response)?.into();
        if response.status() != 200 {
            return Err(LogsFailure::Status(response.status()));
        }
        Ok(response)
    }
}

fn missing() -> LogsFailure {
    LogsFailure::NoResponse("the binding LOGS is missing".to_owned())
}
