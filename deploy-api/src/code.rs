//! The error codes of the deploy API. `docs/errors.md` has a section for each code.

use std::fmt;

use dotdo_names::ERRORS_PAGE;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::schema::name_schema;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $number:literal, $status:literal, $name:literal, $title:literal;)+) => {
        /// An error code. Responses of `/v1` contain the name, and wrangler prints the number, so both are stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Code {
            /// Every code, in the order of `docs/errors.md`.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The number that wrangler prints as `[code: N]`: 740100 to 740199, a range that Cloudflare does not use.
            /// It is never 10000, because wrangler then sends five more requests and prints misleading advice.
            #[must_use]
            pub const fn number(self) -> u32 {
                match self { $(Self::$variant => $number,)+ }
            }

            /// The name in problem documents, in the audit log and in `docs/errors.md`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The HTTP status of the response.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)+ }
            }

            /// A short description.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)+ }
            }
        }
    };
}

codes! {
    // Authentication and authorization: 740101 to 740109.
    /// The credential is missing or not valid. Only the audit log has the reason.
    AuthenticationFailed = 740_101, 401, "AUTHENTICATION_FAILED", "Authentication failed";
    /// The request has a global API key (`X-Auth-Key`), which this API does not accept.
    LegacyKeyRefused = 740_102, 401, "LEGACY_KEY_REFUSED", "Global API keys are not accepted";
    /// No rule of the policy allows the request.
    PermissionDenied = 740_103, 403, "PERMISSION_DENIED", "The policy does not allow this";
    /// The keys of the OIDC token's issuer cannot be read.
    IssuerUnavailable = 740_104, 503, "ISSUER_UNAVAILABLE", "The issuer is not available";
    /// A web page of another origin sent the request.
    OriginRefused = 740_105, 403, "ORIGIN_REFUSED", "Web pages of other origins are refused";

    // Calls that are not forwarded to Cloudflare: 740110 to 740129.
    /// The path has `..`, an encoded slash, an empty segment or a similar construct.
    PathMalformed = 740_110, 400, "PATH_MALFORMED", "The path is malformed";
    /// A header or a parameter overrides the method of the request.
    MethodOverrideRefused = 740_111, 400, "METHOD_OVERRIDE_REFUSED", "The method cannot be overridden";
    /// The account is not the account of the platform.
    AccountUnknown = 740_112, 404, "ACCOUNT_UNKNOWN", "Not the account of the platform";
    /// The dispatch namespace is not a namespace of the platform.
    NamespaceUnknown = 740_113, 404, "NAMESPACE_UNKNOWN", "The namespace does not exist";
    /// The call is not in the list of `docs/deploy-api.md`.
    CallUnknown = 740_114, 404, "CALL_UNKNOWN", "This call is not supported";
    /// The call would change a Worker of the account instead of a Worker in a namespace.
    AccountWorkerRefused = 740_115, 403, "ACCOUNT_WORKER_REFUSED", "Only Workers in a namespace can be changed";
    /// `wrangler delete`, which would delete a Worker of the account, such as the dispatch Worker.
    DeleteRefused = 740_116, 403, "DELETE_REFUSED", "wrangler delete is not supported";
    /// `wrangler tail`, which cannot tail a Worker in a namespace.
    TailRefused = 740_117, 403, "TAIL_REFUSED", "wrangler tail is not supported";
    /// `wrangler versions`, `deployments` or `rollback`, which support only Workers of the account.
    VersionsRefused = 740_118, 403, "VERSIONS_REFUSED", "Versions are managed by the deploy API";
    /// The call would create, rename or delete a dispatch namespace.
    NamespaceChangeRefused = 740_119, 403, "NAMESPACE_CHANGE_REFUSED", "Namespaces cannot be changed through this API";
    /// The call would create or change a resource (KV, D1, R2, …).
    ResourceChangeRefused = 740_120, 403, "RESOURCE_CHANGE_REFUSED", "Resources cannot be changed through this API";
    /// The call does not name a namespace, and the caller has access to several.
    NamespaceAmbiguous = 740_121, 409, "NAMESPACE_AMBIGUOUS", "The namespace is ambiguous";
    /// The session of an asset upload was not opened through this API, or not for this Worker.
    AssetSessionUnknown = 740_122, 403, "ASSET_SESSION_UNKNOWN", "Unknown asset upload session";
    /// The Cloudflare token of this API lacks the permission to read a resource that wrangler looks up.
    ResourceUnreadable = 740_123, 403, "RESOURCE_UNREADABLE", "A resource cannot be looked up";
    /// A call of Cloudflare's API has another path than those below `/client/v4`.
    BaseUrlWrong = 740_124, 404, "BASE_URL_WRONG", "The base URL is wrong";

    // The upload: 740130 to 740139.
    /// The multipart body or its metadata cannot be parsed.
    UploadMalformed = 740_130, 400, "UPLOAD_MALFORMED", "The upload is malformed";
    /// The upload has more bytes than the platform accepts.
    UploadTooLarge = 740_131, 413, "UPLOAD_TOO_LARGE", "The upload is too large";
    /// The upload has more parts than this API accepts.
    UploadTooManyParts = 740_132, 413, "UPLOAD_TOO_MANY_PARTS", "The upload has too many parts";
    /// A module has no name, the name of another module, or a path outside of its folder.
    ModuleNameInvalid = 740_133, 400, "MODULE_NAME_INVALID", "The name of a module is invalid";

    // Configurations that the platform cannot serve: 740140 to 740149.
    /// The dispatch Worker cannot route to the name.
    WorkerNameUnroutable = 740_140, 400, "WORKER_NAME_UNROUTABLE", "No host can reach this Worker";
    /// The name ends in the name of an environment, as `--env` generates it.
    EnvironmentSuffix = 740_141, 400, "ENVIRONMENT_SUFFIX", "The environment is a namespace, not a suffix";
    /// A binding refers to a Worker of a namespace in a way that only Workers of the account support.
    ServiceBindingUnreachable = 740_142, 400, "SERVICE_BINDING_UNREACHABLE", "The target of a service binding is unreachable";
    /// The configuration has routes, cron triggers, queue consumers or workflows, which a namespace ignores.
    TriggerDropped = 740_143, 400, "TRIGGER_DROPPED", "Triggers are not supported in a namespace";
    /// The compatibility date is not a date, or it is in the future.
    CompatibilityDateInvalid = 740_144, 400, "COMPATIBILITY_DATE_INVALID", "The compatibility date is invalid";
    /// Only a warning: the compatibility date is more than a year old.
    CompatibilityDateOld = 740_145, 400, "COMPATIBILITY_DATE_OLD", "The compatibility date is old";
    /// The configuration has containers.
    ContainersUnsupported = 740_146, 400, "CONTAINERS_UNSUPPORTED", "Containers are not supported in a namespace";
    /// A binding refers to a Worker of the platform.
    PlatformWorkerBound = 740_147, 400, "PLATFORM_WORKER_BOUND", "The Workers of the platform cannot be bound";

    // Conflicts with the current state: 740150 to 740159.
    /// The Worker or its namespace is locked.
    WorkerLocked = 740_150, 409, "WORKER_LOCKED", "The Worker or namespace is locked";
    /// The namespace does not have this Worker.
    WorkerUnknown = 740_151, 404, "WORKER_UNKNOWN", "The Worker does not exist";
    /// The Worker does not have this deployment.
    DeploymentUnknown = 740_152, 404, "DEPLOYMENT_UNKNOWN", "The deployment does not exist";
    /// There is no earlier deployment, or the deployment never succeeded.
    RollbackImpossible = 740_153, 409, "ROLLBACK_IMPOSSIBLE", "There is no deployment to roll back to";
    /// The bundle or one of its static assets is not in the bundle store.
    BundleMissing = 740_154, 409, "BUNDLE_MISSING", "The bundle is not stored";
    /// The outcome of an earlier change of this Worker is unknown, and the upstream may still be processing it.
    DeploymentUnsettled = 740_155, 503, "DEPLOYMENT_UNSETTLED", "The outcome of an earlier change is not known yet";
    /// The health check of the deployment failed. The message says whether the deployment was rolled back.
    HealthCheckFailed = 740_156, 422, "HEALTH_CHECK_FAILED", "The health check failed";
    /// The Durable Object migrations between the two deployments are not known.
    MigrationUnknown = 740_157, 409, "MIGRATION_UNKNOWN", "The migrations between the deployments are not known";
    /// The target namespace does not have all secrets that the deployment uses.
    SecretsMissing = 740_158, 409, "SECRETS_MISSING", "Secrets are missing";
    /// The name of the secret is invalid, or the Worker does not have this secret.
    SecretUnknown = 740_159, 404, "SECRET_UNKNOWN", "The secret does not exist";

    // Failures of the upstream and of this API: 740160 to 740169.
    /// The upstream did not respond, or its response is not a response of the Cloudflare API.
    UpstreamUnavailable = 740_160, 502, "UPSTREAM_UNAVAILABLE", "The upstream is not available";
    /// The upstream did not respond in time.
    UpstreamTimeout = 740_161, 504, "UPSTREAM_TIMEOUT", "The upstream did not respond in time";
    /// The upstream returned a rate limit error.
    UpstreamRateLimited = 740_162, 429, "UPSTREAM_RATE_LIMITED", "The upstream rate limit is exceeded";
    /// The upstream does not accept the token of this API.
    UpstreamCredentialRefused = 740_163, 502, "UPSTREAM_CREDENTIAL_REFUSED", "The upstream rejected the token of this API";
    /// The upstream rejected the call. The problem contains its code and message.
    UpstreamRefused = 740_164, 422, "UPSTREAM_REFUSED", "The upstream rejected the call";
    /// The audit log could not be written, so nothing was changed.
    RecordUnavailable = 740_165, 503, "RECORD_UNAVAILABLE", "The audit log is not available";
    /// The bundle could not be stored, so nothing was deployed.
    BundleStoreUnavailable = 740_166, 503, "BUNDLE_STORE_UNAVAILABLE", "The bundle store is not available";
    /// An internal error of this API.
    Internal = 740_167, 500, "INTERNAL", "Internal error of the deploy API";
    /// A variable or a secret of this API is invalid. The log has the name and the reason.
    Misconfigured = 740_168, 500, "MISCONFIGURED", "The deploy API is misconfigured";
    /// Other uploads use the memory that is available for bodies.
    GatewayBusy = 740_169, 503, "GATEWAY_BUSY", "The deploy API is busy";

    // Tokens, the policy and the audit log: 740170 to 740179.
    /// The address of the client sent too many unknown or forged credentials.
    LockedOut = 740_170, 429, "LOCKED_OUT", "Locked out after too many guesses";
    /// There is no token with this id, or the credential of the caller is not a token that can be revoked.
    TokenUnknown = 740_171, 404, "TOKEN_UNKNOWN", "The token does not exist";
    /// The policy is invalid. Each note names a rule and the fix.
    PolicyInvalid = 740_172, 422, "POLICY_INVALID", "The policy is invalid";
    /// The policy does not have this version.
    PolicyVersionUnknown = 740_173, 404, "POLICY_VERSION_UNKNOWN", "The policy version does not exist";
    /// The policy has changed since the caller read it.
    PolicyChanged = 740_174, 412, "POLICY_CHANGED", "The policy has changed since it was read";
    /// Checkpoints cannot be signed, because no signing key is configured.
    CheckpointKeyMissing = 740_175, 503, "CHECKPOINT_KEY_MISSING", "No checkpoint signing key is configured";
    /// The policy has no administrator, or takes `admin` from the caller, and the request does not confirm it.
    PolicyLocksOut = 740_176, 409, "POLICY_LOCKS_OUT", "The policy locks its administrators out";

    // Calls to `/v1`: 740180 to 740189.
    /// The path does not exist.
    PathUnknown = 740_180, 404, "PATH_UNKNOWN", "The path does not exist";
    /// The path does not support the method.
    MethodNotAllowed = 740_181, 405, "METHOD_NOT_ALLOWED", "The method is not allowed";
    /// A query parameter is invalid.
    ParameterInvalid = 740_182, 400, "PARAMETER_INVALID", "A parameter is invalid";
    /// The body is invalid.
    BodyInvalid = 740_183, 400, "BODY_INVALID", "The body is invalid";
    /// The body is too large.
    BodyTooLarge = 740_184, 413, "BODY_TOO_LARGE", "The body is too large";
    /// The logs Worker did not return a log.
    LogsUnavailable = 740_185, 503, "LOGS_UNAVAILABLE", "The logs are not available";

    // Redeploys and imports: 740190 to 740194.
    /// Some bindings of the deployment are not known, so that it cannot be redeployed as it was.
    RedeployInexact = 740_190, 409, "REDEPLOY_INEXACT", "The deployment cannot be redeployed exactly";
    /// The target lacks variables or resources of the promoted deployment, and the request neither has nor accepts them.
    PromotionIncomplete = 740_191, 409, "PROMOTION_INCOMPLETE", "The target lacks variables or resources";
    /// The account has no Worker of this name outside of the namespaces.
    AccountWorkerUnknown = 740_192, 404, "ACCOUNT_WORKER_UNKNOWN", "The account Worker does not exist";
    /// The account Worker has code or data that the Cloudflare API does not return, such as static assets.
    ImportImpossible = 740_193, 409, "IMPORT_IMPOSSIBLE", "The account Worker cannot be imported";

    // Changes that were made outside of this API: 740195 to 740199.
    /// Only a warning: the deployment replaced a change that was made outside of this API.
    DriftOverwritten = 740_195, 409, "DRIFT_OVERWRITTEN", "A change outside of the deploy API was replaced";
    /// The Worker has no drift that could be resolved, or it changed meanwhile.
    DriftUnknown = 740_196, 409, "DRIFT_UNKNOWN", "There is no drift to resolve";
}

impl Code {
    /// The section of `docs/errors.md` about this code.
    #[must_use]
    pub fn page(self) -> String {
        format!("{ERRORS_PAGE}#{}", self.name().to_ascii_lowercase())
    }

    /// The code with this [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }
}

name_schema!(
    Code,
    "Code",
    "An error code. docs/errors.md has a section for each.",
    Code::ALL.iter().map(|code| code.name())
);

/// Serializes a code as its name.
impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::from_name(&name).ok_or_else(|| D::Error::custom("there is no code with this name"))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::Code;

    #[test]
    fn numbers_and_names_are_unique_and_in_the_documented_range() {
        let mut numbers = HashSet::new();
        let mut names = HashSet::new();
        for &code in Code::ALL {
            assert!((740_100..740_200).contains(&code.number()), "{code}");
            assert!((400..600).contains(&code.status()), "{code}");
            assert!(
                numbers.insert(code.number()),
                "{code} has the number of another code"
            );
            assert!(names.insert(code.name()), "{code} has the name of another code");
            assert_eq!(Code::from_name(code.name()), Some(code));
        }
    }
}
