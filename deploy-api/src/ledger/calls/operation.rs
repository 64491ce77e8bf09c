use serde::{Deserialize, Serialize};

macro_rules! operations {
    ($(#[doc = $doc:literal] $variant:ident = $id:literal;)+) => {
        /// An operation of `/v1`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Operation {
            $(#[doc = $doc] $variant,)+
        }

        impl Operation {
            /// The `operationId` of the OpenAPI document.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)+ }
            }

            /// The operation's description in the OpenAPI document, one sentence.
            #[must_use]
            pub fn summary(self) -> &'static str {
                match self { $(Self::$variant => $doc.trim_ascii(),)+ }
            }
        }
    };
}

operations! {
    /// Returns whether the API works. Needs no credential; an administrator also gets the sizes of the Wasm memories and of the database.
    Health = "health";
    /// This document. Needs no credential.
    OpenApi = "openapi";
    /// The JSON Schema of a policy. Needs no credential.
    PolicySchema = "policySchema";
    /// Returns the identity of the caller, the limits of the token, and the rules of the policy that apply.
    WhoAmI = "whoAmI";
    /// Exchanges the OIDC token of a CI job, once, for a deploy token of 15 minutes.
    TokenExchange = "exchangeToken";
    /// Creates an API token for a person or another CI. Only this response contains it.
    TokenCreate = "createToken";
    /// Lists the stored tokens, without the tokens themselves.
    TokenList = "listTokens";
    /// Revokes the token of the request.
    TokenRevokeSelf = "revokeOwnToken";
    /// Revokes a token immediately and permanently.
    TokenRevoke = "revokeToken";
    /// Returns the active policy, or an earlier version of it.
    PolicyGet = "getPolicy";
    /// Replaces the policy, and returns what it newly allows and forbids; with `dry_run=true` it is not stored.
    PolicyPut = "putPolicy";
    /// Lists the versions of the policy, the newest first.
    PolicyVersions = "listPolicyVersions";
    /// Returns which rule allows a request, or why none does.
    PolicyExplain = "explainPolicy";
    /// Lists the entries of the audit log that the caller may read, the newest first; with `format=ndjson` one entry a line.
    AuditList = "listAudit";
    /// Verifies the next 1,000 entries of the audit log's hash chain, from the first entry or from `cursor` on.
    AuditVerify = "verifyAudit";
    /// Lists the archived segments of the audit log, the newest first.
    AuditSegmentList = "listAuditSegments";
    /// Returns an archived segment of the audit log, one line per entry, with its signature.
    AuditSegmentGet = "getAuditSegment";
    /// Signs the length and the head of the audit log, for an auditor to store.
    AuditCheckpoint = "getCheckpoint";
    /// Records a change that an administrator made without this API.
    AuditBreakGlass = "recordBreakGlass";
    /// Returns what needs attention in each namespace: failed health checks, locks, drifts, recent deployments and open intents.
    Status = "getStatus";
    /// Returns whether the dispatch Worker answers, and which of its bindings are present.
    Dispatcher = "getDispatcher";
    /// Lists the Workers of the account that are in no namespace. Needs `admin`.
    AccountWorkerList = "listAccountWorkers";
    /// Returns one Worker of the account in detail: bindings, crons, Durable Objects, versions. Needs `admin`.
    AccountWorkerGet = "getAccountWorker";
    /// Lists the routes and custom domains that lead to Workers of the account, a page of zones at a time. Needs `admin`.
    AccountHostList = "listAccountHosts";
    /// Lists the Workers of the account that consume queues, a page of queues at a time. Needs `admin`.
    AccountQueueList = "listAccountQueues";
    /// Lists the namespaces that the caller may read, with their script counts.
    NamespaceList = "listNamespaces";
    /// Returns one namespace.
    NamespaceGet = "getNamespace";
    /// Returns the lock of a namespace; null if there is none.
    NamespaceLockGet = "getNamespaceLock";
    /// Locks a namespace: rejects every change of its Workers.
    NamespaceLock = "lockNamespace";
    /// Ends the lock of a namespace.
    NamespaceUnlock = "unlockNamespace";
    /// Lists the deployments of the Workers of a namespace that the caller may read, the newest first.
    NamespaceDeploymentList = "listNamespaceDeployments";
    /// Lists the deployments of all Workers that the caller may read, the newest first.
    AllDeploymentList = "listAllDeployments";
    /// Lists the Workers that are deployed in a namespace.
    WorkerList = "listWorkers";
    /// Returns a Worker, its current deployment, its lock and its health check.
    WorkerGet = "getWorker";
    /// Returns a Worker in each environment in which the caller may read it.
    WorkerEverywhere = "getWorkerEverywhere";
    /// Removes a Worker from its namespace. Its deployments and bundles stay.
    WorkerDelete = "deleteWorker";
    /// Lists the names of a Worker's secrets. Their values can never be read.
    SecretList = "listSecrets";
    /// Sets a secret of a Worker.
    SecretPut = "putSecret";
    /// Removes a secret of a Worker.
    SecretDelete = "deleteSecret";
    /// Lists a Worker's tags.
    TagList = "listTags";
    /// Replaces all of a Worker's tags.
    TagPut = "putTags";
    /// Lists a Worker's deployments, the newest first.
    DeploymentList = "listDeployments";
    /// Returns one deployment.
    DeploymentGet = "getDeployment";
    /// Deploys the bundle of an earlier deployment again, as a new deployment.
    Rollback = "rollback";
    /// Deploys the bundle of this Worker's deployment to another namespace.
    Promote = "promote";
    /// Deploys the bundle of this Worker's deployment to a preview in development, which expires.
    Preview = "previewDeployment";
    /// Deploys a Worker of the account to this Worker, as a new deployment.
    Import = "importWorker";
    /// Resolves a change of a Worker that was made outside of this API: adopts or overwrites it.
    DriftResolve = "resolveDrift";
    /// Returns whether the namespace lists the Worker, and whether a request through the dispatch Worker reaches it.
    Verify = "verify";
    /// Returns the log of a Worker, the newest event first; with `follow=true` the events as they come.
    LogRead = "readLog";
    /// Returns the lock of a Worker, or the lock of its namespace.
    LockGet = "getLock";
    /// Locks a Worker: rejects every change of it.
    Lock = "lock";
    /// Ends the lock of a Worker.
    Unlock = "unlock";
    /// Returns the health check of a Worker.
    HealthCheckGet = "getHealthCheck";
    /// Sets the health check of a Worker. A deployment that fails it is rolled back.
    HealthCheckPut = "putHealthCheck";
    /// Removes the health check of a Worker.
    HealthCheckDelete = "deleteHealthCheck";
}

impl Operation {
    /// Whether it changes a Worker by a call to the upstream.
    pub(crate) const fn is_change_of_worker(self) -> bool {
        matches!(
            self,
            Self::WorkerDelete
                | Self::SecretPut
                | Self::SecretDelete
                | Self::TagPut
                | Self::Rollback
                | Self::Promote
                | Self::Preview
                | Self::Import
        )
    }
}
