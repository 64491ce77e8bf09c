/// What a call of `/v1` does. The names are those of the OpenAPI document's `operationId`, in another case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Whether the API itself is well.
    Health,
    /// The OpenAPI document.
    OpenApi,
    /// The JSON Schema of a policy.
    PolicySchema,
    /// A run's OIDC token for a deploy token.
    TokenExchange,
    /// A new API token.
    TokenCreate,
    /// Every token.
    TokenList,
    /// The end of the token that the request shows.
    TokenRevokeSelf,
    /// The end of a token.
    TokenRevoke,
    /// The policy.
    PolicyGet,
    /// A new policy.
    PolicyPut,
    /// The policy's versions.
    PolicyVersions,
    /// Why something is allowed, or is not.
    PolicyExplain,
    /// The audit log.
    AuditList,
    /// Whether its chain is whole.
    AuditVerify,
    /// Its signed head.
    AuditCheckpoint,
    /// What was done past the API.
    AuditBreakGlass,
    /// The namespaces.
    NamespaceList,
    /// One namespace.
    NamespaceGet,
    /// A namespace's lock.
    NamespaceLockGet,
    /// Stops changes to a namespace.
    NamespaceLock,
    /// Allows them again.
    NamespaceUnlock,
    /// The Workers of a namespace.
    WorkerList,
    /// One Worker.
    WorkerGet,
    /// The end of a Worker.
    WorkerDelete,
    /// The names of a Worker's secrets.
    SecretList,
    /// A secret's value.
    SecretPut,
    /// The end of a secret.
    SecretDelete,
    /// A Worker's tags.
    TagList,
    /// All of a Worker's tags anew.
    TagPut,
    /// A Worker's deployments.
    DeploymentList,
    /// One deployment.
    DeploymentGet,
    /// An earlier deployment again.
    Rollback,
    /// A deployment in another namespace.
    Promote,
    /// Whether a Worker is there and is reached.
    Verify,
    /// The lock that holds for a Worker.
    LockGet,
    /// Stops changes to a Worker.
    Lock,
    /// Allows them again.
    Unlock,
    /// What each deployment of a Worker must answer.
    ProbeGet,
    /// Sets that.
    ProbePut,
    /// Removes that.
    ProbeDelete,
}
