use serde::{Deserialize, Serialize};

macro_rules! operations {
    ($(#[doc = $doc:literal] $variant:ident = $id:literal;)+) => {
        /// What a call of `/v1` does.
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
    /// Returns whether the API works. Needs no credential; an administrator also gets the sizes of the Wasm memories.
    Health = "health";
    /// This document. Needs no credential.
    OpenApi = "openapi";
    /// The JSON Schema of a policy. Needs no credential.
    PolicySchema = "policySchema";
    /// Exchanges the OIDC token of a GitHub run, once, for a deploy token of 15 minutes.
    TokenExchange = "exchangeToken";
    /// Makes an API token for a person or another CI. This answer alone shows it.
    TokenCreate = "createToken";
    /// Lists every token that is remembered, without the tokens themselves.
    TokenList = "listTokens";
    /// Revokes the token that the request shows.
    TokenRevokeSelf = "revokeOwnToken";
    /// Revokes a token at once and for ever.
    TokenRevoke = "revokeToken";
    /// Shows the policy that holds, or an earlier version of it.
    PolicyGet = "getPolicy";
    /// Replaces the policy, and says what that allows and forbids anew; with `dry_run=true` it only says so.
    PolicyPut = "putPolicy";
    /// Lists the versions of the policy, the newest first.
    PolicyVersions = "listPolicyVersions";
    /// Says which rule allows something, or what stands in the way.
    PolicyExplain = "explainPolicy";
    /// Lists the audit log, the newest entry first; with `format=ndjson` one entry a line.
    AuditList = "listAudit";
    /// Verifies the next 1,000 entries of the audit log's hash chain, from the first entry or from `cursor` on.
    AuditVerify = "verifyAudit";
    /// Lists the archived segments of the audit log, the newest first.
    AuditSegmentList = "listAuditSegments";
    /// Returns an archived segment of the audit log, one line per entry, with its signature.
    AuditSegmentGet = "getAuditSegment";
    /// Signs the length and the head of the audit log, for an outsider to keep.
    AuditCheckpoint = "getCheckpoint";
    /// Puts on record what an administrator did past this API.
    AuditBreakGlass = "recordBreakGlass";
    /// Lists the namespaces that the caller may read, with their script counts.
    NamespaceList = "listNamespaces";
    /// Shows one namespace.
    NamespaceGet = "getNamespace";
    /// Shows the lock of a namespace, or that there is none.
    NamespaceLockGet = "getNamespaceLock";
    /// Stops every change to the Workers of a namespace.
    NamespaceLock = "lockNamespace";
    /// Ends the lock of a namespace.
    NamespaceUnlock = "unlockNamespace";
    /// Lists the Workers that a namespace really holds.
    WorkerList = "listWorkers";
    /// Shows a Worker, the deployment that serves, its lock and its probe.
    WorkerGet = "getWorker";
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
    /// Shows one deployment.
    DeploymentGet = "getDeployment";
    /// Ships an earlier deployment's very bytes again, which is a deployment of its own.
    Rollback = "rollback";
    /// Ships the very bytes of this Worker's deployment to another namespace.
    Promote = "promote";
    /// Says whether the namespace lists the Worker, and whether a request through the dispatch Worker reaches it.
    Verify = "verify";
    /// Shows the lock that holds for a Worker, its own or its namespace's.
    LockGet = "getLock";
    /// Stops every change to a Worker.
    Lock = "lock";
    /// Ends the lock of a Worker.
    Unlock = "unlock";
    /// Shows what each deployment of a Worker must answer.
    ProbeGet = "getProbe";
    /// Has each deployment probed after it went up, and rolled back when it answers with another status.
    ProbePut = "putProbe";
    /// Ends the probing of deployments.
    ProbeDelete = "deleteProbe";
}

impl Operation {
    /// Whether it changes a Worker by a call to the upstream.
    pub(super) const fn is_change_of_worker(self) -> bool {
        matches!(
            self,
            Self::WorkerDelete
                | Self::SecretPut
                | Self::SecretDelete
                | Self::TagPut
                | Self::Rollback
                | Self::Promote
        )
    }
}
