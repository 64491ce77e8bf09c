use super::fetch::{Channel, Content, Failure, Outgoing, send};
use super::services::Services;
use crate::dispatcher::{Dispatcher, DispatcherAnswer, DispatcherFailure};

/// How long a Worker may take to answer a health check, in milliseconds.
const TIMEOUT: u32 = 10_000;

impl Dispatcher for Services {
    async fn request(&self, host: &str, path: &str) -> Result<DispatcherAnswer, DispatcherFailure> {
        let dispatcher = self.dispatcher.as_ref().ok_or(DispatcherFailure::Connection)?;
        let outgoing = Outgoing {
            method: "GET",
            url: &format!("https://{host}{path}"),
            headers: &[("user-agent", "dotdo-deploy-api")],
            body: Content::Empty,
            timeout: TIMEOUT,
        };
        let answer =
            send(Channel::Service(dispatcher), outgoing)
                .await
                .map_err(|unanswered| match unanswered.failure {
                    Failure::Timeout => DispatcherFailure::Timeout,
                    _ => DispatcherFailure::Connection,
                })?;
        let head = DispatcherAnswer {
            status: answer.status(),
            error: answer.header("x-dispatch-error"),
        };
        answer.discard();
        Ok(head)
    }
}
