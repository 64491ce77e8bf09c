use super::fetch::{Channel, Content, Failure, Outgoing, send};
use super::services::Services;
use crate::dispatcher::{Dispatcher, DispatcherAnswer, DispatcherFailure, MAX_BODY, Wanted};

/// How long a Worker may take to answer a health check, in milliseconds.
const TIMEOUT: u32 = 10_000;

impl Dispatcher for Services {
    async fn request(
        &self,
        host: &str,
        path: &str,
        wanted: Wanted<'_>,
    ) -> Result<DispatcherAnswer, DispatcherFailure> {
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
        let status = answer.status();
        let error = answer.header("x-dispatch-error");
        let content = match wanted {
            Wanted::Body => {
                let bytes = answer.read_beginning(MAX_BODY).await;
                Some(String::from_utf8_lossy(&bytes).into_owned())
            }
            Wanted::Header(name) => {
                let value = answer.header(name);
                answer.discard();
                value
            }
            Wanted::Nothing => {
                answer.discard();
                None
            }
        };
        Ok(DispatcherAnswer {
            status,
            error,
            content,
        })
    }
}
