//! The types of the requests and the responses of `/v1`, for clients in Rust.
//!
//! Types with a lifetime are borrowed where the API writes them; a client reads them with `'static`.

pub use super::deletion::Previewed as DeletionPreview;
pub use super::dispatcher::{DispatchWorker, NamespaceBinding};
pub use super::everywhere::{Everywhere, InEnvironment};
pub use super::health::Health;
pub use super::import::ImportRequest;
pub use super::namespaces::Listed as Namespaces;
pub use super::preview::PreviewRequest;
pub use super::promote::{Previewed as PromotionPreview, PromoteRequest};
pub use super::rollback::{Previewed as RollbackPreview, RollbackRequest};
pub use super::secrets::{Listed as Secrets, PutRequest as SecretRequest, SecretName};
pub use super::tags::{Tags, TagsRequest};
pub use super::verify::Verification as WorkerVerification;
pub use super::workers::{Listed as ListedWorker, Shown as Worker};
pub use crate::account::{
    AccountBinding, AccountHost, AccountHosts, AccountQueues, AccountWorker, HostKind,
    ListedWorker as ListedAccountWorker, ObjectNamespace, QueueConsumer, Unreadable,
};
pub use crate::deployments::{
    DeploymentHealth, DeploymentId, HeaderProof, HealthCheckRequest, HealthResult, ImportedFrom,
    LastDeployment, Preview, Proof, ShownDrift, State as DeploymentState,
};
pub use crate::deploys::{
    BindingChange, BindingChangeKind, BindingValueOf, Choice, ModuleChanges, PromotionDifference,
};
pub use crate::identity::{Identity, Subject, TokenKind};
pub use crate::ledger::calls::audit::{AuditPage, Verification as AuditVerification};
pub use crate::ledger::calls::audit_segments::ShownSegment as AuditSegment;
pub use crate::ledger::calls::explain::{ExplainRequest, Explained, ExplainedIdentity, ExplanationLines};
pub use crate::ledger::calls::health_check::Shown as HealthCheckState;
pub use crate::ledger::calls::locks::{LockRequest, Shown as LockState};
pub use crate::ledger::calls::page::Page;
pub use crate::ledger::calls::policy::{ChangeSentence, ChangeSentences, Put as PolicyChange};
pub use crate::ledger::calls::shown_deployment::{Deployed, Shown as Deployment};
pub use crate::ledger::calls::status::{
    NamespaceStatus, OpenIntent, Status, UnhealthyWorker, WorkerDrift, WorkerPreview,
};
pub use crate::ledger::calls::tokens::{CreateRequest as TokenRequest, Created as ApiToken};
pub use crate::ledger::calls::whoami::{AppliedRule, TokenLimits, WhoAmI};
pub use crate::policy::{Action, Grant, GrantDocument};
pub use crate::problem::Document as ProblemDocument;
pub use crate::store::leases::LeaseState;
pub use crate::store::locks::Lock;
pub use crate::store::policies::PolicyVersion;
pub use crate::store::tokens::TokenRecord;
