use super::fetch::{Failure, Outgoing, send};
use super::surroundings::Surroundings;
use crate::probe::{Dispatcher, DispatcherAnswer, DispatcherFailure};

/// How long a Worker may take to answer a probe, in milliseconds.
const TIMEOUT: u32 = 10_000;

impl Dispatcher for Surroundings {
    async fn request(&self, host: &str, path: &str) -> Result<DispatcherAnswer, DispatcherFailure> {
        let dispatcher = self.dispatcher.as_ref().ok_or(DispatcherFailure::Connection)?;
        let outgoing = Outgoing {
            method: "GET",
            url: &format!("https://{host}{path}"),
            headers: &[("user-agent", "dotdo-deploy-api")],
            body: &[],
            timeout: TIMEOUT,
        };
        let answer = send(dispatcher, &outgoing)
            .await
            .map_err(|failure| match failure {
                Failure::Timeout => DispatcherFailure::Timeout,
                _ => DispatcherFailure::Connection,
            })?;
        let head = DispatcherAnswer {
            status: answer.status(),
            error: answer.header("x-dispatch-error"),
        };
        answer.drop_body();
        Ok(head)
    }
}
