use jiff::Timestamp;

use crate::access::authentication_failed;
use crate::assets::SessionKey;
use crate::attempt::AttemptId;
use crate::audit::{Action, Client};
use crate::bundles::{MAX_BUFFERED, ObjectStore};
use crate::cursor::CursorKey;
use crate::deployments::{DeploymentId, WorkerUrls};
use crate::identity::{BootstrapSecret, InvalidCredential, Rejection, ShownCredential};
use crate::ledger::{
    Ask, Authority, Authorize, Authorized, Begin, Change, LedgerClient, Message, Refuse, send,
};
use crate::policy::Request;
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;
use crate::upload::{Admission, FingerprintKey, Permit, StreamedUpload};

/// What the gateway has for one request: the ledger, the services, and where the request came from.
pub struct Gateway<'a, L: LedgerClient, O: Services> {
    /// The ledger.
    pub ledger: &'a L,
    /// The upstream, the bundle store, the dispatch Worker, the clock.
    pub services: &'a O,
    /// Where the request came from.
    pub client: &'a Client,
    /// The attempt, which every message of the request names.
    pub attempt: AttemptId,
    /// The bootstrap administrator's secret, if it is configured.
    pub bootstrap: Option<&'a BootstrapSecret>,
    /// The key of the fingerprints of uploads.
    pub fingerprint_key: &'a FingerprintKey,
    /// The key of the tokens of asset sessions.
    pub session_key: &'a SessionKey,
    /// The addresses of Workers.
    pub worker_urls: &'a WorkerUrls,
    /// Whether the logs Worker gets the logs of the Workers that are deployed.
    pub stores_logs: bool,
    /// The key that seals the cursors of lists.
    pub cursor_key: &'a CursorKey,
    /// The memory for bodies of this instance.
    pub admission: &'a Admission,
    /// The deployment that this instance is; `None` if the deploy API was not deployed through itself.
    pub own_deployment: Option<&'a DeploymentId>,
}

/// The memory of one upload that is streamed, in bytes: a part of 5 MiB, its copy on the way to the store, and chunks.
const STREAMED: u64 = 12 * 1024 * 1024;

/// How long an upload waits for memory, in seconds.
const ADMISSION_WAIT: u32 = 30;

impl<L: LedgerClient, O: Services> Gateway<'_, L, O> {
    /// Sends a message to the ledger.
    ///
    /// # Errors
    /// The ledger's problem, or `RECORD_UNAVAILABLE` if it does not answer.
    pub async fn send<M: Message>(&self, message: &M) -> Result<M::Answer, Problem> {
        send(self.ledger, message).await
    }

    /// Waits until there is memory for a body of this length.
    ///
    /// # Errors
    /// `GATEWAY_BUSY`.
    pub async fn admit(&self, content_length: Option<u64>) -> Result<Permit, Problem> {
        let bytes = content_length.map_or(STREAMED, |length| length.saturating_mul(3).min(STREAMED));
        self.admission.acquire(self.services, bytes, ADMISSION_WAIT).await
    }

    /// Waits until there is memory for a body that is held as a whole, with what is made of it.
    ///
    /// # Errors
    /// `GATEWAY_BUSY`.
    pub async fn admit_whole(&self, content_length: Option<u64>) -> Result<Permit, Problem> {
        let bytes = content_length.unwrap_or(STREAMED).saturating_mul(3);
        self.admission.acquire(self.services, bytes, ADMISSION_WAIT).await
    }

    /// Exchanges the permit of a body that was read for one of what stays in memory of it. A deploy may wait for its lease for long,
    /// and by now it needs only that.
    ///
    /// # Errors
    /// `GATEWAY_BUSY`; the upload is aborted.
    pub(crate) async fn admit_upload<'s, S: ObjectStore>(
        &self,
        read: Permit,
        upload: StreamedUpload<'s, S>,
    ) -> Result<(StreamedUpload<'s, S>, Permit), Problem> {
        drop(read);
        let size = upload.parts.iter().map(|part| part.size).sum::<u64>();
        let is_in_memory = usize::try_from(size).is_ok_and(|size| size <= MAX_BUFFERED);
        match self.admit_whole(Some(if is_in_memory { size } else { 0 })).await {
            Ok(permit) => Ok((upload, permit)),
            Err(problem) => {
                upload.abort().await;
                Err(problem)
            }
        }
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.services.now()
    }

    /// Reads the `Authorization` header.
    ///
    /// # Errors
    /// `AUTHENTICATION_FAILED` if it has no credential that could be valid. Such requests do not reach the ledger.
    pub fn credential(&self, header: Option<&str>) -> Result<ShownCredential, Problem> {
        ShownCredential::read(header, self.bootstrap).map_err(|rejection| {
            let problem = authentication_failed();
            match rejection {
                Rejection::Credential(InvalidCredential::Missing) => problem,
                other => problem.caused_by(&other),
            }
        })
    }

    /// Asks the ledger about a caller.
    ///
    /// # Errors
    /// `AUTHENTICATION_FAILED`, `LOCKED_OUT`, `PERMISSION_DENIED`, `RECORD_UNAVAILABLE`.
    pub async fn authorize(&self, credential: &ShownCredential, ask: Ask) -> Result<Authorized, Problem> {
        self.send(&self.question(credential, ask)).await
    }

    /// Asks whether a caller may do something to a Worker, and what is known of it.
    ///
    /// # Errors
    /// The errors of [`authorize`](Self::authorize).
    pub async fn authorize_for(
        &self,
        credential: &ShownCredential,
        requests: Vec<Request>,
        action: Action,
        target: &Target,
    ) -> Result<Authorized, Problem> {
        let mut question = self.question(credential, Ask::OneOf { requests, action });
        question.inspect = Some(target.clone());
        self.send(&question).await
    }

    /// The message that begins a change on behalf of a caller.
    pub(super) fn begin(&self, credential: &ShownCredential, target: &Target, change: Change) -> Begin {
        Begin {
            attempt: self.attempt.clone(),
            authority: Authority::Credential(credential.clone()),
            client: self.client.clone(),
            target: target.clone(),
            change,
        }
    }

    fn question(&self, credential: &ShownCredential, ask: Ask) -> Authorize {
        Authorize {
            attempt: self.attempt.clone(),
            credential: credential.clone(),
            client: self.client.clone(),
            ask,
            inspect: None,
        }
    }

    /// Records that a request was refused before it began, and returns the error for the caller.
    pub async fn refuse(
        &self,
        authorized: &Authorized,
        target: &Target,
        action: Action,
        problem: Problem,
        binding: Option<String>,
    ) -> Problem {
        let Some(allowed) = &authorized.allowed else {
            return problem;
        };
        let refuse = Refuse {
            attempt: self.attempt.clone(),
            caller: authorized.caller.clone(),
            allowed: allowed.clone(),
            client: self.client.clone(),
            target: target.clone(),
            action,
            problem: problem.clone(),
            binding,
        };
        match self.send(&refuse).await {
            Ok(()) => problem,
            Err(unrecorded) => unrecorded,
        }
    }
}
