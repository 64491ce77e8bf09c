//! Every way in which a call to the deploy API can fail: one code each, with a section in `docs/errors.md`.

use std::fmt;

use dotdo_names::ERRORS_PAGE;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $number:literal, $status:literal, $name:literal, $title:literal;)+) => {
        /// What went wrong. `/v1` shows the name; wrangler shows the number, so both are stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Code {
            /// Every code, in the order of `docs/errors.md`.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The number that wrangler prints as `[code: N]`: 740100 to 740199, a range that Cloudflare does not use.
            /// It is never 10000, on which wrangler runs five requests more and prints misleading advice.
            #[must_use]
            pub const fn number(self) -> u32 {
                match self { $(Self::$variant => $number,)+ }
            }

            /// The name that problem documents, the audit log and `docs/errors.md` use.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The HTTP status of the answer.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)+ }
            }

            /// What happened, in a few words.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)+ }
            }
        }
    };
}

codes! {
    // Who asks: 740101 to 740109.
    /// No usable credential. What exactly was wrong with it stands only in the audit log.
    AuthenticationFailed = 740_101, 401, "AUTHENTICATION_FAILED", "Not authenticated";
    /// A global API key (`X-Auth-Key`), which this API never takes.
    LegacyKeyRefused = 740_102, 401, "LEGACY_KEY_REFUSED", "Global API keys are not accepted";
    /// The policy has no rule that allows it.
    PermissionDenied = 740_103, 403, "PERMISSION_DENIED", "The policy does not allow this";

    // Calls that never reach Cloudflare: 740110 to 740129.
    /// A path with `..`, an encoded slash, an empty segment or the like.
    PathMalformed = 740_110, 400, "PATH_MALFORMED", "The path is malformed";
    /// A header or parameter that asks for another method than the request has.
    MethodOverrideRefused = 740_111, 400, "METHOD_OVERRIDE_REFUSED", "The method cannot be overridden";
    /// Another Cloudflare account than the platform's.
    AccountUnknown = 740_112, 404, "ACCOUNT_UNKNOWN", "Not the platform's account";
    /// A dispatch namespace that is not one of the platform's.
    NamespaceUnknown = 740_113, 404, "NAMESPACE_UNKNOWN", "No such namespace";
    /// A call that is not on the list of `docs/deploy-api.md`.
    CallUnknown = 740_114, 404, "CALL_UNKNOWN", "This call is not forwarded";
    /// A change to a Worker of the account instead of one in a namespace.
    AccountWorkerRefused = 740_115, 403, "ACCOUNT_WORKER_REFUSED", "Only Workers in a namespace can be changed";
    /// `wrangler delete`, which would delete a Worker of the account, the dispatcher among them.
    DeleteRefused = 740_116, 403, "DELETE_REFUSED", "wrangler delete is not forwarded";
    /// `wrangler tail`, which cannot tail a Worker in a namespace.
    TailRefused = 740_117, 403, "TAIL_REFUSED", "wrangler tail is not forwarded";
    /// `wrangler versions`, `deployments` or `rollback`, which know only Workers of the account.
    VersionsRefused = 740_118, 403, "VERSIONS_REFUSED", "Versions are kept by the deploy API";
    /// Creating, renaming or deleting a dispatch namespace.
    NamespaceChangeRefused = 740_119, 403, "NAMESPACE_CHANGE_REFUSED", "Namespaces are not changed here";
    /// A resource (KV, D1, R2, …) that wrangler would create or change on the way.
    ResourceChangeRefused = 740_120, 403, "RESOURCE_CHANGE_REFUSED", "Resources are not changed here";
    /// A secret for a Worker that the caller may write in several namespaces.
    NamespaceAmbiguous = 740_121, 409, "NAMESPACE_AMBIGUOUS", "Which namespace is not clear";
    /// An asset upload whose session this gateway did not see issued, or not for this Worker.
    AssetSessionUnknown = 740_122, 403, "ASSET_SESSION_UNKNOWN", "Unknown asset upload session";

    // The upload itself: 740130 to 740139.
    /// The multipart body or its metadata cannot be read.
    UploadMalformed = 740_130, 400, "UPLOAD_MALFORMED", "The upload cannot be read";
    /// More bytes than the platform takes.
    UploadTooLarge = 740_131, 413, "UPLOAD_TOO_LARGE", "The upload is too large";
    /// More parts than this gateway takes.
    UploadTooManyParts = 740_132, 413, "UPLOAD_TOO_MANY_PARTS", "The upload has too many parts";
    /// A module without a name, with a name twice, or with a name that leaves its folder.
    ModuleNameInvalid = 740_133, 400, "MODULE_NAME_INVALID", "A module's name is invalid";

    // What the platform could not serve: 740140 to 740149.
    /// The dispatch Worker could never route to the name.
    WorkerNameUnroutable = 740_140, 400, "WORKER_NAME_UNROUTABLE", "No host could reach this Worker";
    /// The name ends in an environment's name, as `--env` makes it.
    EnvironmentSuffix = 740_141, 400, "ENVIRONMENT_SUFFIX", "The environment is a namespace, not a suffix";
    /// A service binding to a Worker that exists only inside a namespace.
    ServiceBindingUnreachable = 740_142, 400, "SERVICE_BINDING_UNREACHABLE", "A service binding leads nowhere";
    /// Routes, crons, queue consumers or workflows, which a namespace drops without a word.
    TriggerDropped = 740_143, 400, "TRIGGER_DROPPED", "A trigger would be dropped";
    /// A compatibility date that is no date, or lies in the future.
    CompatibilityDateInvalid = 740_144, 400, "COMPATIBILITY_DATE_INVALID", "The compatibility date is invalid";
    /// Only a warning: a compatibility date older than a year.
    CompatibilityDateOld = 740_145, 400, "COMPATIBILITY_DATE_OLD", "The compatibility date is old";

    // What stands in the way of a change: 740150 to 740159.
    /// The Worker, or its namespace, is locked.
    WorkerLocked = 740_150, 409, "WORKER_LOCKED", "Locked";
    /// The namespace has no such Worker.
    WorkerUnknown = 740_151, 404, "WORKER_UNKNOWN", "No such Worker";
    /// No such deployment of this Worker.
    DeploymentUnknown = 740_152, 404, "DEPLOYMENT_UNKNOWN", "No such deployment";
    /// There is nothing to go back to, or the deployment never went live.
    RollbackImpossible = 740_153, 409, "ROLLBACK_IMPOSSIBLE", "There is nothing to roll back to";
    /// The bundle, or one of its static assets, is not in the store.
    BundleMissing = 740_154, 409, "BUNDLE_MISSING", "The bundle is not stored";
    /// An earlier change of this Worker has an unknown outcome, and the upstream may still be working on it.
    DeploymentUnsettled = 740_155, 503, "DEPLOYMENT_UNSETTLED", "An earlier change is not settled yet";
    /// The deployment went up, its probe failed, and the one before it was put back.
    ProbeFailed = 740_156, 422, "PROBE_FAILED", "The probe failed";
    /// Durable Object migrations that lead from the one deployment to the other are not known.
    MigrationUnknown = 740_157, 409, "MIGRATION_UNKNOWN", "The migrations do not connect";
    /// Secrets that the deployment uses are not set where it is to be shipped to.
    SecretsMissing = 740_158, 409, "SECRETS_MISSING", "Secrets are missing";
    /// A secret whose name cannot be one, or a Worker without one of that name.
    SecretUnknown = 740_159, 404, "SECRET_UNKNOWN", "No such secret";

    // What is out of the caller's hands: 740160 to 740169.
    /// The upstream did not answer, or not in the way of an API.
    UpstreamUnavailable = 740_160, 502, "UPSTREAM_UNAVAILABLE", "The upstream is not available";
    /// The upstream did not answer in time.
    UpstreamTimeout = 740_161, 504, "UPSTREAM_TIMEOUT", "The upstream did not answer in time";
    /// The upstream asks to slow down.
    UpstreamRateLimited = 740_162, 429, "UPSTREAM_RATE_LIMITED", "The upstream limits the rate";
    /// The upstream does not accept this API's own token.
    UpstreamCredentialRefused = 740_163, 502, "UPSTREAM_CREDENTIAL_REFUSED", "The upstream refuses this API's token";
    /// The upstream understood the call and refused it; its own code stands beside this one.
    UpstreamRefused = 740_164, 422, "UPSTREAM_REFUSED", "The upstream refused";
    /// What happens could not be put on record, so nothing was done.
    RecordUnavailable = 740_165, 503, "RECORD_UNAVAILABLE", "The record is not available";
    /// The bundle could not be stored, so nothing was deployed.
    BundleStoreUnavailable = 740_166, 503, "BUNDLE_STORE_UNAVAILABLE", "The bundle store is not available";
    /// A fault of this API.
    Internal = 740_167, 500, "INTERNAL", "The deploy API failed";
    /// A variable or a secret of this API cannot be used; the log says which and why.
    Misconfigured = 740_168, 500, "MISCONFIGURED", "The deploy API is misconfigured";
    /// Other uploads use the memory that is available for bodies.
    GatewayBusy = 740_169, 503, "GATEWAY_BUSY", "The deploy API is busy";

    // Tokens, the policy and the audit log: 740170 to 740179.
    /// Too many guesses at a credential came from the client's address.
    LockedOut = 740_170, 429, "LOCKED_OUT", "Locked out after too many guesses";
    /// There is no token of that id, or the caller holds none that could be revoked.
    TokenUnknown = 740_171, 404, "TOKEN_UNKNOWN", "No such token";
    /// The policy does not load; each line of the notes names a rule and the fix.
    PolicyInvalid = 740_172, 422, "POLICY_INVALID", "The policy does not load";
    /// There is no such version of the policy.
    PolicyVersionUnknown = 740_173, 404, "POLICY_VERSION_UNKNOWN", "No such version of the policy";
    /// The policy was changed since the caller read it.
    PolicyChanged = 740_174, 412, "POLICY_CHANGED", "The policy was changed meanwhile";
    /// Checkpoints cannot be signed, because no key is configured.
    CheckpointKeyMissing = 740_175, 503, "CHECKPOINT_KEY_MISSING", "No key to sign checkpoints with";

    // Calls to `/v1`: 740180 to 740189.
    /// No such path.
    PathUnknown = 740_180, 404, "PATH_UNKNOWN", "No such path";
    /// The path exists, but not with this method.
    MethodNotAllowed = 740_181, 405, "METHOD_NOT_ALLOWED", "The method is not allowed";
    /// A parameter of the query that cannot be read.
    ParameterInvalid = 740_182, 400, "PARAMETER_INVALID", "A parameter is invalid";
    /// A body that cannot be read.
    BodyInvalid = 740_183, 400, "BODY_INVALID", "The body is invalid";
    /// A body larger than the call takes.
    BodyTooLarge = 740_184, 413, "BODY_TOO_LARGE", "The body is too large";
}

impl Code {
    /// The section of `docs/errors.md` about this code.
    #[must_use]
    pub fn page(self) -> String {
        format!("{ERRORS_PAGE}#{}", self.name().to_ascii_lowercase())
    }

    /// The code of that [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }
}

/// A code is its name in JSON.
impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::from_name(&name).ok_or_else(|| D::Error::custom("there is no code of this name"))
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
            assert!(numbers.insert(code.number()), "{code} has another's number");
            assert!(names.insert(code.name()), "{code} stands twice");
            assert_eq!(Code::from_name(code.name()), Some(code));
        }
    }
}
