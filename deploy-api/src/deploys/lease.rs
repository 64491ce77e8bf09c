use std::cell::Cell;

use jiff::{SignedDuration, Timestamp};

use super::Gateway;
use crate::code::Code;
use crate::deployments::SentChange;
use crate::identity::ShownCredential;
use crate::ledger::{Begun, Change, End, Finish, Finished, GrantedLease, LedgerClient, Renew};
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;

/// A lease that was renewed this recently is not renewed again: the reconciler waits for half the upstream's timeout after
/// the upload must have ended, which is longer.
const FRESH: SignedDuration = SignedDuration::from_millis(200);

/// The lease on a Worker that this attempt holds. If the attempt ends without [`finish`](Self::finish), because the client
/// disconnected or the process died, the lease stays open for the reconciler.
pub(crate) struct Lease<'g, 'a, L: LedgerClient, O: Services> {
    pub gateway: &'g Gateway<'a, L, O>,
    pub target: &'g Target,
    pub granted: GrantedLease,
    renewed: Cell<Timestamp>,
}

impl<'g, 'a, L: LedgerClient, O: Services> Lease<'g, 'a, L, O> {
    /// A lease that was just granted.
    pub fn granted(gateway: &'g Gateway<'a, L, O>, target: &'g Target, granted: GrantedLease) -> Self {
        Self {
            gateway,
            target,
            granted,
            renewed: Cell::new(gateway.now()),
        }
    }

    /// Begins a change other than a client's upload.
    ///
    /// # Errors
    /// Why it did not begin, which is recorded.
    pub async fn begin(
        gateway: &'g Gateway<'a, L, O>,
        credential: &ShownCredential,
        target: &'g Target,
        change: Change,
    ) -> Result<Self, Problem> {
        let begin = gateway.begin(credential, target, change);
        match gateway.send(&begin).await? {
            Begun::Lease(granted) => Ok(Self::granted(gateway, target, *granted)),
            Begun::Replayed(_) | Begun::Check(_) | Begun::Outdated => Err(Problem::new(
                Code::Internal,
                "The ledger answered as if this were an upload.",
                "",
            )),
        }
    }

    /// Renews the lease. Call it before each upload to the upstream.
    ///
    /// # Errors
    /// `DEPLOYMENT_UNSETTLED` if the lease has ended; nothing may be sent to the upstream then.
    pub async fn renew(&self) -> Result<(), Problem> {
        let now = self.gateway.now();
        if now.duration_since(self.renewed.get()) < FRESH {
            return Ok(());
        }
        self.renew_with(None).await
    }

    /// Renews the lease, and stores the change that is sent next.
    ///
    /// # Errors
    /// The errors of [`renew`](Self::renew).
    pub async fn renew_with(&self, sent: Option<SentChange>) -> Result<(), Problem> {
        let now = self.gateway.now();
        let renew = Renew {
            attempt: self.granted.attempt.clone(),
            sent,
        };
        self.gateway.send(&renew).await?;
        self.renewed.set(now);
        Ok(())
    }

    /// Records how the change ended, and releases the lease.
    ///
    /// # Errors
    /// `RECORD_UNAVAILABLE` if it is not recorded; the lease then stays open for the reconciler.
    pub async fn finish(&self, end: End) -> Result<Finished, Problem> {
        self.gateway
            .send(&Finish {
                attempt: self.granted.attempt.clone(),
                client: self.gateway.client.clone(),
                end,
            })
            .await
    }

    /// Records that the change failed before the upstream was called, and returns the error for the caller.
    pub async fn fail(&self, problem: Problem) -> Problem {
        let end = End::Failed {
            upstream: None,
            problem: Box::new(problem.clone()),
        };
        match self.finish(end).await {
            Ok(_) => problem,
            // The lease ended meanwhile, and the reconciler has recorded that the change failed.
            Err(lost) if lost.code == Code::DeploymentUnsettled => problem,
            Err(unrecorded) => unrecorded,
        }
    }
}
