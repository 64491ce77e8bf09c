//! The second half of an exchange: a run whose OIDC token the gateway has verified gets a deploy token.

use serde::{Deserialize, Serialize};

use super::calls::{Answer, exchange};
use super::{Ledger, Message};
use crate::attempt::AttemptId;
use crate::audit::{Action, Client};
use crate::identity::oidc::ProvenJob;
use crate::identity::{OidcRejection, TOKEN_ENTROPY};
use crate::problem::Problem;
use crate::runtime::Runtime;
use crate::sql::Sql;

/// Issues a deploy token for a verified run. A repeated message of the same attempt gets the same token.
#[derive(Clone, Serialize, Deserialize)]
pub struct IssueDeployToken {
    /// The attempt.
    pub attempt: AttemptId,
    /// Where the request came from.
    pub client: Client,
    /// The job, whose OIDC token the gateway has verified.
    pub proven: ProvenJob,
    /// Random bytes for the token.
    pub entropy: [u8; TOKEN_ENTROPY],
}

impl Message for IssueDeployToken {
    const NAME: &'static str = "issue-deploy-token";
    type Answer = Answer;
}

/// Records that an OIDC token was not accepted, and counts it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RejectOidcToken {
    /// Where the request came from.
    pub client: Client,
    /// Why.
    pub rejection: OidcRejection,
    /// The digest of the token, by which repeated tokens are recognized.
    pub token_id: String,
}

impl Message for RejectOidcToken {
    const NAME: &'static str = "reject-oidc-token";
    /// The error for the client.
    type Answer = Problem;
}

impl<S: Sql, R: Runtime> Ledger<S, R> {
    pub(super) fn issue_deploy_token(&self, message: &IssueDeployToken) -> Result<Answer, Problem> {
        let access = self.access(&message.client);
        self.sql
            .transaction(|| exchange::issue(&access, &message.proven, message.entropy))?
    }

    pub(super) fn reject_oidc_token(&self, message: &RejectOidcToken) -> Result<Problem, Problem> {
        let access = self.access(&message.client);
        access.reject(message.rejection.into(), Action::TokenExchange, &message.token_id)
    }
}
