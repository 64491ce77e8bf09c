//! The ledger: tokens, policy, leases, deployments and the audit log, in one database. It is one Durable Object, so that
//! everything has one order.
//!
//! It answers the messages of the gateway, which are small. Only [`Begin`] may wait, for the lease on a Worker; everything
//! else is answered without waiting. It never receives a body, and never calls the upstream or the bundle store.
//!
//! # States of a change
//!
//! ```text
//!            begin                        finish: succeeded, failed
//! (nothing) ───────▶ lease held ─────────────────────────────────────▶ (outcome recorded)
//!                      │    ▲                                               ▲
//!   finish: unknown,   ▼    │ begin of the same upload                      │ reconciler
//!   or not renewed   lease unknown ─────────────────────────────────────────┘
//! ```
//!
//! A deployment that succeeded and has a health check is followed by a *pending health check*, which ends with its result.
//!
//! # Invariants
//!
//! - A lease is a row in the database. It is written in one transaction with its intent and deleted in one transaction with the
//!   intent's outcome. So it survives a restart, and each intent gets exactly one outcome.
//! - A Worker has at most one exclusive lease or pending health check. The next change begins when there is none; changes begin
//!   in the order of their requests.
//! - An attempt is authorized in the turn in which its intent is written, against the tokens, the policy and the locks
//!   of that moment.
//! - A deployment is recorded as current only after the upstream confirmed its upload.
//! - A message that is repeated for the same attempt gets the same answer and changes nothing.

mod actor;
mod archive;
mod archive_step;
mod authorize;
mod begin;
mod call;
pub mod calls;
mod change;
mod earlier_assets;
mod environment_suffix;
mod exchange;
mod find_segment;
mod finish;
mod health;
mod health_check;
mod intent;
mod lease;
mod message;
mod observe;
mod overview;
mod platform_workers;
mod queue;
mod reconcile;
mod redeploy;
mod source;
mod upstream_calls;
mod verification;

use std::cell::Cell;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

pub use archive::{ArchiveState, ConfirmSegment, DueSegment, ReadSegment, confirm_segment, read_segment};
pub use archive_step::archive_step;
pub use authorize::{Ask, Authorize, Authorized, ResolveWorker, Resolved};
pub use call::Call;
pub use change::{Authority, BasedOn, Begin, Change, NewUpload, Refuse};
pub use earlier_assets::{EarlierAsset, EarlierAssets};
pub use exchange::{IssueDeployToken, RejectOidcToken};
pub use find_segment::FindSegment;
pub use health::{CheckHealth, LedgerHealth};
pub use health_check::{
    DueHealthCheck, ExpectedAnswer, FinishHealthCheck, HealthCheckFinished, HealthCheckResult,
};
pub use lease::{BeforeUpload, Begun, End, Finish, Finished, GrantedLease, RedeployPlan, Renew, ScriptState};
pub use message::{LedgerClient, LedgerFailure, Message, send};
pub use observe::Observe;
pub use overview::{Overview, WorkerOverview};
pub use queue::{LeaseQueue, Ticket};
pub use reconcile::{Due, IsDeployedSomewhere, Unreferenced, Work};
pub use redeploy::{PlanRedeploy, SetMetadata};
pub use upstream_calls::{ReserveCalls, ReservedCalls};
pub use verification::RecordVerification;

use crate::access::Access;
use crate::audit::{CheckpointKey, Client};
use crate::code::Code;
use crate::cursor::CursorKey;
use crate::deployments::WorkerUrls;
use crate::problem::Problem;
use crate::runtime::Runtime;
use crate::sql::Sql;
use crate::store::audit_archive::ArchiveRules;
use crate::store::policies::PolicyCache;

/// The maximum time that [`Begin`] waits for a lease.
pub const LEASE_WAIT: SignedDuration = SignedDuration::from_secs(60);

/// The ledger of one process of the Durable Object. Its memory can be lost at any time; the database is durable.
pub struct Ledger<S: Sql, R: Runtime> {
    sql: S,
    runtime: R,
    policies: PolicyCache,
    queue: LeaseQueue,
    settings: Settings,
    /// When a health check wrote to the database for the last time.
    written: Cell<Option<Timestamp>>,
}

/// The configuration of the ledger.
#[derive(Debug)]
pub struct Settings {
    /// The timeout of the upstream. The reconciler waits 1.5 times as long.
    pub upstream_timeout: SignedDuration,
    /// The key that signs checkpoints of the audit log, if it is configured.
    pub checkpoint_key: Option<CheckpointKey>,
    /// The number of calls that Cloudflare allows the account's token within five minutes.
    pub upstream_calls: u32,
    /// The addresses of Workers.
    pub worker_urls: WorkerUrls,
    /// The time from the last deploy of a preview until it expires.
    pub preview_lifetime: SignedDuration,
    /// The key that seals the cursors of lists.
    pub cursor_key: CursorKey,
    /// Which entries of the audit log are archived.
    pub archive: ArchiveRules,
}

impl<S: Sql, R: Runtime> Ledger<S, R> {
    /// A ledger over a database that has all tables.
    #[must_use]
    pub fn new(sql: S, runtime: R, settings: Settings) -> Self {
        Self {
            sql,
            runtime,
            policies: PolicyCache::default(),
            queue: LeaseQueue::default(),
            settings,
            written: Cell::new(None),
        }
    }

    /// Answers a message by its name: JSON in and JSON out.
    pub async fn answer(&self, name: &str, message: &str) -> String {
        match name {
            Begin::NAME => match read::<Begin>(message) {
                Ok(begin) => write(&self.begin(&begin).await),
                Err(problem) => write::<Begun>(&Err(problem)),
            },
            Authorize::NAME => handle(message, |message| self.authorize(&message)),
            ResolveWorker::NAME => handle(message, |message| self.resolve_worker(&message)),
            CheckHealth::NAME => handle(message, |message| self.check_health(&message)),
            Call::NAME => handle(message, |message| self.call(&message)),
            IssueDeployToken::NAME => handle(message, |message| self.issue_deploy_token(&message)),
            RejectOidcToken::NAME => handle(message, |message| self.reject_oidc_token(&message)),
            Renew::NAME => handle(message, |message| self.renew(&message)),
            PlanRedeploy::NAME => handle(message, |message| self.plan_redeploy(&message)),
            SetMetadata::NAME => handle(message, |message| self.set_metadata(&message)),
            Finish::NAME => handle(message, |message| self.finish(&message)),
            Refuse::NAME => handle(message, |message| self.refuse(&message)),
            FinishHealthCheck::NAME => handle(message, |message| self.finish_health_check(&message)),
            ReserveCalls::NAME => handle(message, |message| self.reserve_calls(&message)),
            RecordVerification::NAME => handle(message, |message| self.record_verification(&message)),
            EarlierAssets::NAME => handle(message, |message| self.earlier_assets(&message)),
            Observe::NAME => handle(message, |message| self.observe(&message)),
            Overview::NAME => handle(message, |message| self.overview(&message)),
            FindSegment::NAME => handle(message, |message| self.find_segment(&message)),
            ReadSegment::NAME => handle(message, |_: ReadSegment| self.read_segment()),
            ConfirmSegment::NAME => handle(message, |message| self.confirm_segment(&message)),
            Due::NAME => handle(message, |message| self.due(&message)),
            IsDeployedSomewhere::NAME => handle(message, |message| self.is_deployed_somewhere(&message)),
            Unreferenced::NAME => handle(message, |message| self.unreferenced(&message)),
            _ => write::<()>(&Err(Problem::new(
                Code::Internal,
                "The ledger has no such message.",
                "",
            ))),
        }
    }

    fn access<'a>(&'a self, client: &'a Client) -> Access<'a, S> {
        Access {
            sql: &self.sql,
            policies: &self.policies,
            cursors: &self.settings.cursor_key,
            client,
            now: self.runtime.now(),
        }
    }

    /// The time without a renewal after which the reconciler takes a lease: 1.5 times the upstream's timeout.
    fn lease_time(&self) -> SignedDuration {
        SignedDuration::from_millis(
            i64::try_from(self.settings.upstream_timeout.as_millis() * 3 / 2).unwrap_or(i64::MAX),
        )
    }

    /// When a preview expires that is deployed now.
    fn preview_expires(&self, now: Timestamp) -> Timestamp {
        now.saturating_add(self.settings.preview_lifetime)
            .unwrap_or(Timestamp::MAX)
    }

    fn lease_ends(&self, renewed: Timestamp) -> Timestamp {
        renewed.saturating_add(self.lease_time()).unwrap_or(renewed)
    }
}

fn handle<M: Message>(message: &str, handle: impl FnOnce(M) -> Result<M::Answer, Problem>) -> String {
    write(&read::<M>(message).and_then(handle))
}

fn read<M: Message>(message: &str) -> Result<M, Problem> {
    serde_json::from_str(message).map_err(|error| {
        Problem::new(Code::Internal, "A message to the ledger could not be read.", "").caused_by(&error)
    })
}

fn write<T: Serialize>(answer: &Result<T, Problem>) -> String {
    serde_json::to_string(answer).unwrap_or_else(|_| {
        // A problem is made of texts and numbers, which can always be written.
        serde_json::to_string(&Err::<(), _>(Problem::new(
            Code::Internal,
            "An answer of the ledger could not be written.",
            "",
        )))
        .unwrap_or_default()
    })
}
